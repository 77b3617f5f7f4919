-- `ON *` is the database this is deployed to. anon may do nothing here.
CREATE ROLE IF NOT EXISTS wages_analyst;
CREATE ROLE IF NOT EXISTS hr;

GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON * TO service_role;
GRANT SELECT (eid, name, gender, hire_date, department, division, job_code, manager)
   ON employee_directory TO authenticated;
GRANT SELECT ON * TO wages_analyst;
GRANT SELECT, INSERT, UPDATE, DELETE ON * TO hr;
