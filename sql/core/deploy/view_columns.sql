-- MariaDB shows the columns of a view that calls a function only to those who may execute that function. The catalogue
-- account may not, so it asks this one, which runs with the rights of whoever deployed it. accounts.sql grants EXECUTE.
CREATE FUNCTION view_columns(view_schema VARCHAR(64), view_name VARCHAR(64)) RETURNS LONGTEXT
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'The columns of a view, each as a JSON array that begins with its position; null when there is no such view.'
RETURN (
	SELECT JSON_ARRAYAGG(JSON_ARRAY(ordinal_position, table_schema, table_name, column_name, data_type, column_type,
	                                is_nullable, collation_name, extra, column_default, column_comment))
	  FROM information_schema.columns AS found
	 WHERE found.table_schema = view_schema AND found.table_name = view_name);
