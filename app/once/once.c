/*
 * Idempotency-Key. A named lock of the server says that a request with this key is under way; it ends with its connection,
 * however the worker ends. What was answered is a row that commits together with the write: where it is found, the write was
 * done, and where the lock was had and it is not, it was not. So a COMMIT whose answer was lost is settled by waiting for
 * the old connection's lock and looking for the row. Should ever two get past the lock, the row's key stops the second.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "internal.h"

#include "clock.h"

#define KEY_MAX 255
#define SUBJECT_MAX 255
#define PATH_MAX_KEPT 1024
#define ANSWER_MAX ((size_t)1 << 20)
#define ATTEMPTS 3
#define SETTLE_MS 5000
#define SETTLE_PAUSE_MS 100
#define EXPIRE_ROWS 1000

struct once {
	struct arena *a;
	const struct http_request *rq;
	const struct principal *who;
	struct slice key; /* empty: none */
	char id[2 * DIGEST + 1];
	char lock[65]; /* what names of locks may be long */
	struct tape tape;
	bool ended; /* fingerprint is there */
	unsigned char fingerprint[DIGEST];
	unsigned tries;
	bool reconnected;
};

/* --- the key --- */

static bool well_formed(struct slice key)
{
	bool quoted = false;

	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] < ' ' || key.ptr[i] > '~' || (key.ptr[i] == ',' && !quoted))
			return false; /* a comma: two headers made one by a proxy */
		if (key.ptr[i] == '"')
			quoted = !quoted;
	}
	return key.len && key.len <= KEY_MAX;
}

static bool required(const struct config *config, struct slice path)
{
	const struct config_list *list = &config->idempotency_required;

	for (size_t i = 0; i < list->n; i++)
		if (slice_is(path, list->items[i]) || strcmp(list->items[i], "*") == 0)
			return true;
	return false;
}

static bool find_key(struct once *o, const struct config *config, struct error *err)
{
	if (!http_header(o->rq, "idempotency-key", &o->key)) {
		if (!required(config, o->rq->path))
			return true;
		error_set(err, ERR_KEY, "An Idempotency-Key is required here");
		return error_hint(err, "A random UUID, new for each write and the same for its repetitions.");
	}
	o->key = slice_trim(o->key);
	if (http_header_count(o->rq, "idempotency-key") == 1 && well_formed(o->key))
		return true;
	error_set(err, ERR_KEY, "The Idempotency-Key is malformed");
	return error_details(err, "One header of 1 to %d visible ASCII characters.", KEY_MAX);
}

/* Whose key it is: another role, person or issuer has keys of its own. */
static void make_id(struct once *o)
{
	static const char digits[] = "0123456789abcdef";
	struct json_object *claims = json_tokener_parse(slice_cstr(o->a, o->who->claims));
	struct json_object *issuer = claims ? json_object_object_get(claims, "iss") : NULL;
	EVP_MD_CTX *hash = digest_new(o->a);
	unsigned char bytes[DIGEST];

	digest_text(hash, o->who->role);
	digest_text(hash, o->who->subject);
	digest_text(hash, slice_of(issuer ? json_object_get_string(issuer) : ""));
	digest_text(hash, o->key);
	digest_end(hash, bytes);
	json_object_put(claims);
	for (size_t i = 0; i < DIGEST; i++) {
		o->id[2 * i] = digits[bytes[i] >> 4];
		o->id[2 * i + 1] = digits[bytes[i] & 15];
	}
	snprintf(o->lock, sizeof(o->lock), "rowgate.%.56s", o->id);
}

/* What makes it the same request: the headers are those that change what is done or answered. */
static EVP_MD_CTX *begin_fingerprint(struct once *o)
{
	static const char *const names[] = { "content-type",   "content-encoding", "content-profile",
					     "accept-profile", "accept",           "prefer" };
	EVP_MD_CTX *hash = digest_new(o->a);
	struct slice value;

	digest_text(hash, o->rq->method_text);
	digest_text(hash, o->rq->path);
	digest_text(hash, o->rq->query);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		http_header(o->rq, names[i], &value);
		digest_text(hash, value);
	}
	return hash;
}

bool once_open(struct arena *a, const struct config *config, const struct http_request *rq, const struct principal *who,
	       body_read_fn *read, void *context, struct once **out, struct error *err)
{
	struct once *o = arena_new(a, struct once);
	struct slice encoding;

	*o = (struct once){ .a = a, .rq = rq, .who = who, .tape = { .read = read, .context = context } };
	arena_defer(a, tape_close, &o->tape);
	if (!find_key(o, config, err))
		return false;
	if (o->key.len) {
		make_id(o);
		o->tape.hash = begin_fingerprint(o);
		http_header(rq, "content-encoding", &encoding);
		o->tape.gzip = slice_ieq(encoding, SLICE("gzip")) || slice_ieq(encoding, SLICE("x-gzip"));
	}
	*out = o;
	return true;
}

int64_t once_read(void *once, char *to, size_t size)
{
	return tape_read(&((struct once *)once)->tape, to, size);
}

bool once_rewind(struct once *o)
{
	return tape_rewind(&o->tape);
}

/* The rest of the body belongs to the request, whether anyone wanted it or not. */
static bool end_body(struct once *o, struct error *err)
{
	if (!tape_drain(&o->tape))
		return error_set(err, ERR_BODY, "The request body ends before its end");
	if (o->tape.hash && !o->ended)
		digest_end(o->tape.hash, o->fingerprint);
	o->ended = true;
	return true;
}

/* --- the row --- */

enum found { FOUND_DONE, FOUND_FREE, FOUND_BUSY, FOUND_FULL, FOUND_FAILED };

/* The lock is waited for that many seconds. answer_out: as idempotency_find gives it, behind "done". */
static enum found find(struct once *o, struct db_conn *conn, int64_t seconds, struct slice *answer_out,
		       struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct value params[] = { value_text(slice_of(o->id)),
				  value_text(slice_of(o->lock)),
				  { .kind = VALUE_INT, .i = seconds } };
	struct db_statement st = { .text = SLICE("SELECT rowgate.idempotency_find(UNHEX(?), GET_LOCK(?, ?))"),
				   .params = params,
				   .nparams = 3,
				   .columns = fetch,
				   .ncolumns = 1 };
	struct slice text = { "", 0 };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	db_holds_lock(conn);
	if (!db_query(o->a, conn, &st, &rows, err))
		return FOUND_FAILED;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		text = slice_copy(o->a, cells[0].s);
	if (step == DB_FAILED)
		return FOUND_FAILED;
	if (slice_is(text, "busy"))
		return FOUND_BUSY;
	if (!slice_starts(text, "done"))
		return slice_is(text, "full") ? FOUND_FULL : FOUND_FREE;
	*answer_out = slice_from(text, 4);
	return FOUND_DONE;
}

/* Fingerprint, 3 digits of status, 8 of the headers' length, headers, body. */
static bool take_answer(const struct once *o, struct slice answer, struct http_response *rs, struct error *err)
{
	uint64_t status, len;

	if (answer.len < DIGEST || memcmp(answer.ptr, o->fingerprint, DIGEST) != 0) {
		error_set(err, ERR_KEY_USED, "The Idempotency-Key was used for another request");
		error_details(err, "Method, path, query, body and the headers Accept, Accept-Profile, Content-Type, "
				   "Content-Encoding, Content-Profile and Prefer must be the same.");
		return error_hint(err, "A new write needs a new key.");
	}
	answer = slice_from(answer, DIGEST);
	if (answer.len < 11 || !parse_u64((struct slice){ answer.ptr, 3 }, &status) ||
	    !parse_u64((struct slice){ answer.ptr + 3, 8 }, &len) || len > answer.len - 11)
		return error_set(err, ERR_INTERNAL, "the answer kept for the Idempotency-Key is damaged");
	answer = slice_from(answer, 11);
	http_discard(rs);
	rs->status = (int)status;
	strbuf_add(&rs->headers, answer.ptr, len);
	strbuf_add_slice(&rs->body, slice_from(answer, len));
	return true;
}

static bool not_deployed(struct error *err)
{
	if (err->code != ERR_DB_ROUTINE && err->code != ERR_DENIED && err->code != ERR_DB_SCHEMA &&
	    err->code != ERR_DB_TABLE)
		return false;
	error_set(err, ERR_NOT_OFFERED, "Idempotency-Key is not offered here");
	return error_hint(err, "It needs the current sql/core in the database: sql/deploy.sh deploy.");
}

static bool refuse(enum found found, struct error *err)
{
	switch (found) {
	case FOUND_BUSY:
		error_set(err, ERR_KEY_BUSY, "A request with this Idempotency-Key is being answered");
		break;
	case FOUND_FULL:
		error_set(err, ERR_DISK_FULL, "No more Idempotency-Keys can be kept until some have expired");
		break;
	default:
		return not_deployed(err);
	}
	err->retry_after = 1;
	return false;
}

bool once_claim(struct once *o, struct db_conn *conn, struct http_response *rs, bool *replayed_out, struct error *err)
{
	struct slice answer;
	enum found found;

	*replayed_out = false;
	if (!o->key.len)
		return true;
	found = find(o, conn, 0, &answer, err);
	if (found == FOUND_FREE)
		return true;
	if (found != FOUND_DONE)
		return refuse(found, err);
	if (!end_body(o, err) || !take_answer(o, answer, rs, err))
		return false;
	http_set_header(rs, "Idempotency-Replayed", "true");
	*replayed_out = true;
	return true;
}

static struct value bytes(struct slice s, size_t max)
{
	if (s.len > max)
		s.len = max;
	return (struct value){ .kind = VALUE_BYTES, .s = s };
}

static bool store(struct once *o, struct db_conn *conn, const struct http_response *rs, struct error *err)
{
	struct value params[] = {
		value_text(slice_of(o->id)),
		value_text(o->who->role),
		bytes(o->who->subject, SUBJECT_MAX),
		value_text(o->key),
		value_text(o->rq->method_text),
		bytes(o->rq->path, PATH_MAX_KEPT),
		bytes((struct slice){ (const char *)o->fingerprint, DIGEST }, DIGEST),
		{ .kind = VALUE_INT, .i = rs->status },
		bytes(strbuf_slice(&rs->headers), SIZE_MAX),
		bytes(strbuf_slice(&rs->body), SIZE_MAX),
	};
	struct db_statement st = { .text = SLICE("CALL rowgate.idempotency_store(UNHEX(?),?,?,?,?,?,?,?,?,?)"),
				   .params = params,
				   .nparams = sizeof(params) / sizeof(*params) };
	uint64_t met, made;

	if (rs->body.len + rs->headers.len > ANSWER_MAX) {
		error_set(err, ERR_PACKET, "The answer is too large to be kept for the Idempotency-Key");
		error_details(err, "It has %zu bytes, at most %zu can be kept.", rs->body.len, ANSWER_MAX);
		return error_hint(err, "Prefer: return=minimal, or fewer rows at once.");
	}
	if (db_execute(conn, &st, &met, &made, err))
		return true;
	/* Another got past the lock and was faster: it has the answer. */
	return err->code == ERR_DUPLICATE ? refuse(FOUND_BUSY, err) : false;
}

/* --- outcomes --- */

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* True when err is the outcome: the work was done and rs is its answer, or err says that it was not. */
static bool told(struct once *o, struct db_conn *conn, int64_t left, struct http_response *rs, struct error *err)
{
	struct error why;
	struct slice answer;

	error_init(&why, err->arena);
	switch (find(o, conn, left / 1000 + 1, &answer, &why)) {
	case FOUND_DONE:
		if (!take_answer(o, answer, rs, &why))
			return false;
		error_init(err, err->arena);
		return true;
	case FOUND_FREE:
	case FOUND_FULL:
		error_set(err, ERR_DB_LOST, "The connection to the database was lost before the write was committed");
		error_details(err, "The write was not done.");
		err->retry_after = 1;
		return true;
	case FOUND_BUSY:
	case FOUND_FAILED:
		break;
	}
	return false;
}

/* Whether its client waits or not: the outcome goes to the log as well. */
static bool settle(struct once *o, struct db *db, struct db_conn **conn, struct http_response *rs, struct error *err)
{
	int64_t end = now_ms() + SETTLE_MS, left;

	err->retry_after = 1;
	db_release(db, *conn);
	*conn = NULL;
	while ((left = end - now_ms()) > 0) {
		struct error why;

		error_init(&why, err->arena);
		if (db_acquire(db, o->who->role, -1, conn, &why)) {
			db_wait_for_others(*conn);
			if (told(o, *conn, left, rs, err))
				return err->code == ERR_NONE;
		}
		db_release(db, *conn);
		*conn = NULL;
		pause_ms(SETTLE_PAUSE_MS);
	}
	return false;
}

bool once_commit(struct once *o, struct db *db, struct db_conn **conn, struct http_response *rs, struct error *err)
{
	if (!end_body(o, err) || (o->key.len && !store(o, *conn, rs, err)))
		return false;
	if (db_commit(*conn, err))
		return true;
	return err->code == ERR_OUTCOME && o->key.len && settle(o, db, conn, rs, err);
}

/* 10 to 40 ms, twice that the next time, and so on: those who clashed shall not do so again. */
static void sleep_apart(unsigned tries)
{
	unsigned char random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 128;
	pause_ms((10 + random % 31) << (tries - 1));
}

bool once_again(struct once *o, struct db *db, struct db_conn **conn, struct error *err)
{
	bool clash = (err->code == ERR_DEADLOCK || err->code == ERR_LOCK_WAIT) && o->tries < ATTEMPTS;
	bool lost = *conn && db_worth_retry(*conn, err) && !o->reconnected;
	struct error why;

	if (!*conn || !(clash || lost) || !once_rewind(o))
		return false;
	error_init(&why, err->arena);
	if (clash)
		sleep_apart(++o->tries);
	else
		o->reconnected = true;
	if (!clash || !db_rollback(*conn, &why)) {
		db_release(db, *conn);
		*conn = NULL;
	}
	return true;
}

bool once_expire(struct db_conn *conn, const struct config *config, bool *more_out, struct error *err)
{
	struct value seconds = { .kind = VALUE_INT, .i = (int64_t)config->idempotency_ttl };
	struct db_statement st = { .text = SLICE("CALL rowgate.idempotency_expire(?)"),
				   .params = &seconds,
				   .nparams = 1 };
	uint64_t met, made;

	if (!db_execute(conn, &st, &met, &made, err))
		return false;
	*more_out = met >= EXPIRE_ROWS && met != UINT64_MAX;
	return true;
}
