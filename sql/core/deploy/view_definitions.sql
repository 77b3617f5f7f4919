-- As view_definition, of all views of a schema at once: a function asked once for each takes milliseconds every time, seconds for
-- some hundred of them. accounts.sql grants EXECUTE.
DELIMITER //

CREATE PROCEDURE view_definitions(IN view_schema VARCHAR(64))
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Schema, name, SELECT and whether it is updatable, of each view of a schema.'
BEGIN
	-- Without a literal MariaDB opens the views of all schemas, and waits for the locks on them.
	SET @rowgate_view_definitions = CONCAT('SELECT table_schema, table_name, view_definition, is_updatable
	                                          FROM information_schema.views
	                                         WHERE table_schema = ', QUOTE(view_schema), '
	                                         ORDER BY table_name');
	PREPARE rowgate_view_definitions FROM @rowgate_view_definitions;
	EXECUTE rowgate_view_definitions;
	DEALLOCATE PREPARE rowgate_view_definitions;
	SET @rowgate_view_definitions = NULL;
END//

DELIMITER ;
