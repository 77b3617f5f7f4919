DROP FUNCTION trigger_matches;
