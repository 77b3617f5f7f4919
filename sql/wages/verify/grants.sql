SELECT rowgate_sqitch.checkit(COUNT(*) = 3, 'service_role, wages_analyst or hr has no right to this database')
  FROM mysql.db
 WHERE db = DATABASE() AND user IN ('service_role', 'wages_analyst', 'hr') AND select_priv = 'Y';
SELECT rowgate_sqitch.checkit(COUNT(*) = 8, 'authenticated does not have its eight columns of employee_directory')
  FROM mysql.columns_priv
 WHERE db = DATABASE() AND user = 'authenticated' AND table_name = 'employee_directory';
