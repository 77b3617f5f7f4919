SELECT id, user_id, generation, created_at, refreshed_at, address, user_agent FROM auth_session WHERE FALSE;
SELECT hash, session_id, generation FROM auth_refresh_token WHERE FALSE;
