-- Which rows of a table a role meets through Rowgate (app/POLICIES.md). Administrators write here; the catalogue account
-- reads, and nobody else has any right.
CREATE TABLE policy (
	schema_name VARCHAR(64) NOT NULL
		COMMENT 'Database of the table or view.',
	table_name VARCHAR(64) NOT NULL
		COMMENT 'Table or view.',
	role VARCHAR(80) NOT NULL
		COMMENT 'Database role; * for every role.',
	name VARCHAR(64) NOT NULL
		COMMENT 'Tells the policies of a role on a table apart.',
	verbs SET('select', 'insert', 'update', 'delete') NOT NULL DEFAULT 'select,insert,update,delete'
		COMMENT 'What it is about.',
	using_expression TEXT NULL
		COMMENT 'SQL: which rows are met by select, update, delete.',
	check_expression TEXT NULL
		COMMENT 'SQL: what a row must be after insert or update; without it using_expression counts.',
	comment VARCHAR(1024) NOT NULL DEFAULT ''
		COMMENT 'For people.',
	PRIMARY KEY (schema_name, table_name, role, name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'Row policies';

-- Whether an expression can stand behind WHERE. The catalogue account may read no row, so it asks this procedure, which
-- runs with the rights of whoever deployed it: it prepares a statement, and never runs it. accounts.sql grants EXECUTE.
DELIMITER //
CREATE PROCEDURE policy_check(IN database_name VARCHAR(64), IN name VARCHAR(64), IN expression TEXT, OUT fault TEXT)
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'What the server has against an expression as a condition on a table; NULL: nothing.'
BEGIN
	DECLARE EXIT HANDLER FOR SQLEXCEPTION
	BEGIN
		GET DIAGNOSTICS CONDITION 1 fault = MESSAGE_TEXT;
		SET @rowgate_policy_statement = NULL;
	END;
	SET fault = NULL;
	SET @rowgate_policy_statement = CONCAT('SELECT 1 FROM `', REPLACE(database_name, '`', '``'), '`.`',
		REPLACE(name, '`', '``'), '` WHERE (', expression, ')');
	PREPARE rowgate_policy_statement FROM @rowgate_policy_statement;
	DEALLOCATE PREPARE rowgate_policy_statement;
	SET @rowgate_policy_statement = NULL;
END //
DELIMITER ;
