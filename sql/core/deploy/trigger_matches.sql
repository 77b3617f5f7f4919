-- Triggers show their text only to those who may make some. The catalogue account may not, so it asks this function,
-- which runs with the rights of whoever deployed it. accounts.sql grants EXECUTE.
CREATE FUNCTION trigger_matches(trigger_database VARCHAR(64), pattern VARCHAR(255)) RETURNS BOOLEAN
	READS SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Whether the text of some trigger of a database matches a regular expression.'
RETURN EXISTS (
	SELECT 1
	  FROM information_schema.triggers AS found
	 WHERE found.trigger_schema = trigger_database AND found.action_statement REGEXP pattern);
