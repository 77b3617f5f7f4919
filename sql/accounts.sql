-- The two logins of Rowgate; run by deploy.sh, again and again. Passwords come in @authenticator_password and
-- @catalogue_password. Text in /*M! */ is for MariaDB alone, in /*!80000 */ for MySQL alone.

-- CREATE USER takes no variable, hence the PREPAREs. With an old password that login is to be known by both, and is
-- from one statement to the next: MariaDB takes a list, MySQL keeps the one before (RETAIN).
SET @statement = CONCAT('CREATE USER IF NOT EXISTS authenticator@''%'' IDENTIFIED BY ', QUOTE(@authenticator_password));
PREPARE statement FROM @statement;
EXECUTE statement;
/*M! SET @statement = CONCAT('ALTER USER authenticator@''%'' IDENTIFIED VIA mysql_native_password USING PASSWORD(',
	QUOTE(@authenticator_password), ')', IF(@authenticator_old_password IS NULL, '',
	CONCAT(' OR mysql_native_password USING PASSWORD(', QUOTE(@authenticator_old_password), ')'))) */;
/*!80000 SET @statement = CONCAT('ALTER USER authenticator@''%'' IDENTIFIED BY ',
	QUOTE(COALESCE(@authenticator_old_password, @authenticator_password))) */;
PREPARE statement FROM @statement;
EXECUTE statement;
/*!80000 SET @statement = IF(@authenticator_old_password IS NULL, 'ALTER USER authenticator@''%'' DISCARD OLD PASSWORD',
	CONCAT('ALTER USER authenticator@''%'' IDENTIFIED BY ', QUOTE(@authenticator_password), ' RETAIN CURRENT PASSWORD')) */;
/*!80000 PREPARE statement FROM @statement */;
/*!80000 EXECUTE statement */;
SET @statement = CONCAT('CREATE USER IF NOT EXISTS rowgate_catalogue@''%'' IDENTIFIED BY ', QUOTE(@catalogue_password));
PREPARE statement FROM @statement;
EXECUTE statement;
/*M! SET @statement = CONCAT('ALTER USER rowgate_catalogue@''%'' IDENTIFIED VIA mysql_native_password USING PASSWORD(',
	QUOTE(@catalogue_password), ')', IF(@catalogue_old_password IS NULL, '',
	CONCAT(' OR mysql_native_password USING PASSWORD(', QUOTE(@catalogue_old_password), ')'))) */;
/*!80000 SET @statement = CONCAT('ALTER USER rowgate_catalogue@''%'' IDENTIFIED BY ',
	QUOTE(COALESCE(@catalogue_old_password, @catalogue_password))) */;
PREPARE statement FROM @statement;
EXECUTE statement;
/*!80000 SET @statement = IF(@catalogue_old_password IS NULL, 'ALTER USER rowgate_catalogue@''%'' DISCARD OLD PASSWORD',
	CONCAT('ALTER USER rowgate_catalogue@''%'' IDENTIFIED BY ', QUOTE(@catalogue_password), ' RETAIN CURRENT PASSWORD')) */;
/*!80000 PREPARE statement FROM @statement */;
/*!80000 EXECUTE statement */;
DEALLOCATE PREPARE statement;
SET @statement = NULL, @authenticator_password = NULL, @authenticator_old_password = NULL,
	@catalogue_password = NULL, @catalogue_old_password = NULL;

-- Rights: from here on it is run where passwords are left alone too.

-- The workers' login owns nothing but roles, and none of them until it says SET ROLE.
GRANT anon TO authenticator@'%';
GRANT authenticated TO authenticator@'%';
GRANT service_role TO authenticator@'%';
GRANT wages_analyst TO authenticator@'%';
GRANT hr TO authenticator@'%';
GRANT dispatcher TO authenticator@'%';
GRANT manager TO authenticator@'%';
GRANT employee TO authenticator@'%';
/*M! SET DEFAULT ROLE NONE FOR authenticator@'%' */;
/*!80000 SET DEFAULT ROLE NONE TO authenticator@'%' */;

-- Whatever role is active, a write may keep its answer under its Idempotency-Key. Nobody reads the table itself.
GRANT EXECUTE ON FUNCTION rowgate.idempotency_find TO authenticator@'%';
GRANT EXECUTE ON PROCEDURE rowgate.idempotency_store TO authenticator@'%';
GRANT EXECUTE ON PROCEDURE rowgate.idempotency_expire TO authenticator@'%';

-- How old what a reader answers is.
GRANT EXECUTE ON FUNCTION rowgate.heartbeat_read TO authenticator@'%';

-- The reader of definitions, of databases still to come too. REFERENCES makes tables, columns, keys and checks
-- visible without making a row readable, SHOW VIEW the views; what that leaves hidden of views and triggers comes from
-- functions. TRIGGER is left out: it would also allow making triggers.
GRANT REFERENCES, SHOW VIEW ON *.* TO rowgate_catalogue@'%';
GRANT EXECUTE ON FUNCTION rowgate.view_definition TO rowgate_catalogue@'%';
GRANT EXECUTE ON PROCEDURE rowgate.view_definitions TO rowgate_catalogue@'%';
GRANT EXECUTE ON FUNCTION rowgate.view_columns TO rowgate_catalogue@'%';
GRANT EXECUTE ON PROCEDURE rowgate.idempotency_expire TO rowgate_catalogue@'%';
GRANT EXECUTE ON PROCEDURE rowgate.heartbeat_beat TO rowgate_catalogue@'%';
GRANT EXECUTE ON FUNCTION rowgate.heartbeat_read TO rowgate_catalogue@'%';
GRANT EXECUTE ON FUNCTION rowgate.trigger_matches TO rowgate_catalogue@'%';
GRANT EXECUTE ON PROCEDURE rowgate.policy_check TO rowgate_catalogue@'%';
/*!80000 GRANT SHOW_ROUTINE ON *.* TO rowgate_catalogue@'%' */;
/*M! GRANT SELECT ON mysql.proc TO rowgate_catalogue@'%' */;

-- Who was granted what, without a password's hash.
GRANT SELECT ON mysql.db TO rowgate_catalogue@'%';
GRANT SELECT ON mysql.tables_priv TO rowgate_catalogue@'%';
GRANT SELECT ON mysql.columns_priv TO rowgate_catalogue@'%';
GRANT SELECT ON mysql.procs_priv TO rowgate_catalogue@'%';
GRANT SELECT (Host, User, Select_priv, Insert_priv, Update_priv, Delete_priv, Execute_priv)
   ON mysql.user TO rowgate_catalogue@'%';
/*M! GRANT SELECT ON mysql.roles_mapping TO rowgate_catalogue@'%' */;
/*!80000 GRANT SELECT ON mysql.role_edges TO rowgate_catalogue@'%' */;
/*!80000 GRANT SELECT ON mysql.global_grants TO rowgate_catalogue@'%' */;

-- Besides definitions it reads row policies, and which tokens are no longer believed, so that every worker can look often.
GRANT SELECT ON rowgate.policy TO rowgate_catalogue@'%';
GRANT SELECT ON rowgate.auth_state TO rowgate_catalogue@'%';
GRANT SELECT ON rowgate.auth_revocation TO rowgate_catalogue@'%';
