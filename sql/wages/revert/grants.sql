DROP ROLE IF EXISTS hr;
DROP ROLE IF EXISTS wages_analyst;
REVOKE SELECT (eid, name, gender, hire_date, department, division, job_code, manager)
    ON employee_directory FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE, EXECUTE ON * FROM service_role;
