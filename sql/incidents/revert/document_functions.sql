DROP FUNCTION problem_of;
DROP FUNCTION is_time;
DROP FUNCTION offset_of;
DROP FUNCTION utc_of;
