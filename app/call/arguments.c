/*
 * Arguments by name: from the URL, a JSON object or a form; or the whole body as the one argument there is. They are
 * typed like cells of a column, so a bad one is refused here, by name.
 */
#include "internal.h"

#include "json.h"

#define MAX_DEPTH 64

/* The arguments given, by name. */
struct given {
	struct arena *a;
	struct body_member *members;
	size_t n;
};

static void give(struct given *g, struct body_member m)
{
	if ((g->n & (g->n - 1)) == 0) {
		struct body_member *more = arena_array(g->a, struct body_member, g->n ? g->n * 2 : 1);

		if (g->n)
			memcpy(more, g->members, g->n * sizeof(*more));
		g->members = more;
	}
	g->members[g->n++] = m;
}

static const struct parameter *named(const struct routine *r, struct slice name)
{
	for (size_t i = 0; i < r->nparameters; i++)
		if (schema_is_input(&r->parameters[i]) && slice_eq(r->parameters[i].column.name, name))
			return &r->parameters[i];
	for (size_t i = 0; i < r->nparameters; i++)
		if (schema_is_input(&r->parameters[i]) && slice_ieq(r->parameters[i].column.name, name))
			return &r->parameters[i];
	return NULL;
}

static bool not_found(const struct call *call, const struct given *g, enum wanted_how how, struct error *err)
{
	struct wanted w = { .how = how };

	for (size_t i = 0; i < g->n; i++)
		call_want(err->arena, &w, g->members[i].name);
	return call_not_found(call, call->routine->name, &w, err);
}

static bool typed(const struct given *g, const struct parameter *p, const struct body_member *m, struct write_cell *out,
		  struct error *err)
{
	if (write_cell(g->a, &p->column, m, (struct slice){ NULL, 0 }, out, err))
		return true;
	if (!err->details)
		error_details(err, "The argument is \"%.*s\".", (int)p->column.name.len, p->column.name.ptr);
	return false;
}

/* Of the same name the last one counts. */
static const struct body_member *last_given(const struct given *g, const struct routine *r, const struct parameter *p)
{
	for (size_t i = g->n; i-- > 0;)
		if (named(r, g->members[i].name) == p)
			return &g->members[i];
	return NULL;
}

static bool match(struct call *call, const struct given *g, enum wanted_how how, struct error *err)
{
	const struct routine *r = call->routine;
	struct write_cell *cells = arena_array(g->a, struct write_cell, r->nparameters);

	for (size_t i = 0; i < g->n; i++)
		if (!named(r, g->members[i].name))
			return not_found(call, g, how, err);
	for (size_t i = 0; i < r->nparameters; i++) {
		const struct parameter *p = &r->parameters[i];
		const struct body_member *m = schema_is_input(p) ? last_given(g, r, p) : NULL;

		cells[i].value.kind = VALUE_NULL;
		if (schema_is_input(p) && !m && !p->optional)
			return not_found(call, g, how, err);
		if (m && !typed(g, p, m, &cells[i], err))
			return false;
	}
	call->arguments = cells;
	return true;
}

static bool take_whole(struct call *call, struct arena *a, const struct parameter *p, struct value value)
{
	struct write_cell *cells = arena_array(a, struct write_cell, call->routine->nparameters);

	for (size_t i = 0; i < call->routine->nparameters; i++)
		cells[i].value.kind = VALUE_NULL;
	cells[p - call->routine->parameters].value = value;
	call->arguments = cells;
	return true;
}

/* {"name": "value", ...} of arguments that are all texts. */
static struct value as_object(const struct given *g)
{
	struct strbuf b;

	strbuf_init(&b, g->a, 256);
	strbuf_addc(&b, '{');
	for (size_t i = 0; i < g->n; i++) {
		strbuf_adds(&b, i ? "," : "");
		json_string(&b, g->members[i].name);
		strbuf_addc(&b, ':');
		json_string(&b, g->members[i].text);
	}
	strbuf_addc(&b, '}');
	return value_text(strbuf_slice(&b));
}

static bool takes_json(const struct parameter *p)
{
	return p && p->column.type.class == TYPE_JSON;
}

/* Texts by name: of a URL or a form. */
static bool match_texts(struct call *call, const struct query *query, const struct given *g, enum wanted_how how,
			struct error *err)
{
	const struct parameter *p = schema_sole_input(call->routine);

	if (!query->prefer.single_object)
		return match(call, g, how, err);
	return takes_json(p) ? take_whole(call, g->a, p, as_object(g)) : not_found(call, g, WANTED_JSON, err);
}

bool call_url(struct arena *a, struct call *call, const struct query *query, struct error *err)
{
	struct given g = { .a = a };

	for (size_t i = 0; i < query->narguments; i++)
		give(&g, (struct body_member){ query->arguments[i].name, CELL_TEXT, query->arguments[i].value });
	return match_texts(call, query, &g, WANTED_NAMES, err);
}

/* --- bodies --- */

/* A body that is in memory already, read again as rows. */
static int64_t read_again(void *context, char *to, size_t size)
{
	struct slice *rest = context;
	size_t n = rest->len < size ? rest->len : size;

	if (n)
		memcpy(to, rest->ptr, n);
	*rest = slice_from(*rest, n);
	return (int64_t)n;
}

static bool is_column(const struct query *query, struct slice name)
{
	for (size_t i = 0; i < query->ncolumns; i++)
		if (slice_eq(query->columns[i], name))
			return true;
	return !query->columns_given;
}

/* The members of the one row text holds. type: its Content-Type. */
static bool give_row(struct given *g, const struct query *query, struct http_header type, struct slice text,
		     struct error *err)
{
	struct http_request rq = { .headers = &type, .nheaders = 1 };
	struct body *body = body_open(&rq, read_again, &text, (struct body_limits){ text.len + 1, 0 }, err);
	enum body_step step = BODY_FAILED;
	struct body_row row;

	if (!body)
		return false;
	step = body_next(body, &row, err);
	for (size_t i = 0; step == BODY_ROW && i < row.n; i++) {
		struct body_member m = row.members[i];

		m.name = slice_copy(g->a, m.name);
		m.text = slice_copy(g->a, m.text);
		if (is_column(query, m.name))
			give(g, m);
	}
	if (step == BODY_ROW)
		step = body_next(body, &row, err);
	body_close(body);
	if (step == BODY_ROW)
		error_set(err, ERR_BODY, "Only one set of arguments can be given");
	return step == BODY_END;
}

static bool no_json(struct slice text, const struct json_fault *fault, struct error *err)
{
	error_set(err, ERR_BODY, "Empty or invalid json");
	return text.len ? error_details(err, "%s at byte %zu", fault->reason, fault->offset + 1) : false;
}

/* Is an object meant as the argument itself, rather than as one that names it? */
static bool is_whole(const struct parameter *p, const struct given *g)
{
	return slice_ieq(p->column.name, SLICE("body")) || g->n != 1 || !slice_ieq(g->members[0].name, p->column.name);
}

static bool take_json(struct call *call, const struct query *query, struct given *g, struct slice text,
		      struct error *err)
{
	static char json[] = "application/json";
	const struct parameter *p = schema_sole_input(call->routine);
	struct http_header type = { SLICE("content-type"), { json, sizeof(json) - 1 } };
	bool blank = slice_trim(text).len == 0, single = query->prefer.single_object;
	bool raw = p && !takes_json(p) && slice_ieq(p->column.name, SLICE("body")) &&
		   (p->column.type.class == TYPE_TEXT || p->column.type.class == TYPE_BYTES);
	struct json_fault fault = { 0, "" };

	if (single && !takes_json(p))
		return not_found(call, g, WANTED_JSON, err);
	if (blank && (single || raw || (takes_json(p) && slice_ieq(p->column.name, SLICE("body")))))
		return no_json(text, &fault, err);
	if (blank)
		return match(call, g, WANTED_BODY, err);
	if (!json_check(g->a, text, MAX_DEPTH, &fault))
		return no_json(text, &fault, err);
	if (single || raw || (takes_json(p) && json_kind(text) != '{'))
		return take_whole(call, g->a, p, value_text(text));
	if (json_kind(text) != '{')
		return error_set(err, ERR_BODY, "Arguments are given as one JSON object");
	if (!give_row(g, query, type, text, err))
		return false;
	if (takes_json(p) && is_whole(p, g))
		return take_whole(call, g->a, p, value_text(text));
	return match(call, g, WANTED_BODY, err);
}

static bool has_nul(struct slice s)
{
	return s.len && memchr(s.ptr, '\0', s.len);
}

static bool take_text(struct call *call, struct given *g, struct slice text, struct error *err)
{
	const struct parameter *p = schema_sole_input(call->routine);
	struct body_member m = { .kind = CELL_TEXT, .text = text };
	struct write_cell cell;

	if (!p || p->column.type.class != TYPE_TEXT)
		return not_found(call, g, WANTED_TEXT, err);
	if (!utf8_valid(text) || has_nul(text))
		return error_set(err, ERR_BODY, "The body is no text in UTF-8");
	return typed(g, p, &m, &cell, err) && take_whole(call, g->a, p, cell.value);
}

static bool take_bytes(struct call *call, struct given *g, struct slice text, struct error *err)
{
	const struct parameter *p = schema_sole_input(call->routine);
	uint64_t most = p ? p->column.type.length : 0;

	if (!p || p->column.type.class != TYPE_BYTES)
		return not_found(call, g, WANTED_BYTES, err);
	if (most && text.len > most)
		return error_set(err, ERR_TOO_LONG, "value too long: %zu bytes where %llu fit", text.len,
				 (unsigned long long)most);
	return take_whole(call, g->a, p, (struct value){ .kind = VALUE_BYTES, .s = text });
}

enum body_kind { BODY_IS_JSON, BODY_IS_TEXT, BODY_IS_BYTES, BODY_IS_ROW };

static const struct {
	const char *type;
	enum body_kind kind;
} kinds[] = {
	{ "application/json", BODY_IS_JSON },
	{ "application/vnd.pgrst.object+json", BODY_IS_JSON },
	{ "application/vnd.pgrst.array+json", BODY_IS_JSON },
	{ "text/plain", BODY_IS_TEXT },
	{ "text/xml", BODY_IS_TEXT },
	{ "application/xml", BODY_IS_TEXT },
	{ "application/octet-stream", BODY_IS_BYTES },
};

bool call_body(struct arena *a, struct call *call, const struct query *query, const struct http_request *rq,
	       body_read_fn *read, void *context, struct error *err)
{
	struct given g = { .a = a };
	struct http_header type = { .name = SLICE("content-type") };
	struct slice text, rest, base;
	enum body_kind kind = BODY_IS_ROW;

	if (!http_header(rq, "content-type", &type.value) || !type.value.len)
		type.value = SLICE("application/json");
	rest = type.value;
	slice_split(&rest, ';', &base);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (slice_ieq(slice_trim(base), slice_of(kinds[i].type)))
			kind = kinds[i].kind;
	call->read_body = true;
	if (!body_whole(a, rq, read, context, call->config->db_max_allowed_packet, &text, err))
		return false;
	switch (kind) {
	case BODY_IS_JSON:
		return take_json(call, query, &g, text, err);
	case BODY_IS_TEXT:
		return take_text(call, &g, text, err);
	case BODY_IS_BYTES:
		return take_bytes(call, &g, text, err);
	default:
		return give_row(&g, query, type, text, err) && match_texts(call, query, &g, WANTED_NAMES, err);
	}
}
