-- With the reader's rights, as what is read beneath is granted to the same roles. UNIX_TIMESTAMP, so that the session's
-- time zone makes no difference; utc_offset is such as -04:00.
CREATE SQL SECURITY INVOKER VIEW incident_local AS
SELECT incident.incident_number, incident.fd_id, incident.type, incident.subtype, incident.event_opened,
       CAST(TIMESTAMP('1970-01-01') + INTERVAL UNIX_TIMESTAMP(incident.event_opened)
	+ IF(LEFT(incident.utc_offset, 1) = '-', -60, 60) * (60 * CAST(SUBSTRING(incident.utc_offset, 2, 2) AS SIGNED)
		+ CAST(RIGHT(incident.utc_offset, 2) AS SIGNED)) SECOND AS DATETIME) AS opened,
       incident.day_of_week, incident.hour_of_day, incident.city, incident.first_due, incident.address_line1,
       incident.dispatch_duration, incident.response_time, incident.event_duration, incident.latitude, incident.longitude
  FROM incident;

GRANT SELECT ON incident_local TO anon;
GRANT SELECT ON incident_local TO authenticated;
