-- Apart from incident because free text can name people: not every role that reads incidents reads this.
CREATE TABLE incident_document (
	incident_number VARCHAR(32) NOT NULL
		COMMENT 'Incident it describes.',
	version VARCHAR(16) NOT NULL
		COMMENT 'Version of the form of the document.',
	comments MEDIUMTEXT NULL
		COMMENT 'Free text of the dispatcher; may name people.',
	document JSON NOT NULL
		COMMENT 'The whole document, as received.',
	ingested_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
		COMMENT 'When this document came.',
	PRIMARY KEY (incident_number),
	CONSTRAINT incident_document_incident FOREIGN KEY (incident_number) REFERENCES incident (incident_number)
		ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE = InnoDB COMMENT = 'The document behind each incident, and its free text.';
