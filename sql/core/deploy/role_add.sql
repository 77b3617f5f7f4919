-- A new role that tokens may name, for the account of /auth/v1 (identity.sql grants EXECUTE), which may not make any. It
-- makes empty ones alone: what is there already, role or account, may do things that tokens shall not.
DELIMITER //
CREATE PROCEDURE role_add(IN new_role VARCHAR(255))
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Makes a role without rights and grants it to authenticator.'
BEGIN
	-- The definer could write there all the same (see read_only).
	IF @@GLOBAL.read_only THEN
		SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the server is read-only';
	END IF;
	IF new_role IS NULL OR new_role NOT REGEXP '^[A-Za-z0-9_.-]{1,32}$' THEN
		SIGNAL SQLSTATE '22023' SET MYSQL_ERRNO = 1210, MESSAGE_TEXT = 'a role is named by 1 to 32 of A-Z a-z 0-9 _ - .';
	END IF;
	IF EXISTS (SELECT 1 FROM mysql.user AS found WHERE LOWER(found.User) = LOWER(new_role)) THEN
		SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062, MESSAGE_TEXT = 'there is a role or an account of that name';
	END IF;
	-- A role of MySQL's is an account that nobody can log in to; CREATE ROLE cannot be prepared there.
	SET @rowgate_role_statement = IF(VERSION() LIKE '%MariaDB%', CONCAT('CREATE ROLE `', new_role, '`'),
		CONCAT('CREATE USER `', new_role, '`@`%` PASSWORD EXPIRE ACCOUNT LOCK'));
	PREPARE rowgate_role_statement FROM @rowgate_role_statement;
	EXECUTE rowgate_role_statement;
	SET @rowgate_role_statement = CONCAT('GRANT `', new_role, '` TO authenticator@`%`');
	PREPARE rowgate_role_statement FROM @rowgate_role_statement;
	EXECUTE rowgate_role_statement;
	DEALLOCATE PREPARE rowgate_role_statement;
	SET @rowgate_role_statement = NULL;
END //
DELIMITER ;
