-- Which rows each role meets. manager and employee are told apart by the employee number in a user's app_metadata, which
-- only administrators write (admin/users of app/IDENTITY.md): {"eid": 17}. A table with policies shows a role only
-- what its own allow, so those that see all have a policy that says so.
CREATE ROLE IF NOT EXISTS manager;
CREATE ROLE IF NOT EXISTS employee;
GRANT SELECT ON employee_directory TO manager;
GRANT SELECT ON salary_history TO manager;
GRANT SELECT ON compensation TO manager;
GRANT SELECT ON employee_directory TO employee;
GRANT SELECT ON salary_history TO employee;
GRANT SELECT ON compensation TO employee;

SET @own = 'eid = :claims.app_metadata.eid';
SET @directory = CONCAT('`', REPLACE(DATABASE(), '`', '``'), '`.employee_directory');
-- The directory names a manager, and no number of theirs.
SET @me = CONCAT('(SELECT me.name FROM ', @directory, ' AS me WHERE me.eid = :claims.app_metadata.eid)');
SET @report = CONCAT('manager = ', @me);
SET @salary_of_report = CONCAT('eid IN (SELECT report.eid FROM ', @directory, ' AS report WHERE report.manager = ', @me,
	')');

INSERT INTO rowgate.policy (schema_name, table_name, role, name, verbs, using_expression, comment) VALUES
(DATABASE(), 'employee_directory', 'employee', 'own row', 'select', @own, 'Everybody sees their own row.'),
(DATABASE(), 'salary_history', 'employee', 'own salaries', 'select', @own, 'And what they earned.'),
(DATABASE(), 'compensation', 'employee', 'own row', 'select', @own, 'And earn.'),
(DATABASE(), 'employee_directory', 'manager', 'own row', 'select', @own, 'Managers see their own row,'),
(DATABASE(), 'salary_history', 'manager', 'own salaries', 'select', @own, 'their own salaries,'),
(DATABASE(), 'compensation', 'manager', 'own row', 'select', @own, ''),
(DATABASE(), 'employee_directory', 'manager', 'reports', 'select', @report, 'and who reports to them.'),
(DATABASE(), 'salary_history', 'manager', 'salaries of reports', 'select', @salary_of_report, ''),
(DATABASE(), 'compensation', 'manager', 'reports', 'select', @report, ''),
(DATABASE(), 'employee_directory', 'authenticated', 'all', 'select', 'TRUE', 'The columns are what is granted.'),
(DATABASE(), 'employee_directory', 'wages_analyst', 'all', 'select', 'TRUE', ''),
(DATABASE(), 'salary_history', 'wages_analyst', 'all', 'select', 'TRUE', ''),
(DATABASE(), 'compensation', 'wages_analyst', 'all', 'select', 'TRUE', ''),
(DATABASE(), 'employee_directory', 'hr', 'all', DEFAULT, 'TRUE', ''),
(DATABASE(), 'salary_history', 'hr', 'all', DEFAULT, 'TRUE', ''),
(DATABASE(), 'compensation', 'hr', 'all', DEFAULT, 'TRUE', ''),
(DATABASE(), 'employee_directory', 'service_role', 'all', DEFAULT, 'TRUE', ''),
(DATABASE(), 'salary_history', 'service_role', 'all', DEFAULT, 'TRUE', ''),
(DATABASE(), 'compensation', 'service_role', 'all', DEFAULT, 'TRUE', '');
