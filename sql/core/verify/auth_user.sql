SELECT id, email, password_hash, role, user_metadata, app_metadata, banned_until, email_confirmed_at, last_sign_in_at,
       created_at, updated_at FROM auth_user WHERE FALSE;
