SELECT incident_number, version, comments, document, ingested_at
  FROM incident_document
 WHERE FALSE;
