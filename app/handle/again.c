/* Second attempts: after a lost connection, changed definitions, or a reader that could not. */
#include "internal.h"

static bool names_something_unknown(const struct error *err)
{
	return err->code == ERR_NO_TABLE || err->code == ERR_UNKNOWN_COLUMN || err->code == ERR_NO_RELATION ||
	       err->code == ERR_DB_TABLE || err->code == ERR_DB_SCHEMA || err->code == ERR_NO_ROUTINE ||
	       err->code == ERR_DB_ROUTINE;
}

/* What the writer may know better: the reader has no such name or right yet, or must not do what is asked. */
static bool unsettled(enum error_code code)
{
	return code == ERR_DENIED || code == ERR_UNKNOWN_ROLE || code == ERR_READ_ONLY_SERVER ||
	       code == ERR_READ_ONLY || code == ERR_LOCK_WAIT || code == ERR_DEADLOCK || code == ERR_DB_OTHER ||
	       code == ERR_DB_SYNTAX;
}

/* A read that the reader has failed goes to the writer. Whether what took too long was slow, or hangs, shows when it is ended. */
static bool ask_writer(struct exchange *x)
{
	enum error_code code = x->err->code;
	bool lost = code == ERR_DB_LOST || code == ERR_CONNECTIONS, slow = code == ERR_TIMEOUT;

	if (x->place != READ_READER || x->from_writer || !x->conn ||
	    !(lost || slow || names_something_unknown(x->err) || unsettled(code)))
		return false;
	exchange_let_go(x);
	lost = db_reader_lost(x->w->state->db) || lost;
	if (slow && !lost)
		return false;
	if (lost)
		exchange_reader_is_down(x);
	x->from_writer = true;
	exchange_start_over(x);
	return true;
}

/* A read whose connection was lost, or what met a name not known yet, is tried once more. */
bool exchange_try_again(struct exchange *x)
{
	bool reads = x->plan || (x->call && !x->call->writes) || exchange_is_description(x);
	bool lost = x->known && reads && db_worth_retry(x->conn, x->err);

	if (x->rs->sent || (x->once && !once_rewind(x->once)) || (!x->once && x->call && x->call->read_body))
		return false;
	if (ask_writer(x))
		return true;
	if (!(lost || names_something_unknown(x->err)))
		return false;
	exchange_let_go(x);
	if (x->again || (!lost && !worker_definitions_changed(x->w)))
		return false;
	x->again = true;
	exchange_start_over(x);
	return true;
}
