SELECT part, path, kind, required, low, high
  FROM document_key
 WHERE FALSE;
