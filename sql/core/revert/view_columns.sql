DROP FUNCTION view_columns;
