-- The parts of ingest_incident run with its definer's rights: nobody else needs them, so EXECUTE is for it alone.
CREATE ROLE IF NOT EXISTS dispatcher;

GRANT SELECT, INSERT, UPDATE, DELETE ON * TO service_role;
GRANT EXECUTE ON PROCEDURE ingest_incident TO service_role;

GRANT SELECT ON fire_department TO anon;
GRANT SELECT ON incident TO anon;
GRANT SELECT ON apparatus TO anon;
GRANT SELECT ON unit_status TO anon;

GRANT SELECT ON fire_department TO authenticated;
GRANT SELECT ON incident TO authenticated;
GRANT SELECT ON incident_document TO authenticated;
GRANT SELECT ON apparatus TO authenticated;
GRANT SELECT ON unit_status TO authenticated;

GRANT SELECT ON * TO dispatcher;
GRANT EXECUTE ON PROCEDURE ingest_incident TO dispatcher;
