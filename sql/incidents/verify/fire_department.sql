SELECT fd_id, firecares_id, name, state, timezone
  FROM fire_department
 WHERE FALSE;
