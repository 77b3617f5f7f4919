DROP PROCEDURE idempotency_expire;
DROP PROCEDURE idempotency_store;
DROP FUNCTION idempotency_find;
DROP TABLE idempotency_room;
DROP TABLE idempotency_key;
