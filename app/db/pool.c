/*
 * A worker's connections: one per role in use, kept, bounded, renewed every few minutes; one of the catalogue account,
 * one of the identity's. What a request leaves open (a transaction, unread rows, a lock) ends when its connection is
 * released.
 */
#include <stdlib.h>

#include "internal.h"

#define LIFETIME_MS 300000
#define ROLE_REFRESH_MS 4000
/* A reader shows how far it is again after so long, and has that long to do so. */
#define BEAT_FRESH_MS 200
#define BEAT_PATIENCE_MS 1000

struct db *db_open(const struct config *config, struct error *err)
{
	struct db *db;

	if (mysql_library_init(0, NULL, NULL)) {
		error_set(err, ERR_INTERNAL, "the database client library does not start");
		return NULL;
	}
	db = calloc(1, sizeof(*db));
	if (!db)
		abort();
	db->config = config;
	return db;
}

static void drop(struct db *db, size_t at)
{
	struct db_conn *conn = db->conns[at];

	db->conns[at] = db->conns[--db->nconns];
	db->conns[db->nconns] = NULL;
	db_conn_close(conn);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->nconns; i++)
		db_conn_close(db->conns[i]);
	db_conn_close(db->catalogue);
	db_conn_close(db->identity);
	free(db);
	mysql_library_end();
}

/* The bound counts for each server. */
static void make_room(struct db *db, bool reader)
{
	size_t max = db->config->db_connections_per_worker < MAX_CONNECTIONS / 2 ? db->config->db_connections_per_worker
										 : MAX_CONNECTIONS / 2;

	for (;;) {
		size_t n = 0, oldest = 0;

		for (size_t i = 0; i < db->nconns; i++)
			if (db->conns[i]->reader == reader && (!n++ || db->conns[i]->used < db->conns[oldest]->used))
				oldest = i;
		if (n < max)
			return;
		drop(db, oldest);
	}
}

static int64_t deadline(uint64_t timeout)
{
	return timeout ? now_ms() + (int64_t)timeout : 0;
}

/* Who waits for a reader goes to the writer soon. */
static uint64_t patience(const struct db *db, bool reader)
{
	return reader ? BEAT_PATIENCE_MS : db->config->db_statement_timeout;
}

/* A server that hangs has no more time for the end of the last request than for the next one. */
static bool settled(struct db_conn *conn, int client)
{
	bool ok;

	if (!conn->committing)
		return true;
	watch_arm(client, client_fd(conn->mysql), deadline(patience(conn->db, conn->reader)));
	ok = db_conn_settled(conn);
	watch_disarm();
	conn->broken |= !ok || watch_verdict() != WATCH_QUIET;
	return !conn->broken;
}

static struct db_conn *kept(struct db *db, struct slice role, bool reader, int client)
{
	for (size_t i = 0; i < db->nconns; i++) {
		if (db->conns[i]->reader != reader || !slice_is(role, db->conns[i]->role))
			continue;
		/* A minute more or less by thread id, so that a pool does not reconnect all at once. */
		if (settled(db->conns[i], client) &&
		    now_ms() - db->conns[i]->opened < LIFETIME_MS + (int64_t)(db->conns[i]->thread_id % 60) * 1000)
			return db->conns[i];
		drop(db, i);
		return NULL;
	}
	return NULL;
}

static bool role_fits(struct slice role, struct error *err)
{
	return (role.len && role.len <= 128) ||
	       error_set(err, ERR_UNKNOWN_ROLE, "role \"%.*s\" does not exist", (int)role.len, role.ptr);
}

static struct db_conn *opened(struct db *db, struct slice role, bool reader, struct error *err)
{
	struct db_conn *conn;

	if (!role_fits(role, err))
		return NULL;
	make_room(db, reader);
	conn = db_connect(db, ACCOUNT_WORKER, reader, err);
	if (!conn)
		return NULL;
	if (!db_conn_enter_role(conn, role, err)) {
		db_conn_close(conn);
		return NULL;
	}
	db->conns[db->nconns++] = conn;
	return conn;
}

static bool acquire(struct db *db, struct slice role, bool reader, int client, struct db_conn **conn_out,
		    struct error *err)
{
	struct db_conn *conn = kept(db, role, reader, client);

	if (!conn)
		conn = opened(db, role, reader, err);
	if (!conn)
		return false;
	conn->in_use = true;
	conn->streaming = false;
	conn->used = now_ms();
	watch_arm(client, client_fd(conn->mysql), deadline(patience(db, reader)));
	*conn_out = conn;
	/* A role taken away from the login is noticed, or on MariaDB takes effect, only at the next SET ROLE (facts.md). */
	if (conn->used - conn->role_set > ROLE_REFRESH_MS)
		return db_conn_set_role(conn, err);
	return true;
}

bool db_acquire(struct db *db, struct slice role, int client, struct db_conn **conn_out, struct error *err)
{
	return acquire(db, role, false, client, conn_out, err);
}

bool db_reader_lost(struct db *db)
{
	bool lost = db->reader_lost;

	db->reader_lost = false;
	return lost;
}

static bool read_beat(struct arena *a, struct db_conn *conn, int64_t *beat_out, struct error *err)
{
	return db_number(a, conn, SLICE("SELECT rowgate.heartbeat_read()"), beat_out, err);
}

/* Each connection for itself: behind the name of a reader there may be several, each as far as it is. */
bool db_acquire_reader(struct db *db, struct slice role, int client, struct db_conn **conn_out, int64_t *beat_out,
		       struct error *err)
{
	struct db_conn *conn;

	if (!acquire(db, role, true, client, conn_out, err))
		return false;
	conn = *conn_out;
	if (!conn->beat_asked || now_ms() - conn->beat_asked > BEAT_FRESH_MS) {
		if (!read_beat(err->arena, conn, &conn->beat, err))
			return false;
		conn->beat_asked = now_ms();
	}
	watch_extend(deadline(db->config->db_statement_timeout));
	*beat_out = conn->beat;
	return true;
}

bool db_beat(struct arena *a, struct db_conn *conn, int64_t *beat_out, struct error *err)
{
	bool ok;

	/* A writer that hangs, or waits for a replica, must not hold the worker. */
	conn->in_use = true;
	watch_arm(-1, client_fd(conn->mysql), deadline(BEAT_PATIENCE_MS));
	ok = db_call(conn, "CALL rowgate.heartbeat_beat()", err) && read_beat(a, conn, beat_out, err);
	watch_disarm();
	conn->in_use = false;
	return ok;
}

bool db_catalogue(struct db *db, struct db_conn **conn_out, struct error *err)
{
	if (db->catalogue && (db->catalogue->broken || now_ms() - db->catalogue->opened > LIFETIME_MS)) {
		db_conn_close(db->catalogue);
		db->catalogue = NULL;
	}
	if (!db->catalogue) {
		db->catalogue = db_connect(db, ACCOUNT_CATALOGUE, false, err);
		if (!db->catalogue)
			return false;
		db->catalogue->catalogue = true;
	}
	*conn_out = db->catalogue;
	return true;
}

bool db_apart(struct db *db, struct db_conn **conn_out, struct error *err)
{
	struct db_conn *conn = db_connect(db, ACCOUNT_WORKER, false, err);

	if (conn)
		*conn_out = conn;
	return conn != NULL;
}

bool db_enter(struct db_conn *conn, struct slice role, struct error *err)
{
	memset(conn->role, 0, sizeof(conn->role));
	memset(conn->quoted_role, 0, sizeof(conn->quoted_role));
	return role_fits(role, err) && db_conn_enter_role(conn, role, err);
}

void db_apart_close(struct db_conn *conn)
{
	db_conn_close(conn);
}

bool db_identity(struct db *db, int client, struct db_conn **conn_out, struct error *err)
{
	struct db_conn *conn = db->identity;

	if (conn &&
	    (conn->broken || now_ms() - conn->opened > LIFETIME_MS || mysql_real_query(conn->mysql, "DO 1", 4) != 0)) {
		db_conn_close(conn);
		db->identity = conn = NULL;
	}
	if (!conn)
		conn = db->identity = db_connect(db, ACCOUNT_IDENTITY, false, err);
	if (!conn)
		return false;
	conn->in_use = true;
	watch_arm(client, client_fd(conn->mysql), deadline(db->config->db_statement_timeout));
	*conn_out = conn;
	return true;
}

void db_streaming(struct db_conn *conn)
{
	if (!conn->streaming)
		watch_extend(deadline(conn->db->config->db_stream_timeout));
	conn->streaming = true;
}

void db_drop_all(struct db *db)
{
	for (size_t i = db->nconns; i-- > 0;)
		if (!db->conns[i]->in_use)
			drop(db, i);
	db_conn_close(db->catalogue);
	db->catalogue = NULL;
}

/* Statements, variables, temporary tables, locks and an open transaction go; the role is said again to be sure of it. */
static void renew(struct db_conn *conn)
{
	struct arena *a = arena_open();
	struct error err;

	error_init(&err, a);
	db_stmts_free(conn);
	conn->in_transaction = conn->writing = conn->chained = conn->renew = conn->locked = false;
	if (mysql_reset_connection(conn->mysql) || !db_conn_set_session(conn, &err) || !db_conn_set_role(conn, &err))
		conn->broken = true;
	arena_close(a);
}

void db_release(struct db *db, struct db_conn *conn)
{
	if (!conn)
		return;
	watch_disarm();
	conn->in_use = false;
	conn->used = now_ms();
	if (watch_verdict() != WATCH_QUIET) /* it may have struck just after the last statement */
		conn->broken = true;
	if (!conn->broken)
		db_stmts_forget_commented(conn);
	if (!conn->broken && conn->renew)
		renew(conn);
	if (!conn->broken && conn->writing)
		db_conn_roll_back(conn);
	if (!conn->broken && conn->locked)
		db_conn_unlock(conn);
	if (!conn->broken && (conn->in_transaction || conn->chained))
		db_conn_end_transaction(conn);
	if (!conn->broken)
		return;
	if (conn->unfinished && db->nkills < MAX_KILLS) {
		db->kills[db->nkills].thread = conn->thread_id;
		db->kills[db->nkills++].reader = conn->reader;
	}
	for (size_t i = 0; i < db->nconns; i++)
		if (db->conns[i] == conn) {
			drop(db, i);
			break;
		}
	if (db->nkills)
		db_run_kills(db);
}

void db_forget_statements(struct db *db)
{
	for (size_t i = 0; i < db->nconns; i++) {
		if (!settled(db->conns[i], -1))
			db->conns[i]->opened -= LIFETIME_MS * 2; /* not worth keeping: closed when next looked at */
		db_stmts_free(db->conns[i]);
	}
}

void db_counts(const struct db *db, unsigned *open_out, uint64_t *made_out)
{
	*open_out = (unsigned)db->nconns + (db->catalogue ? 1 : 0) + (db->identity ? 1 : 0);
	*made_out = db->made;
}
