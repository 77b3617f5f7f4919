DROP FUNCTION heartbeat_read;
DROP PROCEDURE heartbeat_beat;
DROP TABLE heartbeat;
