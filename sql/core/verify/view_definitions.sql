CALL view_definitions('no such database');
