#ifndef ROWGATE_DB_INTERNAL_H
#define ROWGATE_DB_INTERNAL_H

#include <mysql.h>

#include "clock.h"
#include "db.h"

/* What the two client libraries name differently. */
#if defined(MARIADB_PACKAGE_VERSION) || defined(LIBMARIADB)
#define CLIENT_MARIADB 1
#define client_fd(mysql) ((int)mysql_get_socket(mysql))
#else
/* Not connected, net.fd is 0, and 0 is the socket that requests come from. */
#define client_fd(mysql) ((mysql)->net.vio ? (int)(mysql)->net.fd : -1)
#endif
typedef __typeof__(*((MYSQL_BIND *)NULL)->is_null) client_bool;

/* A prepared statement kept on its connection, with the buffers its rows are fetched into. */
struct stmt {
	struct stmt *newer, *older;
	MYSQL_STMT *handle;
	uint64_t hash;
	struct slice text;
	struct slice shown; /* text without its comment */
	uint64_t shape;     /* of shown */
	bool cursor;
	bool busy; /* its rows are being read */
	bool commented;
	size_t nparams, ncolumns;
	MYSQL_BIND *params;
	MYSQL_TIME *param_times;
	MYSQL_BIND *columns;
	enum db_fetch *fetch;
	union cell_buffer *buffers; /* one for each column */
	unsigned long *lengths;
	client_bool *nulls;
	struct value *cells;
	bool rebind; /* a buffer has grown */
};

union cell_buffer {
	long long i;
	double d;
	float f;
	MYSQL_TIME t;
};

struct db_conn {
	struct db *db;
	MYSQL *mysql;
	char role[132];
	char quoted_role[280];
	bool catalogue;
	bool reader;        /* at db-reader-host */
	int64_t beat;       /* what it showed ... */
	int64_t beat_asked; /* ... then (milliseconds) */
	bool mariadb;
	unsigned version;
	unsigned long thread_id;
	int64_t opened, used, role_set; /* milliseconds, monotonic */
	bool in_transaction;
	bool writing;    /* the transaction is one of db_begin */
	bool ended;      /* it was ended by what was called, which may do so */
	bool chained;    /* a transaction is open that has read nothing yet */
	bool committing; /* COMMIT was sent, its answer not read */
	bool locked;     /* it holds a lock of GET_LOCK */
	bool in_use;
	bool broken;     /* to be closed when released */
	bool unfinished; /* rows were left unread: the server must be told */
	bool streaming;
	bool renew;            /* its session, when it is released */
	struct strbuf comment; /* of the request in hand, and behind it the statement under way */
	size_t comment_len;
	struct stmt *call; /* the CALL under way: not kept */
	struct stmt *newest, *oldest;
	size_t nstmts;
	size_t stmts_weight; /* columns and parameters of all of them */
};

/* As the server said with its last answer. */
static inline bool db_conn_is_open(const struct db_conn *conn)
{
	return (conn->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

#define MAX_CONNECTIONS 64
#define MAX_KILLS 8

struct db {
	const struct config *config;
	struct db_conn *conns[MAX_CONNECTIONS];
	size_t nconns;
	struct db_conn *catalogue;
	struct db_conn *identity;
	struct {
		unsigned long thread;
		bool reader;
	} kills[MAX_KILLS];
	size_t nkills;
	bool reader_lost; /* a statement at the reader was cut off, and it let nobody in afterwards */
	size_t host;      /* of db-host: the one that was good last */
	uint64_t made;
	struct statement_pool *statements; /* NULL: not counted */
	size_t place;
	unsigned errors[DB_ERRORS]; /* numbers since db_errors was last asked */
	size_t nerrors;
};

/* app/db/connect.c */

enum db_account { ACCOUNT_WORKER, ACCOUNT_CATALOGUE, ACCOUNT_IDENTITY };

/* A connection with its session set and no role yet, to the writer or to a reader; NULL with err. */
struct db_conn *db_connect(struct db *db, enum db_account account, bool reader, struct error *err);
/* conn may be NULL. Nothing is waited for. */
void db_conn_close(struct db_conn *conn);
bool db_conn_set_session(struct db_conn *conn, struct error *err);
/* A role of at most 128 bytes, the first time; and the one entered, said to the server once more. */
bool db_conn_enter_role(struct db_conn *conn, struct slice role, struct error *err);
bool db_conn_set_role(struct db_conn *conn, struct error *err);

/* app/db/kill.c: ends at the servers what db->kills lists, over new connections, and empties the list. */
void db_run_kills(struct db *db);

/* app/db/transaction.c: what a release ends; a failure marks the connection broken. */

/* Reads what is still to come of the last request's COMMIT; false: the connection is lost. */
bool db_conn_settled(struct db_conn *conn);
void db_conn_end_transaction(struct db_conn *conn);
void db_conn_roll_back(struct db_conn *conn);
void db_conn_unlock(struct db_conn *conn);

/* err from the connection's or the statement's last error; marks the connection broken when it is. Always false. */
bool db_conn_failed(struct db_conn *conn, struct error *err);
bool db_stmt_failed(struct db_conn *conn, MYSQL_STMT *handle, struct error *err);

/* For db_errors: of what the server said by a number, or by less. */
void db_conn_count_error(struct db_conn *conn, unsigned number);

void db_stmts_free(struct db_conn *conn);

/* Ends the comment of db_comment, and closes the statements that bear it: their texts never come again. */
void db_stmts_forget_commented(struct db_conn *conn);

/* app/db/field.c: what a column of a result holds, by what the server says of it, and how it is fetched. */
/* wire: the same as the connection has it, or NULL. */
struct type db_field_type(const MYSQL_FIELD *field, const MYSQL_FIELD *wire);
enum db_fetch db_field_fetch(const struct type *type);

/*
 * The watch over a request's statements (app/db/watch.c): a thread that shuts the database connection down when the
 * client has left or the deadline has passed, so that the blocked call returns.
 */
enum watch_verdict { WATCH_QUIET, WATCH_TIMEOUT, WATCH_CLIENT_GONE };

void watch_arm(int client_fd, int db_fd, int64_t deadline);
void watch_extend(int64_t deadline);
void watch_disarm(void);
enum watch_verdict watch_verdict(void); /* since the last watch_arm */

#endif
