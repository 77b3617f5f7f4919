CREATE TABLE employee_directory (
	eid INT NOT NULL
		COMMENT 'Number of the employee.',
	name VARCHAR(100) NOT NULL
		COMMENT 'First and last name.',
	gender CHAR(1) NULL
		COMMENT 'F, M or X.',
	hire_date DATE NOT NULL
		COMMENT 'First day of work.',
	department VARCHAR(60) NOT NULL
		COMMENT 'Department; it holds one or more divisions.',
	division VARCHAR(60) NOT NULL
		COMMENT 'Division within the department.',
	job_code VARCHAR(12) NOT NULL
		COMMENT 'Pay grade, such as R5.',
	manager VARCHAR(100) NULL
		COMMENT 'Name of the manager; none at the top.',
	performance ENUM('Improvement needed', 'Meets', 'Exceeds', 'Redefines') NULL
		COMMENT 'Last review, from worst to best.',
	annual_benefits_value INT NULL
		COMMENT 'Benefits beside the salary, in dollars a year.',
	PRIMARY KEY (eid),
	KEY employee_directory_name (name),
	KEY employee_directory_department (department),
	KEY employee_directory_division (division),
	KEY employee_directory_job_code (job_code),
	KEY employee_directory_manager (manager),
	CONSTRAINT employee_directory_gender_check CHECK (gender IN ('F', 'M', 'X')),
	CONSTRAINT employee_directory_benefits_check CHECK (annual_benefits_value >= 0)
) ENGINE = InnoDB COMMENT = 'Every employee, with place in the organisation and last review.';
