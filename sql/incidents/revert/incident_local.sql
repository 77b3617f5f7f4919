REVOKE SELECT ON incident_local FROM authenticated;
REVOKE SELECT ON incident_local FROM anon;
DROP VIEW incident_local;
