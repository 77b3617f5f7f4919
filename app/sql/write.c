/* INSERT, UPDATE and DELETE, and the SELECT that finds and locks the rows they are about. */
#include "internal.h"

#include "write.h"

/* Under policies the table goes by its own name: their expressions know it by that. */
static void begin(struct writer *w, struct arena *a, const struct write *write)
{
	sql_writer(w, a, write->plan);
	if (!write_is_policed(write))
		return;
	w->bare = write->plan->root;
	w->existing = write->existing;
	w->chosen = write->chosen;
}

static void cell(struct writer *w, const struct column *c, const struct write_cell *cell)
{
	if (cell->is_default) {
		/* NO_AUTO_VALUE_ON_ZERO takes DEFAULT for 0 there. */
		strbuf_adds(&w->text, c->auto_increment ? "NULL" : "DEFAULT");
		return;
	}
	if (c->type.class == TYPE_GEOMETRY && cell->value.kind != VALUE_NULL) {
		/* MariaDB makes NULL of what is no geometry. An empty text is none to both. */
		bool silent = w->plan->catalogue->mariadb;

		strbuf_adds(&w->text, silent ? "COALESCE(" : "");
		strbuf_adds(&w->text, cell->geojson ? "ST_GeomFromGeoJSON(" : "ST_GeomFromText(");
		sql_param(w, cell->value);
		strbuf_adds(&w->text, silent ? "),'')" : ")");
		return;
	}
	if (c->type.class == TYPE_VECTOR && cell->value.kind != VALUE_NULL) {
		strbuf_adds(&w->text, w->plan->catalogue->mariadb ? "VEC_FromText(" : "STRING_TO_VECTOR(");
		sql_param(w, cell->value);
		strbuf_addc(&w->text, ')');
		return;
	}
	sql_param(w, cell->value);
}

static bool is_in(const struct key *k, const struct column *c)
{
	for (size_t i = 0; k && i < k->n; i++)
		if (k->columns[i] == c)
			return true;
	return false;
}

/*
 * A row of defaults alone names no column; but into a view, which takes no empty list: then some column beside the key,
 * for an AUTO_INCREMENT would take its DEFAULT for 0.
 */
static const struct column *named_for_view(const struct write *write)
{
	const struct table *t = write->table;

	if (write->ncolumns || !t->is_view)
		return NULL;
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];

		if (!c->generated && (c->nullable || c->has_default) && !is_in(t->primary, c))
			return c;
	}
	return &t->columns[0];
}

static void into(struct writer *w, const struct write *write)
{
	const struct column *named = named_for_view(write);

	sql_lit(w, "INSERT INTO ");
	strbuf_add_slice(&w->text, write->table->quoted);
	sql_lit(w, " (");
	for (size_t i = 0; i < write->ncolumns; i++) {
		strbuf_adds(&w->text, i ? "," : "");
		strbuf_add_slice(&w->text, write->columns[i]->quoted);
	}
	if (named)
		strbuf_add_slice(&w->text, named->quoted);
	strbuf_addc(&w->text, ')');
}

/* a,b with a place in the result for each */
static void fetched(struct writer *w, const struct key *key, const struct plan_node *node)
{
	for (size_t i = 0; key && i < key->n; i++) {
		/* The bytes of bits are no bits to the servers. */
		const struct type *type = &key->columns[i]->type;

		sql_place(w, type->class == TYPE_BIT ? FETCH_UINT : sql_fetch(type));
		if (node)
			sql_column(w, node, key->columns[i]);
		else
			strbuf_add_slice(&w->text, key->columns[i]->quoted);
		strbuf_adds(&w->text, type->bit || type->class == TYPE_BIT ? "+0" : "");
	}
}

void sql_insert(struct arena *a, const struct write *write, struct write_cell *const *rows, size_t n,
		const struct key *returning, struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, write->plan);
	into(&w, write);
	sql_lit(&w, " VALUES ");
	for (size_t r = 0; r < n; r++) {
		strbuf_adds(&w.text, r ? ",(" : "(");
		strbuf_adds(&w.text, named_for_view(write) ? "DEFAULT" : "");
		for (size_t i = 0; i < write->ncolumns; i++) {
			strbuf_adds(&w.text, i ? "," : "");
			cell(&w, write->columns[i], &rows[r][i]);
		}
		strbuf_addc(&w.text, ')');
	}
	if (returning) {
		sql_lit(&w, " RETURNING ");
		fetched(&w, returning, NULL);
	}
	sql_finish(&w, out);
}

static const struct value *key_cell(const struct write *write, const struct write_cell *row, size_t i)
{
	size_t at = 0;

	while (write->columns[at] != write->conflict->columns[i])
		at++;
	return &row[at].value;
}

/* (a=? AND b=?) */
static void is_row(struct writer *w, const struct write *write, const struct write_cell *row)
{
	strbuf_addc(&w->text, '(');
	for (size_t i = 0; i < write->conflict->n; i++) {
		strbuf_adds(&w->text, i ? " AND " : "");
		sql_column(w, write->plan->root, write->conflict->columns[i]);
		strbuf_addc(&w->text, '=');
		sql_param(w, *key_cell(write, row, i));
	}
	strbuf_addc(&w->text, ')');
}

/*
 * FIELD(TRUE, a=?, a=?, ...) tells which of the rows it is, by the column's own rules of what is equal. Their list is
 * padded, so that few statements serve all.
 */
void sql_conflicts(struct arena *a, const struct write *write, struct write_cell *const *rows, size_t n,
		   const struct key *shown, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	size_t padded = sql_padded(n), width = write->conflict->n;
	struct plan_cond found = { .kind = COND_KEYS, .left = { .node = root }, .key = write->conflict };
	struct value *values = arena_array(a, struct value, n * width);
	struct writer w;

	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < width; i++)
			values[r * width + i] = *key_cell(write, rows[r], i);
	found.values = values;
	found.nvalues = n;
	begin(&w, a, write);
	sql_lit(&w, "SELECT ");
	sql_place(&w, FETCH_UINT);
	sql_lit(&w, "FIELD(TRUE");
	for (size_t r = 0; r < padded; r++) {
		strbuf_addc(&w.text, ',');
		is_row(&w, write, rows[r < n ? r : n - 1]);
	}
	strbuf_addc(&w.text, ')');
	fetched(&w, write->conflict, root);
	fetched(&w, shown, root);
	if (write->resolution == RESOLUTION_MERGE && write_is_policed(write)) {
		sql_place(&w, FETCH_INT);
		sql_allowed(&w, root);
		sql_lit(&w, " IS TRUE");
	}
	sql_lit(&w, " FROM ");
	sql_table(&w, root);
	sql_lit(&w, " WHERE ");
	sql_condition(&w, &found);
	/* Who may only add rows may not lock them for changes. */
	strbuf_adds(&w.text, write->resolution == RESOLUTION_IGNORE ? " LOCK IN SHARE MODE" : " FOR UPDATE");
	sql_finish(&w, out);
}

static bool in_conflict(const struct write *write, const struct column *c)
{
	for (size_t i = 0; i < write->conflict->n; i++)
		if (write->conflict->columns[i] == c)
			return true;
	return false;
}

void sql_merge(struct arena *a, const struct write *write, const struct write_cell *row, const struct value *held,
	       struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	const char *before = " SET ";
	struct writer w;

	begin(&w, a, write);
	sql_lit(&w, "UPDATE ");
	sql_table(&w, root);
	for (size_t i = 0; i < write->ncolumns - write->nmade; i++) {
		if (in_conflict(write, write->columns[i]))
			continue;
		strbuf_adds(&w.text, before);
		sql_column(&w, root, write->columns[i]);
		strbuf_addc(&w.text, '=');
		cell(&w, write->columns[i], &row[i]);
		before = ",";
	}
	before = " WHERE ";
	for (size_t i = 0; i < write->conflict->n; i++) {
		strbuf_adds(&w.text, before);
		sql_column(&w, root, write->conflict->columns[i]);
		strbuf_addc(&w.text, '=');
		sql_param(&w, held[i]);
		before = " AND ";
	}
	sql_finish(&w, out);
}

void sql_default(struct arena *a, const struct column *column, struct db_statement *out)
{
	const struct type *type = &column->type;
	struct writer w;

	sql_writer(&w, a, NULL);
	sql_lit(&w, "SELECT ");
	sql_place(&w, type->class == TYPE_BIT ? FETCH_UINT : sql_fetch(type));
	strbuf_add_slice(&w.text, column->default_expression);
	strbuf_adds(&w.text, type->bit || type->class == TYPE_BIT ? "+0" : "");
	sql_finish(&w, out);
}

static void updates(struct writer *w, const struct write *write)
{
	for (size_t i = 0; i < write->ncolumns; i++) {
		struct slice name = write->columns[i]->quoted;

		strbuf_adds(&w->text, i ? "," : " ON DUPLICATE KEY UPDATE ");
		strbuf_add_slice(&w->text, name);
		sql_lit(w, "=VALUES(");
		strbuf_add_slice(&w->text, name);
		strbuf_addc(&w->text, ')');
	}
}

void sql_insert_nothing(struct arena *a, const struct write *write, struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, write->plan);
	into(&w, write);
	sql_lit(&w, " SELECT ");
	for (size_t i = 0; i < write->ncolumns; i++)
		strbuf_adds(&w.text, i ? ",NULL" : "NULL");
	sql_lit(&w, " FROM DUAL WHERE FALSE");
	if (write->conflict && write->resolution == RESOLUTION_MERGE)
		updates(&w, write);
	sql_finish(&w, out);
}

void sql_update(struct arena *a, const struct write *write, const struct write_cell *cells, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct writer w;

	begin(&w, a, write);
	sql_lit(&w, "UPDATE ");
	sql_table(&w, root);
	for (size_t i = 0; i < write->ncolumns; i++) {
		strbuf_adds(&w.text, i ? "," : " SET ");
		sql_column(&w, root, write->columns[i]);
		strbuf_addc(&w.text, '=');
		cell(&w, write->columns[i], &cells[i]);
	}
	sql_where(&w, root, " WHERE ");
	sql_finish(&w, out);
}

void sql_delete(struct arena *a, const struct write *write, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct writer w;

	begin(&w, a, write);
	w.bare = root;
	sql_lit(&w, "DELETE FROM ");
	strbuf_add_slice(&w.text, write->table->quoted);
	sql_where(&w, root, " WHERE ");
	sql_finish(&w, out);
}

void sql_lock_keys(struct arena *a, const struct write *write, const struct key *key, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct writer w;

	begin(&w, a, write);
	sql_lit(&w, "SELECT ");
	fetched(&w, key, root);
	sql_lit(&w, " FROM ");
	sql_table(&w, root);
	sql_where(&w, root, " WHERE ");
	sql_lit(&w, " FOR UPDATE");
	sql_finish(&w, out);
}

void sql_count_allowed(struct arena *a, const struct write *write, const struct plan_policy *policy, bool read,
		       const struct key *key, const struct value *values, size_t n, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct plan_cond keys = {
		.kind = COND_KEYS, .left = { .node = root }, .key = key, .values = values, .nvalues = n
	};
	struct writer w;

	sql_writer(&w, a, write->plan);
	w.bare = root;
	sql_place(&w, FETCH_INT);
	sql_lit(&w, "SELECT COUNT(*) FROM ");
	sql_table(&w, root);
	sql_lit(&w, " WHERE ");
	sql_condition(&w, &keys);
	if (policy) {
		sql_lit(&w, " AND ");
		sql_policy(&w, policy);
	}
	if (read && root->policy) {
		sql_lit(&w, " AND ");
		sql_policy(&w, root->policy);
	}
	sql_finish(&w, out);
}
