#ifndef ROWGATE_PLAN_INTERNAL_H
#define ROWGATE_PLAN_INTERNAL_H

#include "plan.h"

/* What planning carries along. */
struct planner {
	struct arena *a;
	const struct config *config;
	const struct schema *schema;
	struct plan *plan;
	struct error *err;
};

/* The relation an embed means (app/plan/embed.c): ERR_NO_RELATION, ERR_AMBIGUOUS_EMBED. */
bool plan_relation(struct planner *p, const struct table *from, const struct query_embed *embed,
		   const struct relation **out) MUST_CHECK;

/* The column a field names, with its JSON path, as an expression of node. */
bool plan_field(struct planner *p, const struct plan_node *node, const struct query_field *field,
		struct plan_expr *out) MUST_CHECK;

/* What an item of select=, a term of order= or of having= means, with its functions (app/plan/value.c). */
bool plan_value(struct planner *p, const struct plan_node *node, const struct query_item *q,
		struct plan_expr *out) MUST_CHECK;

/* The name of an aggregate, as its value goes by. */
const char *plan_function_name(const struct query_item *q);

/*
 * The item of node's answer that a function makes and a field names: by its name there, and b->median for a figure of
 * the box plot b. NULL: there is none.
 */
const struct plan_item *plan_named(const struct plan_node *node, const struct query_field *field);

/* What field means of the item it names. Fails for a figure that there is not. */
bool plan_named_value(struct planner *p, const struct plan_item *item, const struct query_field *field,
		      struct plan_expr *out) MUST_CHECK;

/*
 * having=, and those filters that speak of aggregates by their names; what is left of where= is planned by
 * plan_conditions. The groups are known.
 */
bool plan_having(struct planner *p, struct plan_node *node, const struct query_node *query) MUST_CHECK;

/* Sets node->counted, and refuses what cannot be where groups are counted here (app/plan/counted.c). */
bool plan_counted(struct planner *p, struct plan_node *node) MUST_CHECK;

/* Does a filter speak of an aggregate of node, by its name in the answer? */
bool plan_speaks_of_aggregate(const struct plan_node *node, const struct query_logic *l);

/* How a group is told by e: the expression it is grouped by, NULL when none. */
const struct plan_expr *plan_grouped(const struct plan_node *node, const struct plan_expr *e);

/* A cast by the name a client gives (app/plan/cast.c): ERR_UNKNOWN_TYPE. */
bool plan_cast(struct planner *p, struct slice name, const struct plan_expr *of,
	       const struct plan_cast **out) MUST_CHECK;

/* The conditions of one level (app/plan/cond.c). */
bool plan_conditions(struct planner *p, struct plan_node *node, const struct query_node *query) MUST_CHECK;

/* A part of a date, of what cast makes. */
bool plan_part(struct planner *p, enum query_part part, struct plan_expr *e) MUST_CHECK;

/* One comparison with its values typed; left is set. */
bool plan_compare(struct planner *p, const struct query_filter *f, struct plan_cond *c) MUST_CHECK;

/* The embed of node that a name means: by its key, else by its table. */
struct plan_node *plan_kid(const struct plan_node *node, struct slice name);

/* A PostgreSQL or web style search text in MySQL's boolean mode (app/plan/fulltext.c). */
bool plan_fulltext(struct planner *p, enum query_op op, struct slice text, struct slice *out) MUST_CHECK;

static inline bool plan_is_to_one(const struct relation *r)
{
	return r->cardinality == TO_ONE || r->cardinality == ONE_TO_ONE;
}

#endif
