/*
 * A worker's state and how it stays current: definitions are loaded when first needed and again when they change.
 * One worker of the pool at a time looks at the server's counters; when they have moved it reads the definitions, and
 * says their digest. Whoever has others reads them too, and says the digest of what it has read: so all come to have the
 * same, though definitions change between two looks, or change back.
 */
#include "worker.h"

#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "log.h"

#define RETRY_MS 500
#define EAGER_MS 1000
/* While a lock is waited for, who reads definitions waits as well, and others may come to another verdict on a policy. */
#define UNTRIED_MS 10000
#define RELOAD_ATTEMPTS 5
/* Who looks for definitions may wait for a lock: the others need not do so meanwhile. */
#define LOOK_TURN_MS 60000
/* The first and the longest pause before definitions are read again though no counter has moved. */
#define REREAD_MS 2000
#define REREAD_LONGEST_MS 3600000
#define EXPIRY_MS 60000
#define EXPIRY_SOON_MS 1000
/* What is revoked is in force everywhere within this, a tick of the loop and a look at the database. */
#define REVOCATIONS_MS 2000
#define KEYS_MS 1000
#define BEAT_MS 500
/* A monotonic clock that nobody compares with the writer's any more. */
#define BEAT_LOST_MS 60000
/* Without the routines, or without an answer, it is tried again after a while, at most so long. */
#define BEAT_MISSING_MS 10000
#define BEAT_TURN_MS 2000

bool state_open(const char *config_path, struct state **out, struct error *err)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->arena = arena_open();
	s->descriptions = openapi_cache_open();
	if (config_load(s->arena, config_path, &s->config, err) && config_check_secrets(&s->config, err) &&
	    (s->auth = auth_open(&s->config, err)) && (s->db = db_open(&s->config, err))) {
		*out = s;
		return true;
	}
	state_close(s);
	return false;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	openapi_cache_close(s->descriptions);
	schema_free(s->schema);
	db_close(s->db);
	auth_close(s->auth);
	arena_close(s->arena);
	free(s);
}

/* A kept connection may have been closed by a restart of the server: then another is tried at once. */
static struct schema *read_schema(struct state *s, const struct schema *before, struct error *err)
{
	struct schema *fresh = NULL;
	struct db_conn *conn;

	for (int attempt = 0; attempt < 2 && !fresh; attempt++) {
		if (!db_catalogue(s->db, &conn, err))
			return NULL;
		fresh = schema_load(&s->config, s->db, conn, before, err);
		if (!fresh && err->code != ERR_DB_LOST)
			return NULL;
	}
	return fresh;
}

bool worker_database_answers(struct worker *w, struct error *err)
{
	struct db_conn *conn;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (!db_catalogue(w->state->db, &conn, err))
			return false;
		if (db_command(conn, "DO 1", err))
			return true;
	}
	return false;
}

static void log_fault(void *context, const char *text)
{
	(void)context;
	log_line(LOG_ERROR, "%s", text);
}

static void take(struct worker *w, struct schema *fresh)
{
	struct state *s = w->state;
	struct arena *a = arena_open();

	schema_policy_faults(a, fresh, log_fault, NULL);
	arena_close(a);

	schema_free(s->schema);
	s->schema = fresh;
	if (fresh->untried)
		atomic_store(&w->shared->counter, 0);
	if (atomic_exchange(&w->shared->definitions, fresh->digest) != fresh->digest)
		atomic_fetch_add(&w->shared->generation, 1);
	db_forget_statements(s->db);
	atomic_store(&w->shared->loaded, (int64_t)time(NULL));
	atomic_store(&w->shared->checked, (int64_t)time(NULL));
}

static void log_failure(const char *what, const struct error *err)
{
	log_line(LOG_ERROR, "%s: %s%s%s", what, err->message, err->log_detail ? ": " : "",
		 err->log_detail ? err->log_detail : "");
}

static bool is_current(const struct worker *w)
{
	const struct schema *s = w->state->schema;

	return s && s->digest == atomic_load(&w->shared->definitions);
}

bool worker_schema(struct worker *w, struct error *err)
{
	struct state *s = w->state;
	struct schema *fresh;

	if (is_current(w) || (s->schema && s->schema->untried && now_ms() - s->looked < UNTRIED_MS))
		return true;
	if (now_ms() - s->tried >= RETRY_MS || !s->tried) {
		fresh = read_schema(s, s->schema, err);
		/* What was read may be old again at once: only a failure is waited after. */
		s->looked = now_ms();
		s->tried = fresh ? 0 : s->looked;
		if (fresh) {
			take(w, fresh);
			return true;
		}
		log_failure("the definitions cannot be read", err);
	}
	if (s->schema)
		return true; /* the old ones serve until the new ones are complete */
	error_set(err, ERR_SCHEMA_LOADING, "Could not query the database for the schema cache. Retrying.");
	err->retry_after = 1;
	return false;
}

/* What moves when definitions do: the server's counters, and the policies, which are rows and not definitions. */
static bool read_counter(struct worker *w, struct arena *a, struct db_conn *conn, uint64_t *out, struct error *err)
{
	uint64_t policies = 0;

	if (!db_definition_counter(a, conn, out, err) ||
	    (w->state->schema && w->state->schema->has_policies && !schema_policy_hash(a, conn, &policies, err)))
		return false;
	*out ^= policies;
	return true;
}

/*
 * A server counts a statement when it begins: a long ALTER TABLE has changed nothing yet when its count is seen. And what
 * a replica gets from its source is not counted. So the definitions are read again, after ever longer pauses.
 */
static bool must_reread(const struct shared *s)
{
	int64_t wait = atomic_load(&s->next_reread) - now_ms();

	/* After a reboot the monotonic clock is behind what the file says. */
	return wait <= 0 || wait > REREAD_LONGEST_MS;
}

static void plan_reread(struct shared *s, bool moved)
{
	int64_t last = atomic_load(&s->reread_pause), pause = moved || !last ? REREAD_MS : 2 * last;

	pause = pause < REREAD_LONGEST_MS ? pause : REREAD_LONGEST_MS;
	atomic_store(&s->reread_pause, pause);
	atomic_store(&s->next_reread, now_ms() + pause);
}

/* Reads the counter, and the definitions when it has moved or it is time. True when the definitions are new. */
static bool look(struct worker *w)
{
	struct state *s = w->state;
	struct arena *a = arena_open();
	struct db_conn *conn;
	struct schema *fresh = NULL;
	struct error err;
	bool changed = false;
	uint64_t counter;

	error_init(&err, a);
	if (db_catalogue(s->db, &conn, &err) && read_counter(w, a, conn, &counter, &err)) {
		bool moved = counter != atomic_load(&w->shared->counter);

		if (moved || must_reread(w->shared))
			fresh = schema_load(&s->config, s->db, conn, s->schema, &err);
		if (fresh) {
			atomic_store(&w->shared->counter, fresh->untried ? 0 : counter);
			plan_reread(w->shared, moved);
		}
		if (fresh || counter == atomic_load(&w->shared->counter))
			atomic_store(&w->shared->checked, (int64_t)time(NULL));
	}
	if (fresh && s->schema && (fresh->digest != s->schema->digest || !is_current(w))) {
		changed = fresh->digest != s->schema->digest;
		take(w, fresh);
		s->looked = now_ms();
		log_line(LOG_INFO, "definitions changed: %zu tables", fresh->ntables);
	} else if (fresh) {
		schema_free(fresh);
	}
	arena_close(a);
	return changed;
}

/* True for one worker of the pool, which has it for period; nobody ever puts it off for longer than longest. */
static bool my_turn_for(_Atomic int64_t *due, int64_t period, int64_t longest)
{
	int64_t now = now_ms(), next = atomic_load(due);

	/* After a reboot the monotonic clock is behind what the file says. */
	return (now >= next || next - now > longest) && atomic_compare_exchange_strong(due, &next, now + period);
}

/* True for one worker of the pool in each period. */
static bool my_turn(_Atomic int64_t *due, int64_t period)
{
	return my_turn_for(due, period, period);
}

/* Without the routines of sql/core there is nothing to delete. */
static void expire(struct worker *w)
{
	struct arena *a = arena_open();
	struct db_conn *conn;
	struct error err;
	bool more = false;

	error_init(&err, a);
	if (!db_catalogue(w->state->db, &conn, &err) || !once_expire(conn, &w->state->config, &more, &err))
		log_line(LOG_DEBUG, "idempotency keys are not expired: %s", err.message);
	if (more)
		atomic_store(&w->shared->next_expiry, now_ms() + EXPIRY_SOON_MS);
	arena_close(a);
}

/* What is written from now on is later than what the writer's clock says now. */
static bool beat(struct worker *w, struct error *err)
{
	struct shared *s = w->shared;
	struct db_conn *conn;
	int64_t before, time;

	if (!db_catalogue(w->state->db, &conn, err))
		return false;
	before = now_us();
	if (!db_beat(err->arena, conn, &time, err))
		return false;
	atomic_store(&s->beat_offset, time - before);
	atomic_store(&s->beat_at, now_ms());
	return true;
}

/*
 * The heart beats on the writer, twice a second for the whole pool: readers show its number, and a writer that has become
 * read-only is found without waiting for a write.
 */
static void keep_beating(struct worker *w)
{
	struct shared *s = w->shared;
	struct arena *a;
	struct error err;
	int64_t begun = now_ms(), pause = BEAT_MS;

	if (!*w->state->config.db_reader_host || !my_turn_for(&s->next_beat, BEAT_TURN_MS, BEAT_MISSING_MS))
		return;
	a = arena_open();
	error_init(&err, a);
	atomic_store(&s->metrics.has_reader, true);
	if (!beat(w, &err)) {
		if (err.code == ERR_READ_ONLY_SERVER)
			atomic_fetch_add(&s->demotions, 1);
		pause = err.code == ERR_DB_LOST || err.code == ERR_READ_ONLY_SERVER || err.code == ERR_TIMEOUT
				? BEAT_MS + 2 * (now_ms() - begun)
				: BEAT_MISSING_MS;
		log_failure("reads go to the writer, for its heart does not beat", &err);
	}
	atomic_store(&s->next_beat, begun + (pause < BEAT_MISSING_MS ? pause : BEAT_MISSING_MS));
	arena_close(a);
}

bool worker_writer_time(const struct worker *w, int64_t *time_out)
{
	int64_t ago = now_ms() - atomic_load(&w->shared->beat_at), offset = atomic_load(&w->shared->beat_offset);

	/* The two clocks may drift apart, by less than a thousandth. */
	*time_out = offset + now_us() + ago + 1000;
	return offset && ago >= 0 && ago < BEAT_LOST_MS;
}

void worker_poll(struct worker *w)
{
	int64_t period = (int64_t)w->state->config.db_schema_poll * 1000;

	worker_notice(w);
	worker_count(w);
	if (!w->state->schema)
		return;
	if (period && my_turn_for(&w->shared->next_poll, period + LOOK_TURN_MS, period + LOOK_TURN_MS)) {
		look(w);
		atomic_store(&w->shared->next_poll, now_ms() + period);
	}
	if (my_turn(&w->shared->next_expiry, EXPIRY_MS))
		expire(w);
	keep_beating(w);
}

void worker_notice(struct worker *w)
{
	uint64_t demotions = atomic_load(&w->shared->demotions);

	if (demotions == w->demotions_seen)
		return;
	w->demotions_seen = demotions;
	db_drop_all(w->state->db);
}

void worker_busy(struct worker *w, int64_t since)
{
	if (w->self)
		atomic_store_explicit(&w->self->busy, since, memory_order_relaxed);
}

/* What was counted up to now, of which seen is known already; a reload begins anew. */
static uint64_t news(uint64_t now, uint64_t *seen)
{
	uint64_t n = now >= *seen ? now - *seen : now;

	*seen = now;
	return n;
}

void worker_count(struct worker *w)
{
	struct metrics *m = &w->shared->metrics;
	uint64_t made, hits, lookups, misses;
	unsigned open, errors[DB_ERRORS];
	size_t n;

	db_counts(w->state->db, &open, &made);
	n = db_errors(w->state->db, errors);
	for (size_t i = 0; i < n; i++)
		metrics_errno(m, errors[i]);
	auth_cache_counts(w->state->auth, &hits, &lookups);
	misses = lookups - hits;
	metric_add(&m->connections_made, news(made, &w->connections_seen));
	metric_add(&m->token_hits, news(hits, &w->hits_seen));
	metric_add(&m->token_misses, news(misses, &w->misses_seen));
	if (w->self)
		atomic_store_explicit(&w->self->connections, (int64_t)open, memory_order_relaxed);
}

static bool load_revocations(struct worker *w, struct error *err)
{
	struct state *s = w->state;
	struct arena *a = arena_open();
	struct identity_env env = worker_identity(w, a, -1);
	uint64_t seen = atomic_load(&w->shared->revocations);
	bool ok = false;

	for (int attempt = 0; attempt < 2 && !ok; attempt++)
		ok = identity_load_revocations(&env, &s->revocations, err);
	arena_close(a);
	if (!ok)
		return false;
	s->revocations_read = true;
	/* Else what the pool says has nothing to do with the database: it does from now on. */
	if (seen != s->revocations)
		atomic_compare_exchange_strong(&w->shared->revocations, &seen, s->revocations);
	return true;
}

/* Why it could not be read is told where that is no fault of the client's. Always false. */
static bool not_read(struct error *err)
{
	if (err->status < 500)
		error_set(err, ERR_SCHEMA_LOADING, "Could not query the database for revoked tokens. Retrying.");
	err->retry_after = 1;
	return false;
}

bool worker_revocations(struct worker *w, struct error *err)
{
	struct state *s = w->state;

	if (!identity_offered(&s->config) ||
	    (s->revocations_read && s->revocations == atomic_load(&w->shared->revocations)))
		return true;
	/* What was read before serves on meanwhile. */
	if (s->revocations_read && s->revocations_tried && now_ms() - s->revocations_tried < RETRY_MS)
		return true;
	if (load_revocations(w, err)) {
		s->revocations_tried = 0;
		return true;
	}
	s->revocations_tried = now_ms();
	log_failure("what is revoked cannot be read", err);
	return s->revocations_read || not_read(err);
}

static void look_for_revocations(struct worker *w)
{
	struct arena *a = arena_open();
	struct identity_env env = worker_identity(w, a, -1);
	struct error err;
	uint64_t version;

	error_init(&err, a);
	if (identity_revocation_version(&env, &version, &err))
		atomic_store(&w->shared->revocations, version);
	arena_close(a);
}

void worker_poll_identity(struct worker *w)
{
	int64_t now = now_ms(), next = atomic_load(&w->shared->next_revocation_poll);

	if (now - w->keys_looked >= KEYS_MS) {
		w->keys_looked = now;
		(void)auth_refresh_keys(w->state->auth);
	}
	if (!w->state->revocations_read || (now < next && next - now <= REVOCATIONS_MS))
		return;
	if (atomic_compare_exchange_strong(&w->shared->next_revocation_poll, &next, now + REVOCATIONS_MS))
		look_for_revocations(w);
}

bool worker_definitions_changed(struct worker *w)
{
	struct state *s = w->state;
	struct arena *a;
	struct error err;
	bool changed;

	if (!is_current(w)) {
		a = arena_open();
		error_init(&err, a);
		changed = worker_schema(w, &err);
		arena_close(a);
		return changed;
	}
	if (now_ms() - s->looked < (s->schema && s->schema->untried ? UNTRIED_MS : EAGER_MS))
		return false;
	s->looked = now_ms();
	return look(w);
}

/* A database that is slow for a moment (db-connect-timeout) is no reason to stay with old keys. */
static struct schema *read_for_reload(struct state *s, const struct schema *before, struct error *err)
{
	struct schema *fresh = NULL;

	for (int i = 0; i < RELOAD_ATTEMPTS && !fresh; i++) {
		if (i && err->code != ERR_DB_LOST && err->code != ERR_TIMEOUT && err->code != ERR_CONNECTIONS)
			break;
		fresh = read_schema(s, before, err);
	}
	return fresh;
}

bool worker_reload(struct worker *w)
{
	struct arena *a = arena_open();
	struct state *fresh;
	struct schema *schema;
	struct error err;

	error_init(&err, a);
	if (!state_open(w->config_path, &fresh, &err)) {
		log_failure("reload failed", &err);
		arena_close(a);
		return false;
	}
	schema = read_for_reload(fresh, w->state->schema, &err);
	if (!schema) {
		log_failure("reload failed", &err);
		state_close(fresh);
		arena_close(a);
		return false;
	}
	state_close(w->state);
	w->state = fresh;
	worker_count_statements(w);
	take(w, schema);
	log_set_level((enum log_level)fresh->config.log_level);
	log_always("reloaded");
	arena_close(a);
	return true;
}

void worker_count_statements(struct worker *w)
{
	if (w->self)
		db_count_statements(w->state->db, &w->shared->statements,
				    (size_t)(w->self - w->shared->metrics.workers));
}

void worker_follow_reload(struct worker *w)
{
	uint64_t asked = atomic_load(&w->shared->reloads);
	bool ok;

	if (asked == w->reloads_seen)
		return;
	w->reloads_seen = asked;
	ok = worker_reload(w);
	if (!w->self)
		return;
	atomic_store(&w->self->reload_failed, !ok);
	atomic_store(&w->self->reloaded, (int64_t)time(NULL));
	atomic_store(&w->self->reloads, asked);
}

/* --- for /auth/v1 --- */

static const struct schema *definitions(void *context, bool again, struct error *err)
{
	struct worker *w = context;

	if (!worker_schema(w, err))
		return NULL;
	if (again)
		look(w);
	return w->state->schema;
}

static bool configuration(void *context, struct error *err)
{
	struct worker *w = context;
	struct arena *a = arena_open();
	struct config config;
	struct auth *auth = NULL;
	bool ok = config_load(a, w->config_path, &config, err) && config_check_secrets(&config, err) &&
		  (auth = auth_open(&config, err));

	auth_close(auth);
	arena_close(a);
	return ok;
}

struct identity_env worker_identity(struct worker *w, struct arena *a, int client_fd)
{
	struct state *s = w->state;

	return (struct identity_env){ .arena = a,
				      .config = &s->config,
				      .auth = s->auth,
				      .db = s->db,
				      .shared = w->shared,
				      .client_fd = client_fd,
				      .definitions = definitions,
				      .configuration = configuration,
				      .worker = w };
}
