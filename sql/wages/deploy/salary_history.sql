CREATE TABLE salary_history (
	id INT NOT NULL AUTO_INCREMENT
		COMMENT 'Number of the row; of two rows on one date the higher one counts.',
	eid INT NOT NULL
		COMMENT 'Whose salary.',
	salary INT NOT NULL
		COMMENT 'Dollars a year.',
	`date` DATE NOT NULL
		COMMENT 'First day of this salary.',
	PRIMARY KEY (id),
	KEY salary_history_eid_date (eid, `date`),
	KEY salary_history_date (`date`),
	CONSTRAINT salary_history_eid FOREIGN KEY (eid) REFERENCES employee_directory (eid),
	CONSTRAINT salary_history_salary_check CHECK (salary >= 0)
) ENGINE = InnoDB COMMENT = 'Every salary an employee has had, each from its date on.';
