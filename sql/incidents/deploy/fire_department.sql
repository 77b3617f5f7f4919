CREATE TABLE fire_department (
	fd_id VARCHAR(16) NOT NULL
		COMMENT 'Number of the department.',
	firecares_id VARCHAR(16) NULL
		COMMENT 'Its number at FireCARES.',
	name VARCHAR(120) NOT NULL
		COMMENT 'Its name.',
	state VARCHAR(8) NOT NULL
		COMMENT 'Its state, as postal abbreviation.',
	timezone VARCHAR(64) NOT NULL
		COMMENT 'Its time zone, such as US/Eastern.',
	PRIMARY KEY (fd_id),
	KEY fire_department_name (name)
) ENGINE = InnoDB COMMENT = 'Fire departments that incidents belong to.';
