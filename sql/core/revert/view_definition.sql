DROP FUNCTION view_definition;
