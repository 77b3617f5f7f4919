DELETE FROM rowgate.policy WHERE schema_name = DATABASE();
DROP ROLE IF EXISTS employee;
DROP ROLE IF EXISTS manager;
