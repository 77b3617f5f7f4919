/* From a query to a plan for writing: the table, the columns the rows may set, and how the rows are shown afterwards. */
#include "internal.h"

static bool no_column(const struct table *t, struct slice name, struct error *err)
{
	return error_set(err, ERR_WRITE_COLUMN, "Could not find the '%.*s' column of '%.*s' in the schema cache",
			 (int)name.len, name.ptr, (int)t->name.len, t->name.ptr);
}

bool write_column(const struct table *t, struct slice name, const struct column **out, struct error *err)
{
	*out = schema_column(t, name);
	if (!*out)
		return no_column(t, name, err);
	return !(*out)->generated ||
	       error_set(err, ERR_GENERATED, "cannot write to the generated column \"%.*s\"", (int)name.len, name.ptr);
}

bool write_add_column(struct arena *a, struct write *w, struct slice name, struct error *err)
{
	const struct column **more;
	const struct column *c;

	if (!write_column(w->table, name, &c, err))
		return false;
	for (size_t i = 0; i < w->ncolumns; i++)
		if (w->columns[i] == c)
			return error_set(err, ERR_BODY, "the column \"%.*s\" is named twice", (int)name.len, name.ptr);
	/* Room doubles at powers of two. */
	if ((w->ncolumns & (w->ncolumns - 1)) == 0) {
		more = arena_array(a, const struct column *, w->ncolumns ? w->ncolumns * 2 : 1);
		if (w->ncolumns)
			memcpy(more, w->columns, w->ncolumns * sizeof(*more));
		w->columns = more;
	}
	w->columns[w->ncolumns++] = c;
	return true;
}

/* PATCH and DELETE name their rows by filters; what a POST says of rows is about its answer. Pages are of reading. */
static struct query of_writing(const struct query *query, enum write_kind kind)
{
	struct query q = *query;

	q.root.has_limit = false;
	q.root.limit = q.root.offset = 0;
	if (kind == WRITE_INSERT)
		q.root.nwhere = 0;
	return q;
}

/* db-max-rows is of reading too. */
static const struct config *unlimited(struct arena *a, const struct config *config)
{
	struct config *own;

	if (!config->db_max_rows)
		return config;
	own = arena_new(a, struct config);
	*own = *config;
	own->db_max_rows = 0;
	return own;
}

/* --- upsert --- */

static bool names_column(const struct column *const *columns, size_t n, const struct column *c)
{
	size_t i = 0;

	while (i < n && columns[i] != c)
		i++;
	return i < n;
}

/* The unique key of just these columns, in any order. */
static const struct key *key_of(const struct table *t, const struct column *const *columns, size_t n)
{
	for (size_t k = 0; k < t->nunique; k++) {
		const struct key *key = &t->unique[k];
		size_t i = 0;

		while (key->n == n && i < n && names_column(columns, n, key->columns[i]))
			i++;
		if (key->n == n && i == n)
			return key;
	}
	return NULL;
}

static bool conflict_key(struct arena *a, struct write *w, const struct query *q, struct error *err)
{
	const struct column **columns = arena_array(a, const struct column *, q->non_conflict);

	w->resolution = q->prefer.resolution;
	if (!w->resolution)
		return true;
	w->conflict = w->table->primary;
	if (!q->non_conflict)
		return true;
	for (size_t i = 0; i < q->non_conflict; i++) {
		struct slice name = q->on_conflict[i];

		columns[i] = schema_column(w->table, name);
		if (!columns[i])
			return error_set(err, ERR_UNKNOWN_COLUMN, "column \"%.*s\" does not exist", (int)name.len,
					 name.ptr);
	}
	w->conflict = key_of(w->table, columns, q->non_conflict);
	return w->conflict ||
	       error_set(err, ERR_NO_CONFLICT_KEY,
			 "there is no unique or exclusion constraint matching the ON CONFLICT specification");
}

/* --- PUT --- */

static const struct query_filter *filter_on(const struct query_node *node, const struct column *c)
{
	for (size_t i = 0; i < node->nwhere; i++)
		if (node->where[i]->kind == LOGIC_LEAF &&
		    schema_column(c->table, node->where[i]->filter.field.name) == c)
			return &node->where[i]->filter;
	return NULL;
}

static bool is_plain_eq(const struct query_filter *f)
{
	return f && f->op == OP_EQ && !f->negated && !f->quantifier && !f->field.nsteps && f->nvalues == 1;
}

static bool put_filters(const struct query_node *node, const struct key *primary, struct error *err)
{
	bool good = primary && node->nwhere == primary->n;

	for (size_t i = 0; good && i < primary->n; i++)
		good = is_plain_eq(filter_on(node, primary->columns[i]));
	return good || error_set(err, ERR_PUT_FILTER,
				 "Filters must include all and only primary key columns with 'eq' operators");
}

/* The row that PUT names, and all its columns. */
static bool plan_put(struct arena *a, struct write *w, const struct query *q, struct error *err)
{
	const struct key *primary = w->table->primary;
	struct value *named;

	if (q->root.has_limit || q->root.offset)
		return error_set(err, ERR_PUT_RANGE, "limit/offset querystring parameters are not allowed for PUT");
	if (!put_filters(&q->root, primary, err))
		return false;
	w->put = w->by_parameter = w->fixed = true;
	w->resolution = RESOLUTION_MERGE;
	w->conflict = primary;
	w->named = named = arena_array(a, struct value, primary->n);
	for (size_t i = 0; i < primary->n; i++) {
		struct slice text = filter_on(&q->root, primary->columns[i])->values[0];
		struct body_member m = { .kind = CELL_TEXT, .text = text };
		struct write_cell cell;

		if (!write_cell(a, primary->columns[i], &m, (struct slice){ NULL, 0 }, &cell, err))
			return false;
		named[i] = cell.value;
	}
	for (size_t i = 0; !q->columns_given && i < w->table->ncolumns; i++)
		if (!w->table->columns[i].generated && !write_add_column(a, w, w->table->columns[i].name, err))
			return false;
	w->whole = !q->columns_given;
	return true;
}

static bool same_value(struct arena *a, const struct value *v, const struct value *u)
{
	struct strbuf b, c;

	strbuf_init(&b, a, 32);
	strbuf_init(&c, a, 32);
	value_add(&b, v);
	value_add(&c, u);
	return v->kind != VALUE_NULL && u->kind != VALUE_NULL && slice_eq(strbuf_slice(&b), strbuf_slice(&c));
}

bool write_is_named(const struct write *w, const struct write_cell *cells)
{
	for (size_t i = 0; i < w->conflict->n; i++) {
		size_t at = 0;

		while (at < w->ncolumns && w->columns[at] != w->conflict->columns[i])
			at++;
		if (at == w->ncolumns || !same_value(w->arena, &cells[at].value, &w->named[i]))
			return false;
	}
	return true;
}

/* --- */

bool write_rolls_back(enum tx_end end, enum query_tx asked)
{
	if (end == TX_COMMIT || end == TX_ROLLBACK || !asked)
		return end == TX_ROLLBACK || end == TX_ROLLBACK_OVERRIDE;
	return asked == TX_DO_ROLLBACK;
}

/* A write is several statements, which have no plan in common; and who asks how it would be done does not ask for it. */
static bool only_plan(const struct query *query, struct error *err)
{
	size_t n = 0;

	while (n < query->nmedia && query->media[n].media == MEDIA_PLAN)
		n++;
	if (!n || n < query->nmedia)
		return false;
	error_set(err, ERR_MEDIA, "None of these media types are available: application/vnd.pgrst.plan");
	error_details(err, "Plans are shown of reading. Nothing was written.");
	return true;
}

bool write_plan(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
		struct write **out, struct error *err)
{
	struct write *w = arena_new(a, struct write);
	struct query q;

	w->arena = a;
	w->kind = query->method == HTTP_PATCH    ? WRITE_UPDATE
		  : query->method == HTTP_DELETE ? WRITE_DELETE
						 : WRITE_INSERT;
	w->ret = query->prefer.ret ? query->prefer.ret : RETURN_MINIMAL;
	w->default_missing = query->prefer.missing == MISSING_DEFAULT;
	q = of_writing(query, w->kind);
	if (only_plan(query, err) || !plan_read(a, unlimited(a, config), schema, &q, &w->plan, err))
		return false;
	/* It would be a condition on what is shown, not on what is written. */
	if (w->plan->root->having && w->kind != WRITE_INSERT) {
		error_set(err, ERR_NO_OPERATOR, "aggregate functions are not allowed in the filters of a write");
		err->sqlstate = "42803";
		return false;
	}
	w->plan->of_write = true;
	w->table = w->plan->table;
	w->roll_back = write_rolls_back(config->db_tx_end, query->prefer.tx);
	for (size_t i = 0; i < query->ncolumns && w->kind != WRITE_DELETE; i++)
		if (!write_add_column(a, w, query->columns[i], err))
			return false;
	w->fixed = w->by_parameter = query->columns_given;
	if (query->method == HTTP_PUT ? !plan_put(a, w, query, err)
	    : w->kind == WRITE_INSERT ? !conflict_key(a, w, query, err)
				      : false)
		return false;
	if (!config->write_unfiltered && w->kind != WRITE_INSERT && !query->root.nwhere) {
		error_set(err, ERR_CARDINALITY, "%s requires a WHERE clause",
			  w->kind == WRITE_UPDATE ? "UPDATE" : "DELETE");
		return error_hint(err, "Name the rows by a filter, as ?id=gte.0 does for all.");
	}
	*out = w;
	return true;
}
