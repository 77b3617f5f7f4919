-- Every unit beside its incident, plain columns but for `opened`, so that charts group and filter by either. With the
-- reader's rights, as incident_local.
CREATE SQL SECURITY INVOKER VIEW unit_response AS
SELECT apparatus.id, apparatus.incident_number, apparatus.unit_id, apparatus.unit_type, apparatus.station,
       apparatus.shift, incident.type, incident.subtype, incident.event_opened,
       CAST(TIMESTAMP('1970-01-01') + INTERVAL UNIX_TIMESTAMP(incident.event_opened)
	+ IF(LEFT(incident.utc_offset, 1) = '-', -60, 60) * (60 * CAST(SUBSTRING(incident.utc_offset, 2, 2) AS SIGNED)
		+ CAST(RIGHT(incident.utc_offset, 2) AS SIGNED)) SECOND AS DATETIME) AS opened,
       incident.day_of_week, incident.hour_of_day, apparatus.turnout_duration, apparatus.travel_duration,
       apparatus.response_duration
  FROM apparatus
  JOIN incident ON incident.incident_number = apparatus.incident_number;

GRANT SELECT ON unit_response TO anon;
GRANT SELECT ON unit_response TO authenticated;
