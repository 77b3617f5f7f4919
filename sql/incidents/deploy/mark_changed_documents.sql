-- A document is changed when one of its rows differs from what the tables hold. Affected rows would not tell: with
-- CLIENT_FOUND_ROWS they count rows that were found the same.
DELIMITER //

CREATE PROCEDURE mark_changed_documents()
	MODIFIES SQL DATA
	COMMENT 'Compares temporary tables with the tables they go to; part of ingest_incident.'
BEGIN
	UPDATE incoming_document
	  LEFT JOIN incident_document AS old USING (incident_number)
	   SET changed = old.incident_number IS NULL
		OR NOT (/*M!100700 JSON_NORMALIZE( */ old.document /*M!100700 ) */
			<=> /*M!100700 JSON_NORMALIZE( */ incoming_document.document /*M!100700 ) */);

	UPDATE incoming_document
	  LEFT JOIN incident AS old USING (incident_number)
	   SET existed = old.incident_number IS NOT NULL;

	UPDATE incoming_document
	  JOIN incoming_incident AS new USING (incident_number)
	  JOIN incident AS old USING (incident_number)
	   SET changed = TRUE
	 WHERE NOT ((old.fd_id, old.event_id, old.type, old.subtype, old.shift, old.day_of_week, old.hour_of_day,
		old.event_opened, old.loi_search_complete, old.first_unit_dispatched, old.first_unit_enroute,
		old.first_unit_arrived, old.event_closed, old.utc_offset, old.dispatch_duration, old.response_time,
		old.event_duration, old.address_id, old.address_line1, old.common_place_name, old.street_number,
		old.prefix_direction, old.street_name, old.street_type, old.suffix_direction, old.cross_street1,
		old.cross_street2, old.city, old.state, old.postal_code, old.first_due, old.response_zone,
		old.geohash, old.latitude, old.longitude)
		<=> (new.fd_id, new.event_id, new.type, new.subtype, new.shift, new.day_of_week, new.hour_of_day,
		new.event_opened, new.loi_search_complete, new.first_unit_dispatched, new.first_unit_enroute,
		new.first_unit_arrived, new.event_closed, new.utc_offset, new.dispatch_duration, new.response_time,
		new.event_duration, new.address_id, new.address_line1, new.common_place_name, new.street_number,
		new.prefix_direction, new.street_name, new.street_type, new.suffix_direction, new.cross_street1,
		new.cross_street2, new.city, new.state, new.postal_code, new.first_due, new.response_zone,
		new.geohash, new.latitude, new.longitude));

	UPDATE incoming_document
	  JOIN incoming_incident USING (incident_number)
	  JOIN incoming_fire_department AS new USING (fd_id)
	  LEFT JOIN fire_department AS old USING (fd_id)
	   SET changed = TRUE
	 WHERE NOT ((old.firecares_id, old.name, old.state, old.timezone)
		<=> (new.firecares_id, new.name, new.state, new.timezone));

	UPDATE incoming_document
	  JOIN incoming_apparatus AS new USING (incident_number)
	  LEFT JOIN apparatus AS old USING (incident_number, unit_id, car_id)
	   SET changed = TRUE
	 WHERE old.id IS NULL
	    OR NOT ((old.unit_type, old.station, old.shift, old.distance, old.geohash, old.turnout_duration,
		old.travel_duration, old.response_duration, old.event_duration)
		<=> (new.unit_type, new.station, new.shift, new.distance, new.geohash, new.turnout_duration,
		new.travel_duration, new.response_duration, new.event_duration));

	UPDATE incoming_document
	  JOIN incoming_apparatus AS unit USING (incident_number)
	  JOIN incoming_status AS new ON new.apparatus_id = unit.id
	  JOIN apparatus USING (incident_number, unit_id, car_id)
	  LEFT JOIN unit_status AS old ON old.apparatus_id = apparatus.id AND old.status = new.status
	   SET changed = TRUE
	 WHERE old.status IS NULL
	    OR NOT ((old.`timestamp`, old.utc_offset, old.geohash, old.latitude, old.longitude)
		<=> (new.`timestamp`, new.utc_offset, new.geohash, new.latitude, new.longitude));

	-- Units and reports that are no longer in the document.
	UPDATE incoming_document
	  JOIN apparatus AS old USING (incident_number)
	  LEFT JOIN incoming_apparatus AS new USING (incident_number, unit_id, car_id)
	   SET changed = TRUE
	 WHERE new.id IS NULL;

	UPDATE incoming_document
	  JOIN incoming_apparatus AS unit USING (incident_number)
	  JOIN apparatus USING (incident_number, unit_id, car_id)
	  JOIN unit_status AS old ON old.apparatus_id = apparatus.id
	  LEFT JOIN incoming_status AS new ON new.apparatus_id = unit.id AND new.status = old.status
	   SET changed = TRUE
	 WHERE new.status IS NULL;
END //

DELIMITER ;
