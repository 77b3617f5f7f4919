/* How transactions begin and end. */
#include "internal.h"

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
	conn->chained = conn->ended = false;
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

/*
 * Galera may take a transaction back for another node's while it reads after having written. MariaDB (10.11) then says
 * nothing but that there is none any more, and COMMIT succeeds with nothing in it: an acknowledged write that is nowhere.
 */
static bool taken_back(struct db_conn *conn, struct error *err)
{
	if (!conn->mariadb || !conn->writing || conn->ended || db_conn_is_open(conn))
		return false;
	db_conn_count_error(conn, 1213);
	db_error(err, 1213, "40001", "the transaction was ended by the server before COMMIT");
	return true;
}

/* Refused, it was rolled back; with the connection lost, either may be true. */
bool db_commit(struct db_conn *conn, struct error *err)
{
	bool ok = !taken_back(conn, err) && db_command(conn, "COMMIT", err);

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

/* Reads what is still to come of the last request's COMMIT. */
bool db_conn_settled(struct db_conn *conn)
{
	bool ok = !conn->committing || mysql_read_query_result(conn->mysql) == 0;

	conn->committing = false;
	return ok;
}

/*
 * Where one request wanted a snapshot the next one likely does: its transaction is begun with the end of this one. The
 * server's answer is read when the connection is next needed, for nobody has to wait for it now.
 */
void db_conn_end_transaction(struct db_conn *conn)
{
	const char *text = conn->in_transaction ? "COMMIT AND CHAIN" : "COMMIT";

	conn->committing = mysql_send_query(conn->mysql, text, strlen(text)) == 0;
	conn->broken |= !conn->committing;
	conn->chained = conn->in_transaction;
	conn->in_transaction = false;
}

void db_conn_roll_back(struct db_conn *conn)
{
	conn->broken |= mysql_real_query(conn->mysql, "ROLLBACK", 8) != 0;
	conn->in_transaction = conn->writing = false;
}

void db_conn_unlock(struct db_conn *conn)
{
	static const char text[] = "DO RELEASE_ALL_LOCKS()";

	conn->broken |= mysql_real_query(conn->mysql, text, sizeof(text) - 1) != 0;
	conn->locked = false;
}
