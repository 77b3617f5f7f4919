/*
 * Levels with an aggregate that needs every value (median, quantile, boxplot, histogram): their groups are formed and
 * counted in C (app/stats), and so are their order and having, which are less there than the database's.
 */
#include "internal.h"

#define OPERATORS                                                                                             \
	(1u << OP_EQ | 1u << OP_NEQ | 1u << OP_GT | 1u << OP_GTE | 1u << OP_LT | 1u << OP_LTE | 1u << OP_IN | \
	 1u << OP_IS | 1u << OP_ISDISTINCT)

/* Each takes a walk over all distinct values. */
#define MAX_COUNTED 100

static size_t counted_in(const struct plan_cond *c)
{
	size_t n = 0;

	if (!c)
		return 0;
	for (size_t i = 0; i < c->nkids; i++)
		n += counted_in(c->kids[i]);
	return n + (c->kind == COND_COMPARE && plan_is_counted(&c->left));
}

static size_t count_counted(const struct plan_node *node)
{
	size_t n = counted_in(node->having);

	for (size_t i = 0; i < node->nitems; i++)
		n += !node->items[i].embed && plan_is_counted(&node->items[i].expr);
	for (size_t i = 0; i < node->norder; i++)
		n += plan_is_counted(&node->order[i].expr);
	return n;
}

static bool not_offered(struct planner *p, const char *details)
{
	error_set(p->err, ERR_NOT_OFFERED, "Feature not implemented");
	return error_details(p->err, "%s", details);
}

#define CLASS(c) (1u << TYPE_##c)
#define NUMBERS (CLASS(INT) | CLASS(BOOL) | CLASS(YEAR) | CLASS(DECIMAL) | CLASS(FLOAT) | CLASS(DOUBLE))
#define MOMENTS (CLASS(DATE) | CLASS(DATETIME) | CLASS(TIMESTAMP) | CLASS(TIME))

/* What app/stats/cast.c does. */
static bool is_castable(const struct plan_cast *c)
{
	unsigned from = 1u << c->from.class, to = 1u << c->type.class;

	if (from & NUMBERS)
		return to & (NUMBERS | CLASS(TEXT));
	if (from & MOMENTS)
		return to & (MOMENTS | CLASS(TEXT));
	return to & (CLASS(TEXT) | CLASS(JSON)) && !(from & (CLASS(BYTES) | CLASS(BIT) | CLASS(GEOMETRY)));
}

static bool check_expr(struct planner *p, const struct plan_expr *e)
{
	if (!e->aggregate_cast || is_castable(e->aggregate_cast))
		return true;
	return not_offered(p, "This cast behind an aggregate is not possible beside median(), quantile(), boxplot() "
			      "and histogram(). Cast the column before it.");
}

static bool is_comparable(const struct type *t)
{
	switch (t->class) {
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_DECIMAL:
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
	case TYPE_DATE:
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
	case TYPE_TIME:
	case TYPE_YEAR:
		return true;
	default:
		return false;
	}
}

static bool check_having(struct planner *p, const struct plan_cond *c)
{
	if (!c)
		return true;
	for (size_t i = 0; i < c->nkids; i++)
		if (!check_having(p, c->kids[i]))
			return false;
	if (c->kind != COND_COMPARE)
		return true;
	if (!(OPERATORS & 1u << c->op) || !is_comparable(&c->left.type))
		return not_offered(p, "Beside median(), quantile(), boxplot() and histogram() having compares numbers, "
				      "dates and times alone.");
	return check_expr(p, &c->left);
}

static bool check_order(struct planner *p, const struct plan_order *o)
{
	if (!plan_is_counted(&o->expr) || o->expr.type.class != TYPE_JSON)
		return check_expr(p, &o->expr);
	error_set(p->err, ERR_NO_OPERATOR, "could not identify an ordering operator for type json");
	return error_hint(p->err, "Order by a number of it, as in order=col.boxplot()->q3.desc");
}

bool plan_counted(struct planner *p, struct plan_node *node)
{
	size_t n = count_counted(node);

	node->counted = n > 0;
	if (!node->counted)
		return true;
	if (n > MAX_COUNTED)
		return not_offered(p,
				   "median(), quantile(), boxplot() and histogram() can stand 100 times in one select "
				   "with its order and having.");
	for (size_t i = 0; i < node->nitems; i++)
		if (!node->items[i].embed && node->items[i].expr.aggregate && !check_expr(p, &node->items[i].expr))
			return false;
	for (size_t i = 0; i < node->norder; i++)
		if (!check_order(p, &node->order[i]))
			return false;
	return check_having(p, node->having);
}
