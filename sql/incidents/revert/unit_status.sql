DROP TABLE unit_status;
