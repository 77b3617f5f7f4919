DROP PROCEDURE ingest_incident;
