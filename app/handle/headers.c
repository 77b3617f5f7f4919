/* The headers of every answer: CORS, what was honoured, how long it took. */
#include "internal.h"

static bool origin_allowed(const struct config *c, struct slice origin)
{
	for (size_t i = 0; i < c->cors_allowed_origins.n; i++)
		if (slice_is(origin, c->cors_allowed_origins.items[i]))
			return true;
	return false;
}

/* False when the origin may not read the answer. */
static bool cors_origin(const struct config *c, const struct http_request *rq, struct http_response *rs)
{
	struct slice origin;

	if (!http_header(rq, "origin", &origin)) {
		/* Who asks what is allowed is told without saying from where. */
		if (rq->method == HTTP_OPTIONS && !c->cors_allowed_origins.n)
			http_set_header(rs, "Access-Control-Allow-Origin", "*");
		return false;
	}
	if (!c->cors_allowed_origins.n) {
		http_set_header(rs, "Access-Control-Allow-Origin", "*");
		return true;
	}
	http_set_header(rs, "Vary", "Origin");
	if (!origin_allowed(c, origin))
		return false;
	http_set_header(rs, "Access-Control-Allow-Origin", "%.*s", (int)origin.len, origin.ptr);
	http_set_header(rs, "Access-Control-Allow-Credentials", "true");
	return true;
}

/* a,b as "a, b, " */
static const char *spaced_list(struct arena *a, struct slice list)
{
	struct slice part;
	struct strbuf b;

	strbuf_init(&b, a, 128);
	while (slice_split(&list, ',', &part)) {
		part = slice_trim(part);
		if (part.len)
			strbuf_addf(&b, "%.*s, ", (int)part.len, part.ptr);
	}
	return strbuf_cstr(&b);
}

bool headers_preflight(struct arena *a, const struct config *c, const struct http_request *rq, struct http_response *rs)
{
	struct slice asked, origin;

	if (rq->method != HTTP_OPTIONS || !http_header(rq, "origin", &origin) ||
	    !http_header(rq, "access-control-request-method", &asked))
		return false;
	rs->status = 200;
	if (!cors_origin(c, rq, rs))
		return true;
	http_header(rq, "access-control-request-headers", &asked);
	http_set_header(rs, "Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD");
	http_set_header(rs, "Access-Control-Allow-Headers",
			"Authorization, %sAccept, Accept-Language, Content-Language", spaced_list(a, asked));
	http_set_header(rs, "Access-Control-Max-Age", "86400");
	return true;
}

void headers_common(struct exchange *x)
{
	const struct config *c = &x->w->state->config;
	struct http_response *rs = x->rs;

	http_set_header(rs, "Vary", "Accept, Prefer, Range");
	if (cors_origin(c, x->rq, rs))
		http_set_header(
			rs, "Access-Control-Expose-Headers",
			"Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, "
			"Transfer-Encoding, Range-Unit, Rowgate-Position");
	for (size_t i = 0; *c->server_trace_header && i < x->rq->nheaders; i++) {
		const struct http_header *h = &x->rq->headers[i];

		if (slice_ieq(h->name, slice_of(c->server_trace_header)))
			http_set_header(rs, c->server_trace_header, "%.*s", (int)h->value.len, h->value.ptr);
	}
}

/* Only what was honoured. */
static void preference_applied(struct exchange *x)
{
	struct query_prefer applied = { .count = x->query.prefer.count,
					.handling = x->query.prefer.handling,
					.timezone = x->query.prefer.timezone };
	struct strbuf b;

	if (x->write || x->call) {
		enum tx_end end = x->w->state->config.db_tx_end;

		if ((x->write || x->call->writes) && (end == TX_COMMIT_OVERRIDE || end == TX_ROLLBACK_OVERRIDE))
			applied.tx = x->query.prefer.tx;
		applied.has_max_affected = x->query.prefer.has_max_affected && applied.handling == HANDLING_STRICT;
		applied.max_affected = x->query.prefer.max_affected;
	}
	if (x->write) {
		applied.ret = x->query.prefer.ret;
		if (x->write->conflict && !x->write->put)
			applied.resolution = x->write->resolution;
		applied.missing = x->query.prefer.missing;
	}

	strbuf_init(&b, x->w->arena, 64);
	query_prefer_applied(&applied, &b);
	if (b.len)
		http_set_header(x->rs, "Preference-Applied", "%s", strbuf_cstr(&b));
}

/* The stages that the request came to. */
static void server_timing(struct exchange *x)
{
	static const char *const names[STAGES] = { "jwt", "parse", "plan", "transaction", "response" };
	struct strbuf b;

	strbuf_init(&b, x->w->arena, 128);
	for (size_t i = 0; i < STAGES; i++)
		if (x->timing.reached[i])
			strbuf_addf(&b, "%s%s;dur=%.3f", b.len ? ", " : "", names[i], (double)x->timing.us[i] / 1e3);
	http_set_header(x->rs, "Server-Timing", "%s", strbuf_cstr(&b));
}

static void content_location(struct exchange *x)
{
	struct strbuf b;

	strbuf_init(&b, x->w->arena, 64 + x->query.canonical.len);
	strbuf_addc(&b, '/');
	http_url_encode(&b, x->query.name);
	strbuf_add_slice(&b, x->query.canonical);
	http_set_header(x->rs, "Content-Location", "%s", strbuf_cstr(&b));
}

static void success_headers(struct exchange *x)
{
	const struct config *c = &x->w->state->config;
	struct plan *plan = x->write ? x->write->plan : x->plan;
	struct slice schema = plan ? plan->schema : x->call ? x->call->db : (struct slice){ NULL, 0 };

	preference_applied(x);
	if (x->query.canonical.ptr && plan && plan->table)
		content_location(x);
	if (c->db_schemas.n > 1 && schema.len)
		http_set_header(x->rs, "Content-Profile", "%.*s", (int)schema.len, schema.ptr);
}

void headers_complete(struct http_response *rs, void *context)
{
	struct exchange *x = context;

	headers_common(x);
	if (x->err->code == ERR_NONE) {
		success_headers(x);
		exchange_give_position(x);
		render_apply_override(&x->override, rs);
		/* A stream answers while its statement runs. */
		if (x->conn && !x->timing.reached[STAGE_TRANSACTION])
			timing_lap(&x->timing, STAGE_TRANSACTION);
		timing_lap(&x->timing, STAGE_RESPONSE);
	}
	if (x->w->state->config.server_timing_enabled)
		server_timing(x);
}
