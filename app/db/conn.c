/*
 * Connections: one per role in use, kept, bounded, renewed every few minutes; and one of the catalogue account. A
 * connection's role and session settings never change between requests, so nothing has to be reset; what a request
 * leaves open (a transaction, unread rows) ends when it is released.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "internal.h"

#include "log.h"

#define KILL_DENIED 1095 /* ER_KILL_DENIED_ERROR */
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

static void conn_close(struct db_conn *conn)
{
	if (!conn)
		return;
	/* What was not read must not be waited for. */
	if (conn->committing || conn->broken)
		shutdown(client_fd(conn->mysql), SHUT_RDWR);
	db_stmts_free(conn);
	if (conn->mysql)
		mysql_close(conn->mysql);
	strbuf_close(&conn->comment);
	free(conn);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->nconns; i++)
		conn_close(db->conns[i]);
	conn_close(db->catalogue);
	conn_close(db->identity);
	free(db);
	mysql_library_end();
}

static enum watch_verdict watched(const struct db_conn *conn)
{
	return conn->in_use ? watch_verdict() : WATCH_QUIET;
}

static bool failed(struct db_conn *conn, unsigned number, const char *sqlstate, const char *text, struct error *err)
{
	enum watch_verdict verdict = watched(conn);

	if (verdict == WATCH_CLIENT_GONE) {
		conn->broken = conn->unfinished = true;
		return error_set(err, ERR_CUT, "the client has left");
	}
	if (verdict == WATCH_TIMEOUT) {
		conn->broken = conn->unfinished = true;
		db_error(err, 3024, "HY000", "ended by the watchdog");
		err->db_errno = 0;
		err->details = NULL;
		return false;
	}
	db_error(err, number, sqlstate, text);
	if (number && conn->db->nerrors < DB_ERRORS)
		conn->db->errors[conn->db->nerrors++] = number;
	if (err->code == ERR_DB_LOST || err->code == ERR_PACKET || err->code == ERR_READ_ONLY_SERVER || number == 0 ||
	    (number >= 2000 && number < 3000))
		conn->broken = true;
	return false;
}

bool db_in_time(struct db_conn *conn, struct error *err)
{
	return watched(conn) == WATCH_QUIET || failed(conn, 0, "HY000", "ended by the watchdog", err);
}

bool db_conn_failed(struct db_conn *conn, struct error *err)
{
	return failed(conn, mysql_errno(conn->mysql), mysql_sqlstate(conn->mysql), mysql_error(conn->mysql), err);
}

bool db_stmt_failed(struct db_conn *conn, MYSQL_STMT *handle, struct error *err)
{
	/* libmariadb leaves an error that comes among the rows on the connection alone. */
	if (!mysql_stmt_errno(handle) && mysql_errno(conn->mysql))
		return db_conn_failed(conn, err);
	return failed(conn, mysql_stmt_errno(handle), mysql_stmt_sqlstate(handle), mysql_stmt_error(handle), err);
}

bool db_command(struct db_conn *conn, const char *text, struct error *err)
{
	if (mysql_real_query(conn->mysql, text, strlen(text)))
		return db_conn_failed(conn, err);
	return true;
}

bool db_call(struct db_conn *conn, const char *text, struct error *err)
{
	int more = mysql_real_query(conn->mysql, text, strlen(text));

	while (more == 0) {
		MYSQL_RES *result = mysql_store_result(conn->mysql);

		if (result)
			mysql_free_result(result);
		else if (mysql_errno(conn->mysql))
			return db_conn_failed(conn, err);
		more = mysql_next_result(conn->mysql);
	}
	return more < 0 || db_conn_failed(conn, err);
}

static unsigned seconds(uint64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

static void set_tls(MYSQL *mysql, const char *ca)
{
#ifdef CLIENT_MARIADB
	my_bool yes = 1;

	mysql_ssl_set(mysql, NULL, NULL, ca, NULL, NULL);
	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#else
	unsigned mode = SSL_MODE_VERIFY_IDENTITY;

	mysql_options(mysql, MYSQL_OPT_SSL_CA, ca);
	mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
}

static void set_options(MYSQL *mysql, const struct config *c)
{
	unsigned connect = seconds(c->db_connect_timeout), zero = 0;
	unsigned long packet = c->db_max_allowed_packet;
	/* The watchdog ends what takes too long; this is for a server that does not answer at all. */
	unsigned wait = c->db_statement_timeout ? seconds(c->db_statement_timeout) + 2 : 0;

	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &zero);
	mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	if (connect)
		mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	if (wait) {
		mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &wait);
		mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &wait);
	}
	if (*c->db_ca)
		set_tls(mysql, c->db_ca);
}

/* Which server: host NULL is the socket. */
struct place {
	const char *host;
	unsigned port;
	bool reader;
};

/* An account, and the file of its password. */
struct login {
	const char *user, *password_file;
};

static bool connect_as(struct db_conn *conn, struct login login, const struct place *place, struct error *err)
{
	const struct config *c = conn->db->config;
	struct arena *a = arena_open();
	struct slice file = { "", 0 };
	char *password;
	bool ok = true;

	arena_secret(a);
	if (*login.password_file && !config_read_secret(a, login.password_file, &file, err)) {
		const char *why = arena_printf(err->arena, "%s", err->message);

		error_set(err, ERR_DB_LOGIN, "Database login failed");
		err->log_detail = why;
		arena_close(a);
		return false;
	}
	password = slice_cstr(a, file);
	if (!mysql_real_connect(conn->mysql, place->host ? place->host : "localhost", login.user, password, NULL,
				place->port, place->host ? NULL : c->db_socket, CLIENT_FOUND_ROWS))
		ok = db_conn_failed(conn, err);
	/* The library's own copy would serve to reconnect; every connection here is a new one. */
	if (conn->mysql->passwd)
		explicit_bzero(conn->mysql->passwd, strlen(conn->mysql->passwd));
	arena_close(a);
	if (ok && *c->db_ca && !mysql_get_ssl_cipher(conn->mysql))
		ok = db_error(err, 2026, "HY000", "the connection is not encrypted although db-ca is set");
	return ok;
}

/* "5.5.5-10.11.19-MariaDB-0+deb12u1" is 101119 of MariaDB, "9.7.4" is 90704. */
static void read_version(struct db_conn *conn)
{
	const char *info = mysql_get_server_info(conn->mysql);
	unsigned part[3] = { 0, 0, 0 };

	conn->mariadb = strstr(info, "MariaDB") != NULL;
	if (conn->mariadb && strncmp(info, "5.5.5-", 6) == 0)
		info += 6;
	sscanf(info, "%u.%u.%u", &part[0], &part[1], &part[2]);
	conn->version = part[0] * 10000 + part[1] * 100 + part[2];
}

/*
 * The server's own time limit is the longer one, for it counts the time the client takes to read; the watchdog
 * keeps the shorter.
 */
static bool set_session(struct db_conn *conn, struct error *err)
{
	const struct config *c = conn->db->config;
	uint64_t longest =
		c->db_stream_timeout > c->db_statement_timeout ? c->db_stream_timeout : c->db_statement_timeout;
	char text[512];

	if (!c->db_stream_timeout || !c->db_statement_timeout)
		longest = 0;
	snprintf(
		text, sizeof(text),
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,"
		"ERROR_FOR_DIVISION_BY_ZERO%s', SESSION time_zone = '+00:00', SESSION autocommit = 1, SESSION %s = %llu",
		conn->mariadb ? ",TIME_ROUND_FRACTIONAL" : "", /* as MySQL does */
		conn->mariadb ? "max_statement_time" : "max_execution_time",
		(unsigned long long)(conn->mariadb ? seconds(longest) : longest));
	return db_command(conn, text, err) &&
	       db_command(conn, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", err);
}

/* Of several hosts the one that writes is wanted: a replica, or a node that has lost its cluster, says that it is not. */
static bool writes(struct db_conn *conn, struct error *err)
{
	static const char text[] = "SELECT @@GLOBAL.read_only";
	MYSQL_RES *result =
		mysql_real_query(conn->mysql, text, sizeof(text) - 1) ? NULL : mysql_store_result(conn->mysql);
	MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
	bool ok = row && row[0] && row[0][0] == '0';

	if (result)
		mysql_free_result(result);
	if (ok)
		return true;
	return row ? db_error(err, 1290, "HY000", "read_only is set") : db_conn_failed(conn, err);
}

static struct db_conn *conn_at(struct db *db, const struct place *place, struct login login, struct error *err)
{
	struct db_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		abort();
	conn->db = db;
	strbuf_open(&conn->comment, 0);
	conn->mysql = mysql_init(NULL);
	if (!conn->mysql)
		abort();
	conn->opened = conn->used = now_ms();
	conn->reader = place->reader;
	set_options(conn->mysql, db->config);
	if (connect_as(conn, login, place, err)) {
		conn->thread_id = mysql_thread_id(conn->mysql);
		read_version(conn);
		if ((place->reader || db->config->db_host.n < 2 || writes(conn, err)) && set_session(conn, err)) {
			db->made++;
			return conn;
		}
	}
	conn_close(conn);
	return NULL;
}

/* "host:port", or a host alone; a second colon is one of an IPv6 address. */
static struct place place_of(struct arena *a, const char *text, uint64_t port)
{
	struct slice rest = slice_of(text), host;
	struct place place = { text, (unsigned)port, false };
	uint64_t own;

	if (slice_split(&rest, ':', &host) && rest.ptr && parse_u64(rest, &own) && own <= 65535) {
		place.host = slice_cstr(a, host);
		place.port = (unsigned)own;
	}
	return place;
}

static struct db_conn *reader_new(struct db *db, struct login login, struct error *err)
{
	const struct config *c = db->config;
	struct place place =
		place_of(err->arena, c->db_reader_host, c->db_reader_port ? c->db_reader_port : c->db_port);

	place.reader = true;
	return conn_at(db, &place, login, err);
}

/* The writer: of several hosts the first that does what a writer must, beginning with the one that did last. */
static struct db_conn *conn_new(struct db *db, struct login login, struct error *err)
{
	const struct config_list *hosts = &db->config->db_host;
	struct place place = { NULL, 0, false };
	struct db_conn *conn = NULL;

	if (!hosts->n && !*db->config->db_socket)
		place = (struct place){ "", (unsigned)db->config->db_port, false };
	if (!hosts->n)
		return conn_at(db, &place, login, err);
	for (size_t i = 0; i < hosts->n && !conn; i++) {
		place = place_of(err->arena, hosts->items[db->host % hosts->n], db->config->db_port);
		conn = conn_at(db, &place, login, err);
		if (!conn && err->code != ERR_DB_LOST && err->code != ERR_READ_ONLY_SERVER &&
		    err->code != ERR_CONNECTIONS)
			return NULL;
		db->host += !conn;
	}
	if (conn)
		error_init(err, err->arena);
	return conn;
}

static struct login worker_login(const struct config *c)
{
	return (struct login){ c->db_user, c->db_password_file };
}

static struct login catalogue_login(const struct config *c)
{
	bool own = *c->db_catalogue_user != '\0';

	return (struct login){ own ? c->db_catalogue_user : c->db_user,
			       own ? c->db_catalogue_password_file : c->db_password_file };
}

/*
 * SET ROLE takes no parameter, so the name must be quoted into text: it is the one the server lists among the roles of
 * this login, never the token's own bytes.
 */
static bool find_role(struct db_conn *conn, struct slice role, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct value param = value_text(role);
	struct db_statement statement = {
		.text = SLICE("SELECT ROLE_NAME FROM information_schema.APPLICABLE_ROLES WHERE ROLE_NAME = ?"),
		.params = &param,
		.nparams = 1,
		.columns = fetch,
		.ncolumns = 1
	};
	const struct value *cells;
	struct db_rows *rows;
	bool found = false;
	size_t n = 0;
	enum db_step step;

	if (!db_query(err->arena, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW) {
		if (found || cells[0].kind != VALUE_TEXT || !slice_eq(cells[0].s, role))
			continue;
		found = true;
		conn->quoted_role[n++] = '`';
		for (size_t i = 0; i < role.len; i++) {
			if (role.ptr[i] == '`')
				conn->quoted_role[n++] = '`';
			conn->quoted_role[n++] = cells[0].s.ptr[i];
		}
		conn->quoted_role[n++] = '`';
	}
	if (step == DB_FAILED)
		return false;
	if (!found)
		return error_set(err, ERR_UNKNOWN_ROLE, "role \"%.*s\" does not exist", (int)role.len, role.ptr);
	memcpy(conn->role, role.ptr, role.len);
	return true;
}

static bool set_role(struct db_conn *conn, struct error *err)
{
	char text[300];

	snprintf(text, sizeof(text), "SET ROLE %s", conn->quoted_role);
	if (!db_command(conn, text, err)) {
		if (err->code == ERR_UNKNOWN_ROLE)
			error_set(err, ERR_UNKNOWN_ROLE, "role \"%s\" does not exist", conn->role);
		return false;
	}
	conn->role_set = now_ms();
	return true;
}

static void drop(struct db *db, size_t at)
{
	struct db_conn *conn = db->conns[at];

	db->conns[at] = db->conns[--db->nconns];
	db->conns[db->nconns] = NULL;
	conn_close(conn);
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

/* Reads what is still to come of the last request's COMMIT. */
static bool settled(struct db_conn *conn)
{
	bool ok = !conn->committing || mysql_read_query_result(conn->mysql) == 0;

	conn->committing = false;
	return ok;
}

static struct db_conn *kept(struct db *db, struct slice role, bool reader)
{
	for (size_t i = 0; i < db->nconns; i++) {
		if (db->conns[i]->reader != reader || !slice_is(role, db->conns[i]->role))
			continue;
		/* A minute more or less by thread id, so that a pool does not reconnect all at once. */
		if (settled(db->conns[i]) &&
		    now_ms() - db->conns[i]->opened < LIFETIME_MS + (int64_t)(db->conns[i]->thread_id % 60) * 1000)
			return db->conns[i];
		drop(db, i);
		return NULL;
	}
	return NULL;
}

static int64_t deadline(uint64_t timeout)
{
	return timeout ? now_ms() + (int64_t)timeout : 0;
}

static struct db_conn *opened(struct db *db, struct slice role, bool reader, struct error *err)
{
	struct login login = worker_login(db->config);
	struct db_conn *conn;

	if (!role.len || role.len > 128) {
		error_set(err, ERR_UNKNOWN_ROLE, "role \"%.*s\" does not exist", (int)role.len, role.ptr);
		return NULL;
	}
	make_room(db, reader);
	conn = reader ? reader_new(db, login, err) : conn_new(db, login, err);
	if (!conn)
		return NULL;
	if (!find_role(conn, role, err) || !set_role(conn, err)) {
		conn_close(conn);
		return NULL;
	}
	db->conns[db->nconns++] = conn;
	return conn;
}

static bool acquire(struct db *db, struct slice role, bool reader, int client, struct db_conn **conn_out,
		    struct error *err)
{
	struct db_conn *conn = kept(db, role, reader);

	if (!conn)
		conn = opened(db, role, reader, err);
	if (!conn)
		return false;
	conn->in_use = true;
	conn->streaming = false;
	conn->used = now_ms();
	watch_arm(client, client_fd(conn->mysql),
		  deadline(reader ? BEAT_PATIENCE_MS : db->config->db_statement_timeout));
	*conn_out = conn;
	/* A role taken away from the login is noticed, or on MariaDB takes effect, only at the next SET ROLE (facts.md). */
	if (conn->used - conn->role_set > ROLE_REFRESH_MS)
		return set_role(conn, err);
	return true;
}

bool db_acquire(struct db *db, struct slice role, int client, struct db_conn **conn_out, struct error *err)
{
	return acquire(db, role, false, client, conn_out, err);
}

bool db_is_reader(const struct db_conn *conn)
{
	return conn->reader;
}

bool db_reader_lost(struct db *db)
{
	bool lost = db->reader_lost;

	db->reader_lost = false;
	return lost;
}

static bool read_beat(struct arena *a, struct db_conn *conn, int64_t *beat_out, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_INT };
	struct db_statement statement = { .text = SLICE("SELECT rowgate.heartbeat_read()"),
					  .columns = fetch,
					  .ncolumns = 1 };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	*beat_out = 0;
	if (!db_query(a, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		if (cells[0].kind == VALUE_INT)
			*beat_out = cells[0].i;
	return step == DB_END;
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
		conn_close(db->catalogue);
		db->catalogue = NULL;
	}
	if (!db->catalogue) {
		db->catalogue = conn_new(db, catalogue_login(db->config), err);
		if (!db->catalogue)
			return false;
		db->catalogue->catalogue = true;
	}
	*conn_out = db->catalogue;
	return true;
}

bool db_identity(struct db *db, int client, struct db_conn **conn_out, struct error *err)
{
	const struct config *c = db->config;
	struct db_conn *conn = db->identity;

	if (conn &&
	    (conn->broken || now_ms() - conn->opened > LIFETIME_MS || mysql_real_query(conn->mysql, "DO 1", 4) != 0)) {
		conn_close(conn);
		db->identity = conn = NULL;
	}
	if (!conn)
		conn = db->identity =
			conn_new(db, (struct login){ c->db_identity_user, c->db_identity_password_file }, err);
	if (!conn)
		return false;
	conn->in_use = true;
	watch_arm(client, client_fd(conn->mysql), deadline(c->db_statement_timeout));
	*conn_out = conn;
	return true;
}

bool db_begin_snapshot(struct db_conn *conn, struct error *err)
{
	/* The one that COMMIT AND CHAIN began has no snapshot yet: the first SELECT takes it. */
	if (!conn->in_transaction && !conn->chained && !db_command(conn, "START TRANSACTION READ ONLY", err))
		return false;
	conn->in_transaction = true;
	return true;
}

bool db_read_only(struct db_conn *conn, struct error *err)
{
	conn->renew = true;
	return db_command(conn, "SET SESSION TRANSACTION READ ONLY", err);
}

/* What was chained is ended by this. */
bool db_begin(struct db_conn *conn, struct error *err)
{
	if (conn->writing)
		return true;
	if (!db_command(conn, "START TRANSACTION READ WRITE", err))
		return false;
	conn->chained = false;
	conn->in_transaction = conn->writing = true;
	return true;
}

static void unknown_outcome(struct error *err)
{
	const char *why = err->log_detail;
	unsigned number = err->db_errno;

	error_set(err, ERR_OUTCOME, "The connection to the database was lost while the write was being committed");
	error_details(err, "unknown: it may have been done or not.");
	error_hint(err, "With an Idempotency-Key the same request can be sent again without being done twice.");
	err->log_detail = why;
	err->db_errno = number;
}

/* Refused, it was rolled back; with the connection lost, either may be true. */
bool db_commit(struct db_conn *conn, struct error *err)
{
	bool ok = db_command(conn, "COMMIT", err);

	if (ok)
		conn->in_transaction = conn->writing = false;
	else if ((conn->broken && err->code != ERR_READ_ONLY_SERVER) || err->db_errno == 1180)
		unknown_outcome(err);
	return ok;
}

bool db_rollback(struct db_conn *conn, struct error *err)
{
	conn->in_transaction = conn->writing = conn->chained = false;
	return db_command(conn, "ROLLBACK", err);
}

void db_wait_for_others(struct db_conn *conn)
{
	static const char text[] = "SET SESSION wsrep_sync_wait = 1";

	if (!conn->mariadb)
		return;
	conn->renew = true;
	conn->broken |= mysql_real_query(conn->mysql, text, sizeof(text) - 1) && mysql_errno(conn->mysql) >= 2000 &&
			mysql_errno(conn->mysql) < 3000;
}

void db_holds_lock(struct db_conn *conn)
{
	conn->locked = true;
}

void db_streaming(struct db_conn *conn)
{
	if (!conn->streaming)
		watch_extend(deadline(conn->db->config->db_stream_timeout));
	conn->streaming = true;
}

/* A thread inside of a routine runs as that one's definer: it is not ours to end then, but the catalogue account's. */
static void run_kill(struct db *db, struct db_conn *conn, unsigned long id, struct error *err)
{
	struct db_conn *catalogue = NULL;
	char text[40];
	bool done;

	snprintf(text, sizeof(text), "KILL %lu", id);
	if (db_command(conn, text, err))
		return;
	if (err->db_errno == KILL_DENIED) {
		catalogue = conn->reader ? reader_new(db, catalogue_login(db->config), err)
					 : conn_new(db, catalogue_login(db->config), err);
		done = catalogue && db_command(catalogue, text, err);
		conn_close(catalogue);
		if (done)
			return;
	}
	/* It may have ended by itself: no such thread is no trouble. */
	log_line(err->db_errno == KILL_DENIED ? LOG_WARN : LOG_DEBUG, "kill %lu: %s", id, err->log_detail);
}

/* Over a new connection: the old one is shut. A server that hangs is left alone after the connect timeout. */
static void run_kills_at(struct db *db, bool reader)
{
	struct login login = worker_login(db->config);
	struct arena *a = arena_open();
	struct db_conn *conn = NULL;
	struct error err;
	size_t n = 0;

	error_init(&err, a);
	for (size_t i = 0; i < db->nkills; i++)
		n += db->kills[i].reader == reader;
	if (n)
		conn = reader ? reader_new(db, login, &err) : conn_new(db, login, &err);
	if (n && reader && !conn)
		db->reader_lost = true;
	for (size_t i = 0; conn && i < db->nkills; i++)
		if (db->kills[i].reader == reader)
			run_kill(db, conn, db->kills[i].thread, &err);
	conn_close(conn);
	arena_close(a);
}

static void run_kills(struct db *db)
{
	run_kills_at(db, false);
	run_kills_at(db, true);
	db->nkills = 0;
}

/*
 * Where one request wanted a snapshot the next one likely does: its transaction is begun with the end of this one. The
 * server's answer is read when the connection is next needed, for nobody has to wait for it now.
 */
static void end_transaction(struct db_conn *conn)
{
	const char *text = conn->in_transaction ? "COMMIT AND CHAIN" : "COMMIT";

	conn->committing = mysql_send_query(conn->mysql, text, strlen(text)) == 0;
	conn->broken |= !conn->committing;
	conn->chained = conn->in_transaction;
	conn->in_transaction = false;
}

static void roll_back(struct db_conn *conn)
{
	conn->broken |= mysql_real_query(conn->mysql, "ROLLBACK", 8) != 0;
	conn->in_transaction = conn->writing = false;
}

static void unlock(struct db_conn *conn)
{
	static const char text[] = "DO RELEASE_ALL_LOCKS()";

	conn->broken |= mysql_real_query(conn->mysql, text, sizeof(text) - 1) != 0;
	conn->locked = false;
}

void db_drop_all(struct db *db)
{
	for (size_t i = db->nconns; i-- > 0;)
		if (!db->conns[i]->in_use)
			drop(db, i);
	conn_close(db->catalogue);
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
	if (mysql_reset_connection(conn->mysql) || !set_session(conn, &err) || !set_role(conn, &err))
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
		roll_back(conn);
	if (!conn->broken && conn->locked)
		unlock(conn);
	if (!conn->broken && (conn->in_transaction || conn->chained))
		end_transaction(conn);
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
		run_kills(db);
}

bool db_worth_retry(const struct db_conn *conn, const struct error *err)
{
	return conn && err->code == ERR_DB_LOST && watch_verdict() == WATCH_QUIET;
}

void db_renew(struct db_conn *conn)
{
	conn->renew = true;
}

void db_spoil(struct db_conn *conn)
{
	conn->broken = true;
}

void db_forget_statements(struct db *db)
{
	for (size_t i = 0; i < db->nconns; i++) {
		if (!settled(db->conns[i]))
			db->conns[i]->opened -= LIFETIME_MS * 2; /* not worth keeping: closed when next looked at */
		db_stmts_free(db->conns[i]);
	}
}

unsigned long db_thread(const struct db_conn *conn)
{
	return conn->thread_id;
}

bool db_is_mariadb(const struct db_conn *conn)
{
	return conn->mariadb;
}

unsigned db_version(const struct db_conn *conn)
{
	return conn->version;
}

void db_counts(const struct db *db, unsigned *open_out, uint64_t *made_out)
{
	*open_out = (unsigned)db->nconns + (db->catalogue ? 1 : 0) + (db->identity ? 1 : 0);
	*made_out = db->made;
}

size_t db_errors(struct db *db, unsigned numbers_out[DB_ERRORS])
{
	size_t n = db->nerrors;

	memcpy(numbers_out, db->errors, n * sizeof(*numbers_out));
	db->nerrors = 0;
	return n;
}

/* SHOW GLOBAL STATUS, for performance_schema has no such counters on MySQL (facts.md). */
bool db_definition_counter(struct arena *a, struct db_conn *conn, uint64_t *out, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT };
	static const char *const words[] = { "Com_create_", "Com_alter_", "Com_drop_",
					     "Com_rename_", "Com_grant",  "Com_revoke" };
	struct db_statement statement = { .text = SLICE("SHOW GLOBAL STATUS LIKE 'Com\\_%'"),
					  .columns = fetch,
					  .ncolumns = 2 };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	*out = 0;
	if (!db_query(a, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			uint64_t n;

			if (slice_starts(cells[0].s, words[i]) && parse_u64(cells[1].s, &n))
				*out += n;
		}
	return step == DB_END;
}
