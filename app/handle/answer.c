/* The pipeline, a line per stage: who asks, what, how it is done, and what comes of it. */
#include "internal.h"

/* --- stages --- */

static bool authenticate(struct exchange *x)
{
	struct timespec now;
	bool ok;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	ok = worker_revocations(x->w, x->err) &&
	     auth_check(x->w->arena, x->w->state->auth, x->rq, now.tv_sec, &x->who, x->err);
	x->known = ok;
	timing_lap(&x->timing, STAGE_JWT);
	return ok;
}

static bool parse(struct exchange *x)
{
	bool ok = query_parse(x->w->arena, &x->w->state->config, x->rq, &x->query, x->err);

	timing_lap(&x->timing, STAGE_PARSE);
	return ok;
}

static bool plan(struct exchange *x)
{
	struct state *s = x->w->state;
	bool ok = worker_schema(x->w, x->err) &&
		  plan_read(x->w->arena, &s->config, s->schema, &x->query, &x->plan, x->err) &&
		  plan_policies(x->w->arena, x->plan, &x->who, x->err);

	timing_lap(&x->timing, STAGE_PLAN);
	return ok;
}

static bool run(struct exchange *x)
{
	struct worker *w = x->w;
	bool ok = exchange_acquire_for_reading(x) && exchange_prepare(x) &&
		  render_read(w->arena, &w->memory, x->plan, &x->query, x->conn, x->rs, &x->result, x->err) &&
		  (x->rs->sent || render_read_override(w->arena, x->conn, &x->override, x->err));

	exchange_explained(x, ok);
	timing_lap(&x->timing, STAGE_TRANSACTION);
	return ok;
}

/* --- writes --- */

static bool plan_write(struct exchange *x)
{
	struct state *s = x->w->state;
	bool ok = worker_schema(x->w, x->err) &&
		  write_plan(x->w->arena, &s->config, s->schema, &x->query, &x->write, x->err) &&
		  write_policies(x->w->arena, x->write, &x->who, x->err);

	timing_lap(&x->timing, STAGE_PLAN);
	return ok;
}

static bool commit(struct exchange *x)
{
	x->committed = once_commit(x->once, x->w->state->db, &x->conn, x->rs, x->err);
	return x->committed;
}

/*
 * One write, from the first look at its Idempotency-Key to the end of its transaction; from the start again when the
 * database says so. work leaves the answer in x->rs, complete but for the headers that all have, and the transaction
 * open. It reads the body by once_read from x->once. What plan makes is made again for another attempt.
 */
static bool attempt(struct exchange *x, bool (*work)(struct exchange *))
{
	bool replayed;

	if ((!x->conn && !exchange_acquire(x)) || !once_claim(x->once, x->conn, x->rs, &replayed, x->err))
		return false;
	if (replayed)
		metric_add(&x->w->shared->metrics.replays, 1);
	return replayed || (exchange_prepare(x) && work(x) && (x->roll_back || commit(x)));
}

void exchange_start_over(struct exchange *x)
{
	http_discard(x->rs);
	x->rs->before_send = NULL;
	error_init(x->err, x->err->arena);
	body_close(x->body);
	x->body = NULL;
	x->call = NULL;
	x->override = (struct render_override){ 0 };
}

static bool transact(struct exchange *x, bool (*plan_it)(struct exchange *), bool (*work)(struct exchange *))
{
	struct worker *w = x->w;
	bool ok;

	if (!x->once &&
	    !once_open(w->arena, &w->state->config, x->rq, &x->who, http_read_body, w->server, &x->once, x->err))
		return false;
	while (!(ok = plan_it(x) && attempt(x, work)) && once_again(x->once, w->state->db, &x->conn, x->err))
		exchange_start_over(x);
	/* Who is told of a failure may send the key again at once. */
	if (!exchange_explained(x, ok))
		exchange_let_go(x);
	timing_lap(&x->timing, STAGE_TRANSACTION);
	return ok;
}

/* DELETE has no body that means anything. */
static bool open_body(struct exchange *x)
{
	const struct config *c = &x->w->state->config;
	struct body_limits limits = { c->db_max_allowed_packet, c->max_body_size };

	if (x->write->kind == WRITE_DELETE)
		return true;
	x->body = body_open(x->rq, once_read, x->once, limits, x->err);
	return x->body != NULL;
}

static bool run_write(struct exchange *x)
{
	struct worker *w = x->w;

	x->roll_back = x->write->roll_back;
	return open_body(x) && render_write(w->arena, &w->memory, x->write, &x->query, x->body, x->conn, x->rs,
					    &x->override, &x->result, x->err);
}

/* --- calls --- */

/* GET and HEAD give their arguments in the URL, POST in its body. */
static bool plan_call(struct exchange *x)
{
	struct state *s = x->w->state;
	struct arena *a = x->w->arena;
	body_read_fn *read = x->once ? once_read : http_read_body;
	void *from = x->once ? (void *)x->once : (void *)x->w->server;
	bool ok = worker_schema(x->w, x->err) && call_plan(a, &s->config, s->schema, &x->query, &x->call, x->err) &&
		  (x->query.method != HTTP_POST || call_body(a, x->call, &x->query, x->rq, read, from, x->err));

	if (ok && x->call)
		x->call->who = &x->who;
	timing_lap(&x->timing, STAGE_PLAN);
	return ok;
}

static bool work_call(struct exchange *x)
{
	struct worker *w = x->w;

	x->roll_back = x->call->roll_back;
	return exchange_begin(x) &&
	       render_call(w->arena, &w->memory, x->call, &x->query, x->conn, x->rs, &x->override, &x->result, x->err);
}

static bool run_call(struct exchange *x)
{
	bool ok = exchange_acquire_for_reading(x) && exchange_prepare(x) && work_call(x);

	exchange_explained(x, ok);
	timing_lap(&x->timing, STAGE_TRANSACTION);
	return ok;
}

/* What says that it only reads does so whatever the method. */
static bool call(struct exchange *x)
{
	struct state *s = x->w->state;
	const struct routine *routine = NULL;

	if (!worker_schema(x->w, x->err))
		return false;
	if (x->query.method == HTTP_POST)
		routine = call_routine(&s->config, s->schema, &x->query);
	if (routine && !routine->reads)
		return transact(x, plan_call, work_call);
	return plan_call(x) && run_call(x);
}

/* --- the whole --- */

static bool options(struct exchange *x)
{
	const struct state *s = x->w->state;
	const struct routine *routine;
	const struct table *table;
	struct slice db;

	if (x->query.target == TARGET_ROOT) {
		http_set_header(x->rs, "Allow", "OPTIONS,GET,HEAD");
		x->rs->status = 200;
		return true;
	}
	if (!worker_schema(x->w, x->err))
		return false;
	if (x->query.target == TARGET_ROUTINE) {
		if (!call_find(&s->config, s->schema, &x->query, &routine, x->err))
			return false;
		http_set_header(x->rs, "Allow", "%s", call_allow(routine));
		x->rs->status = 200;
		return true;
	}
	if (!plan_schema(&s->config, x->query.profile, &db, x->err) ||
	    !plan_table(s->schema, db, x->query.name, &table, x->err))
		return false;
	http_set_header(x->rs, "Allow", "%s",
			!table->updatable ? "OPTIONS,GET,HEAD"
			: table->primary  ? METHODS
					  : "OPTIONS,GET,HEAD,POST,PATCH,DELETE");
	x->rs->status = 200;
	return true;
}

static bool not_offered(struct exchange *x)
{
	struct error *err = x->err;

	error_set(err, ERR_METHOD, "Unsupported HTTP method: %.*s", (int)x->rq->method_text.len,
		  x->rq->method_text.ptr);
	return false;
}

bool exchange_is_description(const struct exchange *x)
{
	return x->query.target == TARGET_ROOT && (x->query.method == HTTP_GET || x->query.method == HTTP_HEAD);
}

static bool is_read(const struct exchange *x)
{
	return x->query.target == TARGET_TABLE && (x->query.method == HTTP_GET || x->query.method == HTTP_HEAD);
}

static bool is_write(const struct exchange *x)
{
	return x->query.target == TARGET_TABLE && (x->query.method == HTTP_POST || x->query.method == HTTP_PUT ||
						   x->query.method == HTTP_PATCH || x->query.method == HTTP_DELETE);
}

bool exchange_answer(struct exchange *x)
{
	if (!authenticate(x) || !parse(x))
		return false;
	if (x->query.target == TARGET_ROOT && x->w->state->config.openapi_mode == OPENAPI_DISABLED)
		return error_set(x->err, ERR_ROOT_OFF, "Root endpoint metadata is disabled");
	if (x->query.method == HTTP_OPTIONS)
		return options(x);
	if (exchange_is_description(x))
		return exchange_describe(x);
	if (x->query.target == TARGET_ROUTINE)
		return call(x);
	if (is_write(x))
		return transact(x, plan_write, run_write);
	return is_read(x) ? plan(x) && run(x) : not_offered(x);
}
