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

/* More ways than this to show one key make a view no clearer. */
#define MAX_WAYS 16

/* The view's nth column, from 0, that shows the base column; NULL: there are not so many. *many: how many. */
static const struct column *nth_shown(const struct view *v, const struct column *base, size_t nth, size_t *many)
{
	const struct column *found = NULL;

	*many = 0;
	for (size_t c = 0; c < v->table->ncolumns; c++)
		if (v->origins[c].base == base && (*many)++ == nth)
			found = &v->table->columns[c];
	return found;
}

/*
 * The view's columns that show these base columns. A column may be shown twice, so there may be several ways: this
 * is the one of that number, counted from 0 with the last column changing first. NULL: there is no such way.
 */
static const struct column **shown_by(struct arena *a, const struct view *v, const struct column *const *base, size_t n,
				      size_t way)
{
	const struct column **shown = arena_array(a, const struct column *, n);

	for (size_t i = n; i-- > 0;) {
		size_t many, ignored;

		(void)nth_shown(v, base[i], 0, &many);
		if (!many)
			return NULL;
		shown[i] = nth_shown(v, base[i], way % many, &ignored);
		way /= many;
	}
	return way ? NULL : shown;
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
		const struct column **columns = shown_by(a, v, key->columns, key->n, 0);
		struct key *mine = &v->table->unique[v->table->nunique];

		if (!columns)
			continue;
		*mine = (struct key){ key->name, columns, key->n, key->partly };
		v->table->nunique++;
		if (key == base->primary)
			v->table->primary = mine;
	}
}

/* What the base table does when a row leaves such a column out; the catalogue says it of tables only. */
static void view_defaults(const struct view *v)
{
	for (size_t c = 0; v->nbases == 1 && c < v->table->ncolumns; c++) {
		const struct column *base = v->origins[c].base;

		if (!base)
			continue;
		v->table->columns[c].auto_increment = base->auto_increment;
		v->table->columns[c].default_expression = base->default_expression;
		v->table->columns[c].has_default |= base->has_default;
		v->table->columns[c].default_text = base->default_text;
		v->table->columns[c].default_is_code = base->default_is_code;
		if (!v->table->columns[c].comment.len)
			v->table->columns[c].comment = base->comment;
	}
}

static bool shows(const struct view *v, const struct column *base)
{
	for (size_t c = 0; c < v->table->ncolumns; c++)
		if (v->origins[c].base == base)
			return true;
	return false;
}

/* No row can be inserted into a view that hides what it must have. */
static void view_lacks(const struct view *v)
{
	const struct table *base = NULL;

	for (size_t c = 0; v->nbases == 1 && c < v->table->ncolumns && !base; c++)
		if (v->origins[c].base)
			base = v->origins[c].base->table;
	for (size_t c = 0; base && c < base->ncolumns; c++)
		v->table->lacks |=
			!base->columns[c].nullable && !base->columns[c].has_default && !shows(v, &base->columns[c]);
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

/* The ways in which view shows the near end of key, or its far end. */
struct ways {
	const struct column **columns[MAX_WAYS];
	size_t n;
};

static void find_ways(struct arena *a, const struct view *v, const struct column *const *base, size_t n,
		      struct ways *out)
{
	out->n = 0;
	while (out->n < MAX_WAYS && (out->columns[out->n] = shown_by(a, v, base, n, out->n)))
		out->n++;
}

/* The keys that views take over from key, put before all; the last way comes first, so that the first ends up there. */
static struct foreign_key *derive_all(struct arena *a, const struct foreign_key *key, const struct view *views,
				      struct foreign_key *all)
{
	for (const struct view *v = views; v; v = v->next) {
		struct ways from, to;

		find_ways(a, v, key->columns, key->n, &from);
		find_ways(a, v, key->target_columns, key->n, &to);
		for (size_t i = to.n; i-- > 0;)
			all = derive(a, key, key->table, key->columns, v->table, to.columns[i], all);
		for (size_t i = from.n; i-- > 0;)
			all = derive(a, key, v->table, from.columns[i], key->target, key->target_columns, all);
		for (const struct view *w = views; from.n && w; w = w->next) {
			find_ways(a, w, key->target_columns, key->n, &to);
			for (size_t i = from.n; i-- > 0;)
				for (size_t j = to.n; j-- > 0;)
					all = derive(a, key, v->table, from.columns[i], w->table, to.columns[j], all);
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

static void relate_target(struct arena *a, const struct foreign_key *k)
{
	push(a, k->target,
	     (struct relation){ .cardinality = is_unique(k->table, k->columns, k->n) ? ONE_TO_ONE : TO_MANY,
				.from = k->target,
				.to = k->table,
				.constraint = k->name,
				.n = k->n,
				.from_columns = k->target_columns,
				.to_columns = k->columns });
}

static void relate_holder(struct arena *a, const struct foreign_key *k)
{
	push(a, k->table,
	     (struct relation){ .cardinality = is_unique(k->table, k->columns, k->n) ? ONE_TO_ONE : TO_ONE,
				.from = k->table,
				.to = k->target,
				.constraint = k->name,
				.at_from = true,
				.n = k->n,
				.from_columns = k->columns,
				.to_columns = k->target_columns });
}

/* Two such keys of one table make it a junction: within its primary key, and neither of them unique alone. */
static bool is_junction(const struct foreign_key *k)
{
	const struct key *primary = k->table->primary;

	if (!primary || is_unique(k->table, k->columns, k->n))
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
			if (l->table == k->table && !slice_eq(l->name, k->name) && is_junction(l))
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

static struct foreign_key *reversed(struct foreign_key *keys)
{
	struct foreign_key *back = NULL;

	while (keys) {
		struct foreign_key *next = keys->next;

		keys->next = back;
		back = keys;
		keys = next;
	}
	return back;
}

/*
 * The order of a table's relations is what an ambiguous request is shown: those that point here, those that point
 * away, those by a junction; in each tables before views, by name. keys and views come with the last name first.
 */
void schema_relate(struct schema *schema, struct foreign_key *keys, const struct view *views)
{
	struct foreign_key *all, *derived = NULL, **end = &all;

	for (const struct view *v = views; v; v = v->next) {
		view_keys(schema->arena, v);
		view_defaults(v);
		view_lacks(v);
	}
	for (const struct foreign_key *k = keys; k; k = k->next)
		derived = derive_all(schema->arena, k, views, derived);
	all = reversed(keys);
	while (*end)
		end = &(*end)->next;
	*end = derived;
	for (const struct foreign_key *k = all; k; k = k->next)
		relate_target(schema->arena, k);
	for (const struct foreign_key *k = all; k; k = k->next)
		relate_holder(schema->arena, k);
	relate_junctions(schema->arena, all);
}
