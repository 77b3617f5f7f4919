SELECT rowgate_sqitch.checkit(COUNT(*) = 1, 'procedure mark_changed_documents is missing')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name = 'mark_changed_documents';
