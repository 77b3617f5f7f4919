/*
 * From a query to a plan for reading: table and embeds found, select list, filters, order and grouping resolved, limits
 * joined with the configured ones.
 */
#include "internal.h"

bool plan_schema(const struct config *config, struct slice profile, struct slice *schema_out, struct error *err)
{
	struct strbuf b;

	if (!profile.len) {
		*schema_out = slice_of(config->db_schemas.items[0]);
		return true;
	}
	for (size_t i = 0; i < config->db_schemas.n; i++)
		if (slice_is(profile, config->db_schemas.items[i])) {
			*schema_out = slice_of(config->db_schemas.items[i]);
			return true;
		}
	/* PostgreSQL's usual schema, which supabase-js names when it is told of no other. */
	if (slice_is(profile, "public")) {
		*schema_out = slice_of(config->db_schemas.items[0]);
		return true;
	}
	error_set(err, ERR_SCHEMA, "Invalid schema: %.*s", (int)profile.len, profile.ptr);
	strbuf_init(&b, err->arena, 128);
	for (size_t i = 0; i < config->db_schemas.n; i++)
		strbuf_addf(&b, "%s%s", i ? ", " : "", config->db_schemas.items[i]);
	return error_hint(err, "Only the following schemas are exposed: %s", strbuf_cstr(&b));
}

bool plan_table(const struct schema *schema, struct slice db, struct slice name, const struct table **table_out,
		struct error *err)
{
	const struct table *t = schema_table(schema, db, name);
	struct slice *names, near;
	size_t n = 0;

	if (t) {
		*table_out = t;
		return true;
	}
	error_set(err, ERR_NO_TABLE, "Could not find the table '%.*s.%.*s' in the schema cache", (int)db.len, db.ptr,
		  (int)name.len, name.ptr);
	names = arena_array(err->arena, struct slice, schema->ntables);
	for (t = schema_next_table(schema, NULL); t; t = schema_next_table(schema, t))
		if (slice_eq(t->schema, db))
			names[n++] = t->name;
	near = schema_nearest(name, names, n);
	if (near.len)
		error_hint(err, "Perhaps you meant the table '%.*s.%.*s'", (int)db.len, db.ptr, (int)near.len,
			   near.ptr);
	return false;
}

static bool no_column(struct planner *p, const struct table *t, struct slice name)
{
	struct slice *names = arena_array(p->a, struct slice, t->ncolumns), near;

	for (size_t i = 0; i < t->ncolumns; i++)
		names[i] = t->columns[i].name;
	error_set(p->err, ERR_UNKNOWN_COLUMN, "column %.*s.%.*s does not exist", (int)t->name.len, t->name.ptr,
		  (int)name.len, name.ptr);
	near = schema_nearest(name, names, t->ncolumns);
	if (near.len)
		error_hint(p->err, "Perhaps you meant to reference the column \"%.*s.%.*s\".", (int)t->name.len,
			   t->name.ptr, (int)near.len, near.ptr);
	return false;
}

/* A step of the path in the server's syntax: ."key", [n], [last-n]. */
static void path_step(const struct planner *p, struct strbuf *b, const struct query_step *s)
{
	if (!s->is_index) {
		strbuf_addc(b, '.');
		json_string(b, s->key);
	} else if (s->index >= 0) {
		strbuf_addf(b, "[%lld]", (long long)s->index);
	} else if (p->schema->mariadb) {
		strbuf_addf(b, "[%lld]", (long long)s->index);
	} else if (s->index == -1) {
		strbuf_lit(b, "[last]");
	} else {
		strbuf_addf(b, "[last-%lld]", (long long)(-1 - s->index));
	}
}

static struct plan_path *plan_json_path(struct planner *p, const struct query_field *field)
{
	struct plan_path *path = arena_new(p->a, struct plan_path);
	struct slice *arrays = arena_array(p->a, struct slice, field->nsteps);
	struct strbuf b;

	strbuf_init(&b, p->a, 64);
	strbuf_addc(&b, '$');
	for (size_t i = 0; i < field->nsteps; i++) {
		if (field->steps[i].is_index)
			arrays[path->narrays++] = slice_copy(p->a, strbuf_slice(&b));
		path_step(p, &b, &field->steps[i]);
	}
	path->text = strbuf_slice(&b);
	path->arrays = arrays;
	path->as_text = field->steps[field->nsteps - 1].as_text;
	return path;
}

/* Each step from an array's end doubles the path that MariaDB before 10.9 gets (app/sql/expr.c). */
static bool too_many_from_end(const struct planner *p, const struct query_field *field)
{
	size_t n = 0;

	for (size_t i = 0; i < field->nsteps; i++)
		n += field->steps[i].is_index && field->steps[i].index < 0;
	return p->schema->mariadb && p->schema->version < 100900 && n > 2;
}

bool plan_field(struct planner *p, const struct plan_node *node, const struct query_field *field, struct plan_expr *out)
{
	const struct column *c = schema_column(node->table, field->name);

	if (!c)
		return no_column(p, node->table, field->name);
	*out = (struct plan_expr){ .node = node, .column = c, .type = c->type };
	if (!field->nsteps)
		return true;
	if (c->type.class != TYPE_JSON)
		return error_set(p->err, ERR_NO_OPERATOR, "operator does not exist: %s -> unknown",
				 type_name(&c->type));
	if (too_many_from_end(p, field)) {
		error_set(p->err, ERR_NOT_OFFERED, "Feature not implemented");
		return error_details(p->err, "This server takes two negative array indices in a JSON path at most.");
	}
	out->path = plan_json_path(p, field);
	out->raw_json = true;
	out->type = (struct type){ .class = out->path->as_text ? TYPE_TEXT : TYPE_JSON };
	return true;
}

struct plan_node *plan_kid(const struct plan_node *node, struct slice name)
{
	for (size_t i = 0; i < node->nkids; i++)
		if (slice_eq(node->kids[i]->key, name))
			return node->kids[i];
	for (size_t i = 0; i < node->nkids; i++)
		if (slice_eq(node->kids[i]->table->name, name))
			return node->kids[i];
	return NULL;
}

static void set_key(struct planner *p, struct plan_item *item, struct slice key)
{
	struct strbuf b;

	item->key = key;
	strbuf_init(&b, p->a, key.len + 4);
	strbuf_addc(&b, ',');
	json_string(&b, key);
	strbuf_addc(&b, ':');
	item->prefix = strbuf_slice(&b);
}

/* The name a value goes by: alias, function, last key of a JSON path, column. */
static struct slice item_key(const struct query_item *q)
{
	if (q->alias.len)
		return q->alias;
	if (q->member.len)
		return q->member;
	if (q->aggregate || q->part)
		return slice_of(plan_function_name(q));
	for (size_t i = q->field.nsteps; i-- > 0;)
		if (!q->field.steps[i].is_index)
			return q->field.steps[i].key;
	return q->field.name;
}

static bool column_item(struct planner *p, struct plan_node *node, const struct query_item *q)
{
	struct plan_item *item = &node->items[node->nitems];
	struct query_item legacy = *q;

	/* `count` alone is the legacy form of count(). */
	if (!q->aggregate && !q->field.nsteps && slice_is(q->field.name, "count") &&
	    !schema_column(node->table, q->field.name)) {
		legacy.aggregate = AGG_COUNT;
		legacy.field.name = (struct slice){ NULL, 0 };
	}
	if (!plan_value(p, node, &legacy, &item->expr))
		return false;
	set_key(p, item, item_key(&legacy));
	node->nitems++;
	return true;
}

static void star_items(struct planner *p, struct plan_node *node)
{
	for (size_t i = 0; i < node->table->ncolumns; i++) {
		const struct column *c = &node->table->columns[i];
		struct plan_item *item;

		if (c->invisible)
			continue;
		item = &node->items[node->nitems++];
		item->expr = (struct plan_expr){ .node = node, .column = c, .type = c->type };
		set_key(p, item, c->name);
	}
}

static bool fill(struct planner *p, struct plan_node *node, const struct query_node *query);

static struct plan_node *new_node(struct planner *p, struct plan_node *parent, const struct table *table)
{
	struct plan_node *node = arena_new(p->a, struct plan_node);

	node->table = table;
	node->parent = parent;
	node->number = p->plan->nnodes++;
	return node;
}

static bool is_to_many_spread(const struct plan_node *node)
{
	return node->spread && node->relation && !plan_is_to_one(node->relation);
}

static bool embed_item(struct planner *p, struct plan_node *node, const struct query_item *q)
{
	const struct query_embed *e = q->embed;
	struct plan_item *item = &node->items[node->nitems++];
	const struct relation *relation;
	struct plan_node *kid;

	if (!plan_relation(p, node->table, e, &relation))
		return false;
	kid = new_node(p, node, relation->to);
	kid->relation = relation;
	kid->key = e->alias.len ? e->alias : e->relation;
	kid->inner = e->join == JOIN_INNER;
	kid->spread = e->spread;
	kid->columnar = is_to_many_spread(kid) || (kid->spread && node->columnar);
	item->embed = kid;
	set_key(p, item, kid->key);
	node->kids[node->nkids++] = kid;
	return fill(p, kid, &e->node);
}

/* What hoisted kids show becomes the node's own, in its place. */
static void take_hoisted(struct planner *p, struct plan_node *node)
{
	struct plan_item *all = node->items;
	size_t n = node->nitems, room = n, embeds = node->nkids;

	for (size_t k = 0; k < node->nkids; k++) {
		room += node->kids[k]->hoisted ? node->kids[k]->nitems : 0;
		embeds += node->kids[k]->hoisted ? node->kids[k]->nembeds : 0;
	}
	node->embeds = arena_array(p->a, struct plan_node *, embeds);
	if (room > n) {
		node->items = arena_array(p->a, struct plan_item, room);
		node->nitems = 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct plan_node *kid = all[i].embed;

		if (kid && !kid->hoisted)
			node->embeds[node->nembeds++] = kid;
		if (!kid || !kid->hoisted) {
			if (room > n)
				node->items[node->nitems++] = all[i];
			continue;
		}
		for (size_t k = 0; k < kid->nitems; k++)
			node->items[node->nitems++] = kid->items[k];
		for (size_t k = 0; k < kid->nembeds; k++)
			node->embeds[node->nembeds++] = kid->embeds[k];
		kid->nitems = kid->nembeds = 0;
	}
}

static bool items(struct planner *p, struct plan_node *node, const struct query_node *query)
{
	size_t room = 0, embeds = 0;

	for (size_t i = 0; i < query->nitems; i++) {
		room += query->items[i].kind == ITEM_STAR ? node->table->ncolumns : 1;
		embeds += query->items[i].kind == ITEM_EMBED;
	}
	node->items = arena_array(p->a, struct plan_item, room);
	node->kids = arena_array(p->a, struct plan_node *, embeds);
	for (size_t i = 0; i < query->nitems; i++) {
		const struct query_item *q = &query->items[i];

		if (q->kind == ITEM_STAR)
			star_items(p, node);
		else if (!(q->kind == ITEM_EMBED ? embed_item(p, node, q) : column_item(p, node, q)))
			return false;
	}
	take_hoisted(p, node);
	return true;
}

/* A column of a to-one embed by the name it has in the answer. */
static const struct plan_item *item_named(const struct plan_node *node, const struct plan_node *kid, struct slice name)
{
	for (size_t i = 0; i < kid->nitems; i++)
		if (!kid->items[i].embed && slice_eq(kid->items[i].key, name))
			return &kid->items[i];
	for (size_t i = 0; i < node->nitems && kid->hoisted; i++)
		if (node->items[i].expr.node == kid && slice_eq(node->items[i].key, name))
			return &node->items[i];
	return NULL;
}

static bool order_term(struct planner *p, struct plan_node *node, const struct query_order *q, struct plan_order *o)
{
	const struct plan_node *on = node;
	const struct plan_item *named;

	o->descending = q->descending;
	o->nulls_first = q->nulls == NULLS_DEFAULT ? q->descending : q->nulls == NULLS_FIRST;
	if (q->relation.len) {
		struct plan_node *kid = plan_kid(node, q->relation);

		if (!kid) {
			error_set(p->err, ERR_NOT_EMBEDDED, "'%.*s' is not an embedded resource in this request",
				  (int)q->relation.len, q->relation.ptr);
			return error_hint(p->err, "Verify that '%.*s' is included in the 'select' query parameter.",
					  (int)q->relation.len, q->relation.ptr);
		}
		if (!plan_is_to_one(kid->relation)) {
			error_set(p->err, ERR_ORDER_NOT_TO_ONE, "A related order on '%.*s' is not possible",
				  (int)q->relation.len, q->relation.ptr);
			return error_details(p->err,
					     "'%.*s' and '%.*s' do not form a many-to-one or one-to-one relationship",
					     (int)node->table->name.len, node->table->name.ptr, (int)q->relation.len,
					     q->relation.ptr);
		}
		kid->joined = true;
		on = kid;
	}
	if (q->value) {
		o->nullable = true;
		return plan_value(p, on, q->value, &o->expr);
	}
	if (!plan_field(p, on, &q->field, &o->expr)) {
		named = on == node || q->field.nsteps ? NULL : item_named(node, on, q->field.name);
		if (!named || p->err->code != ERR_UNKNOWN_COLUMN)
			return false;
		error_init(p->err, p->err->arena);
		o->expr = named->expr;
		o->nullable = true;
		return true;
	}
	o->nullable = o->expr.path || o->expr.column->nullable || on != node;
	return true;
}

static bool already_ordered(const struct plan_node *node, const struct column *c)
{
	for (size_t i = 0; i < node->norder; i++)
		if (node->order[i].expr.column == c && node->order[i].expr.node == node && !node->order[i].expr.path)
			return true;
	return false;
}

/*
 * Pages need an order that is the same every time: the primary key goes last, in the direction of the last term, which
 * an index on that term can still serve.
 */
static void order_by_key(struct plan_node *node)
{
	bool descending = node->norder && node->order[node->norder - 1].descending;
	const struct key *k = node->table->primary;

	for (size_t i = 0; k && i < k->n; i++)
		if (!already_ordered(node, k->columns[i]))
			node->order[node->norder++] = (struct plan_order){
				.expr = { .node = node, .column = k->columns[i], .type = k->columns[i]->type },
				.descending = descending
			};
}

/* What is no column may be the name of what a function makes. */
static bool order_by_name(struct planner *p, struct plan_node *node, const struct query_order *q, struct plan_order *o)
{
	const struct plan_item *named = q->relation.len || q->value ? NULL : plan_named(node, &q->field);

	if (!named || p->err->code != ERR_UNKNOWN_COLUMN)
		return false;
	error_init(p->err, p->err->arena);
	o->nullable = true;
	return plan_named_value(p, named, &q->field, &o->expr);
}

static bool order(struct planner *p, struct plan_node *node, const struct query_node *query)
{
	size_t room = query->norder + (node->table->primary ? node->table->primary->n : 0);

	node->order = arena_array(p->a, struct plan_order, room);
	for (size_t i = 0; i < query->norder; i++) {
		if (!order_term(p, node, &query->order[i], &node->order[i]) &&
		    !order_by_name(p, node, &query->order[i], &node->order[i]))
			return false;
		node->norder++;
	}
	return true;
}

static void limits(struct planner *p, struct plan_node *node, const struct query_node *query)
{
	uint64_t max = p->config->db_max_rows;

	node->has_limit = query->has_limit || max;
	node->limit = query->has_limit ? query->limit : max;
	if (max && node->limit > max)
		node->limit = max;
	node->offset = query->offset;
}

static bool has_aggregate(const struct plan_node *node)
{
	for (size_t i = 0; i < node->norder; i++)
		if (node->order[i].expr.aggregate)
			return true;
	for (size_t i = 0; i < node->nitems; i++)
		if (!node->items[i].embed && node->items[i].expr.aggregate)
			return true;
	return false;
}

static void group_by(struct plan_node *node, const struct plan_expr *e)
{
	node->group[node->ngroup++] = *e;
}

/*
 * An aggregated level: what is not aggregated forms its groups. To-one embeds are joined in, so that their columns can
 * form groups too; a to-many embed needs the key it hangs on.
 */
static void group(struct planner *p, struct plan_node *node)
{
	size_t room = node->nitems;

	for (size_t i = 0; i < node->nembeds; i++)
		room += node->embeds[i]->nitems + node->embeds[i]->relation->n;
	node->group = arena_array(p->a, struct plan_expr, room);
	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];
		struct plan_node *kid = item->embed;

		if (!kid) {
			if (!item->expr.aggregate)
				group_by(node, &item->expr);
			continue;
		}
		if (plan_is_to_one(kid->relation) && !kid->aggregated) {
			kid->joined = true;
			for (size_t k = 0; k < kid->nitems; k++)
				if (!kid->items[k].embed)
					group_by(node, &kid->items[k].expr);
			continue;
		}
		for (size_t k = 0; k < kid->relation->n; k++)
			group_by(node, &(struct plan_expr){ .node = kid->parent,
							    .column = kid->relation->from_columns[k],
							    .type = kid->relation->from_columns[k]->type });
	}
}

const struct plan_expr *plan_grouped(const struct plan_node *node, const struct plan_expr *e)
{
	const struct plan_expr *found = NULL;

	for (size_t i = 0; i < node->ngroup && !found; i++)
		if (plan_same_expr(&node->group[i], e))
			found = &node->group[i];
	/* A column that is grouped by a cast of it is that, where nothing else is asked. */
	for (size_t i = 0; node->group && i < node->ngroup && !found && !e->cast; i++) {
		struct plan_expr uncast = node->group[i];

		uncast.cast = NULL;
		if (plan_same_expr(&uncast, e))
			found = &node->group[i];
	}
	return found;
}

/* The rows of a group share what hangs on their table's primary key, and an embed's the key to its parent. */
static bool is_one_per_group(const struct plan_node *node, const struct plan_expr *e)
{
	const struct key *primary = e->node->table->primary;
	size_t found = 0;

	for (size_t i = 0; primary && i < primary->n; i++) {
		const struct plan_expr *g =
			plan_grouped(node, &(struct plan_expr){ .node = e->node, .column = primary->columns[i] });

		found += g && !g->cast;
	}
	if (primary && found == primary->n)
		return true;
	for (size_t i = 0; e->node == node && node->relation && !node->relation->junction && i < node->relation->n; i++)
		if (node->relation->to_columns[i] == e->column)
			return true;
	return false;
}

/* What orders groups must be the same for all rows of one. A column that is grouped by a cast of it orders by that. */
static bool order_groups(struct planner *p, struct plan_node *node)
{
	for (size_t i = 0; i < node->norder; i++) {
		struct plan_expr *e = &node->order[i].expr;
		const struct plan_expr *g = plan_grouped(node, e);

		if (e->aggregate || (!g && is_one_per_group(node, e)))
			continue;
		if (!g) {
			error_set(p->err, ERR_NO_OPERATOR,
				  "column \"%.*s.%.*s\" must appear in the GROUP BY clause or be used in an aggregate "
				  "function",
				  (int)e->node->table->name.len, e->node->table->name.ptr, (int)e->column->name.len,
				  e->column->name.ptr);
			p->err->sqlstate = "42803";
			return false;
		}
		*e = *g;
	}
	return true;
}

/* Groups come in the order of what makes them when a page of them is asked for, or the parts of a date make them. */
static void order_by_group(struct planner *p, struct plan_node *node, bool page)
{
	struct plan_order *order;

	for (size_t i = 0; i < node->ngroup; i++)
		page |= node->group[i].part;
	if (node->norder || !page)
		return;
	order = arena_array(p->a, struct plan_order, node->ngroup);
	for (size_t i = 0; i < node->ngroup; i++)
		if (node->group[i].type.class != TYPE_GEOMETRY && node->group[i].type.class != TYPE_VECTOR)
			order[node->norder++] = (struct plan_order){ .expr = node->group[i], .nullable = true };
	node->order = order;
}

/* A to-one spread with aggregates is counted in its parent's statement. */
static bool hoist(struct planner *p, struct plan_node *node)
{
	if (!node->spread || !node->aggregated)
		return true;
	if (!plan_is_to_one(node->relation)) {
		error_set(p->err, ERR_NOT_OFFERED, "Feature not implemented");
		return error_details(p->err, "Aggregates are not implemented for one-to-many or many-to-many spreads.");
	}
	if (node->having) {
		error_set(p->err, ERR_NOT_OFFERED, "Feature not implemented");
		return error_details(p->err, "The groups of a spread are its parent's, and so is having.");
	}
	node->hoisted = node->joined = true;
	return true;
}

static bool fill(struct planner *p, struct plan_node *node, const struct query_node *query)
{
	if (!items(p, node, query) || !plan_conditions(p, node, query) || !order(p, node, query))
		return false;
	limits(p, node, query);
	node->aggregated = has_aggregate(node) || query->nhaving;
	if (node->aggregated) {
		group(p, node);
		order_by_group(p, node, query->has_limit || query->offset);
		if (!order_groups(p, node) || !plan_having(p, node, query))
			return false;
		if (!plan_counted(p, node))
			return false;
	} else {
		if (query->has_limit || query->offset)
			order_by_key(node);
		if (!plan_having(p, node, query))
			return false;
	}
	return !node->parent || hoist(p, node);
}

bool plan_given(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
		const struct table *table, struct plan **plan_out, struct error *err)
{
	struct plan *plan = arena_new(a, struct plan);
	struct planner p = { a, config, schema, plan, err };

	plan->catalogue = schema;
	plan->config = config;
	plan->count = query->prefer.count;
	plan->timezone = query->prefer.timezone;
	plan->strict = query->prefer.handling == HANDLING_STRICT;
	plan->schema = table->schema;
	plan->table = table;
	plan->root = new_node(&p, NULL, table);
	if (!fill(&p, plan->root, &query->root))
		return false;
	*plan_out = plan;
	return true;
}

bool plan_read(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
	       struct plan **plan_out, struct error *err)
{
	const struct table *table = NULL;
	struct slice db = { NULL, 0 };

	return plan_schema(config, query->profile, &db, err) && plan_table(schema, db, query->name, &table, err) &&
	       plan_given(a, config, schema, query, table, plan_out, err);
}
