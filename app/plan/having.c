/*
 * Conditions on groups: having=, and filters that name an aggregate of the answer. One that speaks of what groups are
 * made of alone is a condition on their rows, and joins those of where.
 */
#include "internal.h"

static const struct plan_item *named(const struct plan_node *node, const struct query_filter *f)
{
	return f->value ? NULL : plan_named(node, &f->field);
}

bool plan_speaks_of_aggregate(const struct plan_node *node, const struct query_logic *l)
{
	if (l->kind == LOGIC_LEAF)
		return !schema_column(node->table, l->filter.field.name) && named(node, &l->filter);
	for (size_t i = 0; i < l->nkids; i++)
		if (plan_speaks_of_aggregate(node, l->kids[i]))
			return true;
	return false;
}

static bool not_grouped(struct planner *p, const struct plan_expr *e)
{
	error_set(p->err, ERR_NO_OPERATOR,
		  "column \"%.*s.%.*s\" must appear in the GROUP BY clause or be used in an aggregate function",
		  (int)e->node->table->name.len, e->node->table->name.ptr, (int)e->column->name.len,
		  e->column->name.ptr);
	p->err->sqlstate = "42803";
	return false;
}

static bool left(struct planner *p, const struct plan_node *node, const struct query_filter *f, struct plan_expr *out)
{
	const struct plan_item *item = named(node, f);
	const struct plan_expr *g;

	if (item && !schema_column(node->table, f->field.name))
		return plan_named_value(p, item, &f->field, out);
	if (!(f->value ? plan_value(p, node, f->value, out) : plan_field(p, node, &f->field, out)))
		return false;
	if (out->aggregate)
		return true;
	g = plan_grouped(node, out);
	if (!g)
		return not_grouped(p, out);
	*out = *g;
	return true;
}

/* Oracle's MySQL finds no column in HAVING but those that groups are made of as they are. */
static bool check_key(struct planner *p, const struct plan_expr *e, bool alone)
{
	if (alone || e->aggregate || (!e->cast && !e->path))
		return true;
	error_set(p->err, ERR_NOT_OFFERED, "Feature not implemented");
	return error_details(p->err, "What groups are made of by a function or a JSON path cannot stand in one tree of "
				     "having with aggregates.");
}

/* An index is no help to groups. */
static bool check_operator(struct planner *p, const struct query_filter *f)
{
	if (f->op != OP_FTS && f->op != OP_PLFTS && f->op != OP_PHFTS && f->op != OP_WFTS)
		return true;
	error_set(p->err, ERR_NOT_OFFERED, "Feature not implemented");
	return error_details(p->err, "Full text is searched by filters alone.");
}

static bool has_aggregate(const struct plan_node *node, const struct query_logic *l)
{
	const struct plan_item *item;

	if (l->kind == LOGIC_LEAF) {
		item = named(node, &l->filter);
		return (l->filter.value && l->filter.value->aggregate) || (item && item->expr.aggregate);
	}
	for (size_t i = 0; i < l->nkids; i++)
		if (has_aggregate(node, l->kids[i]))
			return true;
	return false;
}

static bool condition(struct planner *p, const struct plan_node *node, const struct query_logic *l, bool alone,
		      struct plan_cond **out)
{
	struct plan_cond *c = *out = arena_new(p->a, struct plan_cond);

	if (l->kind == LOGIC_LEAF)
		return left(p, node, &l->filter, &c->left) && check_key(p, &c->left, alone) &&
		       check_operator(p, &l->filter) && plan_compare(p, &l->filter, c);
	c->kind = l->kind == LOGIC_AND ? COND_AND : COND_OR;
	c->negated = l->negated;
	c->nkids = l->nkids;
	c->kids = arena_array(p->a, struct plan_cond *, l->nkids);
	for (size_t i = 0; i < l->nkids; i++)
		if (!condition(p, node, l->kids[i], alone, &c->kids[i]))
			return false;
	return true;
}

static void push(struct planner *p, struct plan_cond **all, struct plan_cond *c)
{
	struct plan_cond *to = *all;
	struct plan_cond **kids;

	if (!to) {
		to = *all = arena_new(p->a, struct plan_cond);
		to->kind = COND_AND;
	}
	kids = arena_array(p->a, struct plan_cond *, to->nkids + 1);
	if (to->nkids)
		memcpy(kids, to->kids, to->nkids * sizeof(struct plan_cond *));
	kids[to->nkids++] = c;
	to->kids = kids;
}

/* A tree at the top that is an AND goes in by its parts, so that each finds its place. */
static bool add(struct planner *p, struct plan_node *node, const struct query_logic *l)
{
	bool grouped = has_aggregate(node, l);
	struct plan_cond *c;

	if (l->kind == LOGIC_AND && !l->negated) {
		for (size_t i = 0; i < l->nkids; i++)
			if (!add(p, node, l->kids[i]))
				return false;
		return true;
	}
	if (!condition(p, node, l, !grouped, &c))
		return false;
	push(p, grouped ? &node->having : &node->where, c);
	return true;
}

bool plan_having(struct planner *p, struct plan_node *node, const struct query_node *query)
{
	for (size_t i = 0; i < query->nhaving; i++)
		if (!add(p, node, query->having[i]))
			return false;
	for (size_t i = 0; i < query->nwhere; i++)
		if (plan_speaks_of_aggregate(node, query->where[i]) && !add(p, node, query->where[i]))
			return false;
	return true;
}
