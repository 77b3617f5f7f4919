-- Plain columns and plain joins, so that a reader of view definitions can follow each column to its table. The
-- sub-query takes one step in the index (eid, date) per employee. Definer's rights: SELECT on the view is enough.
CREATE SQL SECURITY DEFINER VIEW compensation AS
SELECT employee.eid, employee.name, employee.gender, employee.hire_date, employee.department, employee.division,
       employee.job_code, employee.manager, employee.performance, employee.annual_benefits_value,
       latest.salary, latest.`date` AS salary_date
  FROM employee_directory AS employee
  LEFT JOIN salary_history AS latest
    ON latest.id = (SELECT past.id
                      FROM salary_history AS past
                     WHERE past.eid = employee.eid
                     ORDER BY past.`date` DESC, past.id DESC
                     LIMIT 1);
