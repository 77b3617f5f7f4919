/* The order of groups, and what having leaves of them. */
#include <stdlib.h>

#include "internal.h"

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

static int compare_bytes(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? sign(c) : (a.len > b.len) - (a.len < b.len);
}

static size_t label(const struct type *type, struct slice text)
{
	for (size_t i = 0; i < type->nlabels; i++)
		if (slice_eq(type->labels[i], text))
			return i + 1;
	return 0;
}

static bool is_text(const struct value *v)
{
	return v->kind == VALUE_TEXT || v->kind == VALUE_DECIMAL || v->kind == VALUE_BYTES;
}

static struct slice digits(struct arena *a, const struct value *v)
{
	struct strbuf b;

	if (is_text(v))
		return v->s;
	strbuf_init(&b, a, 24);
	value_add(&b, v);
	return strbuf_slice(&b);
}

static int compare_numbers(const struct value *a, const struct value *b)
{
	struct arena *scratch;
	int c;

	if (a->kind == VALUE_INT && b->kind == VALUE_INT)
		return (a->i > b->i) - (a->i < b->i);
	if ((a->kind == VALUE_DOUBLE || a->kind == VALUE_FLOAT) && (b->kind == VALUE_DOUBLE || b->kind == VALUE_FLOAT))
		return (a->d > b->d) - (a->d < b->d);
	scratch = arena_open();
	c = number_compare(digits(scratch, a), digits(scratch, b));
	arena_close(scratch);
	return c;
}

static int compare_moments(const struct value *a, const struct value *b)
{
	int64_t x = moment_of(a), y = moment_of(b);

	return (x > y) - (x < y);
}

int cells_compare(const struct value *a, const struct value *b, const struct type *type)
{
	size_t x, y;

	switch (type->class) {
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_YEAR:
	case TYPE_DECIMAL:
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return compare_numbers(a, b);
	case TYPE_DATE:
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
	case TYPE_TIME:
		return compare_moments(a, b);
	case TYPE_ENUM:
		x = label(type, a->s);
		y = label(type, b->s);
		return (x > y) - (x < y);
	default:
		return compare_bytes(a->s, b->s);
	}
}

static int compare_nulls(const struct value *a, const struct value *b, bool first)
{
	int c = (a->kind == VALUE_NULL) - (b->kind == VALUE_NULL);

	return first ? -c : c;
}

static int compare_cells(const struct value *a, const struct value *b, const struct type *type, bool descending,
			 bool nulls_first)
{
	int c;

	if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
		return compare_nulls(a, b, nulls_first);
	c = cells_compare(a, b, type);
	return descending ? -c : c;
}

/* How the terms of an order find their cells. */
struct term {
	size_t place;
	struct type type;
	bool descending, nulls_first;
};

struct ordering {
	const struct stats *s;
	struct term *terms;
	size_t n;
};

static int compare_groups(const void *a, const void *b, void *context)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
	const struct ordering *o = context;
	int c = compare_bytes((struct slice){ x->key.ptr, x->parent }, (struct slice){ y->key.ptr, y->parent });

	for (size_t i = 0; i < o->n && !c; i++) {
		const struct term *t = &o->terms[i];

		c = compare_cells(&x->cells[t->place], &y->cells[t->place], &t->type, t->descending, t->nulls_first);
	}
	return c ? c : (x->number > y->number) - (x->number < y->number);
}

void groups_order(struct stats *s)
{
	const struct plan_node *node = s->node;
	struct ordering o = { .s = s };

	o.terms = arena_array(s->a, struct term, node->norder + s->nparts);
	for (size_t i = 0; i < node->norder; i++) {
		const struct plan_order *by = &node->order[i];

		o.terms[o.n++] = (struct term){ stats_place(s, &by->expr, true), by->expr.type, by->descending,
						by->nulls_first };
	}
	/* What is left equal goes by what the groups are made of, so that pages are the same every time. */
	for (size_t i = s->nparent; i < s->nparts; i++)
		o.terms[o.n++] = (struct term){ s->parts[i].place, *s->parts[i].type, false, false };
	if (s->ngroups)
		qsort_r(s->groups, s->ngroups, sizeof(*s->groups), compare_groups, &o);
}

/* --- having --- */

enum truth { FALSE, UNKNOWN, TRUE };

static bool holds(enum query_op op, int c)
{
	switch (op) {
	case OP_NEQ:
	case OP_ISDISTINCT:
		return c != 0;
	case OP_GT:
		return c > 0;
	case OP_GTE:
		return c >= 0;
	case OP_LT:
		return c < 0;
	case OP_LTE:
		return c <= 0;
	default:
		return c == 0;
	}
}

static bool is_so(enum query_is is, const struct value *v)
{
	bool null = v->kind == VALUE_NULL;

	switch (is) {
	case IS_NOT_NULL:
		return !null;
	case IS_TRUE:
		return !null && v->i;
	case IS_FALSE:
		return !null && !v->i;
	default:
		return null;
	}
}

static enum truth compare(const struct stats *s, const struct group *g, const struct plan_cond *c)
{
	const struct value *v = &g->cells[stats_place(s, &c->left, false)];
	bool all = c->quantifier == QUANT_ALL, found = all;

	if (c->op == OP_IS)
		return is_so(c->is, v) ? TRUE : FALSE;
	if (v->kind == VALUE_NULL)
		return c->op == OP_ISDISTINCT ? TRUE : UNKNOWN;
	for (size_t i = 0; i < c->nvalues; i++) {
		bool one = holds(c->op, cells_compare(v, &c->values[i], &c->left.type));

		found = all ? found && one : found || one;
	}
	return found ? TRUE : FALSE;
}

static enum truth condition(const struct stats *s, const struct group *g, const struct plan_cond *c)
{
	enum truth t = c->kind == COND_OR || c->kind == COND_FALSE ? FALSE : TRUE;

	if (c->kind == COND_COMPARE)
		t = compare(s, g, c);
	for (size_t i = 0; i < c->nkids; i++) {
		enum truth kid = condition(s, g, c->kids[i]);

		if (c->kind == COND_AND ? kid < t : kid > t)
			t = kid;
	}
	return c->negated ? (enum truth)(TRUE - t) : t;
}

bool groups_have(const struct stats *s, const struct group *g)
{
	return !s->node->having || condition(s, g, s->node->having) == TRUE;
}
