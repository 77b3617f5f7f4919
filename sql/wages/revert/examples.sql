ALTER TABLE employee_directory
	MODIFY name VARCHAR(100) NOT NULL
		COMMENT 'First and last name.',
	MODIFY gender CHAR(1) NULL
		COMMENT 'F, M or X.',
	MODIFY hire_date DATE NOT NULL
		COMMENT 'First day of work.',
	MODIFY department VARCHAR(60) NOT NULL
		COMMENT 'Department; it holds one or more divisions.',
	MODIFY division VARCHAR(60) NOT NULL
		COMMENT 'Division within the department.',
	MODIFY job_code VARCHAR(12) NOT NULL
		COMMENT 'Pay grade, such as R5.',
	MODIFY annual_benefits_value INT NULL
		COMMENT 'Benefits beside the salary, in dollars a year.';
ALTER TABLE salary_history
	MODIFY salary INT NOT NULL
		COMMENT 'Dollars a year.',
	MODIFY `date` DATE NOT NULL
		COMMENT 'First day of this salary.';
