SELECT rowgate_sqitch.checkit(COUNT(*) = 2, 'service_role or dispatcher has no right to this database')
  FROM mysql.db
 WHERE db = DATABASE() AND user IN ('service_role', 'dispatcher') AND select_priv = 'Y';
SELECT rowgate_sqitch.checkit(SUM(user = 'anon') = 4 AND SUM(user = 'authenticated') = 5,
	'anon or authenticated lacks a table')
  FROM mysql.tables_priv
 WHERE db = DATABASE()
   AND table_name IN ('fire_department', 'incident', 'incident_document', 'apparatus', 'unit_status');
SELECT rowgate_sqitch.checkit(COUNT(*) = 2, 'service_role or dispatcher may not call ingest_incident')
  FROM mysql.procs_priv
 WHERE db = DATABASE() AND routine_name = 'ingest_incident' AND user IN ('service_role', 'dispatcher');
