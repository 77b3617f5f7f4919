-- Values as they look, for the description of the API (app/OPENAPI.md): "Example:" in the comments of columns.
ALTER TABLE fire_department
	MODIFY name VARCHAR(120) NOT NULL
		COMMENT 'Its name. Example: Port Ellery Fire Department',
	MODIFY timezone VARCHAR(64) NOT NULL
		COMMENT 'Its time zone, such as US/Eastern. Example: US/Eastern';
ALTER TABLE incident
	MODIFY event_id VARCHAR(32) NOT NULL
		COMMENT 'Number of the event in the dispatch system. Example: P25000001',
	MODIFY type VARCHAR(60) NOT NULL
		COMMENT 'Type of the call, such as HAZMAT. Example: HAZMAT',
	MODIFY shift VARCHAR(8) NULL
		COMMENT 'Shift of the department on duty. Example: A',
	MODIFY hour_of_day TINYINT UNSIGNED NOT NULL
		COMMENT 'Local hour of the call, 0 to 23. Example: 17',
	MODIFY utc_offset CHAR(6) NOT NULL DEFAULT '+00:00'
		COMMENT 'Offset of local time from UTC at event_opened, such as -04:00. Example: -04:00',
	MODIFY response_time INT NULL
		COMMENT 'Seconds from the first dispatch to the first arrival. Example: 312',
	MODIFY address_line1 VARCHAR(160) NOT NULL
		COMMENT 'Address as one line. Example: 112 N HARBOR ST',
	MODIFY city VARCHAR(80) NOT NULL
		COMMENT 'City. Example: PORT ELLERY',
	MODIFY street_type VARCHAR(16) NULL
		COMMENT 'Type of the street, such as ST. Example: ST',
	MODIFY latitude DECIMAL(9, 6) NOT NULL
		COMMENT 'Degrees north. Example: 37.540700',
	MODIFY longitude DECIMAL(9, 6) NOT NULL
		COMMENT 'Degrees east. Example: -77.436000';
ALTER TABLE apparatus
	MODIFY unit_id VARCHAR(16) NOT NULL
		COMMENT 'Radio name of the unit, such as E22. Example: E22',
	MODIFY unit_type VARCHAR(60) NOT NULL
		COMMENT 'Kind of unit, such as Engine. Example: Engine',
	MODIFY station VARCHAR(32) NULL
		COMMENT 'Its station. Example: 22',
	MODIFY distance DOUBLE NULL
		COMMENT 'Miles to the incident when it was chosen. Example: 1.4',
	MODIFY turnout_duration INT NULL
		COMMENT 'Seconds from dispatched to enroute. Example: 64';
ALTER TABLE unit_status
	MODIFY geohash VARCHAR(16) NULL
		COMMENT 'Where it was, as geohash. Example: dq8vtf',
	MODIFY latitude DECIMAL(9, 6) NULL
		COMMENT 'Degrees north. Example: 37.540700',
	MODIFY longitude DECIMAL(9, 6) NULL
		COMMENT 'Degrees east. Example: -77.436000',
	MODIFY utc_offset CHAR(6) NOT NULL DEFAULT '+00:00'
		COMMENT 'Offset of local time from UTC then, such as -04:00. Example: -04:00';
