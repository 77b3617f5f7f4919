SELECT eid, name, gender, hire_date, department, division, job_code, manager, performance, annual_benefits_value,
       salary, salary_date
  FROM compensation
 WHERE FALSE;
