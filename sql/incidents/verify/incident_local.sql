SELECT incident_number, fd_id, type, subtype, event_opened, opened, day_of_week, hour_of_day, city, first_due,
       address_line1, dispatch_duration, response_time, event_duration, latitude, longitude
  FROM incident_local
 WHERE FALSE;
SELECT rowgate_sqitch.checkit(COUNT(*) = 2, 'anon or authenticated may not read incident_local')
  FROM mysql.tables_priv
 WHERE db = DATABASE() AND table_name = 'incident_local' AND user IN ('anon', 'authenticated');
