-- Works on the temporary tables that ingest_incident makes: incoming_document(n, document) and incoming_unit(n, k,
-- unit), JSON as it came. Where several keys are wrong, the first by path is named, so that a missing object comes
-- before the keys in it.
DELIMITER //

CREATE PROCEDURE check_incident_documents(IN many BOOLEAN)
	READS SQL DATA
	COMMENT 'Refuses documents with a missing, bad or repeated key; part of ingest_incident.'
BEGIN
	DECLARE problem TEXT;
	DECLARE at INT;

	SELECT CONCAT(IF(path = '', 'the document', path), ' ', what), n INTO problem, at
	  FROM (SELECT n, path, problem_of(JSON_EXTRACT(document, IF(path = '', '$', CONCAT('$.', path))),
			kind, required, low, high) AS what
		  FROM incoming_document
		  JOIN document_key ON part = 'document') AS value
	 WHERE what IS NOT NULL
	 ORDER BY n, path LIMIT 1;

	IF problem IS NULL THEN
		SELECT CONCAT('apparatus[', k - 1, ']', IF(path = '', '', '.'), path, ' ', what), n INTO problem, at
		  FROM (SELECT n, k, path, problem_of(JSON_EXTRACT(unit, IF(path = '', '$', CONCAT('$.', path))),
				kind, required, low, high) AS what
			  FROM incoming_unit
			  JOIN document_key ON part = 'apparatus') AS value
		 WHERE what IS NOT NULL
		 ORDER BY n, k, path LIMIT 1;
	END IF;

	-- MariaDB finds no member whose name needs escapes in a path.
	IF problem IS NULL THEN
		SELECT CONCAT('apparatus[', k - 1, '].unit_status.', LEFT(status, 40),
				' must have a name of 1 to 40 characters without quotes and backslashes'), n
		  INTO problem, at
		  FROM incoming_unit
		  JOIN JSON_TABLE(JSON_KEYS(unit, '$.unit_status'), '$[*]' COLUMNS (status TEXT PATH '$')) AS name
		 WHERE CHAR_LENGTH(status) NOT BETWEEN 1 AND 40 OR JSON_QUOTE(status) <> CONCAT('"', status, '"')
		 ORDER BY n, k, status LIMIT 1;
	END IF;

	IF problem IS NULL THEN
		SELECT CONCAT('apparatus[', k - 1, '].unit_status.', status, IF(path = '', '', '.'), path, ' ', what), n
		  INTO problem, at
		  FROM (SELECT n, k, status, path, problem_of(JSON_EXTRACT(unit,
				CONCAT('$.unit_status.', JSON_QUOTE(status), IF(path = '', '', '.'), path)),
				kind, required, low, high) AS what
			  FROM incoming_unit
			  JOIN JSON_TABLE(JSON_KEYS(unit, '$.unit_status'), '$[*]'
				COLUMNS (status TEXT PATH '$')) AS name
			  JOIN document_key ON part = 'unit_status') AS value
		 WHERE what IS NOT NULL
		 ORDER BY n, k, status, path LIMIT 1;
	END IF;

	IF problem IS NULL THEN
		SELECT 'description.day_of_week must be a day such as Monday', n INTO problem, at
		  FROM incoming_document
		 WHERE JSON_UNQUOTE(JSON_EXTRACT(document, '$.description.day_of_week'))
			NOT IN ('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday')
		 ORDER BY n LIMIT 1;
	END IF;

	IF problem IS NULL THEN
		SELECT 'description.incident_number is that of an earlier document', MAX(n) INTO problem, at
		  FROM incoming_document
		 GROUP BY JSON_UNQUOTE(JSON_EXTRACT(document, '$.description.incident_number'))
		HAVING COUNT(*) > 1
		 ORDER BY MAX(n) LIMIT 1;
	END IF;

	IF problem IS NULL THEN
		SELECT CONCAT('apparatus[', MAX(k) - 1, '] is the same unit as apparatus[', MIN(k) - 1, ']'), n
		  INTO problem, at
		  FROM incoming_unit
		 GROUP BY n, JSON_UNQUOTE(JSON_EXTRACT(unit, '$.unit_id')),
			COALESCE(JSON_UNQUOTE(JSON_EXTRACT(unit, '$.car_id')), '')
		HAVING COUNT(*) > 1
		 ORDER BY n, MAX(k) LIMIT 1;
	END IF;

	IF problem IS NOT NULL THEN
		SET problem = IF(many, CONCAT(LEFT(problem, 110), ' (document ', at, ')'), LEFT(problem, 128));
		SIGNAL SQLSTATE '22023' SET MESSAGE_TEXT = problem;
	END IF;
END //

DELIMITER ;
