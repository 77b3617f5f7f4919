SELECT incident_number, fd_id, event_id, type, subtype, shift, day_of_week, hour_of_day, event_opened,
       loi_search_complete, first_unit_dispatched, first_unit_enroute, first_unit_arrived, event_closed,
       utc_offset, dispatch_duration, response_time, event_duration, address_id, address_line1, common_place_name,
       street_number, prefix_direction, street_name, street_type, suffix_direction, cross_street1, cross_street2,
       city, state, postal_code, first_due, response_zone, geohash, latitude, longitude
  FROM incident
 WHERE FALSE;
