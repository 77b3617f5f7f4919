#ifndef ROWGATE_ONCE_H
#define ROWGATE_ONCE_H

#include "auth.h"
#include "body.h"
#include "db.h"

/*
 * A write and its repetitions. With an Idempotency-Key the answer is committed together with the write, so that the same
 * request sent again gets it again and does nothing (reliability.md section 4). With or without a key, the body is kept
 * while it is small, so that a write which the database took back can be tried again from its start.
 */
struct once;

/*
 * For a request that writes. Body: read gives it, and from now on it is read by once_read. Lives in a. Fails with ERR_KEY
 * when the key is none, or missing where idempotency-required wants one.
 */
bool once_open(struct arena *a, const struct config *config, const struct http_request *rq, const struct principal *who,
	       body_read_fn *read, void *context, struct once **out, struct error *err) MUST_CHECK;

/* A body_read_fn whose context is the struct once. */
int64_t once_read(void *once, char *to, size_t size);

/* From here on once_read begins anew. False when the body was too large to be kept. */
bool once_rewind(struct once *o);

/*
 * Before the first statement, outside of a transaction. *replayed_out: the request was answered before, and rs is that
 * answer. Fails with ERR_KEY_BUSY, ERR_KEY_USED, or as the database does. Without a key it does nothing.
 */
bool once_claim(struct once *o, struct db_conn *conn, struct http_response *rs, bool *replayed_out,
		struct error *err) MUST_CHECK;

/*
 * At the end of the work: keeps the answer in rs under the key and commits. When the connection is lost meanwhile, another
 * tells whether it was done; *conn is then that one, or NULL. Fails with ERR_OUTCOME when nobody can tell; otherwise a
 * failure means that nothing was done.
 */
bool once_commit(struct once *o, struct db *db, struct db_conn **conn, struct http_response *rs,
		 struct error *err) MUST_CHECK;

/*
 * After a failure: may the work be tried again? Deadlocks and lock waits, up to three times after a short sleep on the same
 * connection, rolled back; a lost connection once, on another: then *conn is NULL. Nothing was committed in any case.
 */
bool once_again(struct once *o, struct db *db, struct db_conn **conn, struct error *err) MUST_CHECK;

/* Deletes keys older than the setting, at most a thousand; *more_out: there are others. */
bool once_expire(struct db_conn *conn, const struct config *config, bool *more_out, struct error *err) MUST_CHECK;

#endif
