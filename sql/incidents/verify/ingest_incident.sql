SELECT rowgate_sqitch.checkit(COUNT(*) = 1, 'procedure ingest_incident is missing')
  FROM information_schema.routines
 WHERE routine_schema = DATABASE() AND routine_name = 'ingest_incident';
