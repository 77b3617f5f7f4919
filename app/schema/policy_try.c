/*
 * Policies tried before they are believed: each expression is prepared as a condition on its table, and never run.
 *
 * A server may work out what is constant while it prepares (MariaDB: EXTRACTVALUE(1, shop.f()), LIKE ... ESCAPE). So what
 * reads tables or calls functions is tried as the role that it is for: loading definitions does no more than a request of
 * that role would, and whoever writes a policy learns and does no more than tokens of that role do. The rest is tried by a
 * procedure with the rights of whoever deployed rowgate: it needs no role that may read the table, and there is nothing in
 * it to work out but the server's own functions.
 */
#include "internal.h"

/* Seconds: only functions can take so long. Who waits for a lock gives up before, and it is tried another time. */
#define PATIENCE "5"
#define SET_LOCK_PATIENCE "SET SESSION lock_wait_timeout = 3, SESSION lc_messages = 'en_US'"
/* So many wait in one reading of the definitions; what is still to be tried then is put off at once. */
#define MOST_WAITS 8

/* --- what cannot be tried now --- */

static bool same_expression(const struct policy_expression *a, const struct policy_expression *b)
{
	return a && b ? slice_eq(a->source, b->source) : a == b;
}

/* The same policy as it was when definitions were read before; NULL: it is new. */
static const struct policy *judged_before(const struct loader *l, const struct policy *p)
{
	const struct table *t = l->before ? schema_table(l->before, p->schema, p->table) : NULL;
	const struct policy *q = t ? t->policies : NULL;

	while (q && !(slice_eq(q->role, p->role) && slice_eq(q->name, p->name) && q->verbs == p->verbs &&
		      same_expression(q->using, p->using) && same_expression(q->check, p->check)))
		q = q->next;
	return q;
}

static void believe(struct loader *l, struct policy *p, const struct policy *before)
{
	p->untried = before->untried;
	p->servers_fault = before->servers_fault;
	p->fault = before->fault ? arena_printf(l->schema->arena, "%s", before->fault) : NULL;
}

/* A table is locked. False with err, of a policy that is to be. */
static bool put_off(struct loader *l, struct policy *p)
{
	const struct policy *before = judged_before(l, p);

	if (l->to_be)
		return false;
	l->waits++;
	l->schema->untried = p->untried = true;
	p->servers_fault = false;
	p->fault = "it could not be tried yet, for a table is locked";
	if (before)
		believe(l, p, before);
	error_init(l->err, l->err->arena);
	return true;
}

/* --- by the procedure --- */

static bool hurry(struct loader *l)
{
	l->hurried = l->hurried || db_command(l->conn, SET_LOCK_PATIENCE, l->err);
	return l->hurried;
}

/* The server's word on an expression between parentheses behind WHERE; NULL: it is good. */
static bool try_expression(struct loader *l, const struct table *t, const struct policy_expression *e,
			   const char **fault_out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	const struct value params[] = { value_text(t->schema), value_text(t->name), value_text(e->text) };
	struct db_statement call = { .text = SLICE("CALL rowgate.policy_check(?,?,?,@rowgate_policy_fault)"),
				     .params = params,
				     .nparams = 3 };
	struct db_statement ask = { .text = SLICE("SELECT @rowgate_policy_fault"), .columns = fetch, .ncolumns = 1 };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;
	uint64_t met, made;

	*fault_out = NULL;
	if (!hurry(l) || !db_execute(l->conn, &call, &met, &made, l->err) ||
	    !db_query(l->scratch, l->conn, &ask, &rows, l->err))
		return false;
	while ((step = db_next(rows, &cells, l->err)) == DB_ROW)
		if (cells[0].kind == VALUE_TEXT)
			*fault_out = arena_printf(l->schema->arena, "%.*s", (int)cells[0].s.len, cells[0].s.ptr);
	return step == DB_END;
}

/* --- as a role --- */

static bool open_apart(struct loader *l)
{
	if (l->apart)
		return true;
	if (db_apart(l->db, &l->apart, l->err) && db_command(l->apart, SET_LOCK_PATIENCE, l->err) &&
	    (!db_is_mariadb(l->apart) || db_command(l->apart, "SET SESSION max_statement_time = " PATIENCE, l->err)))
		return true;
	db_apart_close(l->apart);
	l->apart = NULL;
	return false;
}

/* Without a database of its own, as requests are: names mean here what they will mean there. */
static bool prepare(struct loader *l, const struct table *t, const struct policy_expression *e)
{
	struct value text;
	struct db_statement set = { .text = SLICE("SET @rowgate_policy = ?"), .params = &text, .nparams = 1 };
	struct strbuf b;
	uint64_t met, made;

	strbuf_init(&b, l->scratch, e->text.len + 256);
	strbuf_lit(&b, "SELECT 1 FROM ");
	strbuf_add_slice(&b, t->quoted);
	strbuf_lit(&b, " WHERE (");
	strbuf_add_slice(&b, e->text);
	strbuf_addc(&b, ')');
	text = value_text(strbuf_slice(&b));
	return db_execute(l->apart, &set, &met, &made, l->err) &&
	       db_command(l->apart, "PREPARE rowgate_policy FROM @rowgate_policy", l->err) &&
	       db_command(l->apart, "DEALLOCATE PREPARE rowgate_policy", l->err);
}

static bool prepare_as(struct loader *l, const struct table *t, const struct policy *p, struct slice role)
{
	const struct policy_expression *all[] = { p->using, p->check };
	bool ok = open_apart(l) && db_enter(l->apart, role, l->err);

	for (size_t i = 0; i < 2 && ok; i++)
		ok = !all[i] || all[i]->always || prepare(l, t, all[i]);
	return ok;
}

static bool lacks_right(const struct error *err)
{
	return err->code == ERR_DENIED || err->code == ERR_UNKNOWN_ROLE;
}

static bool broken(const struct error *err)
{
	return err->code == ERR_DB_LOST || err->code == ERR_DB_LOGIN || err->code == ERR_CONNECTIONS ||
	       err->code == ERR_READ_ONLY_SERVER;
}

static void servers_word(struct loader *l, struct policy *p)
{
	const struct error *err = l->err;

	p->servers_fault = true;
	p->fault = arena_printf(l->schema->arena, "%s",
				err->log_detail && err->code != ERR_DENIED ? err->log_detail : err->message);
}

/*
 * One for all roles is tried as the first of the best known that has the right. A right that is not there, or not yet, is no
 * fault of what is written already: a request is refused for the want of it.
 */
static bool try_as_its_role(struct loader *l, const struct table *t, struct policy *p)
{
	bool all = slice_is(p->role, "*"), denied = true;
	const struct slice *roles = all ? l->roles : &p->role;

	for (size_t i = 0; i < (all ? l->nroles : 1) && denied; i++) {
		if (prepare_as(l, t, p, roles[i])) {
			p->fault = NULL;
			return true;
		}
		if (l->err->code == ERR_LOCK_WAIT)
			return put_off(l, p);
		if (broken(l->err))
			return false;
		denied = lacks_right(l->err);
		if (!denied || (l->to_be && !p->fault))
			servers_word(l, p);
		error_init(l->err, l->err->arena);
	}
	return true;
}

/* --- */

static bool reaches_out(const struct policy *p)
{
	const struct policy_expression *all[] = { p->using, p->check };
	bool found = false;

	for (size_t i = 0; i < 2; i++)
		found |= all[i] && (all[i]->subqueries || all[i]->calls);
	return found;
}

/* The procedure gives the server's words without their number. */
static bool is_lock_wait(struct loader *l, const char *fault)
{
	return fault && slice_starts(slice_of(fault), "Lock wait timeout exceeded") &&
	       !db_error(l->err, 1205, "HY000", fault);
}

/* Where the server does not let us ask, the policy cannot be trusted either. */
static bool try_plain(struct loader *l, const struct table *t, struct policy *p)
{
	const struct policy_expression *all[] = { p->using, p->check };

	for (size_t i = 0; i < 2 && !p->fault; i++) {
		if (!all[i] || all[i]->always)
			continue;
		p->servers_fault = true;
		if (try_expression(l, t, all[i], &p->fault)) {
			if (is_lock_wait(l, p->fault))
				return put_off(l, p);
			continue;
		}
		if (l->err->code == ERR_DB_LOST)
			return false;
		p->fault = arena_printf(l->schema->arena, "it cannot be tried: %s",
					l->err->log_detail ? l->err->log_detail : l->err->message);
		error_init(l->err, l->err->arena);
	}
	return true;
}

static bool ask_server(struct loader *l, const struct table *t, struct policy *p)
{
	const struct policy *before = l->schema->untried ? judged_before(l, p) : NULL;

	/* All of it is read again soon: one has waited for a lock, so that the others need not. */
	if (before && !before->untried) {
		believe(l, p, before);
		return true;
	}
	if (l->waits >= MOST_WAITS)
		return put_off(l, p);
	return reaches_out(p) ? try_as_its_role(l, t, p) : try_plain(l, t, p);
}

bool schema_try_policy(struct loader *l, const struct table *t, struct policy *p)
{
	bool ok = p->fault || ask_server(l, t, p);

	schema_digest(l->schema, slice_of(p->fault));
	return ok;
}

void schema_end_tries(struct loader *l)
{
	struct error err;

	db_apart_close(l->apart);
	l->apart = NULL;
	error_init(&err, l->scratch);
	if (l->hurried &&
	    !db_command(l->conn, "SET SESSION lock_wait_timeout = DEFAULT, SESSION lc_messages = DEFAULT", &err))
		db_spoil(l->conn);
	l->hurried = false;
}
