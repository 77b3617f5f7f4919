/* UPDATE and DELETE: the rows that filters name, which are found and locked first where they are shown. */
#include "writing.h"

bool run_statement(struct writing *x, const struct db_statement *statement, uint64_t *met_out)
{
	uint64_t made;

	return db_execute(x->conn, statement, met_out, &made, x->err);
}

static const struct column *first_writable(const struct table *t)
{
	size_t i = 0;

	while (i + 1 < t->ncolumns && t->columns[i].generated)
		i++;
	return &t->columns[i];
}

/* Whether the role may write these columns is found without a row. {} names none: any will do. */
static void write_nothing(struct writing *x, struct db_statement *statement)
{
	struct write probe = *x->w;
	const struct column *any = first_writable(x->w->table);

	probe.chosen = true;

	if (!probe.ncolumns) {
		probe.columns = &any;
		probe.ncolumns = 1;
	}
	if (x->w->kind == WRITE_INSERT) {
		sql_insert_nothing(x->a, &probe, statement);
		return;
	}
	show_keys(x); /* there are none: no row */
	sql_update(x->a, &probe, arena_array(x->a, struct write_cell, probe.ncolumns), statement);
}

bool may_write(struct writing *x)
{
	struct db_statement statement;
	uint64_t met;

	write_nothing(x, &statement);
	if (run_statement(x, &statement, &met))
		return true;
	if (x->err->code == ERR_DENIED)
		return false;
	error_init(x->err, x->err->arena);
	return true;
}

/* What is wrong with rows is told only to those who may write them. */
bool refuse_rows(struct writing *x)
{
	return may_write(x) && write_refuse(x->faults, x->err);
}

static bool lock_keys(struct writing *x)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	x->keys.key = usable_key(x->w->table);
	if (!x->keys.key && x->w->kind == WRITE_UPDATE && write_is_policed(x->w))
		return cannot_check(x, "The table has no unique key.");
	if (!x->keys.key)
		return cannot_show(x, "The table has no unique key.");
	sql_lock_keys(x->a, x->w, x->keys.key, &statement);
	if (!db_query(x->a, x->conn, &statement, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW) {
		push_key(x, cells);
		if (x->keys.n * x->keys.key->n > SHOWN_KEYS) {
			db_rows_close(rows);
			return error_set(x->err, ERR_PACKET, "the write meets too many rows to show them all");
		}
	}
	x->keep_keys = x->w->chosen = true;
	return step == DB_END;
}

/* A statement may not read the table it changes (1093): then the rows are found before. */
static bool reads_own_table(const struct plan_node *node, const struct table *t)
{
	for (size_t i = 0; i < node->nkids; i++)
		if (node->kids[i]->table == t || reads_own_table(node->kids[i], t))
			return true;
	return false;
}

/* The same is true of what a policy reads. What is updated is looked at afterwards, by its key. */
static bool policies_need_keys(const struct write *w)
{
	const struct plan_policy *reads = w->plan->root->policy, *changes = w->existing;

	if (w->kind == WRITE_UPDATE)
		return write_is_policed(w) || w->updated;
	return usable_key(w->table) && ((reads && reads->subqueries) || (changes && changes->subqueries));
}

bool find_rows(struct writing *x)
{
	if (x->w->ret != RETURN_REPRESENTATION && !reads_own_table(x->w->plan->root, x->w->table) &&
	    !policies_need_keys(x->w))
		return true;
	if (!lock_keys(x))
		return false;
	show_keys(x);
	return true;
}

/* Rows whose key was changed are shown by the new one. */
static void follow_keys(struct writing *x, const struct write_cell *cells)
{
	for (size_t i = 0; x->keep_keys && i < x->keys.key->n; i++) {
		size_t at = column_place(x->w, x->keys.key->columns[i]);

		for (size_t k = 0; at < x->w->ncolumns && k < x->keys.n; k++)
			x->keys.values[k * x->keys.key->n + i] = cells[at].value;
	}
	if (x->keep_keys)
		show_keys(x);
}

/* What stands behind the first row counts for nothing, but it must be well-formed. */
static bool read_rest(struct writing *x)
{
	struct body_row row;
	enum body_step step = BODY_ROW;

	while (step == BODY_ROW)
		step = body_next(x->body, &row, x->err);
	return step == BODY_END;
}

/* A row that the caller may not see must not show by what clashes with it. Always false. */
static bool hide_clash(struct writing *x)
{
	if (x->err->code == ERR_DUPLICATE && policies_need_keys(x->w))
		write_violates_policy(x->w, x->err);
	return false;
}

/* The first row of an array counts, as in PostgREST; a row without keys changes nothing. */
bool update_rows(struct writing *x, bool *nothing)
{
	struct db_statement statement;
	struct write_cell *cells;
	struct body_row row;
	enum body_step step = body_next(x->body, &row, x->err);

	if (step == BODY_FAILED)
		return false;
	*nothing = step == BODY_END || (!row.n && !x->w->by_parameter);
	if (*nothing)
		return step == BODY_END || read_rest(x);
	if (!write_row(x->a, x->w, &row, &cells, x->faults, x->err))
		return x->err->code == ERR_NONE && refuse_rows(x);
	if (!read_rest(x) || !find_rows(x))
		return false;
	if (x->keep_keys && !x->keys.n)
		return true;
	sql_update(x->a, x->w, cells, &statement);
	if (!run_statement(x, &statement, &x->affected))
		return hide_clash(x);
	follow_keys(x, cells);
	return check_policy(x, x->a, x->w->updated, true, x->keys.values, x->keys.n);
}

bool delete_rows(struct writing *x)
{
	struct db_statement statement;

	if (x->keep_keys && !x->keys.n)
		return true;
	sql_delete(x->a, x->w, &statement);
	return run_statement(x, &statement, &x->affected);
}
