/* SELECT statements: one for each level of a plan, and those that count or explain it. */
#include "internal.h"

#define NO_LIMIT UINT64_MAX

void sql_table(struct writer *w, const struct plan_node *node)
{
	const struct relation *r = node->relation;

	w->ntables += r && r->junction ? 2 : 1;
	if (w->plan->source.ptr && node->table == w->plan->table)
		sql_source(w, node);
	else if (node->policy && node != w->bare)
		sql_derived(w, node);
	else
		strbuf_add_slice(&w->text, node->table->quoted);
	if (node != w->bare)
		strbuf_addf(&w->text, " AS t%u", node->number);
	if (!r || !r->junction)
		return;
	sql_lit(w, " JOIN ");
	if (node->junction_policy)
		sql_derived_junction(w, node);
	else
		strbuf_add_slice(&w->text, r->junction->quoted);
	strbuf_addf(&w->text, " AS j%u ON ", node->number);
	for (size_t i = 0; i < r->njunction_to; i++) {
		strbuf_addf(&w->text, "%sj%u.%.*s=", i ? " AND " : "", node->number, (int)r->junction_to[i]->quoted.len,
			    r->junction_to[i]->quoted.ptr);
		sql_column(w, node, r->to_columns[i]);
	}
}

void sql_key_column(struct writer *w, const struct plan_node *node, size_t i)
{
	const struct relation *r = node->relation;

	if (!r->junction) {
		sql_column(w, node, r->to_columns[i]);
		return;
	}
	strbuf_addf(&w->text, "j%u.", node->number);
	strbuf_add_slice(&w->text, r->junction_from[i]->quoted);
}

enum db_fetch sql_fetch(const struct type *type)
{
	switch (type->class) {
	case TYPE_INT:
		return type->is_unsigned ? FETCH_UINT : FETCH_INT;
	case TYPE_BOOL:
	case TYPE_YEAR:
		return FETCH_INT;
	case TYPE_FLOAT:
		return FETCH_FLOAT;
	case TYPE_DOUBLE:
		return FETCH_DOUBLE;
	case TYPE_DATE:
		return FETCH_DATE;
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
		return FETCH_DATETIME;
	case TYPE_TIME:
		return FETCH_TIME;
	default:
		return FETCH_TEXT;
	}
}

size_t sql_place(struct writer *w, enum db_fetch fetch)
{
	if (w->ncolumns == w->columns_cap) {
		size_t cap = w->columns_cap ? w->columns_cap * 2 : 32;
		enum db_fetch *more = arena_array(w->a, enum db_fetch, cap);

		if (w->ncolumns)
			memcpy(more, w->columns, w->ncolumns * sizeof(*more));
		w->columns = more;
		w->columns_cap = cap;
	}
	if (w->ncolumns)
		strbuf_addc(&w->text, ',');
	w->columns[w->ncolumns] = fetch;
	return w->ncolumns++;
}

/* Within a derived table every column needs a name of its own. */
static void name_column(struct writer *w, bool named, size_t at)
{
	if (named)
		strbuf_addf(&w->text, " AS c%zu", at);
}

/* Text keys are equal by their collation, not by their bytes. */
static bool weighted(const struct column *c)
{
	return c->type.class == TYPE_TEXT && !c->binary_collation;
}

static void own_keys(struct writer *w, const struct plan_node *node, bool named)
{
	const struct relation *r = node->relation;

	for (size_t i = 0; r && i < r->n; i++) {
		const struct column *c = r->junction ? r->junction_from[i] : r->to_columns[i];
		struct plan_expr e = { .type = c->type };
		size_t at = sql_place(w, weighted(c) ? FETCH_TEXT : sql_fetch(&e.type));

		if (weighted(c))
			sql_lit(w, "WEIGHT_STRING(");
		sql_key_column(w, node, i);
		if (weighted(c))
			strbuf_addc(&w->text, ')');
		name_column(w, named, at);
	}
}

static void select_items(struct writer *w, struct plan_node *node, bool named)
{
	for (size_t i = 0; i < node->nitems; i++) {
		struct plan_item *item = &node->items[i];

		if (item->embed || (node->counted && item->expr.aggregate))
			continue;
		item->place = sql_place(w, sql_fetch(&item->expr.type));
		sql_selected(w, &item->expr);
		name_column(w, named, item->place);
		if (item->expr.type.class == TYPE_TIMESTAMP && w->plan->timezone.len) {
			item->offset_place = sql_place(w, FETCH_INT);
			sql_lit(w, "CAST(FLOOR(UNIX_TIMESTAMP(");
			sql_expr(w, &item->expr);
			sql_lit(w, ")) AS SIGNED)");
			name_column(w, named, item->offset_place);
		}
	}
}

/* Where a column stands in the row already, or a new place at its end. */
static size_t column_place(struct writer *w, const struct plan_node *node, const struct column *c, bool named)
{
	struct plan_expr e = { .node = node, .column = c, .type = c->type };
	size_t at;

	for (size_t i = 0; i < node->nitems && !(c->type.class == TYPE_BOOL && c->type.bit); i++) {
		const struct plan_expr *x = &node->items[i].expr;

		if (!node->items[i].embed && x->node == node && x->column == c && !x->path && !x->cast && !x->aggregate)
			return node->items[i].place;
	}
	at = sql_place(w, sql_fetch(&e.type));
	sql_column(w, node, c);
	name_column(w, named, at);
	return at;
}

/* What the embeds below need of this row: the key, and its weight where text is compared. */
static void kid_keys(struct writer *w, struct plan_node *node, bool named)
{
	for (size_t k = 0; k < node->nkids; k++) {
		struct plan_node *kid = node->kids[k];
		size_t n = kid->relation->n;

		if (kid->hoisted) {
			kid_keys(w, kid, named);
			continue;
		}
		kid->key_places = arena_array(w->a, size_t, n * 2);
		for (size_t i = 0; i < n; i++) {
			const struct column *c = kid->relation->from_columns[i];

			kid->key_places[i] = kid->key_places[n + i] = column_place(w, node, c, named);
			if (!weighted(c))
				continue;
			kid->key_places[n + i] = sql_place(w, FETCH_TEXT);
			sql_lit(w, "WEIGHT_STRING(");
			sql_column(w, node, c);
			strbuf_addc(&w->text, ')');
			name_column(w, named, kid->key_places[n + i]);
		}
	}
}

/* To-one embeds that order or group their parent. */
static void joins(struct writer *w, const struct plan_node *node)
{
	for (size_t k = 0; k < node->nkids; k++) {
		const struct plan_node *kid = node->kids[k];

		if (!kid->joined)
			continue;
		sql_lit(w, " LEFT JOIN ");
		sql_table(w, kid);
		for (size_t i = 0; i < kid->relation->n; i++) {
			strbuf_adds(&w->text, i ? " AND " : " ON ");
			sql_column(w, kid, kid->relation->to_columns[i]);
			strbuf_addc(&w->text, '=');
			sql_column(w, node, kid->relation->from_columns[i]);
		}
		sql_where(w, kid, " AND ");
		joins(w, kid);
	}
}

static void key_tuple(struct writer *w, const struct sql_keys *keys, size_t at)
{
	if (keys->width > 1)
		strbuf_addc(&w->text, '(');
	for (size_t i = 0; i < keys->width; i++) {
		if (i)
			strbuf_addc(&w->text, ',');
		sql_param(w, keys->values[at * keys->width + i]);
	}
	if (keys->width > 1)
		strbuf_addc(&w->text, ')');
}

static void key_condition(struct writer *w, const struct plan_node *node, const struct sql_keys *keys)
{
	size_t padded = sql_padded(keys->n);

	sql_lit(w, " WHERE ");
	if (keys->width > 1)
		strbuf_addc(&w->text, '(');
	for (size_t i = 0; i < keys->width; i++) {
		if (i)
			strbuf_addc(&w->text, ',');
		sql_key_column(w, node, i);
	}
	if (keys->width > 1)
		strbuf_addc(&w->text, ')');
	sql_lit(w, " IN (");
	for (size_t i = 0; i < padded; i++) {
		if (i)
			strbuf_addc(&w->text, ',');
		key_tuple(w, keys, i < keys->n ? i : keys->n - 1);
	}
	strbuf_addc(&w->text, ')');
}

static void group_by(struct writer *w, const struct plan_node *node)
{
	const char *before = " GROUP BY ";

	if (!node->aggregated)
		return;
	for (size_t i = 0; node->relation && i < node->relation->n; i++) {
		strbuf_adds(&w->text, before);
		sql_key_column(w, node, i);
		before = ",";
	}
	for (size_t i = 0; i < node->ngroup; i++) {
		strbuf_adds(&w->text, before);
		sql_expr(w, &node->group[i]);
		before = ",";
	}
}

/* MySQL puts NULL lowest: ISNULL() goes first only where that is not what was asked. */
static void order_by(struct writer *w, const struct plan_node *node, const char *before)
{
	for (size_t i = 0; i < node->norder; i++) {
		const struct plan_order *o = &node->order[i];

		strbuf_adds(&w->text, i ? "," : before);
		if (o->nullable && o->nulls_first == o->descending) {
			sql_lit(w, "ISNULL(");
			sql_expr(w, &o->expr);
			strbuf_adds(&w->text, o->descending ? ") DESC," : "),");
		}
		sql_expr(w, &o->expr);
		if (o->descending)
			sql_lit(w, " DESC");
	}
}

/* FIELD() gives the place of a key among the values. */
static void order_by_keys(struct writer *w, const struct plan_node *node)
{
	const struct plan_cond *c = node->in_order_of;
	size_t padded = c ? sql_padded(c->nvalues) : 0;

	if (!c || node->norder || c->key->n != 1)
		return;
	sql_lit(w, " ORDER BY FIELD(");
	sql_column(w, node, c->key->columns[0]);
	for (size_t i = 0; i < padded; i++) {
		strbuf_addc(&w->text, ',');
		sql_param(w, c->values[i < c->nvalues ? i : c->nvalues - 1]);
	}
	strbuf_addc(&w->text, ')');
}

static void limit(struct writer *w, const struct plan_node *node)
{
	if (!node->has_limit && !node->offset)
		return;
	sql_lit(w, " LIMIT ");
	sql_param(w, (struct value){ .kind = VALUE_UINT, .u = node->has_limit ? node->limit : NO_LIMIT });
	if (node->offset) {
		sql_lit(w, " OFFSET ");
		sql_param(w, (struct value){ .kind = VALUE_UINT, .u = node->offset });
	}
}

static void having(struct writer *w, const struct plan_node *node)
{
	const struct plan_cond *all = node->having;

	for (size_t i = 0; all && i < all->nkids; i++) {
		strbuf_adds(&w->text, i ? " AND " : " HAVING ");
		sql_condition(w, all->kids[i]);
	}
}

static void from_where_group(struct writer *w, const struct plan_node *node, const struct sql_keys *keys)
{
	sql_lit(w, " FROM ");
	sql_table(w, node);
	joins(w, node);
	if (keys)
		key_condition(w, node, keys);
	sql_where(w, node, keys ? " AND " : " WHERE ");
	if (node->counted)
		return;
	group_by(w, node);
	having(w, node);
}

/* ROW_NUMBER() per parent, for a limit that counts each parent's rows by themselves. */
static void row_number(struct writer *w, const struct plan_node *node)
{
	sql_lit(w, ",ROW_NUMBER() OVER (PARTITION BY ");
	for (size_t i = 0; i < node->relation->n; i++) {
		if (i)
			strbuf_addc(&w->text, ',');
		sql_key_column(w, node, i);
	}
	order_by(w, node, " ORDER BY ");
	sql_lit(w, ") AS rn");
}

static void begin_numbered(struct writer *w, size_t ncolumns)
{
	struct strbuf inner = w->text;

	strbuf_init(&w->text, w->a, inner.len + 512);
	sql_lit(w, "SELECT ");
	for (size_t i = 0; i < ncolumns; i++)
		strbuf_addf(&w->text, "%sc%zu", i ? "," : "", i);
	sql_lit(w, " FROM (");
	strbuf_add_slice(&w->text, strbuf_slice(&inner));
}

static void end_numbered(struct writer *w, const struct plan_node *node)
{
	uint64_t last = node->has_limit ? node->offset + node->limit : NO_LIMIT;

	if (last < node->offset)
		last = NO_LIMIT;
	sql_lit(w, ") AS q WHERE rn>");
	sql_param(w, (struct value){ .kind = VALUE_UINT, .u = node->offset });
	sql_lit(w, " AND rn<=");
	sql_param(w, (struct value){ .kind = VALUE_UINT, .u = last });
	sql_lit(w, " ORDER BY rn");
}

void sql_select(struct arena *a, const struct plan *plan, struct plan_node *node, const struct sql_keys *keys,
		struct db_statement *out)
{
	bool numbered = keys && keys->n > 1 && (node->has_limit || node->offset);
	struct writer w;

	sql_writer(&w, a, plan);
	w.bare = sql_alone(node) ? node : NULL;
	w.sorts = numbered || node->norder || node->in_order_of;
	sql_lit(&w, "SELECT ");
	own_keys(&w, node, numbered);
	select_items(&w, node, numbered);
	kid_keys(&w, node, numbered);
	if (!w.ncolumns) {
		sql_place(&w, FETCH_INT);
		strbuf_addc(&w.text, '1');
	}
	if (numbered) {
		row_number(&w, node);
		begin_numbered(&w, w.ncolumns);
	}
	from_where_group(&w, node, keys);
	if (numbered) {
		end_numbered(&w, node);
	} else {
		order_by(&w, node, " ORDER BY ");
		order_by_keys(&w, node);
		limit(&w, node);
	}
	node->nplaces = w.ncolumns;
	sql_finish(&w, out);
}

/* Does text compare otherwise than by its bytes? */
static bool collated(const struct plan_expr *e)
{
	if (e->type.class != TYPE_TEXT || e->part)
		return false;
	return e->cast || (!e->path && !e->column->binary_collation);
}

/* Where a value stands already: a column is sent once. */
static bool find_wanted(const struct plan_node *node, struct sql_wanted *wanted, size_t i)
{
	struct sql_wanted *x = &wanted[i];

	for (size_t k = 0; k < node->nitems && !x->instant; k++)
		if (!node->items[k].embed && plan_same_expr(&node->items[k].expr, &x->expr)) {
			x->place = node->items[k].place;
			return true;
		}
	for (size_t k = 0; k < i; k++)
		if (wanted[k].instant == x->instant && plan_same_expr(&wanted[k].expr, &x->expr)) {
			x->place = wanted[k].place;
			return true;
		}
	return false;
}

static void want(struct writer *w, const struct plan_node *node, struct sql_wanted *wanted, size_t i)
{
	struct sql_wanted *x = &wanted[i];

	if (!find_wanted(node, wanted, i)) {
		x->place = sql_place(w, x->instant ? FETCH_TEXT : sql_fetch(&x->expr.type));
		strbuf_adds(&w->text, x->instant ? "UNIX_TIMESTAMP(" : "");
		sql_selected(w, &x->expr);
		strbuf_adds(&w->text, x->instant ? ")" : "");
	}
	x->has_weight = x->weighed && collated(&x->expr);
	for (size_t k = 0; k < i && x->has_weight; k++)
		if (wanted[k].has_weight && plan_same_expr(&wanted[k].expr, &x->expr)) {
			x->weight_place = wanted[k].weight_place;
			return;
		}
	if (!x->has_weight)
		return;
	x->weight_place = sql_place(w, FETCH_TEXT);
	sql_lit(w, "WEIGHT_STRING(");
	sql_expr(w, &x->expr);
	strbuf_addc(&w->text, ')');
}

void sql_gather(struct arena *a, const struct plan *plan, struct plan_node *node, const struct sql_keys *keys,
		struct sql_wanted *wanted, size_t n, struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, plan);
	w.bare = sql_alone(node) ? node : NULL;
	sql_lit(&w, "SELECT ");
	own_keys(&w, node, false);
	select_items(&w, node, false);
	kid_keys(&w, node, false);
	for (size_t i = 0; i < n; i++)
		want(&w, node, wanted, i);
	if (!w.ncolumns) {
		sql_place(&w, FETCH_INT);
		strbuf_addc(&w.text, '1');
	}
	from_where_group(&w, node, keys);
	node->nplaces = w.ncolumns;
	sql_finish(&w, out);
}

void sql_count(struct arena *a, const struct plan *plan, bool page, struct db_statement *out)
{
	const struct plan_node *root = plan->root;
	bool derived = page || root->aggregated;
	struct writer w;

	sql_writer(&w, a, plan);
	w.bare = sql_alone(root) ? root : NULL;
	sql_place(&w, FETCH_INT);
	strbuf_adds(&w.text, derived ? "SELECT COUNT(*) FROM (SELECT 1" : "SELECT COUNT(*)");
	if (root->aggregated && !root->ngroup)
		sql_lit(&w, ",COUNT(*)");
	sql_lit(&w, " FROM ");
	sql_table(&w, root);
	if (root->aggregated)
		joins(&w, root);
	sql_where(&w, root, " WHERE ");
	group_by(&w, root);
	having(&w, root);
	if (page)
		limit(&w, root);
	if (derived)
		sql_lit(&w, ") AS q");
	sql_finish(&w, out);
}

static void fetch_texts(struct writer *w, size_t n)
{
	struct strbuf text = w->text;

	w->ncolumns = 0;
	for (size_t i = 0; i < n; i++)
		sql_place(w, FETCH_TEXT);
	w->text = text;
}

void sql_estimate(struct arena *a, const struct plan *plan, struct db_statement *out, size_t *rows_out,
		  size_t *filtered_out)
{
	bool mariadb = plan->catalogue->mariadb;
	struct writer w;

	sql_writer(&w, a, plan);
	strbuf_adds(&w.text, mariadb ? "EXPLAIN EXTENDED SELECT 1" : "EXPLAIN FORMAT=TRADITIONAL SELECT 1");
	from_where_group(&w, plan->root, NULL);
	fetch_texts(&w, mariadb ? 11 : 12);
	*rows_out = mariadb ? 8 : 9;
	*filtered_out = mariadb ? 9 : 10;
	sql_finish(&w, out);
}

void sql_explain(struct arena *a, const struct plan *plan, bool analyze, bool json, struct db_statement *out)
{
	bool mariadb = plan->catalogue->mariadb;
	struct db_statement select;
	struct writer w;
	const char *explain;

	if (mariadb)
		explain = analyze ? "ANALYZE FORMAT=JSON " : "EXPLAIN FORMAT=JSON ";
	else if (analyze)
		explain = "EXPLAIN ANALYZE ";
	else
		explain = json ? "EXPLAIN FORMAT=JSON " : "EXPLAIN FORMAT=TREE ";
	if (plan->root->counted)
		sql_gather(a, plan, plan->root, NULL, NULL, 0, &select);
	else
		sql_select(a, plan, plan->root, NULL, &select);
	sql_writer(&w, a, plan);
	strbuf_adds(&w.text, explain);
	strbuf_add_slice(&w.text, select.text);
	fetch_texts(&w, 1);
	sql_finish(&w, out);
	out->params = select.params;
	out->nparams = select.nparams;
}

/* UTC needs no time zone tables; SYSTEM is nothing that a client could know. */
static struct slice zone_name(struct slice zone)
{
	static const char *const utc[] = { "UTC", "Etc/UTC", "GMT", "Zulu" };

	for (size_t i = 0; i < sizeof(utc) / sizeof(*utc); i++)
		if (slice_ieq(zone, slice_of(utc[i])))
			return SLICE("+00:00");
	return slice_ieq(zone, SLICE("SYSTEM")) ? SLICE("") : zone;
}

void sql_set_timezone(struct arena *a, struct slice zone, struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, NULL);
	sql_lit(&w, "SET time_zone = ");
	sql_param(&w, value_text(zone_name(zone)));
	sql_finish(&w, out);
}
