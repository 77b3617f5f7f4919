/* A routine: POST with its arguments as a body, and GET where it says that it does not write. */
#include "internal.h"

#include "call.h"

static bool has_output(const struct routine *r)
{
	for (size_t i = 0; i < r->nparameters; i++)
		if (r->parameters[i].mode != PARAMETER_IN)
			return true;
	return false;
}

static void add_value(struct strbuf *b, const struct type *t, struct slice db_type)
{
	strbuf_addc(b, '{');
	openapi_type(b, t, db_type, true);
	strbuf_adds(b, t->class == TYPE_JSON ? "\"x-db-type\":" : ",\"x-db-type\":");
	json_string(b, db_type);
	strbuf_addc(b, '}');
}

/* {"type":"object","properties":{...}}: what goes in, or what comes out. */
static void add_object(struct strbuf *b, const struct routine *r, bool out)
{
	const char *comma = "";

	strbuf_lit(b, "{\"type\":\"object\",\"properties\":{");
	for (size_t i = 0; i < r->nparameters; i++) {
		const struct parameter *p = &r->parameters[i];

		if (out ? p->mode == PARAMETER_IN : !schema_is_input(p))
			continue;
		strbuf_adds(b, comma);
		json_string(b, p->column.name);
		strbuf_addc(b, ':');
		add_value(b, &p->column.type, p->column.db_type);
		comma = ",";
	}
	strbuf_lit(b, "},\"required\":[");
	comma = "";
	for (size_t i = 0; i < r->nparameters; i++) {
		const struct parameter *p = &r->parameters[i];

		if (out ? p->mode == PARAMETER_IN : (!schema_is_input(p) || p->optional))
			continue;
		strbuf_adds(b, comma);
		json_string(b, p->column.name);
		comma = ",";
	}
	strbuf_adds(b, out ? "]}" : "],\"additionalProperties\":false}");
}

static bool takes_whole_body(const struct parameter *p)
{
	bool named = p && slice_ieq(p->column.name, SLICE("body"));

	return p && (p->column.type.class == TYPE_JSON ||
		     (named && (p->column.type.class == TYPE_TEXT || p->column.type.class == TYPE_BYTES)));
}

static void add_body(struct document *d, const struct routine *r)
{
	const struct parameter *p = schema_sole_input(r);
	struct strbuf *b = d->b;

	openapi_lit(b, ",'requestBody':{'content':{'application/json':{'schema':");
	/* Anything, and what becomes of it is up to the routine. */
	if (takes_whole_body(p))
		strbuf_lit(b, "{}");
	else
		add_object(b, r, false);
	openapi_lit(b, "}");
	if (!p || !takes_whole_body(p)) {
		openapi_lit(b, ",'application/x-www-form-urlencoded':{'schema':");
		add_object(b, r, false);
		strbuf_addc(b, '}');
	}
	if (p && p->column.type.class == TYPE_TEXT)
		openapi_lit(b, ",'text/plain':{'schema':{'type':'string'}}");
	if (p && p->column.type.class == TYPE_BYTES)
		openapi_lit(b, ",'application/octet-stream':{'schema':{}}");
	strbuf_lit(b, "}}");
}

/* The table whose rows it gives, where that is in the document; NULL: none. */
static const struct table *rows_of(const struct document *d, const struct routine *r)
{
	const struct call call = { .routine = r, .schema = d->rq->schema };
	const struct table *t = r->is_function ? NULL : call_relation(&call);
	const struct entry *e = t ? openapi_entry(d, t) : NULL;

	return e && e->rights.any && slice_eq(t->schema, d->rq->db) ? t : NULL;
}

static void add_rows(struct document *d, const struct routine *r)
{
	const struct table *of = rows_of(d, r);

	strbuf_lit(d->b, "{\"type\":\"array\",\"items\":");
	if (of)
		openapi_ref(d->b, "schemas", "", of->name);
	else
		strbuf_lit(d->b, "{}");
	strbuf_addc(d->b, '}');
}

static void add_answer(struct document *d, const struct routine *r)
{
	struct strbuf *b = d->b;

	openapi_lit(b, ",'responses':{'200':{'description':");
	openapi_lit(b, r->is_function ? "'The value.'" : "'Rows; sets of rows; or the OUT and INOUT parameters.'");
	if (!r->is_function) {
		openapi_lit(b, ",'headers':{'Content-Range':");
		openapi_header(d, HEADER_CONTENT_RANGE);
		strbuf_addc(b, '}');
	}
	openapi_lit(b, ",'content':{'application/json':{'schema':");
	if (r->is_function) {
		add_value(b, &r->returns, r->returns_type);
	} else if (has_output(r)) {
		strbuf_lit(b, "{\"oneOf\":[");
		add_object(b, r, true);
		strbuf_addc(b, ',');
		add_rows(d, r);
		strbuf_lit(b, "]}");
	} else {
		add_rows(d, r);
	}
	openapi_lit(b, "},'text/csv':{'schema':{'type':'string'}}}}");
}

static void add_responses(struct document *d, const struct routine *r)
{
	static const int of_functions[] = { 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503, 504, 0 };
	static const int of_procedures[] = { 204, 400, 401, 403, 404, 405, 406, 409, 413,
					     415, 416, 422, 429, 500, 503, 504, 0 };

	add_answer(d, r);
	if (!r->is_function) {
		openapi_lit(d->b, ",'206':{'description':'A page of rows.','content':{'application/json':{'schema':");
		add_rows(d, r);
		strbuf_lit(d->b, "}}}");
	}
	openapi_refusals(d, r->is_function ? of_functions : of_procedures);
	strbuf_addc(d->b, '}');
}

/* In a URL an argument's name is just that: one that means something else there cannot be given. */
static bool fits_url(const struct routine *r)
{
	struct strbuf name;
	bool ok = true;

	strbuf_open(&name, 64);
	for (size_t i = 0; i < r->nparameters; i++) {
		name.len = 0;
		query_add_name(&name, r->parameters[i].column.name);
		ok &= slice_eq(strbuf_slice(&name), r->parameters[i].column.name) &&
		      r->parameters[i].column.type.class != TYPE_BYTES;
	}
	strbuf_close(&name);
	return ok;
}

static void add_url_arguments(struct document *d, const struct routine *r, const char **comma)
{
	struct strbuf *b = d->b;

	for (size_t i = 0; i < r->nparameters; i++) {
		const struct parameter *p = &r->parameters[i];

		if (!schema_is_input(p))
			continue;
		strbuf_adds(b, *comma);
		strbuf_lit(b, "{\"name\":");
		json_string(b, p->column.name);
		openapi_lit(b, ",'in':'query'");
		openapi_flag(b, "required", !p->optional);
		/* In a URL there is no NULL, and JSON is a text. */
		openapi_lit(b, ",'schema':{");
		if (p->column.type.class == TYPE_JSON || p->column.type.class == TYPE_GEOMETRY)
			openapi_lit(b, "'type':'string'");
		else
			openapi_type(b, &p->column.type, p->column.db_type, false);
		strbuf_lit(b, "}}");
		*comma = ",";
	}
}

static void add_parameters(struct document *d, const struct routine *r, bool get)
{
	static const enum parameter_id of_rows[] = { PAR_SELECT, PAR_ORDER, PAR_LIMIT, PAR_OFFSET };
	const char *comma = "";

	strbuf_lit(d->b, ",\"parameters\":[");
	if (get)
		add_url_arguments(d, r, &comma);
	for (size_t i = 0; !r->is_function && i < sizeof(of_rows) / sizeof(*of_rows); i++) {
		strbuf_adds(d->b, comma);
		openapi_parameter(d, of_rows[i]);
		comma = ",";
	}
	strbuf_adds(d->b, comma);
	openapi_parameter(d, PAR_PREFER_CALL);
	if (!get && !r->reads) {
		strbuf_addc(d->b, ',');
		openapi_parameter(d, PAR_IDEMPOTENCY_KEY);
	}
	openapi_profile(d, get);
	strbuf_addc(d->b, ']');
}

static void add_operation(struct document *d, const struct routine *r, bool get)
{
	struct strbuf *b = d->b;

	strbuf_adds(b, get ? "\"get\":{\"operationId\":\"call_get_" : "\"post\":{\"operationId\":\"call_");
	if (!get)
		strbuf_lit(b, "post_");
	openapi_key(b, r->name);
	strbuf_lit(b, "\",\"tags\":[");
	json_string(b, slice_of(arena_printf(d->a, "(rpc) %.*s", (int)r->name.len, r->name.ptr)));
	strbuf_lit(b, "],\"summary\":");
	json_string(b, slice_of(arena_printf(d->a, "Call %.*s", (int)r->name.len, r->name.ptr)));
	openapi_text(b, "description",
		     r->comment.len   ? r->comment
		     : r->is_function ? SLICE("A function of the database.")
				      : SLICE("A procedure of the database."));
	openapi_text(b, "x-routine", r->name);
	openapi_flag(b, "x-function", r->is_function);
	openapi_flag(b, "x-read-only", r->reads);
	if (rows_of(d, r))
		openapi_text(b, "x-returns", rows_of(d, r)->name);
	add_parameters(d, r, get);
	if (!get)
		add_body(d, r);
	add_responses(d, r);
	strbuf_addc(b, '}');
}

void openapi_routine_path(struct document *d, const struct routine *r)
{
	struct strbuf *b = d->b;

	strbuf_lit(b, "\"/rpc/");
	http_url_encode(b, r->name);
	strbuf_lit(b, "\":{");
	if (strstr(call_allow(r), "GET") && fits_url(r)) {
		add_operation(d, r, true);
		strbuf_addc(b, ',');
	}
	add_operation(d, r, false);
	strbuf_addc(b, '}');
}
