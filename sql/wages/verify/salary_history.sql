SELECT id, eid, salary, `date`
  FROM salary_history
 WHERE FALSE;
