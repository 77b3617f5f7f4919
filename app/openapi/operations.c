/* What can be done with a table, as the role may: one path, up to five operations. */
#include "internal.h"

enum operation { READ, INSERT, PUT, UPDATE, DELETE };

static const struct {
	const char *method;
	const char *id;
	const char *verb;
	const char *description;
	bool reads;
} operations[] = {
	[READ] = { "get", "read_", "Read rows of ",
		   "Rows that pass all filters, in the order and the page asked for. Filters are "
		   "`column=operator.value`: eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, "
		   "in, is, isdistinct, cs, cd, ov, fts, with `not.` in front where it shall not "
		   "hold. Related tables are embedded by `select`.",
		   true },
	[INSERT] = { "post", "insert_", "Insert rows into ",
		     "One row or an array of rows, in one transaction; with `Prefer: "
		     "resolution=merge-duplicates` rows that are there already are "
		     "updated.",
		     false },
	[PUT] = { "put", "put_", "Insert or replace a row of ",
		  "The whole row, which the filters name by its primary key.", false },
	[UPDATE] = { "patch", "update_", "Update rows of ",
		     "Sets the columns of the body in all rows that pass the filters; without "
		     "a filter it is refused unless the instance is set otherwise.",
		     false },
	[DELETE] = { "delete", "delete_", "Delete rows of ",
		     "All rows that pass the filters; without a filter it is refused unless "
		     "the instance is set otherwise.",
		     false },
};

static bool whole_readable(const struct entry *e)
{
	for (size_t i = 0; i < e->table->ncolumns; i++)
		if (!(e->rights.columns[i] & MAY_SELECT) && !e->table->columns[i].invisible)
			return false;
	return true;
}

/* Without it all columns would be asked for, and not all may be read. */
static void add_needed_select(struct document *d, const struct entry *e)
{
	struct strbuf *b = d->b, list;
	const char *comma = "";

	strbuf_init(&list, d->a, 256);
	for (size_t i = 0; i < e->table->ncolumns; i++) {
		if (!(e->rights.columns[i] & MAY_SELECT))
			continue;
		strbuf_adds(&list, comma);
		query_add_name(&list, e->table->columns[i].name);
		comma = ",";
	}
	openapi_lit(
		b, "{'name':'select','in':'query','required':true,'description':'The role may not read all columns, so "
		   "those that are wanted must be named.','schema':{'type':'string','default':");
	json_string(b, strbuf_slice(&list));
	strbuf_lit(b, "}}");
}

static void filter_key(struct strbuf *b, const struct column *c)
{
	strbuf_lit(b, "rowFilter.");
	openapi_key(b, c->table->name);
	strbuf_addc(b, '.');
	openapi_key(b, c->name);
}

static void add_filters(struct document *d, const struct entry *e)
{
	for (size_t i = 0; i < e->table->ncolumns; i++) {
		if (!(e->rights.columns[i] & MAY_SELECT))
			continue;
		strbuf_lit(d->b, ",{\"$ref\":\"#/components/parameters/");
		filter_key(d->b, &e->table->columns[i]);
		strbuf_lit(d->b, "\"}");
	}
}

static void filter_name(struct document *d, const struct column *c)
{
	struct strbuf name;

	strbuf_init(&name, d->a, c->name.len + 8);
	query_add_name(&name, c->name);
	strbuf_lit(d->b, "{\"name\":");
	json_string(d->b, strbuf_slice(&name));
	strbuf_lit(d->b, ",\"in\":\"query\"");
}

static void add_key_filters(struct document *d, const struct entry *e)
{
	const struct key *k = e->table->primary;

	for (size_t i = 0; i < k->n; i++) {
		strbuf_addc(d->b, ',');
		filter_name(d, k->columns[i]);
		openapi_lit(d->b,
			    ",'required':true,'description':'`eq.` and the value that the body has.','schema':{'type':"
			    "'string','pattern':'^eq[.]'}}");
	}
}

static void shared(struct document *d, const enum parameter_id *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		strbuf_addc(d->b, ',');
		openapi_parameter(d, ids[i]);
	}
}
#define SHARED(d, ...)                                          \
	shared((d), (const enum parameter_id[]){ __VA_ARGS__ }, \
	       sizeof((const enum parameter_id[]){ __VA_ARGS__ }) / sizeof(enum parameter_id))

static void add_parameters(struct document *d, const struct entry *e, enum operation op)
{
	bool selects = e->rights.any & MAY_SELECT;

	strbuf_lit(d->b, ",\"parameters\":[");
	if (op == READ && !whole_readable(e))
		add_needed_select(d, e);
	else
		openapi_parameter(d, PAR_SELECT);
	if (op == PUT)
		add_key_filters(d, e);
	else if (op != INSERT)
		add_filters(d, e);
	if (op != PUT && op != INSERT && selects)
		SHARED(d, PAR_AND, PAR_OR);
	if (op == READ)
		SHARED(d, PAR_HAVING, PAR_ORDER, PAR_LIMIT, PAR_OFFSET, PAR_RANGE, PAR_RANGE_UNIT, PAR_PREFER_READ);
	if (op == INSERT)
		SHARED(d, PAR_COLUMNS, PAR_ON_CONFLICT, PAR_PREFER_INSERT, PAR_IDEMPOTENCY_KEY);
	if (op == UPDATE)
		SHARED(d, PAR_COLUMNS);
	if (op == PUT || op == UPDATE || op == DELETE)
		SHARED(d, PAR_PREFER_WRITE, PAR_IDEMPOTENCY_KEY);
	openapi_profile(d, op == READ);
	strbuf_addc(d->b, ']');
}

static void schema_ref(struct strbuf *b, const struct table *t, const char *suffix)
{
	strbuf_lit(b, "{\"$ref\":\"#/components/schemas/");
	openapi_key(b, t->name);
	strbuf_adds(b, suffix);
	strbuf_lit(b, "\"}");
}

static void add_body(struct document *d, const struct entry *e, enum operation op)
{
	const struct table *t = e->table;
	const char *suffix = op == UPDATE ? "" : ".insert";
	struct strbuf *b = d->b;

	openapi_lit(b, ",'requestBody':{'required':true,'content':{'application/json':{'schema':");
	if (op == INSERT)
		strbuf_lit(b, "{\"oneOf\":[");
	schema_ref(b, t, suffix);
	if (op == INSERT) {
		openapi_lit(b, ",{'type':'array','items':");
		schema_ref(b, t, suffix);
		strbuf_lit(b, "}]}");
	}
	openapi_lit(b, "},'application/x-www-form-urlencoded':{'schema':");
	schema_ref(b, t, suffix);
	strbuf_addc(b, '}');
	if (op == INSERT)
		openapi_lit(
			b,
			",'text/csv':{'schema':{'type':'string'}},'application/x-ndjson':{'schema':{'type':'string'}}");
	strbuf_lit(b, "}}");
}

static void rows_ref(struct document *d, const char *status, const char *kind, const struct table *t)
{
	strbuf_addf(d->b, "\"%s\":", status);
	openapi_ref(d->b, "responses", kind, t->name);
}

/* Without the right to read, nothing is shown of what was written. */
static void add_answers(struct document *d, const struct entry *e, enum operation op)
{
	static const int of_reads[] = { 300, 400, 401, 403, 404, 406, 413, 416, 429, 500, 503, 504, 0 };
	static const int of_writes[] = { 204, 300, 400, 401, 403, 404, 405, 406, 409,
					 413, 415, 422, 429, 500, 503, 504, 0 };
	static const int of_inserts[] = {
		300, 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503, 504, 0
	};

	strbuf_lit(d->b, ",\"responses\":{");
	if (op == INSERT || op == PUT) {
		rows_ref(d, "201", "created.", e->table);
		strbuf_addc(d->b, ',');
	}
	rows_ref(d, "200", "rows.", e->table);
	if (op == READ) {
		strbuf_addc(d->b, ',');
		rows_ref(d, "206", "rows.", e->table);
	}
	openapi_refusals(d, op == READ ? of_reads : op == INSERT ? of_inserts : of_writes);
	strbuf_addc(d->b, '}');
}

static void add_operation(struct document *d, const struct entry *e, enum operation op, const char **comma)
{
	const struct table *t = e->table;
	struct strbuf *b = d->b;

	strbuf_addf(b, "%s\"%s\":{\"operationId\":\"%s", *comma, operations[op].method, operations[op].id);
	openapi_key(b, t->name);
	strbuf_lit(b, "\",\"tags\":[");
	json_string(b, t->name);
	strbuf_lit(b, "],\"summary\":");
	json_string(b, slice_of(arena_printf(d->a, "%s%.*s", operations[op].verb, (int)t->name.len, t->name.ptr)));
	openapi_text(b, "description", slice_of(operations[op].description));
	add_parameters(d, e, op);
	if (op == INSERT || op == PUT || op == UPDATE)
		add_body(d, e, op);
	add_answers(d, e, op);
	strbuf_addc(b, '}');
	*comma = ",";
}

static bool may_put(const struct entry *e)
{
	const struct key *k = e->table->primary;

	if (!k)
		return false;
	for (size_t i = 0; i < k->n; i++)
		if (!(e->rights.columns[k->columns[i] - e->table->columns] & MAY_SELECT))
			return false;
	return true;
}

void openapi_table_path(struct document *d, const struct entry *e)
{
	unsigned any = e->rights.any;
	struct strbuf *b = d->b;
	const char *comma = "";

	strbuf_lit(b, "\"/");
	http_url_encode(b, e->table->name);
	strbuf_lit(b, "\":{");
	if (any & MAY_SELECT)
		add_operation(d, e, READ, &comma);
	if (any & MAY_INSERT)
		add_operation(d, e, INSERT, &comma);
	if ((any & MAY_INSERT) && (any & MAY_UPDATE) && may_put(e))
		add_operation(d, e, PUT, &comma);
	if (any & MAY_UPDATE)
		add_operation(d, e, UPDATE, &comma);
	if (any & MAY_DELETE)
		add_operation(d, e, DELETE, &comma);
	strbuf_addc(b, '}');
}

/* Where no operation filters, no filter is written. */
void openapi_table_parameters(struct document *d, const struct entry *e, const char **comma)
{
	struct slice *examples = NULL, comment;
	size_t n;

	for (size_t i = 0; i < e->table->ncolumns; i++) {
		const struct column *c = &e->table->columns[i];

		if (!(e->rights.columns[i] & MAY_SELECT))
			continue;
		strbuf_adds(d->b, *comma);
		strbuf_addc(d->b, '"');
		filter_key(d->b, c);
		strbuf_lit(d->b, "\":");
		filter_name(d, c);
		comment = openapi_examples(d->a, c->comment, &examples, &n);
		if (comment.len)
			openapi_text(d->b, "description", comment);
		openapi_lit(d->b, ",'schema':{'type':'string'}}");
		*comma = ",";
	}
}

static bool has_shapes(const struct table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++)
		if (t->columns[i].type.class == TYPE_GEOMETRY)
			return true;
	return false;
}

static void add_rows(struct document *d, const struct table *t, const char *kind, const char *description)
{
	struct strbuf *b = d->b;
	bool created = kind[0] == 'c';

	strbuf_addf(b, "\"%s", kind);
	openapi_key(b, t->name);
	strbuf_addf(b, "\":{\"description\":\"%s\",\"headers\":{\"Content-Range\":", description);
	openapi_header(d, HEADER_CONTENT_RANGE);
	strbuf_lit(b, ",\"Preference-Applied\":");
	openapi_header(d, HEADER_PREFERENCE_APPLIED);
	if (created) {
		strbuf_lit(b, ",\"Location\":");
		openapi_header(d, HEADER_LOCATION);
	}
	openapi_lit(b, "},'content':{'application/json':{'schema':{'type':'array','items':");
	schema_ref(b, t, "");
	openapi_lit(b, "}},'application/vnd.pgrst.object+json':{'schema':");
	schema_ref(b, t, "");
	openapi_lit(b, "},'text/csv':{'schema':{'type':'string'}},'application/x-ndjson':{'schema':{'type':'string'}}");
	if (has_shapes(t))
		openapi_lit(b, ",'application/geo+json':{'schema':{'type':'object'}}");
	strbuf_lit(b, "}}");
}

void openapi_table_responses(struct document *d, const struct entry *e, const char **comma)
{
	strbuf_adds(d->b, *comma);
	add_rows(d, e->table, "rows.", "Rows. Of a write: those it met, with `Prefer: return=representation`.");
	*comma = ",";
	if (e->rights.any & MAY_INSERT) {
		strbuf_adds(d->b, *comma);
		add_rows(d, e->table, "created.",
			 "Rows were made. They are shown with `Prefer: return=representation`.");
	}
}
