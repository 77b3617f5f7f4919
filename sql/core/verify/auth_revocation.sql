SELECT rowgate_sqitch.checkit(COUNT(*) = 1, 'auth_state has no row') FROM auth_state WHERE id = 1 AND revocations >= 0;
SELECT version, number, kind, value, issued_before, created_at, expires_at FROM auth_revocation WHERE FALSE;
