DROP TABLE fire_department;
