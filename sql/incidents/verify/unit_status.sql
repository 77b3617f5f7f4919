SELECT apparatus_id, status, `timestamp`, utc_offset, geohash, latitude, longitude
  FROM unit_status
 WHERE FALSE;
