CREATE TABLE apparatus (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT
		COMMENT 'Number of the row.',
	incident_number VARCHAR(32) NOT NULL
		COMMENT 'Incident it was sent to.',
	unit_id VARCHAR(16) NOT NULL
		COMMENT 'Radio name of the unit, such as E22.',
	car_id VARCHAR(16) NOT NULL DEFAULT ''
		COMMENT 'Number of the vehicle; empty when not known.',
	unit_type VARCHAR(60) NOT NULL
		COMMENT 'Kind of unit, such as Engine.',
	station VARCHAR(32) NULL
		COMMENT 'Its station.',
	shift VARCHAR(8) NULL
		COMMENT 'Shift on board.',
	distance DOUBLE NULL
		COMMENT 'Miles to the incident when it was chosen.',
	geohash VARCHAR(16) NULL
		COMMENT 'Where it was, as geohash.',
	turnout_duration INT NULL
		COMMENT 'Seconds from dispatched to enroute.',
	travel_duration INT NULL
		COMMENT 'Seconds from enroute to arrived.',
	response_duration INT NULL
		COMMENT 'Seconds from dispatched to arrived.',
	event_duration INT NULL
		COMMENT 'Seconds from dispatched to available.',
	PRIMARY KEY (id),
	UNIQUE KEY apparatus_unit (incident_number, unit_id, car_id),
	KEY apparatus_unit_id (unit_id),
	KEY apparatus_unit_type (unit_type),
	KEY apparatus_station (station),
	CONSTRAINT apparatus_incident FOREIGN KEY (incident_number) REFERENCES incident (incident_number)
		ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB COMMENT = 'Units that were sent to an incident.';
