SELECT rowgate_sqitch.checkit(COUNT(DISTINCT user) = 3, 'a role of anon, authenticated, service_role is missing')
  FROM mysql.user
 WHERE user IN ('anon', 'authenticated', 'service_role');
