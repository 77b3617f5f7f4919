SELECT schema_name, table_name, role, name, verbs, using_expression, check_expression, comment FROM policy WHERE FALSE;
CALL policy_check(DATABASE(), 'policy', 'name = ?', @fault);
SELECT rowgate_sqitch.checkit(@fault IS NULL, 'policy_check has something against a good expression');
CALL policy_check(DATABASE(), 'policy', 'no_such_column = ?', @fault);
SELECT rowgate_sqitch.checkit(@fault IS NOT NULL, 'policy_check has nothing against a bad expression');
