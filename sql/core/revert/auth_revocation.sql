DROP TABLE auth_revocation;
DROP TABLE auth_state;
