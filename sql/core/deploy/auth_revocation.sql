-- Access tokens that are no longer believed before they expire. The version is counted up in the transaction that adds
-- a row, so a reader that asks for what is newer than the version it knows misses nothing.
CREATE TABLE auth_state (
	id TINYINT NOT NULL DEFAULT 1 COMMENT 'there is one row',
	revocations BIGINT NOT NULL DEFAULT 0 COMMENT 'version of the newest revocation',
	PRIMARY KEY (id)
) ENGINE = InnoDB COMMENT = 'Counters of the identity tables';
INSERT INTO auth_state (id) VALUES (1);

CREATE TABLE auth_revocation (
	version BIGINT NOT NULL COMMENT 'auth_state.revocations when it was added',
	number INT NOT NULL COMMENT 'within its version',
	kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'token (jti), session (session_id), subject (sub) or all',
	value VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'of the claim; empty for all',
	issued_before BIGINT COMMENT 'only tokens of an earlier second (claim iat); null: any',
	created_at DATETIME(6) NOT NULL COMMENT 'UTC',
	expires_at BIGINT COMMENT 'seconds since 1970: no such token lives longer; null: kept',
	PRIMARY KEY (version, number),
	KEY auth_revocation_expires (expires_at)
) ENGINE = InnoDB COMMENT = 'Tokens that are no longer believed';
