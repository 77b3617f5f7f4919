-- Values as they look, for the description of the API (app/OPENAPI.md): "Example:" in the comments of columns.
ALTER TABLE employee_directory
	MODIFY name VARCHAR(100) NOT NULL
		COMMENT 'First and last name. Example: Vera Kestrel',
	MODIFY gender CHAR(1) NULL
		COMMENT 'F, M or X. Example: F',
	MODIFY hire_date DATE NOT NULL
		COMMENT 'First day of work. Example: 2016-06-06',
	MODIFY department VARCHAR(60) NOT NULL
		COMMENT 'Department; it holds one or more divisions. Example: Operations',
	MODIFY division VARCHAR(60) NOT NULL
		COMMENT 'Division within the department. Example: HR',
	MODIFY job_code VARCHAR(12) NOT NULL
		COMMENT 'Pay grade, such as R5. Example: R5',
	MODIFY annual_benefits_value INT NULL
		COMMENT 'Benefits beside the salary, in dollars a year. Example: 24000';
ALTER TABLE salary_history
	MODIFY salary INT NOT NULL
		COMMENT 'Dollars a year. Example: 108190',
	MODIFY `date` DATE NOT NULL
		COMMENT 'First day of this salary. Example: 2018-06-12';
