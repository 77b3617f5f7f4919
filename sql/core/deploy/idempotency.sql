-- What a write with an Idempotency-Key answered, committed with the write itself, and given again when it is repeated.
-- No role may touch the tables: the workers' login reaches them through these routines alone, which run with the rights
-- of whoever deployed them. accounts.sql grants EXECUTE.
DELIMITER //

CREATE TABLE idempotency_key (
	id BINARY(32) NOT NULL PRIMARY KEY COMMENT 'SHA-256 of who asks and the key',
	role VARCHAR(128) NOT NULL,
	subject VARBINARY(255) NOT NULL COMMENT 'the claim sub, cut',
	idempotency_key VARCHAR(255) NOT NULL,
	method VARCHAR(16) NOT NULL,
	path VARBINARY(1024) NOT NULL COMMENT 'cut',
	fingerprint BINARY(32) NOT NULL COMMENT 'SHA-256 of what was asked',
	status SMALLINT UNSIGNED NOT NULL,
	headers BLOB NOT NULL,
	body MEDIUMBLOB NOT NULL,
	created DATETIME(3) NOT NULL COMMENT 'UTC',
	KEY idempotency_key_created (created)) ENGINE = InnoDB//

CREATE TABLE idempotency_room (
	id TINYINT NOT NULL PRIMARY KEY,
	is_full BOOLEAN NOT NULL COMMENT 'The table of keys has reached its bound: no more until some have expired.') ENGINE = InnoDB//

INSERT INTO idempotency_room (id, is_full) VALUES (1, FALSE)//

-- locked is GET_LOCK's answer: an argument, so that the lock is there before the table is read.
CREATE FUNCTION idempotency_find(wanted BINARY(32), locked INT) RETURNS MEDIUMBLOB
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'done, fingerprint, status (3 digits), length of the headers (8 digits), headers, body; else free, busy or full.'
RETURN COALESCE(
	(SELECT CONCAT('done', kept.fingerprint, LPAD(kept.status, 3, '0'), LPAD(LENGTH(kept.headers), 8, '0'),
	               kept.headers, kept.body)
	   FROM idempotency_key AS kept
	  WHERE kept.id = wanted),
	IF(COALESCE(locked, 0) = 0, 'busy', IF((SELECT room.is_full FROM idempotency_room AS room WHERE room.id = 1), 'full', 'free')))//

CREATE PROCEDURE idempotency_store(IN new_id BINARY(32), IN new_role VARCHAR(128), IN new_subject VARBINARY(255),
	IN new_key VARCHAR(255), IN new_method VARCHAR(16), IN new_path VARBINARY(1024), IN new_fingerprint BINARY(32),
	IN new_status SMALLINT UNSIGNED, IN new_headers BLOB, IN new_body MEDIUMBLOB)
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'The answer of a write, within its transaction.'
INSERT INTO idempotency_key
   (id, role, subject, idempotency_key, method, path, fingerprint, status, headers, body, created)
VALUES (new_id, new_role, new_subject, new_key, new_method, new_path, new_fingerprint, new_status, new_headers,
        new_body, UTC_TIMESTAMP(3))//

CREATE PROCEDURE idempotency_expire(IN seconds BIGINT)
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Deletes up to 1000 keys older than that, and looks whether there is room (1 GiB).'
BEGIN
	/*!80000 SET SESSION information_schema_stats_expiry = 0; */
	UPDATE idempotency_room
	   SET is_full = (SELECT COALESCE(SUM(data_length + index_length), 0) > 1073741824
	                 FROM information_schema.tables AS found
	                WHERE found.table_schema = DATABASE() AND found.table_name = 'idempotency_key')
	 WHERE id = 1;
	DELETE FROM idempotency_key
	 WHERE created < UTC_TIMESTAMP(3) - INTERVAL seconds SECOND
	 ORDER BY created
	 LIMIT 1000;
END//
