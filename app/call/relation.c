/*
 * Rows of a procedure that are those of a table: its comment says "@returns setof table" or "@returns setof schema.table".
 * Columns of the same name then have the table's types, and what the table embeds can be embedded.
 */
#include "internal.h"

#include <ctype.h>

static size_t name_length(struct slice s)
{
	size_t n = 0;

	while (n < s.len && !isspace((unsigned char)s.ptr[n]) && !strchr(",;()", s.ptr[n]))
		n++;
	return n;
}

/* The word behind "@returns setof", a dot at the end of a sentence not taken for its own. */
static struct slice returned(struct slice comment)
{
	static const char mark[] = "@returns setof ";
	struct slice rest;

	for (size_t i = 0; i + strlen(mark) <= comment.len; i++) {
		rest = slice_from(comment, i);
		if (!slice_ieq((struct slice){ rest.ptr, strlen(mark) }, slice_of(mark)))
			continue;
		rest = slice_trim(slice_from(rest, strlen(mark)));
		rest.len = name_length(rest);
		if (rest.len && rest.ptr[rest.len - 1] == '.')
			rest.len--;
		return rest;
	}
	return (struct slice){ NULL, 0 };
}

const struct table *call_relation(const struct call *call)
{
	struct slice rest = returned(call->routine->comment), db, name = rest;
	const struct table *t;

	if (!rest.len)
		return NULL;
	t = schema_table(call->schema, call->routine->schema, name);
	if (t || !memchr(rest.ptr, '.', rest.len))
		return t;
	slice_split(&rest, '.', &db);
	return schema_table(call->schema, db, rest);
}

static const struct column *face_column(const struct table *face, struct slice name)
{
	for (size_t i = 0; i < face->ncolumns; i++)
		if (slice_ieq(face->columns[i].name, name))
			return &face->columns[i];
	return NULL;
}

/* The relation as seen from the rows; false when they lack a column of its key. */
static bool seen_from(struct arena *a, const struct table *face, const struct relation *r, struct relation *out)
{
	const struct column **from = arena_array(a, const struct column *, r->n);

	for (size_t i = 0; i < r->n; i++) {
		from[i] = face_column(face, r->from_columns[i]->name);
		if (!from[i])
			return false;
	}
	*out = *r;
	out->from = face;
	out->from_columns = from;
	return true;
}

/* Text says less of its type on the wire than its column does. */
static void take_type(struct column *c, const struct column *declared)
{
	enum type_class had = c->type.class, has = declared->type.class;

	if ((has == TYPE_JSON && (had == TYPE_TEXT || had == TYPE_BYTES)) || (has == TYPE_BOOL && had == TYPE_INT))
		c->type = declared->type;
	if (had == TYPE_TEXT && has == TYPE_TEXT) {
		c->collation = declared->collation;
		c->binary_collation = declared->binary_collation;
	}
}

void call_take_relation(struct arena *a, const struct table *of, struct table *face)
{
	face->rows_of = of;
	face->relations = arena_array(a, struct relation, of->nrelations);
	for (size_t i = 0; i < face->ncolumns; i++) {
		const struct column *declared = schema_column(of, face->columns[i].name);

		if (declared)
			take_type(&face->columns[i], declared);
	}
	for (size_t i = 0; i < of->nrelations; i++)
		face->nrelations += seen_from(a, face, &of->relations[i], &face->relations[face->nrelations]);
}
