/*
 * A request's path, query string and headers as a query. select= is read first, for the other parameters may speak of
 * its embeds (`rel.order=`); their order in the URL carries no meaning.
 */
#include "internal.h"

#define MAX_PATH_NAMES 32

struct parameter {
	struct slice key, value;
};

struct reading {
	struct arena *a;
	const struct config *config;
	struct error *err;
	struct query *query;
	struct parameter *parameters;
	size_t n;
};

static bool split(struct reading *r, struct slice query)
{
	struct slice rest = query, part;

	while (slice_split(&rest, '&', &part)) {
		struct slice value = part, key;
		struct parameter *p;

		if (!part.len)
			continue;
		slice_split(&value, '=', &key);
		if (!value.ptr)
			value = (struct slice){ "", 0 };
		r->parameters = query_push(r->a, r->parameters, r->n, sizeof(*r->parameters));
		p = &r->parameters[r->n++];
		if (!http_url_decode(r->a, key, true, &p->key, r->err) ||
		    !http_url_decode(r->a, value, true, &p->value, r->err))
			return false;
	}
	return true;
}

static bool read_select(struct reading *r)
{
	struct parser p;

	for (size_t i = 0; i < r->n; i++) {
		if (!slice_is(r->parameters[i].key, "select") || !r->parameters[i].value.len)
			continue;
		r->query->select_given = true;
		parser_init(&p, r->a, r->err, "select parameter", r->parameters[i].value);
		p.max_depth = (unsigned)r->config->max_embed_depth;
		if (!parser_select(&p, &r->query->root))
			return false;
		if (!parser_at_end(&p))
			return parser_fail(&p, "\",\" or end of input");
		return true;
	}
	r->query->root.items = arena_new(r->a, struct query_item);
	r->query->root.items[0].kind = ITEM_STAR;
	r->query->root.nitems = 1;
	return true;
}

static struct query_embed *find_embed(struct query_node *node, struct slice name)
{
	for (size_t i = 0; i < node->nitems; i++) {
		struct query_embed *e = node->items[i].embed;

		if (e && slice_eq(e->alias.len ? e->alias : e->relation, name))
			return e;
	}
	return NULL;
}

static struct slice alias_of(const struct query_node *node, struct slice relation)
{
	for (size_t i = 0; i < node->nitems; i++)
		if (node->items[i].embed && slice_eq(node->items[i].embed->relation, relation))
			return node->items[i].embed->alias;
	return (struct slice){ NULL, 0 };
}

static bool not_embedded(struct reading *r, const struct query_node *node, struct slice name)
{
	struct slice alias = alias_of(node, name);

	error_set(r->err, ERR_NOT_EMBEDDED, "'%.*s' is not an embedded resource in this request", (int)name.len,
		  name.ptr);
	if (alias.len) {
		error_details(r->err, "Target names are not allowed in filters if they have an alias");
		return error_hint(r->err, "Change '%.*s' to '%.*s' in filters, orders or limits.", (int)name.len,
				  name.ptr, (int)alias.len, alias.ptr);
	}
	return error_hint(r->err, "Verify that '%.*s' is included in the 'select' query parameter.", (int)name.len,
			  name.ptr);
}

static bool find_node(struct reading *r, const struct slice *names, size_t n, struct query_node **out)
{
	*out = &r->query->root;
	for (size_t i = 0; i < n; i++) {
		struct query_embed *e = find_embed(*out, names[i]);

		if (!e)
			return not_embedded(r, *out, names[i]);
		*out = &e->node;
	}
	return true;
}

static struct query_logic *push_where(struct reading *r, struct query_node *node)
{
	node->where = query_push(r->a, node->where, node->nwhere, sizeof(*node->where));
	return node->where[node->nwhere++] = arena_new(r->a, struct query_logic);
}

static bool read_filter(struct reading *r, struct query_node *node, const struct query_field *field, struct slice value)
{
	struct query_logic *leaf = push_where(r, node);
	struct parser p;

	leaf->filter.field = *field;
	parser_init(&p, r->a, r->err, "filter", value);
	if (!parser_operation(&p, false, &leaf->filter))
		return false;
	return parser_at_end(&p) || parser_fail(&p, "end of input");
}

static bool read_tree(struct reading *r, struct query_node *node, bool is_or, bool negated, struct slice value)
{
	struct query_logic *tree = push_where(r, node);
	struct parser p;

	tree->kind = is_or ? LOGIC_OR : LOGIC_AND;
	tree->negated = negated;
	parser_init(&p, r->a, r->err, "logic tree", value);
	if (!parser_tree(&p, tree))
		return false;
	return parser_at_end(&p) || parser_fail(&p, "end of input");
}

static bool read_having(struct reading *r, struct query_node *node, struct slice value)
{
	struct query_logic *all = arena_new(r->a, struct query_logic);
	struct parser p;

	all->kind = LOGIC_AND;
	node->having = query_push(r->a, node->having, node->nhaving, sizeof(*node->having));
	node->having[node->nhaving++] = all;
	parser_init(&p, r->a, r->err, "having", value);
	if (!parser_having(&p, all))
		return false;
	return parser_at_end(&p) || parser_fail(&p, "\",\" or end of input");
}

static bool read_order(struct reading *r, struct query_node *node, struct slice value)
{
	struct parser p;

	if (!slice_trim(value).len)
		return true;
	parser_init(&p, r->a, r->err, "order", value);
	return parser_order(&p, node);
}

static bool read_number(struct reading *r, const char *what, struct slice value, int64_t *out)
{
	struct parser p;

	if (!slice_starts(slice_trim(value), "+") && parse_i64(slice_trim(value), out))
		return true;
	parser_init(&p, r->a, r->err, what, value);
	return parser_fail(&p, "a number from 0 to 9223372036854775807");
}

static bool read_limit(struct reading *r, struct query_node *node, struct slice value)
{
	int64_t n;

	if (!read_number(r, "limit parameter", value, &n))
		return false;
	if (n < 0) {
		error_set(r->err, ERR_RANGE, "Requested range not satisfiable");
		return error_details(r->err, "Limit should be greater than or equal to zero.");
	}
	node->has_limit = true;
	node->limit = (uint64_t)n;
	return true;
}

/* As PostgREST has it, an offset before the first row is the first row. */
static bool read_offset(struct reading *r, struct query_node *node, struct slice value)
{
	int64_t n;

	if (!read_number(r, "offset parameter", value, &n))
		return false;
	node->offset = n > 0 ? (uint64_t)n : 0;
	return true;
}

/* The names of a key, `a.b."c.d"`; the last may have a JSON path. */
struct key {
	struct slice names[MAX_PATH_NAMES];
	size_t n;
	struct query_field field;
	bool quoted; /* the last name stood in quotes: it is a column, whatever it is called */
};

static bool read_key(struct reading *r, struct slice text, struct key *k)
{
	struct parser p;

	k->n = 0;
	parser_init(&p, r->a, r->err, "tree path", text);
	for (;;) {
		k->quoted = parser_peek(&p) == '"';
		if (!parser_field(&p, &k->field))
			return false;
		if (parser_at_end(&p))
			return true;
		if (k->field.nsteps || !parser_take_char(&p, '.'))
			return parser_fail(&p, "\".\" or end of input");
		if (k->n == MAX_PATH_NAMES)
			return parser_fail(&p, "a shorter path");
		k->names[k->n++] = k->field.name;
	}
}

/* a,"b c",d */
static bool read_names(struct reading *r, const char *what, struct slice value, struct slice **out, size_t *n)
{
	struct parser p;

	parser_init(&p, r->a, r->err, what, value);
	do {
		parser_blanks(&p);
		*out = query_push(r->a, *out, *n, sizeof(**out));
		if (!parser_name(&p, &(*out)[(*n)++], NULL))
			return false;
		parser_blanks(&p);
	} while (parser_take_char(&p, ','));
	return parser_at_end(&p) || parser_fail(&p, "\",\" or end of input");
}

static bool read_columns(struct reading *r, struct slice value)
{
	r->query->columns_given = true;
	return read_names(r, "columns parameter", value, &r->query->columns, &r->query->ncolumns);
}

static bool read_parameter(struct reading *r, const struct parameter *par)
{
	struct query_node *node;
	struct key *k = arena_new(r->a, struct key);
	struct slice last;
	bool is_or, negated;

	if (!read_key(r, par->key, k))
		return false;
	last = k->field.name;
	if (!k->n && !k->quoted && slice_is(last, "select"))
		return true;
	if (!k->n && !k->quoted && slice_is(last, "columns"))
		return read_columns(r, par->value);
	if (!k->n && !k->quoted && slice_is(last, "on_conflict"))
		return read_names(r, "on_conflict parameter", par->value, &r->query->on_conflict,
				  &r->query->non_conflict);
	is_or = slice_is(last, "or");
	if (!k->quoted && !k->field.nsteps && (is_or || slice_is(last, "and"))) {
		negated = k->n && slice_is(k->names[k->n - 1], "not");
		if (!find_node(r, k->names, k->n - negated, &node))
			return false;
		return read_tree(r, node, is_or, negated, par->value);
	}
	if (!find_node(r, k->names, k->n, &node))
		return false;
	if (k->quoted || k->field.nsteps)
		return read_filter(r, node, &k->field, par->value);
	if (slice_is(last, "order"))
		return read_order(r, node, par->value);
	if (slice_is(last, "having"))
		return read_having(r, node, par->value);
	if (slice_is(last, "limit"))
		return read_limit(r, node, par->value);
	if (slice_is(last, "offset"))
		return read_offset(r, node, par->value);
	return read_filter(r, node, &k->field, par->value);
}

/* A GET on a routine: what names no embed and begins with no operator is an argument. */
static bool is_argument(const struct reading *r, const struct parameter *par)
{
	if (r->query->target != TARGET_ROUTINE || (r->query->method != HTTP_GET && r->query->method != HTTP_HEAD))
		return false;
	return !query_is_reserved(par->key) && !memchr(par->key.ptr, '.', par->key.len) &&
	       !parser_is_operation(par->value);
}

static void push_argument(struct reading *r, const struct parameter *par)
{
	struct query *q = r->query;

	q->arguments = query_push(r->a, q->arguments, q->narguments, sizeof(*q->arguments));
	q->arguments[q->narguments++] = (struct query_argument){ par->key, par->value };
}

static bool read_path(struct reading *r, const struct http_request *rq)
{
	struct slice rest = rq->path, part, names[3] = { { NULL, 0 } };
	size_t n = 0;

	if (rest.len && rest.ptr[0] == '/')
		rest = slice_from(rest, 1);
	while (slice_split(&rest, '/', &part)) {
		if (n == 2)
			return error_set(r->err, ERR_PATH, "Invalid path specified in request URL");
		if (!http_url_decode(r->a, part, false, &names[n++], r->err))
			return false;
	}
	r->query->target = TARGET_TABLE;
	if (n == 2 && slice_is(names[0], "rpc") && names[1].len) {
		r->query->target = TARGET_ROUTINE;
		names[0] = names[1];
	} else if (n > 1) {
		return error_set(r->err, ERR_PATH, "Invalid path specified in request URL");
	} else if (!names[0].len) {
		r->query->target = TARGET_ROOT;
	}
	r->query->name = names[0];
	return true;
}

static bool check_method(struct reading *r, const struct http_request *rq)
{
	enum http_method m = rq->method;

	r->query->method = m;
	if (m == HTTP_OTHER)
		return error_set(r->err, ERR_METHOD, "Unsupported HTTP method: %.*s", (int)rq->method_text.len,
				 rq->method_text.ptr);
	if (r->query->target == TARGET_ROUTINE && (m == HTTP_PATCH || m == HTTP_PUT || m == HTTP_DELETE))
		return error_set(r->err, ERR_METHOD_RPC, "Cannot use the %.*s method on RPC", (int)rq->method_text.len,
				 rq->method_text.ptr);
	return true;
}

static void read_profile(struct reading *r, const struct http_request *rq)
{
	bool reads = rq->method == HTTP_GET || rq->method == HTTP_HEAD || rq->method == HTTP_OPTIONS;

	http_header(rq, reads ? "accept-profile" : "content-profile", &r->query->profile);
}

/* What Content-Location says. Headers have their limits, so long URLs have none. */
enum { CANONICAL_BYTES = 1024, CANONICAL_PARAMETERS = 32 };

static bool comes_before(struct slice a, struct slice b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order < 0 || (order == 0 && a.len < b.len);
}

static void make_canonical(struct reading *r, size_t len)
{
	const struct parameter *sorted[CANONICAL_PARAMETERS] = { NULL };
	struct strbuf b;

	if (r->query->target != TARGET_TABLE || (r->query->method != HTTP_GET && r->query->method != HTTP_HEAD) ||
	    len > CANONICAL_BYTES || r->n > CANONICAL_PARAMETERS)
		return;
	for (size_t i = 0; i < r->n; i++) {
		size_t at = i;

		for (; at && comes_before(r->parameters[i].key, sorted[at - 1]->key); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &r->parameters[i];
	}
	strbuf_init(&b, r->a, len + 16);
	for (size_t i = 0; i < r->n; i++) {
		strbuf_addc(&b, i ? '&' : '?');
		http_url_encode(&b, sorted[i]->key);
		strbuf_addc(&b, '=');
		http_url_encode(&b, sorted[i]->value);
	}
	r->query->canonical = b.len ? strbuf_slice(&b) : SLICE("");
}

bool query_parse(struct arena *a, const struct config *config, const struct http_request *rq, struct query *query,
		 struct error *err)
{
	struct reading r = { .a = a, .config = config, .err = err, .query = query };
	struct slice accept;

	*query = (struct query){ 0 };
	if (rq->path.len + rq->query.len > config->max_url_length)
		return error_set(err, ERR_TOO_LARGE, "The request URL is longer than %llu bytes",
				 (unsigned long long)config->max_url_length);
	if (!read_path(&r, rq) || !check_method(&r, rq))
		return false;
	read_profile(&r, rq);
	if (rq->method == HTTP_OPTIONS)
		return true;
	http_header(rq, "accept", &accept);
	if (!http_negotiate(a, accept, &query->media, &query->nmedia, err) ||
	    !query_prefer(a, rq, &query->prefer, err) || !split(&r, rq->query) || !read_select(&r))
		return false;
	for (size_t i = 0; i < r.n; i++)
		if (is_argument(&r, &r.parameters[i]))
			push_argument(&r, &r.parameters[i]);
		else if (query->target != TARGET_ROOT && !read_parameter(&r, &r.parameters[i]))
			return false;
	make_canonical(&r, rq->query.len);
	return query_range(rq, &query->root, err);
}
