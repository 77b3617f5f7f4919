/* One request from start to end: which route it takes, and what is left to do when it has been answered. */
#include "internal.h"

/* The anonymous have not said who they are: 401 asks them to. */
static void adjust_denied(const struct exchange *x)
{
	if (x->err->code == ERR_DENIED && x->known && x->who.anonymous)
		x->err->status = 401;
}

/* A read that would write does so on any server: it need not come again. */
static void adjust_read_only(const struct exchange *x)
{
	if (x->err->code != ERR_READ_ONLY_SERVER || (x->rq->method != HTTP_GET && x->rq->method != HTTP_HEAD))
		return;
	x->err->status = 405;
	x->err->retry_after = 0;
}

/* To MySQL a temporary table is no write, and to a read-only transaction it is one. */
static void advise_reads(const struct exchange *x)
{
	if (x->err->code == ERR_READ_ONLY && x->call && x->call->routine->reads)
		error_hint(x->err,
			   "It is declared to read only, and so it runs. Declared MODIFIES SQL DATA it may write, and "
			   "make temporary tables, by POST.");
}

/* A write that failed for reasons of ours was not done, but for the one case where nobody knows. */
static void outcome(const struct exchange *x)
{
	enum http_method m = x->rq->method;
	bool writes = m == HTTP_POST || m == HTTP_PATCH || m == HTTP_PUT || m == HTTP_DELETE;

	if (writes && x->err->status >= 500)
		http_set_header(x->rs, "Rowgate-Outcome", x->err->code == ERR_OUTCOME ? "unknown" : "not-applied");
}

static void rest(struct exchange *x)
{
	struct http_response *rs = x->rs;
	bool ok;

	if (headers_preflight(x->w->arena, &x->w->state->config, x->rq, rs))
		return;
	x->timing.last = now_us();
	rs->complete = headers_complete;
	rs->complete_context = x;
	ok = exchange_answer(x);
	while (!ok && exchange_try_again(x))
		ok = exchange_answer(x);
	if (ok || rs->sent)
		return;
	adjust_denied(x);
	adjust_read_only(x);
	advise_reads(x);
	render_error(&x->w->state->config, x->err, rs);
	outcome(x);
	if (x->err->code == ERR_METHOD)
		http_set_header(rs, "Allow", x->query.target == TARGET_ROOT ? "OPTIONS,GET,HEAD" : METHODS);
}

/* Room for a session's answer. */
#define SESSION_ROOM 65536

/* Users and sessions: app/identity. */
static void identity(struct exchange *x)
{
	struct state *s = x->w->state;
	struct slice origin;
	struct identity_env env = worker_identity(x->w, x->w->arena, http_fd(x->w->server));

	if (headers_preflight(x->w->arena, &s->config, x->rq, x->rs))
		return;
	/* Passwords and refresh tokens; room enough, so that growing leaves no copies. */
	arena_secret(x->w->arena);
	x->rs->secret = true;
	(void)strbuf_room(&x->rs->body, SESSION_ROOM);
	if (worker_revocations(x->w, x->err))
		x->known = identity_serve(&env, x->rq, http_read_secret, x->w->server, x->rs, &x->who, x->err);
	else
		render_error(&s->config, x->err, x->rs);
	headers_common(x);
	if (http_header(x->rq, "origin", &origin))
		http_set_header(x->rs, "Access-Control-Expose-Headers", "Link, X-Total-Count");
}

static void live(struct exchange *x)
{
	x->rs->status = 200;
	http_set_header(x->rs, "Content-Type", "application/json; charset=utf-8");
	strbuf_lit(&x->rs->body, "{\"status\":\"live\"}");
}

/* Ready: the definitions are loaded, what is revoked is known, and the database answers now. */
static void ready(struct exchange *x)
{
	if (!worker_schema(x->w, x->err) || !worker_revocations(x->w, x->err) ||
	    !worker_database_answers(x->w, x->err)) {
		x->err->retry_after = 1;
		x->err->status = 503;
		render_error(&x->w->state->config, x->err, x->rs);
		return;
	}
	x->rs->status = 200;
	http_set_header(x->rs, "Content-Type", "application/json; charset=utf-8");
	strbuf_lit(&x->rs->body, "{\"status\":\"ready\"}");
}

static void metrics(struct exchange *x)
{
	x->rs->status = 200;
	http_set_header(x->rs, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	shared_metrics(x->w->shared, &x->rs->body);
}

static void unknown(struct exchange *x)
{
	error_set(x->err, ERR_PATH, "Invalid path specified in request URL");
	render_error(&x->w->state->config, x->err, x->rs);
}

static const struct {
	const char *path;
	bool prefix;
	enum route route;
	void (*serve)(struct exchange *x);
} routes[] = {
	{ "/rest/v1/rpc/", true, ROUTE_RPC, rest },
	{ "/rest/v1/", false, ROUTE_ROOT, rest },
	{ "/rest/v1/", true, ROUTE_TABLE, rest },
	{ "/rest/v1", false, ROUTE_ROOT, rest },
	{ "/auth/v1/", true, ROUTE_AUTH, identity },
	{ "/health/live", false, ROUTE_HEALTH, live },
	{ "/health/ready", false, ROUTE_HEALTH, ready },
	{ "/metrics", false, ROUTE_METRICS, metrics },
	{ "", true, ROUTE_OTHER, unknown },
};

static size_t find_route(struct slice path)
{
	size_t i = 0;

	while (!(routes[i].prefix ? slice_starts(path, routes[i].path) : slice_is(path, routes[i].path)))
		i++;
	return i;
}

void handle(struct worker *w, struct http_request *rq, struct http_response *rs)
{
	struct exchange *x = arena_new(w->arena, struct exchange);
	struct error *err = arena_new(w->arena, struct error);
	size_t route = find_route(rq->path);
	int64_t start = now_us(), us;
	bool cut;

	*x = (struct exchange){ .w = w, .rq = rq, .rs = rs, .err = err };
	error_init(err, w->arena);
	if (routes[route].prefix && routes[route].route != ROUTE_OTHER)
		rq->path = slice_from(rq->path, strlen("/rest/v1")); /* as long as /auth/v1 */
	else if (routes[route].route == ROUTE_ROOT)
		rq->path = SLICE("/");
	/* A copy: what nginx sent is gone by the time of the log. */
	if (http_traceparent(rq, &x->traceparent, &x->sampled))
		x->traceparent = slice_copy(w->arena, x->traceparent);
	worker_busy(w, start / 1000);
	routes[route].serve(x);
	cut = rs->sent && err->code != ERR_NONE;
	if (cut)
		http_cut(w->server, rs);
	else
		http_finish(w->server, rs);
	exchange_let_go(x);
	body_close(x->body);
	us = now_us() - start;
	record_log(x, cut, us);
	record_count(w, x, routes[route].route, cut, us);
	worker_notice(w);
	worker_busy(w, 0);
}
