SELECT rowgate_sqitch.checkit(COUNT(*) = 22, 'a column has lost its example')
  FROM information_schema.columns
 WHERE table_schema = DATABASE()
   AND table_name IN ('fire_department', 'incident', 'apparatus', 'unit_status')
   AND column_comment LIKE '%Example: %';
