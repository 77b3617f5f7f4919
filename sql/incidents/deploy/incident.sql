-- Times are TIMESTAMP, so that they leave as UTC with their offset; utc_offset keeps the document's own.
CREATE TABLE incident (
	incident_number VARCHAR(32) NOT NULL
		COMMENT 'Number given by the dispatcher.',
	fd_id VARCHAR(16) NOT NULL
		COMMENT 'Fire department that answered.',
	event_id VARCHAR(32) NOT NULL
		COMMENT 'Number of the event in the dispatch system.',
	type VARCHAR(60) NOT NULL
		COMMENT 'Type of the call, such as HAZMAT.',
	subtype VARCHAR(120) NULL
		COMMENT 'What it was within the type.',
	shift VARCHAR(8) NULL
		COMMENT 'Shift of the department on duty.',
	day_of_week ENUM('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday') NOT NULL
		COMMENT 'Local day of the week of the call.',
	hour_of_day TINYINT UNSIGNED NOT NULL
		COMMENT 'Local hour of the call, 0 to 23.',
	event_opened TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
		COMMENT 'When the call was opened.',
	loi_search_complete TIMESTAMP NULL DEFAULT NULL
		COMMENT 'When the search for the location of interest was complete.',
	first_unit_dispatched TIMESTAMP NULL DEFAULT NULL
		COMMENT 'When the first unit was dispatched.',
	first_unit_enroute TIMESTAMP NULL DEFAULT NULL
		COMMENT 'When the first unit set out.',
	first_unit_arrived TIMESTAMP NULL DEFAULT NULL
		COMMENT 'When the first unit arrived.',
	event_closed TIMESTAMP NULL DEFAULT NULL
		COMMENT 'When the call was closed.',
	utc_offset CHAR(6) NOT NULL DEFAULT '+00:00'
		COMMENT 'Offset of local time from UTC at event_opened, such as -04:00.',
	dispatch_duration INT NULL
		COMMENT 'Seconds from the call to the first dispatch.',
	response_time INT NULL
		COMMENT 'Seconds from the first dispatch to the first arrival.',
	event_duration INT NULL
		COMMENT 'Seconds from the call to its end.',
	address_id VARCHAR(32) NULL
		COMMENT 'Number of the address.',
	address_line1 VARCHAR(160) NOT NULL
		COMMENT 'Address as one line.',
	common_place_name VARCHAR(160) NULL
		COMMENT 'What people call the place.',
	street_number VARCHAR(16) NULL
		COMMENT 'House number.',
	prefix_direction VARCHAR(8) NULL
		COMMENT 'Direction before the name of the street.',
	street_name VARCHAR(120) NULL
		COMMENT 'Name of the street alone.',
	street_type VARCHAR(16) NULL
		COMMENT 'Type of the street, such as ST.',
	suffix_direction VARCHAR(8) NULL
		COMMENT 'Direction after the name of the street.',
	cross_street1 VARCHAR(120) NULL
		COMMENT 'Nearest crossing street.',
	cross_street2 VARCHAR(120) NULL
		COMMENT 'Next crossing street.',
	city VARCHAR(80) NOT NULL
		COMMENT 'City.',
	state VARCHAR(8) NOT NULL
		COMMENT 'State, as postal abbreviation.',
	postal_code VARCHAR(16) NULL
		COMMENT 'Postal code.',
	first_due VARCHAR(16) NULL
		COMMENT 'Station that is due first.',
	response_zone VARCHAR(32) NULL
		COMMENT 'Zone of the response plan.',
	geohash VARCHAR(16) NULL
		COMMENT 'Position as geohash.',
	latitude DECIMAL(9, 6) NOT NULL
		COMMENT 'Degrees north.',
	longitude DECIMAL(9, 6) NOT NULL
		COMMENT 'Degrees east.',
	PRIMARY KEY (incident_number),
	KEY incident_fd_id (fd_id),
	KEY incident_event_opened (event_opened),
	KEY incident_type (type, subtype),
	KEY incident_hour_of_day (hour_of_day),
	KEY incident_position (latitude, longitude),
	CONSTRAINT incident_fd_id FOREIGN KEY (fd_id) REFERENCES fire_department (fd_id),
	CONSTRAINT incident_hour_of_day_check CHECK (hour_of_day <= 23),
	CONSTRAINT incident_latitude_check CHECK (latitude BETWEEN -90 AND 90),
	CONSTRAINT incident_longitude_check CHECK (longitude BETWEEN -180 AND 180)
) ENGINE = InnoDB COMMENT = 'Emergency calls: what happened, when and where.';
