REVOKE SELECT ON unit_response FROM authenticated;
REVOKE SELECT ON unit_response FROM anon;
DROP VIEW unit_response;
