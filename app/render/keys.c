/* The keys of the rows a write has to do with: neither server can give back rows it has changed. */
#include "writing.h"

/* Where the order of the rows shown is that of the body: beyond, it is that of their keys. */
#define ORDERED_KEYS 1000

const struct key *usable_key(const struct table *t)
{
	if (t->primary)
		return t->primary;
	for (size_t i = 0; i < t->nunique; i++) {
		const struct key *k = &t->unique[i];
		size_t c = 0;

		while (c < k->n && !k->columns[c]->nullable)
			c++;
		if (c == k->n)
			return k;
	}
	return NULL;
}

bool cannot_show(struct writing *x, const char *why)
{
	error_set(x->err, ERR_NOT_OFFERED, "The rows of this write cannot be shown");
	error_details(x->err, "%s", why);
	return error_hint(x->err, "Prefer: return=minimal writes without showing.");
}

bool cannot_check(struct writing *x, const char *why)
{
	error_set(x->err, ERR_NOT_OFFERED, "The rows of this write cannot be checked against the row policies");
	return error_details(x->err, "%s", why);
}

bool check_policy(struct writing *x, struct arena *a, const struct plan_policy *policy, bool read,
		  const struct value *keys, size_t n)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;
	uint64_t good = 0;

	if (!n || (!policy && !(read && x->w->plan->root->policy)))
		return true;
	sql_count_allowed(a, x->w, policy, read, x->keys.key, keys, n, &statement);
	if (!db_query(a, x->conn, &statement, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW)
		good = (uint64_t)cells[0].i;
	return step == DB_END && (good == n || write_violates_policy(x->w, x->err));
}

void push_key(struct writing *x, const struct value *values)
{
	struct key_list *l = &x->keys;
	size_t width = l->key->n;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct value *more = arena_array(x->a, struct value, cap * width);

		if (l->n)
			memcpy(more, l->values, l->n * width * sizeof(*more));
		l->values = more;
		l->cap = cap;
	}
	for (size_t i = 0; i < width; i++)
		l->values[l->n * width + i] = value_copy(x->a, &values[i]);
	l->n++;
}

size_t column_place(const struct write *w, const struct column *c)
{
	size_t i = 0;

	while (i < w->ncolumns && w->columns[i] != c)
		i++;
	return i;
}

void show_keys(struct writing *x)
{
	struct plan_node *root = x->w->plan->root;
	const struct key_list *l = &x->keys;
	struct plan_cond *all = arena_new(x->a, struct plan_cond), *keys = arena_new(x->a, struct plan_cond);

	*keys = (struct plan_cond){ .kind = l->n ? COND_KEYS : COND_FALSE,
				    .left = { .node = root },
				    .key = l->key,
				    .values = l->values,
				    .nvalues = l->n };
	all->kind = COND_AND;
	all->nkids = 1;
	all->kids = arena_array(x->a, struct plan_cond *, 1);
	all->kids[0] = keys;
	root->where = all;
	root->in_order_of = l->n && l->n <= ORDERED_KEYS ? keys : NULL;
}
