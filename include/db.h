#ifndef ROWGATE_DB_H
#define ROWGATE_DB_H

#include "config.h"
#include "statements.h"
#include "value.h"

/*
 * The database side: connections by role, prepared statements, time limits, MySQL's errors in our terms. The only
 * stage that knows the client library. app/db/stmt.c is the only file that prepares.
 */
struct db;
struct db_conn;

/* How a result column is fetched. FETCH_BIT: the last bit of a BIT, as an integer. */
enum db_fetch {
	FETCH_INT,
	FETCH_UINT,
	FETCH_DOUBLE,
	FETCH_FLOAT,
	FETCH_TEXT,
	FETCH_DATE,
	FETCH_DATETIME,
	FETCH_TIME,
	FETCH_BIT
};

/* One statement: text with a '?' for each parameter, and the fetch of each result column. */
struct db_statement {
	struct slice text;
	const struct value *params;
	size_t nparams;
	const enum db_fetch *columns;
	size_t ncolumns;
	bool cursor; /* a read-only server cursor: other statements may run between its rows */
};

/* The connections of one worker. The passwords are read from their files here and at every new connection. */
struct db *db_open(const struct config *config, struct error *err) MUST_CHECK;
void db_close(struct db *db);

/* From now on what statements take is counted at that place of the pool. */
void db_count_statements(struct db *db, struct statement_pool *pool, size_t place);

/*
 * A connection on which role is active, kept or new. fd: the client's connection, watched while statements run:
 * when the client leaves or the time is over, the statement is ended. Fails with ERR_UNKNOWN_ROLE,
 * ERR_DB_LOST, ERR_DB_LOGIN, ERR_CONNECTIONS.
 */
bool db_acquire(struct db *db, struct slice role, int client_fd, struct db_conn **conn_out,
		struct error *err) MUST_CHECK;

/*
 * Until it is released, every prepared statement begins with this SQL comment, and is not kept afterwards. Empty: none.
 */
void db_comment(struct db_conn *conn, struct slice comment);

/* The server's number of the connection, as in its process list and its slow log. */
unsigned long db_thread(const struct db_conn *conn);

/* After the request: ends an open transaction, stops the watch, kills what was cut off, drops a broken connection. */
void db_release(struct db *db, struct db_conn *conn);

/*
 * The same at db-reader-host, which is not waited for longer than a second once it is connected. *beat_out: the writer's
 * time (db_beat) up to which that server has all that was written. Whatever fails, the writer may still answer.
 */
bool db_acquire_reader(struct db *db, struct slice role, int client_fd, struct db_conn **conn_out, int64_t *beat_out,
		       struct error *err) MUST_CHECK;
bool db_is_reader(const struct db_conn *conn);

/* Since the last call: a statement at the reader took too long, and when it was to be ended nobody was let in. */
bool db_reader_lost(struct db *db);

/*
 * Moves the writer's time on for readers to show, in microseconds; conn is one of db_catalogue. A server found to be
 * read-only is ERR_READ_ONLY_SERVER.
 */
bool db_beat(struct arena *a, struct db_conn *conn, int64_t *beat_out, struct error *err) MUST_CHECK;

/* A connection of the catalogue account, kept open between calls. */
bool db_catalogue(struct db *db, struct db_conn **conn_out, struct error *err) MUST_CHECK;

/*
 * A connection beside those that are kept, for what is no request's; nothing watches it. db_enter makes role the active
 * one (ERR_UNKNOWN_ROLE), as often as is liked. Closing takes NULL too.
 */
bool db_apart(struct db *db, struct db_conn **conn_out, struct error *err) MUST_CHECK;
bool db_enter(struct db_conn *apart, struct slice role, struct error *err) MUST_CHECK;
void db_apart_close(struct db_conn *apart);

/*
 * A connection of the account that reads and writes users and sessions, tried before it is given out. fd and db_release
 * as with db_acquire.
 */
bool db_identity(struct db *db, int client_fd, struct db_conn **conn_out, struct error *err) MUST_CHECK;

/* No transaction of this session writes, whatever code that runs in it commits; until it is renewed. */
bool db_read_only(struct db_conn *conn, struct error *err) MUST_CHECK;

/* A read-only transaction whose statements see one snapshot; ended by db_release. */
bool db_begin_snapshot(struct db_conn *conn, struct error *err) MUST_CHECK;

/*
 * A transaction that writes. Only db_commit makes it last: db_release rolls back what is still open. db_commit failing
 * with ERR_OUTCOME means that nobody knows whether it was committed.
 */
bool db_begin(struct db_conn *conn, struct error *err) MUST_CHECK;
bool db_commit(struct db_conn *conn, struct error *err) MUST_CHECK;

/* Ends the transaction with nothing done, on a connection that goes on being used. */
bool db_rollback(struct db_conn *conn, struct error *err) MUST_CHECK;

/* What this connection reads next is all that a cluster had committed anywhere (Galera); elsewhere nothing changes. */
void db_wait_for_others(struct db_conn *conn);

/* The connection holds a lock of GET_LOCK: db_release gives it back. */
void db_holds_lock(struct db_conn *conn);

/* Closes every kept connection, for the server behind them is not the one it was. */
void db_drop_all(struct db *db);

/* Runs a statement that has no rows: how many it met (not only changed), and the first AUTO_INCREMENT value it made. */
bool db_execute(struct db_conn *conn, const struct db_statement *statement, uint64_t *met_out, uint64_t *made_out,
		struct error *err) MUST_CHECK;

/* A statement without parameters or rows whose text holds no client text (SET, START TRANSACTION). */
bool db_command(struct db_conn *conn, const char *text, struct error *err) MUST_CHECK;

/* CALL of a procedure named in the configuration; its rows are passed over. */
bool db_call(struct db_conn *conn, const char *text, struct error *err) MUST_CHECK;

/* Runs a statement whose rows are then read by db_next. Memory of a needed only until the end of the rows. */
struct db_rows;
bool db_query(struct arena *a, struct db_conn *conn, const struct db_statement *statement, struct db_rows **rows_out,
	      struct error *err) MUST_CHECK;

/* The number that a statement without parameters gives; 0 when it gives none. */
bool db_number(struct arena *a, struct db_conn *conn, struct slice text, int64_t *out, struct error *err) MUST_CHECK;

enum db_step { DB_ROW, DB_END, DB_FAILED };

/*
 * The next row: cells_out points at ncolumns values, good until the next call. A result that ends early is
 * DB_FAILED, never DB_END. After DB_END and DB_FAILED the rows are closed.
 */
enum db_step db_next(struct db_rows *rows, const struct value **cells_out, struct error *err) MUST_CHECK;

/* One set of rows that a CALL gives: its columns are known by then alone. */
struct db_field {
	struct slice name;
	struct type type;
};

struct db_set {
	const struct db_field *fields;
	size_t n;
	bool parameters; /* one row: the OUT and INOUT parameters, in their order */
	bool unmarked;   /* whether it is that cannot be told: their names must do */
};

/*
 * Runs a CALL. What it gives is read set by set: db_next_set, then db_next until DB_END, and again. DB_END of db_next_set:
 * there is no further one, and the procedure has ended well. The text of fields is in a.
 */
bool db_call_open(struct arena *a, struct db_conn *conn, const struct db_statement *statement,
		  struct db_rows **rows_out, struct error *err) MUST_CHECK;
enum db_step db_next_set(struct arena *a, struct db_rows *rows, struct db_set *set_out, struct error *err) MUST_CHECK;

/* Gives up what is left of the rows. */
void db_rows_close(struct db_rows *rows);

/* From now on the answer is streamed: db-stream-timeout counts instead of db-statement-timeout. */
void db_streaming(struct db_conn *conn);

/* False when the watchdog has ended the request: its time is up, or its client has left. */
bool db_in_time(struct db_conn *conn, struct error *err) MUST_CHECK;

/* The connection was lost, by no doing of the watchdog: what was not committed may be tried again. */
bool db_worth_retry(const struct db_conn *conn, const struct error *err);

/*
 * Somebody's own code has run in this session: it is made new (variables, temporary tables, locks, settings) when the
 * connection is released.
 */
void db_renew(struct db_conn *conn);

/* The connection is closed when it is released: its session is not as it should be. */
void db_spoil(struct db_conn *conn);

/* Statement caches go, for definitions have changed. */
void db_forget_statements(struct db *db);

bool db_is_mariadb(const struct db_conn *conn);
unsigned db_version(const struct db_conn *conn); /* 101119, 90704 */

/* Sum of the server's counters of definition statements since its start; moves when definitions may have changed. */
bool db_definition_counter(struct arena *a, struct db_conn *conn, uint64_t *out, struct error *err) MUST_CHECK;

/* Open connections, and connections made so far. */
void db_counts(const struct db *db, unsigned *open_out, uint64_t *made_out);

/* MySQL's numbers of the errors since the last call, at most DB_ERRORS of them; how many. */
#define DB_ERRORS 32
size_t db_errors(struct db *db, unsigned numbers_out[DB_ERRORS]);

/*
 * An error that code of the database wrote as JSON: {"code", "message", "details", "hint", "status"}, of which the first
 * two must be (PGRST121 else). Always false.
 */
bool db_raised(struct error *err, const char *text);

/* app/db/errors.c: fills err from MySQL's number, SQLSTATE and text. Always false. */
bool db_error(struct error *err, unsigned number, const char *sqlstate, const char *text);

#endif
