SELECT rowgate_sqitch.checkit(COUNT(*) = 1, 'procedure store_incident_documents is missing')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name = 'store_incident_documents';
