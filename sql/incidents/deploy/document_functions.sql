DELIMITER //

-- '2017-05-15T13:21:38-04:00' as UTC. CONVERT_TZ would do, but knows fewer offsets on MariaDB.
CREATE FUNCTION utc_of(iso VARCHAR(40)) RETURNS DATETIME
	DETERMINISTIC NO SQL
	COMMENT 'UTC of an ISO 8601 time with an offset; fractions of a second are cut.'
RETURN CAST(REPLACE(LEFT(iso, 19), 'T', ' ') AS DATETIME) - INTERVAL IF(iso LIKE '%Z', 0,
	IF(SUBSTRING(iso, -6, 1) = '-', -60, 60) * (60 * SUBSTRING(iso, -5, 2) + RIGHT(iso, 2))) SECOND //

CREATE FUNCTION offset_of(iso VARCHAR(40)) RETURNS CHAR(6)
	DETERMINISTIC NO SQL
	COMMENT 'The offset of an ISO 8601 time, such as -04:00.'
RETURN IF(iso LIKE '%Z', '+00:00', RIGHT(iso, 6)) //

-- TIMESTAMP ends in January 2038, hence the years.
CREATE FUNCTION is_time(iso TEXT) RETURNS BOOLEAN
	DETERMINISTIC NO SQL
	COMMENT 'Whether a text is an ISO 8601 time with an offset, of 1971 to 2037.'
BEGIN
	IF CHAR_LENGTH(iso) > 40
		OR NOT iso REGEXP CONCAT('^(19[7-9][1-9]|19[89]0|20[0-2][0-9]|203[0-7])-[01][0-9]-[0-3][0-9]T',
		'([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[-+](0[0-9]|1[0-4]):[0-5][0-9])$') THEN
		RETURN FALSE;
	END IF;
	RETURN SUBSTRING(iso, 6, 2) BETWEEN 1 AND 12
		AND SUBSTRING(iso, 9, 2) BETWEEN 1 AND DAY(LAST_DAY(CONCAT(LEFT(iso, 8), '01')));
END //

-- kind, required, low and high are the columns of document_key.
CREATE FUNCTION problem_of(value JSON, kind VARCHAR(10), required BOOLEAN, low INT, high INT) RETURNS VARCHAR(60)
	DETERMINISTIC NO SQL
	COMMENT 'What is wrong with a value, by a row of document_key; null when nothing is.'
BEGIN
	DECLARE found VARCHAR(20) DEFAULT JSON_TYPE(value);
	DECLARE word LONGTEXT;
	IF found IS NULL OR found = 'NULL' THEN
		RETURN IF(required, IF(found IS NULL, 'is missing', 'must not be null'), NULL);
	END IF;
	CASE kind
	WHEN 'object' THEN
		RETURN IF(found = 'OBJECT', NULL, 'must be an object');
	WHEN 'array' THEN
		RETURN IF(found = 'ARRAY', NULL, 'must be an array');
	WHEN 'integer' THEN
		IF found NOT IN ('INTEGER', 'UNSIGNED INTEGER') THEN
			RETURN 'must be an integer';
		END IF;
		SET low = COALESCE(low, -2147483648), high = COALESCE(high, 2147483647);
	WHEN 'number' THEN
		IF found NOT IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') THEN
			RETURN 'must be a number';
		END IF;
	ELSE
		IF found <> 'STRING' THEN
			RETURN IF(kind = 'time', 'must be a time such as 2017-05-15T13:21:38-04:00', 'must be text');
		END IF;
		SET word = JSON_UNQUOTE(value);
		IF kind = 'time' THEN
			RETURN IF(is_time(word), NULL, 'must be a time such as 2017-05-15T13:21:38-04:00');
		END IF;
		RETURN CASE
			WHEN CHAR_LENGTH(word) > high THEN CONCAT('must be at most ', high, ' characters')
			WHEN CHAR_LENGTH(word) < low THEN IF(word = '', 'must not be empty',
				CONCAT('must be at least ', low, ' characters'))
		END;
	END CASE;
	RETURN CASE
		WHEN CAST(value AS DOUBLE) < low THEN CONCAT('must be at least ', low)
		WHEN CAST(value AS DOUBLE) > high THEN CONCAT('must be at most ', high)
	END;
END //

DELIMITER ;
