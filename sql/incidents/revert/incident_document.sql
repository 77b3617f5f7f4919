DROP TABLE incident_document;
