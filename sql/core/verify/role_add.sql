SELECT rowgate_sqitch.checkit(COUNT(*) = 1, 'role_add is not there')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name = 'role_add';
