-- Who deploys may write on a read-only server (SUPER, READ_ONLY ADMIN), and routines with those rights may too: on a writer that
-- was demoted, a row that its successor never sees. So these look for themselves. accounts.sql grants EXECUTE again.
DELIMITER //

DROP PROCEDURE IF EXISTS heartbeat_beat//

CREATE PROCEDURE heartbeat_beat()
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Moves the number on.'
BEGIN
	IF @@GLOBAL.read_only THEN
		SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the server is read-only';
	END IF;
	UPDATE heartbeat
	   SET beat = GREATEST(beat + 1, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED))
	 WHERE id = 1;
END//

DROP PROCEDURE IF EXISTS idempotency_expire//

CREATE PROCEDURE idempotency_expire(IN seconds BIGINT)
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Deletes up to 1000 keys older than that, and looks whether there is room (1 GiB).'
BEGIN
	IF @@GLOBAL.read_only THEN
		SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the server is read-only';
	END IF;
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
