SELECT rowgate_sqitch.checkit(COUNT(DISTINCT table_name, role) >= 6, 'manager or employee has no policy on some table')
  FROM rowgate.policy
 WHERE schema_name = DATABASE() AND role IN ('manager', 'employee');
SELECT rowgate_sqitch.checkit(COUNT(*) = 6, 'manager or employee may not read some table')
  FROM mysql.tables_priv
 WHERE db = DATABASE() AND user IN ('manager', 'employee') AND table_priv = 'Select';
