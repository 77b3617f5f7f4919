-- From incoming_document and incoming_unit (checked) to one temporary table for each table, with its columns and
-- types. An empty text is no text: dispatch systems send "" for what they do not know.
DELIMITER //

CREATE PROCEDURE shred_incident_documents()
	MODIFIES SQL DATA
	COMMENT 'Turns documents into rows of temporary tables; part of ingest_incident.'
BEGIN
	CREATE TEMPORARY TABLE incoming_fire_department LIKE fire_department;
	INSERT INTO incoming_fire_department (fd_id, firecares_id, name, state, timezone)
	SELECT fd_id, NULLIF(value.firecares_id, ''), value.name, value.state, value.timezone
	  FROM incoming_document
	  JOIN JSON_TABLE(document, '$.fire_department' COLUMNS (
		fd_id VARCHAR(16) PATH '$.fd_id',
		firecares_id VARCHAR(16) PATH '$.firecares_id',
		name VARCHAR(120) PATH '$.name',
		state VARCHAR(8) PATH '$.state',
		timezone VARCHAR(64) PATH '$.timezone')) AS value
	 ORDER BY n
	    ON DUPLICATE KEY UPDATE firecares_id = NULLIF(value.firecares_id, ''), name = value.name, state =
		value.state, timezone = value.timezone;

	CREATE TEMPORARY TABLE incoming_incident LIKE incident;
	INSERT INTO incoming_incident (incident_number, fd_id, event_id, type, subtype, shift, day_of_week,
		hour_of_day, event_opened, loi_search_complete, first_unit_dispatched, first_unit_enroute,
		first_unit_arrived, event_closed, utc_offset, dispatch_duration, response_time, event_duration,
		address_id, address_line1, common_place_name, street_number, prefix_direction, street_name,
		street_type, suffix_direction, cross_street1, cross_street2, city, state, postal_code, first_due,
		response_zone, geohash, latitude, longitude)
	SELECT value.incident_number, fd_id, event_id, type, NULLIF(subtype, ''), NULLIF(shift, ''), day_of_week,
		hour_of_day, utc_of(event_opened), utc_of(loi_search_complete), utc_of(first_unit_dispatched),
		utc_of(first_unit_enroute), utc_of(first_unit_arrived), utc_of(event_closed),
		offset_of(event_opened), dispatch_duration, response_time, event_duration, NULLIF(address_id, ''),
		address_line1, NULLIF(common_place_name, ''), NULLIF(street_number, ''), NULLIF(prefix_direction,
		''), NULLIF(street_name, ''), NULLIF(street_type, ''), NULLIF(suffix_direction, ''),
		NULLIF(cross_street1, ''), NULLIF(cross_street2, ''), city, state, NULLIF(postal_code, ''),
		NULLIF(first_due, ''), NULLIF(response_zone, ''), NULLIF(geohash, ''), latitude, longitude
	  FROM incoming_document
	  JOIN JSON_TABLE(document, '$' COLUMNS (
		incident_number VARCHAR(32) PATH '$.description.incident_number',
		fd_id VARCHAR(16) PATH '$.fire_department.fd_id',
		event_id VARCHAR(32) PATH '$.description.event_id',
		type VARCHAR(60) PATH '$.description.type',
		subtype VARCHAR(120) PATH '$.description.subtype',
		shift VARCHAR(8) PATH '$.fire_department.shift',
		day_of_week VARCHAR(9) PATH '$.description.day_of_week',
		hour_of_day INT PATH '$.description.hour_of_day',
		event_opened VARCHAR(40) PATH '$.description.event_opened',
		loi_search_complete VARCHAR(40) PATH '$.description.loi_search_complete',
		first_unit_dispatched VARCHAR(40) PATH '$.description.first_unit_dispatched',
		first_unit_enroute VARCHAR(40) PATH '$.description.first_unit_enroute',
		first_unit_arrived VARCHAR(40) PATH '$.description.first_unit_arrived',
		event_closed VARCHAR(40) PATH '$.description.event_closed',
		dispatch_duration INT PATH '$.description.extended_data.dispatch_duration',
		response_time INT PATH '$.description.extended_data.response_time',
		event_duration INT PATH '$.description.extended_data.event_duration',
		address_id VARCHAR(32) PATH '$.address.address_id',
		address_line1 VARCHAR(160) PATH '$.address.address_line1',
		common_place_name VARCHAR(160) PATH '$.address.common_place_name',
		street_number VARCHAR(16) PATH '$.address.number',
		prefix_direction VARCHAR(8) PATH '$.address.prefix_direction',
		street_name VARCHAR(120) PATH '$.address.name',
		street_type VARCHAR(16) PATH '$.address.type',
		suffix_direction VARCHAR(8) PATH '$.address.suffix_direction',
		cross_street1 VARCHAR(120) PATH '$.address.cross_street1',
		cross_street2 VARCHAR(120) PATH '$.address.cross_street2',
		city VARCHAR(80) PATH '$.address.city',
		state VARCHAR(8) PATH '$.address.state',
		postal_code VARCHAR(16) PATH '$.address.postal_code',
		first_due VARCHAR(16) PATH '$.address.first_due',
		response_zone VARCHAR(32) PATH '$.address.response_zone',
		geohash VARCHAR(16) PATH '$.address.geohash',
		latitude DECIMAL(9, 6) PATH '$.address.latitude',
		longitude DECIMAL(9, 6) PATH '$.address.longitude')) AS value;

	CREATE TEMPORARY TABLE incoming_apparatus LIKE apparatus;
	INSERT INTO incoming_apparatus (id, incident_number, unit_id, car_id, unit_type, station, shift, distance,
		geohash, turnout_duration, travel_duration, response_duration, event_duration)
	SELECT incoming_unit.id, incident_number, unit_id, COALESCE(car_id, ''), unit_type, NULLIF(station, ''),
		NULLIF(shift, ''), distance, NULLIF(geohash, ''), turnout_duration, travel_duration,
		response_duration, event_duration
	  FROM incoming_unit
	  JOIN incoming_document USING (n)
	  JOIN JSON_TABLE(unit, '$' COLUMNS (
		unit_id VARCHAR(16) PATH '$.unit_id',
		car_id VARCHAR(16) PATH '$.car_id',
		unit_type VARCHAR(60) PATH '$.unit_type',
		station VARCHAR(32) PATH '$.station',
		shift VARCHAR(8) PATH '$.shift',
		distance DOUBLE PATH '$.distance',
		geohash VARCHAR(16) PATH '$.geohash',
		turnout_duration INT PATH '$.extended_data.turnout_duration',
		travel_duration INT PATH '$.extended_data.travel_duration',
		response_duration INT PATH '$.extended_data.response_duration',
		event_duration INT PATH '$.extended_data.event_duration')) AS value;

	CREATE TEMPORARY TABLE incoming_status LIKE unit_status;
	INSERT INTO incoming_status (apparatus_id, status, `timestamp`, utc_offset, geohash, latitude, longitude)
	SELECT incoming_unit.id, name.status, utc_of(value.reported), offset_of(value.reported),
		NULLIF(value.geohash, ''), value.latitude, value.longitude
	  FROM incoming_unit
	  JOIN JSON_TABLE(JSON_KEYS(unit, '$.unit_status'), '$[*]' COLUMNS (status VARCHAR(40) PATH '$')) AS name
	  JOIN JSON_TABLE(JSON_EXTRACT(unit, CONCAT('$.unit_status.', JSON_QUOTE(name.status))), '$' COLUMNS (
		reported VARCHAR(40) PATH '$.timestamp',
		geohash VARCHAR(16) PATH '$.geohash',
		latitude DECIMAL(9, 6) PATH '$.latitude',
		longitude DECIMAL(9, 6) PATH '$.longitude')) AS value;
END //

DELIMITER ;
