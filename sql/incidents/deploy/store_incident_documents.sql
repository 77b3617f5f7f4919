-- Rows that are there keep their keys, so that other tables may refer to them; only documents marked as changed are
-- written.
DELIMITER //

CREATE PROCEDURE store_incident_documents()
	MODIFIES SQL DATA
	COMMENT 'Brings the rows of temporary tables to the tables they go to; part of ingest_incident.'
BEGIN
	INSERT INTO fire_department (fd_id, firecares_id, name, state, timezone)
	SELECT DISTINCT new.fd_id, new.firecares_id, new.name, new.state, new.timezone
	  FROM incoming_document
	  JOIN incoming_incident USING (incident_number)
	  JOIN incoming_fire_department AS new USING (fd_id)
	 WHERE changed
	    ON DUPLICATE KEY UPDATE firecares_id = VALUES(firecares_id), name = VALUES(name), state = VALUES(state),
		timezone = VALUES(timezone);

	INSERT INTO incident (incident_number, fd_id, event_id, type, subtype, shift, day_of_week, hour_of_day,
		event_opened, loi_search_complete, first_unit_dispatched, first_unit_enroute, first_unit_arrived,
		event_closed, utc_offset, dispatch_duration, response_time, event_duration, address_id,
		address_line1, common_place_name, street_number, prefix_direction, street_name, street_type,
		suffix_direction, cross_street1, cross_street2, city, state, postal_code, first_due, response_zone,
		geohash, latitude, longitude)
	SELECT incident_number, new.fd_id, new.event_id, new.type, new.subtype, new.shift, new.day_of_week,
		new.hour_of_day, new.event_opened, new.loi_search_complete, new.first_unit_dispatched,
		new.first_unit_enroute, new.first_unit_arrived, new.event_closed, new.utc_offset,
		new.dispatch_duration, new.response_time, new.event_duration, new.address_id, new.address_line1,
		new.common_place_name, new.street_number, new.prefix_direction, new.street_name, new.street_type,
		new.suffix_direction, new.cross_street1, new.cross_street2, new.city, new.state, new.postal_code,
		new.first_due, new.response_zone, new.geohash, new.latitude, new.longitude
	  FROM incoming_document
	  JOIN incoming_incident AS new USING (incident_number)
	 WHERE changed
	    ON DUPLICATE KEY UPDATE fd_id = VALUES(fd_id), event_id = VALUES(event_id), type = VALUES(type), subtype
		= VALUES(subtype), shift = VALUES(shift), day_of_week = VALUES(day_of_week), hour_of_day =
		VALUES(hour_of_day), event_opened = VALUES(event_opened), loi_search_complete =
		VALUES(loi_search_complete), first_unit_dispatched = VALUES(first_unit_dispatched),
		first_unit_enroute = VALUES(first_unit_enroute), first_unit_arrived = VALUES(first_unit_arrived),
		event_closed = VALUES(event_closed), utc_offset = VALUES(utc_offset), dispatch_duration =
		VALUES(dispatch_duration), response_time = VALUES(response_time), event_duration =
		VALUES(event_duration), address_id = VALUES(address_id), address_line1 = VALUES(address_line1),
		common_place_name = VALUES(common_place_name), street_number = VALUES(street_number),
		prefix_direction = VALUES(prefix_direction), street_name = VALUES(street_name), street_type =
		VALUES(street_type), suffix_direction = VALUES(suffix_direction), cross_street1 =
		VALUES(cross_street1), cross_street2 = VALUES(cross_street2), city = VALUES(city), state =
		VALUES(state), postal_code = VALUES(postal_code), first_due = VALUES(first_due), response_zone =
		VALUES(response_zone), geohash = VALUES(geohash), latitude = VALUES(latitude), longitude =
		VALUES(longitude);

	INSERT INTO incident_document (incident_number, version, comments, document)
	SELECT incident_number, JSON_UNQUOTE(JSON_EXTRACT(new.document, '$.version')), value.comments, new.document
	  FROM incoming_document AS new
	  JOIN JSON_TABLE(new.document, '$.description' COLUMNS (comments MEDIUMTEXT PATH '$.comments')) AS value
	 WHERE changed
	    ON DUPLICATE KEY UPDATE version = VALUES(version), comments = VALUES(comments), document =
		VALUES(document), ingested_at = CURRENT_TIMESTAMP;

	DELETE old
	  FROM apparatus AS old
	  JOIN incoming_document USING (incident_number)
	  LEFT JOIN incoming_apparatus AS new USING (incident_number, unit_id, car_id)
	 WHERE new.id IS NULL;

	INSERT INTO apparatus (incident_number, unit_id, car_id, unit_type, station, shift, distance, geohash,
		turnout_duration, travel_duration, response_duration, event_duration)
	SELECT incident_number, unit_id, car_id, new.unit_type, new.station, new.shift, new.distance, new.geohash,
		new.turnout_duration, new.travel_duration, new.response_duration, new.event_duration
	  FROM incoming_document
	  JOIN incoming_apparatus AS new USING (incident_number)
	 WHERE changed
	 ORDER BY new.id
	    ON DUPLICATE KEY UPDATE unit_type = VALUES(unit_type), station = VALUES(station), shift = VALUES(shift),
		distance = VALUES(distance), geohash = VALUES(geohash), turnout_duration = VALUES(turnout_duration),
		travel_duration = VALUES(travel_duration), response_duration = VALUES(response_duration),
		event_duration = VALUES(event_duration);

	DELETE old
	  FROM unit_status AS old
	  JOIN apparatus ON apparatus.id = old.apparatus_id
	  JOIN incoming_apparatus AS unit USING (incident_number, unit_id, car_id)
	  LEFT JOIN incoming_status AS new ON new.apparatus_id = unit.id AND new.status = old.status
	 WHERE new.status IS NULL;

	INSERT INTO unit_status (apparatus_id, status, `timestamp`, utc_offset, geohash, latitude, longitude)
	SELECT apparatus.id, new.status, new.`timestamp`, new.utc_offset, new.geohash, new.latitude,
		new.longitude
	  FROM incoming_document
	  JOIN incoming_apparatus AS unit USING (incident_number)
	  JOIN incoming_status AS new ON new.apparatus_id = unit.id
	  JOIN apparatus USING (incident_number, unit_id, car_id)
	 WHERE changed
	    ON DUPLICATE KEY UPDATE `timestamp` = VALUES(`timestamp`), utc_offset = VALUES(utc_offset), geohash =
		VALUES(geohash), latitude = VALUES(latitude), longitude = VALUES(longitude);
END //

DELIMITER ;
