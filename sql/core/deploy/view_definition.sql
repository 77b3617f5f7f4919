-- Both servers show the text of a view only to those who may also read its rows. The catalogue account may not, so it
-- asks this function, which runs with the rights of whoever deployed it. accounts.sql grants EXECUTE.
CREATE FUNCTION view_definition(view_schema VARCHAR(64), view_name VARCHAR(64)) RETURNS LONGTEXT
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'The SELECT behind a view; null when there is no such view.'
RETURN (
	SELECT view_definition
	  FROM information_schema.views AS found
	 WHERE found.table_schema = view_schema AND found.table_name = view_name);
