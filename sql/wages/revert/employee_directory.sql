DROP TABLE employee_directory;
