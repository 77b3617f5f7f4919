-- How far a reader is behind the writer: a number that grows with the writer's clock, and reaches the readers as rows do. The
-- catalogue account moves it on, whoever reads asks for it; nobody touches the table itself.
DELIMITER //

CREATE TABLE heartbeat (
	id TINYINT NOT NULL PRIMARY KEY,
	beat BIGINT NOT NULL COMMENT 'Microseconds since 1970 by the writer; never goes back.') ENGINE = InnoDB//

INSERT INTO heartbeat (id, beat) VALUES (1, 0)//

CREATE PROCEDURE heartbeat_beat()
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Moves the number on.'
UPDATE heartbeat
   SET beat = GREATEST(beat + 1, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED))
 WHERE id = 1//

CREATE FUNCTION heartbeat_read() RETURNS BIGINT
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'The number, as this server has it.'
RETURN (SELECT seen.beat FROM heartbeat AS seen WHERE seen.id = 1)//
