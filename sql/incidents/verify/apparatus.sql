SELECT id, incident_number, unit_id, car_id, unit_type, station, shift, distance, geohash, turnout_duration,
       travel_duration, response_duration, event_duration
  FROM apparatus
 WHERE FALSE;
