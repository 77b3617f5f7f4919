-- The account of /auth/v1 and of `rowgate user`; run by deploy.sh when it has a password for it, in @identity_password.
-- It is a login and no role, so that no token can name it.
SET @statement = CONCAT('CREATE USER IF NOT EXISTS rowgate_identity@''%'' IDENTIFIED BY ', QUOTE(@identity_password));
PREPARE statement FROM @statement;
EXECUTE statement;
SET @statement = CONCAT('ALTER USER rowgate_identity@''%'' IDENTIFIED BY ', QUOTE(@identity_password));
PREPARE statement FROM @statement;
EXECUTE statement;
DEALLOCATE PREPARE statement;
SET @statement = NULL, @identity_password = NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.auth_user TO rowgate_identity@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.auth_session TO rowgate_identity@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.auth_refresh_token TO rowgate_identity@'%';
GRANT SELECT, INSERT, DELETE ON rowgate.auth_revocation TO rowgate_identity@'%';
GRANT SELECT, UPDATE ON rowgate.auth_state TO rowgate_identity@'%';
