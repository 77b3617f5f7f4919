/* Looking names up in the schema cache. */
#include "internal.h"

#include <stdlib.h>

uint64_t schema_hash(struct slice db, struct slice name)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < db.len + name.len; i++) {
		unsigned char c = (unsigned char)(i < db.len ? db.ptr[i] : name.ptr[i - db.len]);

		h = (h ^ c) * 1099511628211u;
	}
	return h;
}

struct table *schema_find_table(const struct schema *schema, struct slice db, struct slice name)
{
	struct table *t = schema->nbuckets ? schema->buckets[schema_hash(db, name) % schema->nbuckets] : NULL;

	while (t && !(slice_eq(t->schema, db) && slice_eq(t->name, name)))
		t = t->next;
	return t;
}

const struct table *schema_table(const struct schema *schema, struct slice db, struct slice name)
{
	return schema_find_table(schema, db, name);
}

const struct column *schema_column(const struct table *table, struct slice name)
{
	for (size_t i = 0; i < table->ncolumns; i++)
		if (slice_eq(table->columns[i].name, name))
			return &table->columns[i];
	for (size_t i = 0; i < table->ncolumns; i++)
		if (slice_ieq(table->columns[i].name, name))
			return &table->columns[i];
	return NULL;
}

struct column *schema_find_column(struct table *table, struct slice name)
{
	const struct column *c = schema_column(table, name);

	return c ? &table->columns[c - table->columns] : NULL;
}

const struct table *schema_next_table(const struct schema *schema, const struct table *previous)
{
	size_t bucket = 0;

	if (previous) {
		if (previous->next)
			return previous->next;
		bucket = schema_hash(previous->schema, previous->name) % schema->nbuckets + 1;
	}
	for (; bucket < schema->nbuckets; bucket++)
		if (schema->buckets[bucket])
			return schema->buckets[bucket];
	return NULL;
}

const struct routine *schema_routine(const struct schema *schema, struct slice db, struct slice name)
{
	const struct routine *r = schema->routines;

	while (r && !(slice_eq(r->name, name) && slice_eq(r->schema, db)))
		r = r->next;
	return r;
}

/* Levenshtein distance, letters compared without case; more than limit gives limit + 1. */
static unsigned distance(struct slice a, struct slice b, unsigned limit)
{
	unsigned row[65];

	if (a.len > 64 || b.len > 64)
		return limit + 1;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = slice_ieq((struct slice){ a.ptr + i - 1, 1 }, (struct slice){ b.ptr + j - 1, 1 });
			unsigned best = corner + (same ? 0 : 1);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len] > limit ? limit + 1 : row[b.len];
}

struct slice schema_nearest(struct slice asked, const struct slice *names, size_t n)
{
	unsigned limit = asked.len < 3 ? 1 : asked.len < 6 ? 2 : (unsigned)(asked.len / 3 > 8 ? 8 : asked.len / 3);
	struct slice nearest = { NULL, 0 };
	unsigned best = limit + 1;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(asked, names[i], limit);

		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}

void schema_free(struct schema *schema)
{
	if (schema)
		arena_close(schema->arena);
}

const struct parameter *schema_sole_input(const struct routine *r)
{
	const struct parameter *found = NULL;

	for (size_t i = 0; i < r->nparameters; i++) {
		if (!schema_is_input(&r->parameters[i]))
			continue;
		if (found)
			return NULL;
		found = &r->parameters[i];
	}
	return found;
}

const char *schema_cardinality(const struct relation *r)
{
	switch (r->cardinality) {
	case TO_ONE:
		return "many-to-one";
	case ONE_TO_ONE:
		return "one-to-one";
	case TO_MANY:
		return "one-to-many";
	case MANY_TO_MANY:
		return "many-to-many";
	}
	return "";
}
