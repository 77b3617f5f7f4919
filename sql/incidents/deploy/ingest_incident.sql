-- Call it inside a transaction: then one bad document leaves nothing behind, whatever the error.
DELIMITER //

CREATE PROCEDURE ingest_incident(IN body JSON)
	MODIFIES SQL DATA
	SQL SECURITY DEFINER
	COMMENT 'Takes an incident document, or an array of them, and brings the tables to what it says. The same document again changes nothing; keys it does not know are accepted and kept. A missing or wrong key is refused with SQLSTATE 22023, naming the key. Answers incident_number, action (inserted, updated, unchanged) and the numbers of apparatus and unit_status, in the order given.'
BEGIN
	DECLARE session_zone VARCHAR(64) DEFAULT @@SESSION.time_zone;
	DECLARE EXIT HANDLER FOR SQLEXCEPTION
	BEGIN
		SET time_zone = session_zone;
		RESIGNAL;
	END;
	IF body IS NULL OR NOT JSON_VALID(body) OR JSON_TYPE(body) NOT IN ('OBJECT', 'ARRAY') THEN
		SIGNAL SQLSTATE '22023' SET MESSAGE_TEXT = 'body must be an incident document or an array of them';
	END IF;
	SET time_zone = '+00:00';

	DROP TEMPORARY TABLE IF EXISTS incoming_document, incoming_unit, incoming_fire_department, incoming_incident,
		incoming_apparatus, incoming_status;
	CREATE TEMPORARY TABLE incoming_document (
		n INT NOT NULL PRIMARY KEY,
		document JSON NOT NULL,
		incident_number VARCHAR(32) NULL UNIQUE,
		existed BOOLEAN NULL,
		changed BOOLEAN NULL);
	CREATE TEMPORARY TABLE incoming_unit (
		id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
		n INT NOT NULL,
		k INT NOT NULL,
		unit JSON NOT NULL);
	INSERT INTO incoming_document (n, document)
	SELECT value.n, /*M! JSON_COMPACT( */ value.document /*M! ) */
	  FROM JSON_TABLE(JSON_MERGE_PRESERVE('[]', body), '$[*]' COLUMNS (
		n FOR ORDINALITY,
		document JSON PATH '$')) AS value;
	INSERT INTO incoming_unit (n, k, unit)
	SELECT n, value.k, value.unit
	  FROM incoming_document
	  JOIN JSON_TABLE(document, '$.apparatus[*]' COLUMNS (
		k FOR ORDINALITY,
		unit JSON PATH '$')) AS value
	 ORDER BY n, value.k;

	CALL check_incident_documents(JSON_TYPE(body) = 'ARRAY');
	UPDATE incoming_document
	   SET incident_number = JSON_UNQUOTE(JSON_EXTRACT(document, '$.description.incident_number'));
	CALL shred_incident_documents();
	CALL mark_changed_documents();
	CALL store_incident_documents();

	SELECT incident_number, IF(changed, IF(existed, 'updated', 'inserted'), 'unchanged') AS action,
		(SELECT COUNT(*) FROM apparatus WHERE apparatus.incident_number = incoming_document.incident_number)
			AS apparatus,
		(SELECT COUNT(*) FROM apparatus JOIN unit_status ON apparatus_id = id
		  WHERE apparatus.incident_number = incoming_document.incident_number) AS unit_status
	  FROM incoming_document
	 ORDER BY n;

	DROP TEMPORARY TABLE incoming_document, incoming_unit, incoming_fire_department, incoming_incident,
		incoming_apparatus, incoming_status;
	SET time_zone = session_zone;
END //

DELIMITER ;
