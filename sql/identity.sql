-- The account of /auth/v1 and of `rowgate user`; run by deploy.sh when it has a password for it, in @identity_password.
-- It is a login and no role, so that no token can name it.
SET @statement = CONCAT('CREATE USER IF NOT EXISTS rowgate_identity@''%'' IDENTIFIED BY ', QUOTE(@identity_password));
PREPARE statement FROM @statement;
EXECUTE statement;
/*M! SET @statement = CONCAT('ALTER USER rowgate_identity@''%'' IDENTIFIED VIA mysql_native_password USING PASSWORD(',
	QUOTE(@identity_password), ')', IF(@identity_old_password IS NULL, '',
	CONCAT(' OR mysql_native_password USING PASSWORD(', QUOTE(@identity_old_password), ')'))) */;
/*!80000 SET @statement = CONCAT('ALTER USER rowgate_identity@''%'' IDENTIFIED BY ',
	QUOTE(COALESCE(@identity_old_password, @identity_password))) */;
PREPARE statement FROM @statement;
EXECUTE statement;
/*!80000 SET @statement = IF(@identity_old_password IS NULL, 'ALTER USER rowgate_identity@''%'' DISCARD OLD PASSWORD',
	CONCAT('ALTER USER rowgate_identity@''%'' IDENTIFIED BY ', QUOTE(@identity_password), ' RETAIN CURRENT PASSWORD')) */;
/*!80000 PREPARE statement FROM @statement */;
/*!80000 EXECUTE statement */;
DEALLOCATE PREPARE statement;
SET @statement = NULL, @identity_password = NULL, @identity_old_password = NULL;

-- Rights.
GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.auth_user TO rowgate_identity@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.auth_session TO rowgate_identity@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.auth_refresh_token TO rowgate_identity@'%';
GRANT SELECT, INSERT, DELETE ON rowgate.auth_revocation TO rowgate_identity@'%';
GRANT SELECT, UPDATE ON rowgate.auth_state TO rowgate_identity@'%';

-- Administrators of /auth/v1 write row policies, and make roles that have no right yet.
GRANT SELECT, INSERT, UPDATE, DELETE ON rowgate.policy TO rowgate_identity@'%';
GRANT EXECUTE ON PROCEDURE rowgate.role_add TO rowgate_identity@'%';
