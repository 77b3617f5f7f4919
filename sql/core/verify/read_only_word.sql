SELECT rowgate_sqitch.checkit(COUNT(*) = 3, 'a routine takes @@read_only for a number')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name IN ('heartbeat_beat', 'idempotency_expire', 'role_add')
   AND routine_definition LIKE '%CAST(@@GLOBAL.read_only AS CHAR)%';
