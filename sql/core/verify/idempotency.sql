SELECT rowgate_sqitch.checkit(idempotency_find(UNHEX(REPEAT('00', 32)), 1) IN ('free', 'full'), 'idempotency_find is wrong');
SELECT rowgate_sqitch.checkit(COUNT(*) = 2, 'idempotency_store or idempotency_expire is missing')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name IN ('idempotency_store', 'idempotency_expire');
