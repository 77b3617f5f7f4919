SELECT rowgate_sqitch.checkit(COUNT(*) = 2, 'heartbeat_beat or idempotency_expire writes on a read-only server')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name IN ('heartbeat_beat', 'idempotency_expire')
   AND routine_definition LIKE '%read_only%';
