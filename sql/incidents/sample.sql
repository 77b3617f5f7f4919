-- 300 incidents of our own making in Port Ellery, a city that does not exist, the same at every run; loaded only into
-- empty tables. They are made as documents and go through ingest_incident, so that they are what a feed would bring.
--
-- Chance is CRC32 of numbers and a word. Six stations stand on a grid of 3 by 2; a unit's travel follows from its
-- distance in tenths of a mile. Every ninth unit beyond the first is sent back on the way: it never arrives and has
-- no response time.
SET @load = (SELECT COUNT(*) = 0 FROM incident), @@SESSION.group_concat_max_len = 8000000;
DROP TEMPORARY TABLE IF EXISTS sample_call, sample_unit, sample_document;

CREATE TEMPORARY TABLE sample_call (PRIMARY KEY (n))
WITH RECURSIVE number (n) AS (
	SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 300),
chance AS (
	SELECT n, CRC32(CONCAT(n, 'hour')) AS hour, CRC32(CONCAT(n, 'kind')) % 20 AS kind,
	       CRC32(CONCAT(n, 'units')) AS units, CRC32(CONCAT(n, 'street')) AS street,
	       CRC32(CONCAT(n, 'north')) % 9000 AS north,
	       CRC32(CONCAT(n, 'east')) % 12000 AS east
	  FROM number),
placed AS (
	SELECT chance.*, 38.17 + 0.00001 * north AS latitude, 0.00001 * east - 75.66 AS longitude,
	       1 + north DIV 3000 + 3 * (east DIV 6000) AS station,
	       TIMESTAMP('2025-02-01') + INTERVAL n DIV 2 DAY
		+ INTERVAL IF(hour % 10 < 8, 7 + hour DIV 10 % 16, hour DIV 10 % 24) HOUR
		+ INTERVAL CRC32(CONCAT(n, 'second')) % 3600 SECOND AS opened,
	       CASE WHEN kind < 9 THEN 'EMS-1STRESP' WHEN kind < 12 THEN 'ALARM' WHEN kind < 15 THEN 'FIRE'
		WHEN kind < 18 THEN 'MVA' WHEN kind < 19 THEN 'HAZMAT' ELSE 'SERVICE' END AS type
	  FROM chance)
SELECT placed.*, IF(opened < '2025-03-09 02:00:00', '-05:00', '-04:00') AS utc_offset,
       ELT(1 + kind, 'CHEST PAIN', 'CHEST PAIN', 'FALL', 'FALL', 'BREATHING PROBLEMS', 'BREATHING PROBLEMS',
	'UNCONSCIOUS PERSON', 'STROKE', 'BLEEDING', 'AUTOMATIC ALARM', 'AUTOMATIC ALARM', 'SMOKE DETECTOR',
	'STRUCTURE FIRE', 'BRUSH FIRE', 'VEHICLE FIRE', 'ACCIDENT WITH INJURY', 'ACCIDENT WITH INJURY',
	'ACCIDENT WITH ENTRAPMENT', 'GAS LEAK', 'LIFT ASSIST') AS subtype,
       CASE type WHEN 'SERVICE' THEN 1 WHEN 'FIRE' THEN 3 + units % 4 WHEN 'HAZMAT' THEN 3 + units % 3
	ELSE 1 + units % 3 END AS unit_count,
       ELT(1 + street % 12, 'HARBOR', 'LANTERN', 'MILL', 'ORCHARD', 'CANNERY', 'BEACON', 'JUNIPER', 'CHAPEL',
	'FERRY', 'GRANARY', 'MARKET', 'QUARRY') AS street_name,
       ELT(1 + street DIV 12 % 4, 'ST', 'AVE', 'RD', 'LN') AS street_type
  FROM placed;

CREATE TEMPORARY TABLE sample_unit (PRIMARY KEY (n, k))
WITH RECURSIVE number (k) AS (
	SELECT 1 UNION ALL SELECT k + 1 FROM number WHERE k < 6),
sent AS (
	SELECT n, k, opened, latitude, longitude, 1 + (station + k * 5 DIV 2 - 3) % 6 AS station,
	       CRC32(CONCAT(n, '/', k, 'alert')) AS alert, CRC32(CONCAT(n, '/', k, 'road')) AS road,
	       CRC32(CONCAT(n, '/', k, 'work')) AS work,
	       k > 1 AND CRC32(CONCAT(n, '/', k, 'back')) % 9 = 0 AS sent_back
	  FROM sample_call JOIN number ON k <= unit_count),
measured AS (
	SELECT sent.*, 38.185 + (station - 1) % 3 * 0.03 AS home_latitude,
	       -75.63 + (station - 1) DIV 3 * 0.06 AS home_longitude
	  FROM sent),
timed AS (
	SELECT measured.*, CAST(10 * SQRT(POW(69 * (latitude - home_latitude), 2)
		+ POW(54.4 * (longitude - home_longitude), 2)) AS SIGNED) AS tenths,
	       opened + INTERVAL 8 + alert % 50 + 2 * k SECOND AS dispatched,
	       35 + alert DIV 50 % 60 + IF(HOUR(opened) < 6, 45, 0) AS turnout
	  FROM measured),
driven AS (
	SELECT timed.*, tenths / 10e0 AS distance, dispatched + INTERVAL turnout SECOND AS enroute,
	       40 + 21 * tenths DIV 2 + road % 60 AS travel
	  FROM timed)
SELECT driven.*, IF(alert % 2, dispatched + INTERVAL 5 + alert % 20 SECOND, NULL) AS acknowledged,
       IF(sent_back, NULL, enroute + INTERVAL travel SECOND) AS arrived,
       enroute + INTERVAL IF(sent_back, travel DIV 2, travel + 300 + work % 2400) SECOND AS cleared,
       enroute + INTERVAL IF(sent_back, travel DIV 2 + 30, travel + 420 + work % 2400 + work DIV 2400 % 600) SECOND
	AS available
  FROM driven;

-- JSON_MERGE_PATCH leaves out what is null; JSON_EXTRACT tells MariaDB that a text is JSON.
CREATE TEMPORARY TABLE sample_document (n INT NOT NULL PRIMARY KEY, arrived DATETIME, dispatched DATETIME,
	enroute DATETIME,
	available DATETIME, apparatus MEDIUMTEXT)
SELECT n, MIN(arrived) AS arrived, MIN(dispatched) AS dispatched, MIN(enroute) AS enroute, MAX(available)
	AS available,
       CONCAT('[', GROUP_CONCAT(JSON_MERGE_PATCH('{}', JSON_OBJECT(
	'unit_id', CONCAT(ELT(k, 'E', 'M', 'T', 'B', 'Q', 'H'), station),
	'car_id', CONCAT(100 + 10 * station + k),
	'unit_type', ELT(k, 'Engine', 'Medic Unit', 'Truck/Aerial', 'Battalion Chief', 'Quint', 'Hazmat Unit'),
	'station', CONCAT('FSTA', LPAD(station, 2, '0')),
	'shift', ELT(1 + DATEDIFF(opened, '2025-01-01') % 3, 'A', 'B', 'C'),
	'distance', distance,
	'extended_data', JSON_OBJECT(
		'event_duration', TIMESTAMPDIFF(SECOND, dispatched, available),
		'response_duration', TIMESTAMPDIFF(SECOND, dispatched, arrived),
		'travel_duration', TIMESTAMPDIFF(SECOND, enroute, arrived),
		'turnout_duration', turnout),
	'unit_status', JSON_OBJECT(
		'dispatched', JSON_OBJECT('latitude', home_latitude, 'longitude', home_longitude,
			'timestamp', CONCAT(DATE_FORMAT(dispatched, '%Y-%m-%dT%H:%i:%s'), utc_offset)),
		'acknowledged', JSON_EXTRACT(IF(acknowledged IS NULL, NULL, JSON_OBJECT('latitude', home_latitude,
			'longitude', home_longitude, 'timestamp',
			CONCAT(DATE_FORMAT(acknowledged, '%Y-%m-%dT%H:%i:%s'), utc_offset))), '$'),
		'enroute', JSON_OBJECT('latitude', home_latitude, 'longitude', home_longitude,
			'timestamp', CONCAT(DATE_FORMAT(enroute, '%Y-%m-%dT%H:%i:%s'), utc_offset)),
		'arrived', JSON_EXTRACT(IF(arrived IS NULL, NULL, JSON_OBJECT('latitude', unit.latitude,
			'longitude', unit.longitude, 'timestamp', CONCAT(DATE_FORMAT(arrived, '%Y-%m-%dT%H:%i:%s'),
			utc_offset))), '$'),
		'cleared', JSON_OBJECT('latitude', unit.latitude, 'longitude', unit.longitude,
			'timestamp', CONCAT(DATE_FORMAT(cleared, '%Y-%m-%dT%H:%i:%s'), utc_offset)),
		'available', JSON_OBJECT('latitude', unit.latitude, 'longitude', unit.longitude, 'timestamp',
			CONCAT(DATE_FORMAT(available, '%Y-%m-%dT%H:%i:%s'), utc_offset))))) ORDER BY k), ']') AS
			apparatus
  FROM sample_unit AS unit
  JOIN (SELECT n, utc_offset FROM sample_call) AS incident USING (n)
 GROUP BY n;

SELECT CONCAT('[', GROUP_CONCAT(JSON_MERGE_PATCH('{}', JSON_OBJECT(
	'version', '1.0.29',
	'fire_department', JSON_OBJECT('fd_id', '99001', 'firecares_id', '99901', 'name',
		'Port Ellery Fire Department', 'shift', ELT(1 + DATEDIFF(opened, '2025-01-01') % 3, 'A', 'B', 'C'),
		'state', 'VA', 'timezone', 'US/Eastern'),
	'address', JSON_OBJECT('address_id', '', 'address_line1', CONCAT(100 + street % 1900, ' ', street_name, ' ',
		street_type), 'number', CONCAT(100 + street % 1900), 'prefix_direction', '', 'name', street_name,
		'type', street_type, 'suffix_direction', '', 'cross_street1', CONCAT(ELT(1 + north % 5, 'FIRST',
		'SECOND', 'THIRD', 'FOURTH', 'FIFTH'), ' ST'), 'cross_street2', CONCAT(ELT(1 + east % 4, 'ALDER',
		'BIRCH', 'CEDAR', 'DOGWOOD'), ' ST'), 'city', 'Port Ellery', 'state', 'VA', 'postal_code',
		CONCAT('2399', station), 'first_due', CONCAT(station), 'response_zone', CONCAT(70 + station,
		LPAD(street % 40, 2, '0'), '01'), 'latitude', latitude, 'longitude', longitude),
	'apparatus', JSON_EXTRACT(apparatus, '$'),
	'description', JSON_OBJECT('incident_number', CONCAT('P25', LPAD(n, 6, '0')), 'event_id', CONCAT(5500000 +
		n), 'type', type, 'subtype', subtype, 'comments', CONCAT('Made-up call of type ', type, ', ',
		unit_count, ' units sent.'), 'day_of_week', DAYNAME(opened), 'hour_of_day', HOUR(opened),
		'event_opened', CONCAT(DATE_FORMAT(opened, '%Y-%m-%dT%H:%i:%s'), utc_offset),
		'loi_search_complete', CONCAT(DATE_FORMAT(opened, '%Y-%m-%dT%H:%i:%s'), utc_offset),
		'first_unit_dispatched', CONCAT(DATE_FORMAT(dispatched, '%Y-%m-%dT%H:%i:%s'), utc_offset),
		'first_unit_enroute', CONCAT(DATE_FORMAT(enroute, '%Y-%m-%dT%H:%i:%s'), utc_offset),
		'first_unit_arrived', CONCAT(DATE_FORMAT(arrived, '%Y-%m-%dT%H:%i:%s'), utc_offset),
		'event_closed', CONCAT(DATE_FORMAT(available, '%Y-%m-%dT%H:%i:%s'), utc_offset),
		'extended_data', JSON_OBJECT('dispatch_duration', TIMESTAMPDIFF(SECOND, opened, dispatched),
			'response_time', TIMESTAMPDIFF(SECOND, dispatched, arrived),
			'event_duration', TIMESTAMPDIFF(SECOND, opened, available))))) ORDER BY n), ']')
  INTO @documents
  FROM sample_call
  JOIN sample_document USING (n);

START TRANSACTION;
CALL ingest_incident(IF(@load, @documents, '[]'));
COMMIT;
SET @documents = NULL;
DROP TEMPORARY TABLE sample_call, sample_unit, sample_document;
