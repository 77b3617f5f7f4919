ALTER TABLE fire_department
	MODIFY name VARCHAR(120) NOT NULL
		COMMENT 'Its name.',
	MODIFY timezone VARCHAR(64) NOT NULL
		COMMENT 'Its time zone, such as US/Eastern.';
ALTER TABLE incident
	MODIFY event_id VARCHAR(32) NOT NULL
		COMMENT 'Number of the event in the dispatch system.',
	MODIFY type VARCHAR(60) NOT NULL
		COMMENT 'Type of the call, such as HAZMAT.',
	MODIFY shift VARCHAR(8) NULL
		COMMENT 'Shift of the department on duty.',
	MODIFY hour_of_day TINYINT UNSIGNED NOT NULL
		COMMENT 'Local hour of the call, 0 to 23.',
	MODIFY utc_offset CHAR(6) NOT NULL DEFAULT '+00:00'
		COMMENT 'Offset of local time from UTC at event_opened, such as -04:00.',
	MODIFY response_time INT NULL
		COMMENT 'Seconds from the first dispatch to the first arrival.',
	MODIFY address_line1 VARCHAR(160) NOT NULL
		COMMENT 'Address as one line.',
	MODIFY city VARCHAR(80) NOT NULL
		COMMENT 'City.',
	MODIFY street_type VARCHAR(16) NULL
		COMMENT 'Type of the street, such as ST.',
	MODIFY latitude DECIMAL(9, 6) NOT NULL
		COMMENT 'Degrees north.',
	MODIFY longitude DECIMAL(9, 6) NOT NULL
		COMMENT 'Degrees east.';
ALTER TABLE apparatus
	MODIFY unit_id VARCHAR(16) NOT NULL
		COMMENT 'Radio name of the unit, such as E22.',
	MODIFY unit_type VARCHAR(60) NOT NULL
		COMMENT 'Kind of unit, such as Engine.',
	MODIFY station VARCHAR(32) NULL
		COMMENT 'Its station.',
	MODIFY distance DOUBLE NULL
		COMMENT 'Miles to the incident when it was chosen.',
	MODIFY turnout_duration INT NULL
		COMMENT 'Seconds from dispatched to enroute.';
ALTER TABLE unit_status
	MODIFY geohash VARCHAR(16) NULL
		COMMENT 'Where it was, as geohash.',
	MODIFY latitude DECIMAL(9, 6) NULL
		COMMENT 'Degrees north.',
	MODIFY longitude DECIMAL(9, 6) NULL
		COMMENT 'Degrees east.',
	MODIFY utc_offset CHAR(6) NOT NULL DEFAULT '+00:00'
		COMMENT 'Offset of local time from UTC then, such as -04:00.';
