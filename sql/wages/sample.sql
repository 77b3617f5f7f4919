-- 500 employees and some 2,000 salaries of our own making: people who do not exist, the same at every run. Loaded
-- only into empty tables, so that nothing anybody keeps there is touched.
--
-- Chance is CRC32 of the employee's number and a word. The names are 25 times 20, each pair once. Employees 1 to 9
-- lead; number 1 leads them and has no manager. Ten people do contract work for nobody in particular: no manager
-- either.
SET @load = (SELECT COUNT(*) = 0 FROM employee_directory);

INSERT INTO employee_directory (eid, name, gender, hire_date, department, division, job_code, manager, performance,
	annual_benefits_value)
WITH RECURSIVE number (eid) AS (
	SELECT 1 UNION ALL SELECT eid + 1 FROM number WHERE eid < 500),
person AS (
	SELECT eid, eid * 271 % 500 AS pick, CRC32(CONCAT(eid, 'division')) % 100 AS place,
	       IF(eid <= 9, 10 - (eid > 1), 1 + CRC32(CONCAT(eid, 'grade')) % 8) AS grade
	  FROM number),
named AS (
	SELECT eid, place, grade,
	       CONCAT(ELT(1 + pick % 25, 'Adaeze', 'Bruno', 'Celeste', 'Dmitri', 'Esperanza', 'Farid', 'Gwen',
		'Hiroshi', 'Ines', 'Jonas', 'Kamala', 'Luca', 'Mireille', 'Nadir', 'Oonagh', 'Pavel', 'Quinn',
		'Rosa', 'Samuel', 'Thandiwe', 'Umberto', 'Vera', 'Wendell', 'Ximena', 'Yusuf'), ' ',
		ELT(1 + pick DIV 25, 'Abernathy', 'Brightwater', 'Castellan', 'Dunmore', 'Eastgate', 'Fennimore', 'Greenhalgh',
		'Hollis', 'Ironwood', 'Juniper', 'Kestrel', 'Lindqvist', 'Marchetti', 'Nightingale', 'Okonkwo',
		'Palmgren', 'Quill', 'Ravensworth', 'Silvera', 'Thornbury')) AS name
	  FROM person),
placed AS (
	SELECT named.*, CASE WHEN place < 12 THEN 'Web' WHEN place < 23 THEN 'iOS' WHEN place < 34 THEN 'Android'
		WHEN place < 46 THEN 'Finance' WHEN place < 54 THEN 'HR' WHEN place < 62 THEN 'Accounting' WHEN
		place < 73 THEN 'Sales' WHEN place < 83 THEN 'Marketing' WHEN place < 92 THEN 'Product' ELSE
		'Strategy' END AS division
	  FROM named)
SELECT placed.eid, placed.name, ELT(1 + CRC32(CONCAT(placed.eid, 'gender')) % 40 DIV 19, 'F', 'M', 'X'),
       DATE('2012-01-01') + INTERVAL CRC32(CONCAT(placed.eid, 'hired')) % 3000 DAY,
       CASE WHEN division IN ('Web', 'iOS', 'Android') THEN 'Engineering'
	WHEN division IN ('Finance', 'HR', 'Accounting') THEN 'Administration'
	WHEN division IN ('Sales', 'Marketing') THEN 'Marketing & Sales' ELSE 'Design' END,
       division, CONCAT('R', placed.grade), manager.name,
       ELT(1 + CRC32(CONCAT(placed.eid, 'review')) % 8, 'Improvement needed', 'Meets', 'Meets', 'Meets', 'Exceeds',
	'Exceeds', 'Redefines', NULL),
       5000 + 900 * placed.grade + CRC32(CONCAT(placed.eid, 'benefits')) % 4000
  FROM placed
  LEFT JOIN named AS manager
    ON manager.eid = CASE WHEN placed.eid = 1 OR placed.eid % 50 = 0 THEN NULL WHEN placed.eid <= 9 THEN 1
	ELSE 2 + CRC32(placed.division) % 8 END
 WHERE @load;

-- Three to five salaries each, from the day of hire about a year apart, each some percent more than the one before.
INSERT INTO salary_history (eid, salary, `date`)
WITH RECURSIVE step (n) AS (
	SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n < 4)
SELECT eid, ROUND((28000 + 14500 * SUBSTRING(job_code, 2) + CRC32(CONCAT(eid, 'salary')) % 25000)
		* POW(1.02 + CRC32(CONCAT(eid, 'raise')) % 7 / 100, n), -1),
       hire_date + INTERVAL n * (330 + CRC32(CONCAT(eid, 'rhythm')) % 70) DAY
  FROM employee_directory
  JOIN step ON n < 3 + CRC32(CONCAT(eid, 'steps')) % 3
 WHERE @load
 ORDER BY eid, n;
