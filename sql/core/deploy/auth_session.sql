-- A sign-in and what followed from it. A refresh token is used once: its use makes the next generation. An older one
-- that comes again is stolen, or the next one is, and the session ends.
CREATE TABLE auth_session (
	id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUID, the claim session_id',
	user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'whose it is',
	generation INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of the refresh tokens that may be used',
	created_at DATETIME(6) NOT NULL COMMENT 'UTC',
	refreshed_at DATETIME(6) NOT NULL COMMENT 'UTC; when the generation began',
	address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT 'of the client at sign-in',
	user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'what the client calls itself',
	PRIMARY KEY (id),
	KEY auth_session_user (user_id, address),
	KEY auth_session_refreshed (refreshed_at),
	CONSTRAINT auth_session_user FOREIGN KEY (user_id) REFERENCES auth_user (id) ON DELETE CASCADE
) ENGINE = InnoDB COMMENT = 'Sign-ins';

CREATE TABLE auth_refresh_token (
	hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the token',
	session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'its session',
	generation INT UNSIGNED NOT NULL COMMENT 'of the session when it was made',
	PRIMARY KEY (hash),
	KEY auth_refresh_token_session (session_id, generation),
	CONSTRAINT auth_refresh_token_session FOREIGN KEY (session_id) REFERENCES auth_session (id) ON DELETE CASCADE
) ENGINE = InnoDB COMMENT = 'Refresh tokens, used ones too';
