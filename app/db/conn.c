/* What is done with a connection, and what its errors say. */
#include "internal.h"

static enum watch_verdict watched(const struct db_conn *conn)
{
	return conn->in_use ? watch_verdict() : WATCH_QUIET;
}

void db_conn_count_error(struct db_conn *conn, unsigned number)
{
	if (number && conn->db->nerrors < DB_ERRORS)
		conn->db->errors[conn->db->nerrors++] = number;
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
	db_conn_count_error(conn, number);
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
	conn->ended |= more < 0 && !db_conn_is_open(conn);
	return more < 0 || db_conn_failed(conn, err);
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

unsigned long db_thread(const struct db_conn *conn)
{
	return conn->thread_id;
}

bool db_is_mariadb(const struct db_conn *conn)
{
	return conn->mariadb;
}

bool db_is_reader(const struct db_conn *conn)
{
	return conn->reader;
}

unsigned db_version(const struct db_conn *conn)
{
	return conn->version;
}

void db_count_statements(struct db *db, struct statement_pool *pool, size_t place)
{
	db->statements = pool;
	db->place = place;
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
