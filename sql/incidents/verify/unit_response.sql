SELECT id, incident_number, unit_id, unit_type, station, shift, type, subtype, event_opened, opened, day_of_week,
       hour_of_day, turnout_duration, travel_duration, response_duration
  FROM unit_response
 WHERE FALSE;
SELECT rowgate_sqitch.checkit(COUNT(*) = 2, 'anon or authenticated may not read unit_response')
  FROM mysql.tables_priv
 WHERE db = DATABASE() AND table_name = 'unit_response' AND user IN ('anon', 'authenticated');
