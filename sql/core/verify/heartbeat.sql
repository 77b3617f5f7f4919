SELECT rowgate_sqitch.checkit(heartbeat_read() >= 0, 'heartbeat_read is wrong');
SELECT rowgate_sqitch.checkit(COUNT(*) = 1, 'heartbeat_beat is missing')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name = 'heartbeat_beat';
