DROP PROCEDURE view_definitions;
