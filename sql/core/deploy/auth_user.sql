-- Who may sign in by /auth/v1. Only the account rowgate_identity reads these tables (identity.sql): no role does, so no
-- request to /rest/v1 can.
CREATE TABLE auth_user (
	id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUID, the claim sub',
	email VARCHAR(254) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL COMMENT 'lower case; unique whatever its case',
	password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin COMMENT 'crypt(5), yescrypt; null: no login by password',
	role VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'authenticated' COMMENT 'database role of the tokens',
	user_metadata JSON NOT NULL COMMENT 'what the user may change',
	app_metadata JSON NOT NULL COMMENT 'what only an administrator may change',
	banned_until DATETIME(6) COMMENT 'UTC',
	email_confirmed_at DATETIME(6) COMMENT 'UTC',
	last_sign_in_at DATETIME(6) COMMENT 'UTC',
	created_at DATETIME(6) NOT NULL COMMENT 'UTC',
	updated_at DATETIME(6) NOT NULL COMMENT 'UTC',
	PRIMARY KEY (id),
	UNIQUE KEY auth_user_email (email),
	KEY auth_user_created (created_at)
) ENGINE = InnoDB COMMENT = 'Who may sign in';
