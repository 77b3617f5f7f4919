SELECT rowgate_sqitch.checkit(COUNT(*) = 9, 'a column has lost its example')
  FROM information_schema.columns
 WHERE table_schema = DATABASE()
   AND table_name IN ('employee_directory', 'salary_history')
   AND column_comment LIKE '%Example: %';
