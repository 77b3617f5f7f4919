DROP TABLE apparatus;
