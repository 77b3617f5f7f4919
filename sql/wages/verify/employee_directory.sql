SELECT eid, name, gender, hire_date, department, division, job_code, manager, performance, annual_benefits_value
  FROM employee_directory
 WHERE FALSE;
