/*
 * What a table can embed. Every foreign key gives a relation at each of its ends, a junction gives one between the
 * tables it joins, and a view that shows the columns of a key stands in for its base table at either end.
 */
#include "internal.h"

static bool holds(const struct column *const *columns, size_t n, const struct column *c)
{
	for (size_t i = 0; i < n; i++)
		if (columns[i] == c)
			return true;
	return false;
}

/* Is at most one row of the table possible for given values of these columns? */
static bool is_unique(const struct table *t, const struct column *const *columns, size_t n)
{
	for (size_t k = 0; k < t->nunique; k++) {
		size_t i = 0;

		while (i < t->unique[k].n && holds(columns, n, t->unique[k].columns[i]))
			i++;
		if (i == t->unique[k].n)
			return true;
	}
	return false;
}

/* The view's columns that show these base columns; NULL unless all are shown. */
static const struct column **shown_by(struct arena *a, const struct view *v, const struct column *const *base, size_t n)
{
	const struct column **shown = arena_array(a, const struct column *, n);

	for (size_t i = 0; i < n; i++) {
		size_t c = 0;

		while (c < v->table->ncolumns && v->origins[c].base != base[i])
			c++;
		if (c == v->table->ncolumns)
			return NULL;
		shown[i] = &v->table->columns[c];
	}
	return shown;
}

/* A view's unique keys are its base table's, when it has just one and joins nothing. */
static void view_keys(struct arena *a, const struct view *v)
{
	const struct table *base = NULL;

	for (size_t c = 0; c < v->table->ncolumns && !base; c++)
		if (v->origins[c].base)
			base = v->origins[c].base->table;
	if (v->nbases != 1 || !base)
		return;
	v->table->unique = arena_array(a, struct key, base->nunique);
	for (size_t k = 0; k < base->nunique; k++) {
		const struct key *key = &base->unique[k];
		const struct column **columns = shown_by(a, v, key->columns, key->n);
		struct key *mine = &v->table->unique[v->table->nunique];

		if (!columns)
			continue;
		*mine = (struct key){ key->name, columns, key->n };
		v->table->nunique++;
		if (key == base->primary)
			v->table->primary = mine;
	}
}

static struct foreign_key *derive(struct arena *a, const struct foreign_key *key, struct table *table,
				  const struct column **columns, struct table *target,
				  const struct column **target_columns, struct foreign_key *next)
{
	struct foreign_key *k = arena_new(a, struct foreign_key);

	*k = *key;
	k->next = next;
	k->table = table;
	k->columns = columns;
	k->target = target;
	k->target_columns = target_columns;
	return k;
}

/* The keys that views take over from one of their base tables, put before all. */
static struct foreign_key *derive_all(struct arena *a, const struct foreign_key *key, const struct view *views,
				      struct foreign_key *all)
{
	for (const struct view *v = views; v; v = v->next) {
		const struct column **from = shown_by(a, v, key->columns, key->n);
		const struct column **to = shown_by(a, v, key->target_columns, key->n);

		if (to)
			all = derive(a, key, key->table, key->columns, v->table, to, all);
		if (!from)
			continue;
		all = derive(a, key, v->table, from, key->target, key->target_columns, all);
		for (const struct view *w = views; w; w = w->next) {
			const struct column **other = shown_by(a, w, key->target_columns, key->n);

			if (other)
				all = derive(a, key, v->table, from, w->table, other, all);
		}
	}
	return all;
}

static void push(struct arena *a, struct table *t, struct relation r)
{
	/* Room doubles at powers of two. */
	if ((t->nrelations & (t->nrelations - 1)) == 0) {
		struct relation *more = arena_array(a, struct relation, t->nrelations ? t->nrelations * 2 : 1);

		if (t->nrelations)
			memcpy(more, t->relations, t->nrelations * sizeof(*more));
		t->relations = more;
	}
	t->relations[t->nrelations++] = r;
}

static void relate_ends(struct arena *a, const struct foreign_key *k)
{
	bool one = is_unique(k->table, k->columns, k->n);

	push(a, k->table,
	     (struct relation){ .cardinality = one ? ONE_TO_ONE : TO_ONE,
				.from = k->table,
				.to = k->target,
				.constraint = k->name,
				.at_from = true,
				.n = k->n,
				.from_columns = k->columns,
				.to_columns = k->target_columns });
	push(a, k->target,
	     (struct relation){ .cardinality = one ? ONE_TO_ONE : TO_MANY,
				.from = k->target,
				.to = k->table,
				.constraint = k->name,
				.n = k->n,
				.from_columns = k->target_columns,
				.to_columns = k->columns });
}

/* Two foreign keys of one table, both within its primary key, make it a junction. */
static bool is_junction(const struct foreign_key *k)
{
	const struct key *primary = k->table->primary;

	if (!primary)
		return false;
	for (size_t i = 0; i < k->n; i++)
		if (!holds(primary->columns, primary->n, k->columns[i]))
			return false;
	return true;
}

static void relate_junctions(struct arena *a, const struct foreign_key *keys)
{
	for (const struct foreign_key *k = keys; k; k = k->next) {
		if (!is_junction(k))
			continue;
		for (const struct foreign_key *l = keys; l; l = l->next)
			if (l != k && l->table == k->table && !slice_eq(l->name, k->name))
				push(a, k->target,
				     (struct relation){ .cardinality = MANY_TO_MANY,
							.from = k->target,
							.to = l->target,
							.constraint = k->name,
							.n = k->n,
							.from_columns = k->target_columns,
							.to_columns = l->target_columns,
							.junction = k->table,
							.junction_from = k->columns,
							.junction_to = l->columns,
							.njunction_to = l->n,
							.constraint_to = l->name });
	}
}

void schema_relate(struct schema *schema, struct foreign_key *keys, const struct view *views)
{
	struct foreign_key *all = keys;

	for (const struct view *v = views; v; v = v->next)
		view_keys(schema->arena, v);
	for (const struct foreign_key *k = keys; k; k = k->next)
		all = derive_all(schema->arena, k, views, all);
	for (const struct foreign_key *k = all; k; k = k->next)
		relate_ends(schema->arena, k);
	relate_junctions(schema->arena, all);
}
