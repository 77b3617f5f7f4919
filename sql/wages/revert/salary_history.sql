DROP TABLE salary_history;
