-- The benchmark's data: 100,000 employees in 12 divisions, ten salaries each. The same on every run, and plain
-- enough for MariaDB and MySQL alike: the numbers come from a join of digits, not from a sequence engine.
DROP DATABASE IF EXISTS bench;
CREATE DATABASE bench CHARACTER SET utf8mb4;
USE bench;

CREATE TABLE employees (
	eid INT NOT NULL PRIMARY KEY,
	name VARCHAR(60) NOT NULL,
	gender CHAR(1) NOT NULL,
	hire_date DATE NOT NULL,
	department VARCHAR(40) NOT NULL,
	division VARCHAR(40) NOT NULL,
	job_code VARCHAR(12) NOT NULL,
	manager VARCHAR(60) NULL,
	performance VARCHAR(20) NOT NULL,
	annual_benefits_value DECIMAL(10,2) NOT NULL,
	KEY employees_division (division)
) ENGINE=InnoDB;

CREATE TABLE salary_history (
	id INT NOT NULL PRIMARY KEY,
	eid INT NOT NULL,
	salary INT NOT NULL,
	`date` DATE NOT NULL,
	KEY salary_history_eid (eid),
	CONSTRAINT salary_history_employee FOREIGN KEY (eid) REFERENCES employees (eid)
) ENGINE=InnoDB;

INSERT INTO employees
WITH digit (d) AS (
	SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
	UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), number (n) AS (
	SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d
	FROM digit a, digit b, digit c, digit e, digit f
)
SELECT
	n,
	CONCAT('Employee ', LEFT(SHA2(n, 256), 32)),
	IF(n % 2 = 1, 'F', 'M'),
	DATE_ADD('1995-01-01', INTERVAL (n * 7919) % 10000 DAY),
	CONCAT('Department ', n % 40),
	CONCAT('Division ', CHAR(65 + (n * 31) % 12 USING utf8mb4)),
	CONCAT('J', LPAD((n * 13) % 500, 4, '0')),
	IF(n % 50 = 0, NULL, CONCAT('Employee ', LEFT(SHA2(n DIV 10 + 1, 256), 32))),
	ELT(1 + (n * 17) % 5, 'poor', 'fair', 'good', 'very good', 'excellent'),
	5000 + ((n * 104729) % 2000000) / 100
FROM number
ORDER BY n;

INSERT INTO salary_history
WITH digit (d) AS (
	SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
	UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), number (n) AS (
	SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d
	FROM digit a, digit b, digit c, digit e, digit f, digit g
)
SELECT
	n,
	1 + (n - 1) DIV 10,
	30000 + CRC32(n) % 120000,
	DATE_ADD('2010-01-01', INTERVAL ((n - 1) % 10) * 365 + n % 300 DAY)
FROM number
ORDER BY n;

ANALYZE TABLE employees, salary_history;
