DROP PROCEDURE policy_check;
DROP TABLE policy;
