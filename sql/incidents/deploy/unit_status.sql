CREATE TABLE unit_status (
	apparatus_id BIGINT UNSIGNED NOT NULL
		COMMENT 'Unit that reported.',
	status VARCHAR(40) NOT NULL
		COMMENT 'What it reported: dispatched, acknowledged, enroute, arrived, cleared, available, ~.',
	`timestamp` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
		COMMENT 'When it reported.',
	utc_offset CHAR(6) NOT NULL DEFAULT '+00:00'
		COMMENT 'Offset of local time from UTC then, such as -04:00.',
	geohash VARCHAR(16) NULL
		COMMENT 'Where it was, as geohash.',
	latitude DECIMAL(9, 6) NULL
		COMMENT 'Degrees north.',
	longitude DECIMAL(9, 6) NULL
		COMMENT 'Degrees east.',
	PRIMARY KEY (apparatus_id, status),
	KEY unit_status_status (status, `timestamp`),
	CONSTRAINT unit_status_apparatus FOREIGN KEY (apparatus_id) REFERENCES apparatus (id) ON DELETE CASCADE,
	CONSTRAINT unit_status_latitude_check CHECK (latitude BETWEEN -90 AND 90),
	CONSTRAINT unit_status_longitude_check CHECK (longitude BETWEEN -180 AND 180)
) ENGINE = InnoDB COMMENT = 'What each unit reported, when and from where.';
