/* From a query to a plan for writing: the table, the columns the rows may set, and how the rows are shown afterwards. */
#include "internal.h"

static bool no_column(const struct table *t, struct slice name, struct error *err)
{
	return error_set(err, ERR_WRITE_COLUMN, "Could not find the '%.*s' column of '%.*s' in the schema cache",
			 (int)name.len, name.ptr, (int)t->name.len, t->name.ptr);
}

bool write_add_column(struct arena *a, struct write *w, struct slice name, struct error *err)
{
	const struct column *c = schema_column(w->table, name);
	const struct column **more;

	if (!c)
		return no_column(w->table, name, err);
	if (c->generated)
		return error_set(err, ERR_GENERATED, "cannot write to the generated column \"%.*s\"", (int)name.len,
				 name.ptr);
	for (size_t i = 0; i < w->ncolumns; i++)
		if (w->columns[i] == c)
			return error_set(err, ERR_BODY, "the column \"%.*s\" is named twice", (int)name.len, name.ptr);
	/* Room doubles at powers of two. */
	if ((w->ncolumns & (w->ncolumns - 1)) == 0) {
		more = arena_array(a, const struct column *, w->ncolumns ? w->ncolumns * 2 : 1);
		if (w->ncolumns)
			memcpy(more, w->columns, w->ncolumns * sizeof(*more));
		w->columns = more;
	}
	w->columns[w->ncolumns++] = c;
	return true;
}

/* PATCH and DELETE name their rows by filters; what a POST says of rows is about its answer. Pages are of reading. */
static struct query of_writing(const struct query *query, enum write_kind kind)
{
	struct query q = *query;

	q.root.has_limit = false;
	q.root.limit = q.root.offset = 0;
	if (kind == WRITE_INSERT)
		q.root.nwhere = 0;
	return q;
}

bool write_plan(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
		struct write **out, struct error *err)
{
	struct write *w = arena_new(a, struct write);
	struct query q;

	w->arena = a;
	w->kind = query->method == HTTP_PATCH    ? WRITE_UPDATE
		  : query->method == HTTP_DELETE ? WRITE_DELETE
						 : WRITE_INSERT;
	w->ret = query->prefer.ret ? query->prefer.ret : RETURN_MINIMAL;
	w->default_missing = query->prefer.missing == MISSING_DEFAULT;
	q = of_writing(query, w->kind);
	if (!plan_read(a, config, schema, &q, &w->plan, err))
		return false;
	w->table = w->plan->table;
	for (size_t i = 0; i < query->ncolumns && w->kind != WRITE_DELETE; i++)
		if (!write_add_column(a, w, query->columns[i], err))
			return false;
	w->fixed = w->by_parameter = query->columns_given;
	if (!config->write_unfiltered && w->kind != WRITE_INSERT && !query->root.nwhere) {
		error_set(err, ERR_CARDINALITY, "%s requires a WHERE clause",
			  w->kind == WRITE_UPDATE ? "UPDATE" : "DELETE");
		return error_hint(err, "Name the rows by a filter, as ?id=gte.0 does for all.");
	}
	*out = w;
	return true;
}
