DROP ROLE IF EXISTS dispatcher;

REVOKE SELECT ON fire_department FROM authenticated;
REVOKE SELECT ON incident FROM authenticated;
REVOKE SELECT ON incident_document FROM authenticated;
REVOKE SELECT ON apparatus FROM authenticated;
REVOKE SELECT ON unit_status FROM authenticated;

REVOKE SELECT ON fire_department FROM anon;
REVOKE SELECT ON incident FROM anon;
REVOKE SELECT ON apparatus FROM anon;
REVOKE SELECT ON unit_status FROM anon;

REVOKE EXECUTE ON PROCEDURE ingest_incident FROM service_role;
REVOKE SELECT, INSERT, UPDATE, DELETE ON * FROM service_role;
