/* Statements that were left unread are ended at the server. */
#include <stdio.h>

#include "internal.h"

#include "log.h"

#define KILL_DENIED 1095 /* ER_KILL_DENIED_ERROR */

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
		catalogue = db_connect(db, ACCOUNT_CATALOGUE, conn->reader, err);
		done = catalogue && db_command(catalogue, text, err);
		db_conn_close(catalogue);
		if (done)
			return;
	}
	/* It may have ended by itself: no such thread is no trouble. */
	log_line(err->db_errno == KILL_DENIED ? LOG_WARN : LOG_DEBUG, "kill %lu: %s", id, err->log_detail);
}

/* Over a new connection: the old one is shut. A server that hangs is left alone after the connect timeout. */
static void run_kills_at(struct db *db, bool reader)
{
	struct arena *a = arena_open();
	struct db_conn *conn = NULL;
	struct error err;
	size_t n = 0;

	error_init(&err, a);
	for (size_t i = 0; i < db->nkills; i++)
		n += db->kills[i].reader == reader;
	if (n)
		conn = db_connect(db, ACCOUNT_WORKER, reader, &err);
	if (n && reader && !conn)
		db->reader_lost = true;
	for (size_t i = 0; conn && i < db->nkills; i++)
		if (db->kills[i].reader == reader)
			run_kill(db, conn, db->kills[i].thread, &err);
	db_conn_close(conn);
	arena_close(a);
}

void db_run_kills(struct db *db)
{
	run_kills_at(db, false);
	run_kills_at(db, true);
	db->nkills = 0;
}
