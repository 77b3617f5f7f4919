/*
 * One request from start to end. answer() is the pipeline, a line per stage; around it stand routing, CORS, the
 * second attempt after a lost connection or changed definitions, and the log line.
 */
#include <stdio.h>
#include <time.h>

#include "worker.h"

#include "clock.h"
#include "log.h"

/* Durations of the stages in microseconds, for Server-Timing and the log. */
struct timing {
	int64_t last;
	int64_t jwt, parse, plan, transaction, response;
};

struct exchange {
	struct worker *w;
	struct http_request *rq;
	struct http_response *rs;
	struct principal who;
	bool known; /* who is filled */
	struct query query;
	struct plan *plan;
	struct write *write; /* of POST, PATCH, DELETE */
	struct call *call;   /* of a routine */
	struct render_override override;
	struct body *body;
	struct once *once; /* of what writes */
	bool roll_back;    /* the work is to leave nothing */
	struct db_conn *conn;
	enum read_place place; /* of a read */
	bool from_writer;      /* the reader could not: not to be asked again */
	bool again;            /* tried a second time */
	bool committed;
	unsigned long thread;     /* conn's, for the log */
	struct slice traceparent; /* well-formed, or empty */
	bool sampled;
	struct render_result result;
	struct timing timing;
	struct error *err;
};

static void lap(struct timing *t, int64_t *stage)
{
	int64_t now = now_us();

	*stage += now - t->last;
	t->last = now;
}

/* --- stages --- */

static void let_go(struct exchange *x)
{
	db_release(x->w->state->db, x->conn);
	x->conn = NULL;
}

/* Statements name the request where somebody will look for it: that costs their being prepared for it alone. */
static void comment(struct exchange *x)
{
	enum trace_comment wanted = x->w->state->config.db_trace_comment;
	if (wanted == TRACE_ALWAYS || (wanted == TRACE_SAMPLED && x->sampled))
		db_comment(x->conn, http_trace_comment(x->w->arena, x->rq));
}

static bool acquire(struct exchange *x)
{
	struct worker *w = x->w;

	if (!x->conn && !db_acquire(w->state->db, x->who.role, http_fd(w->server), &x->conn, x->err))
		return false;
	x->thread = db_thread(x->conn);
	comment(x);
	return true;
}

/* --- the reader --- */

#define POSITION "rowgate-position"
#define READER_DOWN_MS 1000

/* What an answer to a write gave out: the writer's time that a reader must have reached. 0: none. */
static bool read_position(const struct http_request *rq, int64_t *out, struct error *err)
{
	struct slice text;
	uint64_t n = 0;

	*out = 0;
	if (!http_header(rq, POSITION, &text))
		return true;
	if (http_header_count(rq, POSITION) == 1 && slice_starts(text, "w1-") && parse_u64(slice_from(text, 3), &n) &&
	    n <= INT64_MAX / 2) {
		*out = (int64_t)n;
		return true;
	}
	error_set(err, ERR_PARSE, "The header Rowgate-Position is malformed");
	return error_hint(err, "Send back what the answer to a write had there, or nothing.");
}

static void reader_is_down(struct exchange *x)
{
	atomic_store(&x->w->shared->reader_down, now_us() / 1000 + READER_DOWN_MS);
	log_line(LOG_WARN, "the reader does not answer, the writer does: %s", x->err->message);
	error_init(x->err, x->err->arena);
	x->place = READ_DOWN;
}

/* Is what the reader has new enough? beat: the writer's time that it has reached. */
static bool is_fresh(struct exchange *x, int64_t beat, int64_t position)
{
	uint64_t limit = x->w->state->config.db_reader_max_lag * 1000000;
	int64_t now;
	bool known = worker_writer_time(x->w, &now);

	atomic_store_explicit(&x->w->shared->metrics.reader_lag, known ? (now > beat ? now - beat : 0) : -1,
			      memory_order_relaxed);
	return beat >= position && (!limit || (known && beat && now - beat < (int64_t)limit));
}

static bool acquire_reader(struct exchange *x, int64_t position)
{
	struct worker *w = x->w;
	int64_t until = atomic_load(&w->shared->reader_down), now = now_us() / 1000, beat;

	x->place = READ_DOWN;
	if (now < until && until - now <= READER_DOWN_MS)
		return false;
	x->place = READ_LAGS;
	if (!db_acquire_reader(w->state->db, x->who.role, http_fd(w->server), &x->conn, &beat, x->err)) {
		let_go(x);
		/* A role that is none says nothing of the server. */
		if (x->err->code == ERR_UNKNOWN_ROLE)
			error_init(x->err, x->err->arena);
		else
			reader_is_down(x);
	} else if (is_fresh(x, beat, position)) {
		x->place = READ_READER;
	} else {
		let_go(x);
	}
	return x->place == READ_READER;
}

/* A read goes to the reader, when there is one that is up and as new as it has to be. */
static bool acquire_for_reading(struct exchange *x)
{
	int64_t position;
	bool wanted = *x->w->state->config.db_reader_host != '\0';

	if (wanted && !read_position(x->rq, &position, x->err))
		return false;
	if (x->from_writer || !wanted)
		x->place = x->from_writer ? READ_DOWN : READ_WRITER;
	else
		acquire_reader(x, position);
	metric_add(&x->w->shared->metrics.reads[x->place], 1);
	return acquire(x);
}

/* After a write: whoever sends this back with a read finds what was written. */
static void give_position(struct exchange *x)
{
	int64_t time;

	if (x->committed && *x->w->state->config.db_reader_host && worker_writer_time(x->w, &time))
		http_set_header(x->rs, "Rowgate-Position", "w1-%lld", (long long)time);
}

static bool authenticate(struct exchange *x)
{
	struct timespec now;
	bool ok;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	ok = worker_revocations(x->w, x->err) &&
	     auth_check(x->w->arena, x->w->state->auth, x->rq, now.tv_sec, &x->who, x->err);
	x->known = ok;
	lap(&x->timing, &x->timing.jwt);
	return ok;
}

static bool parse(struct exchange *x)
{
	bool ok = query_parse(x->w->arena, &x->w->state->config, x->rq, &x->query, x->err);

	lap(&x->timing, &x->timing.parse);
	return ok;
}

static bool plan(struct exchange *x)
{
	struct state *s = x->w->state;
	bool ok = worker_schema(x->w, x->err) &&
		  plan_read(x->w->arena, &s->config, s->schema, &x->query, &x->plan, x->err) &&
		  plan_policies(x->w->arena, x->plan, &x->who, x->err);

	lap(&x->timing, &x->timing.plan);
	return ok;
}

/* Headers and cookies as JSON objects, for what the database's own code reads. */
static struct slice pairs_json(struct arena *a, const struct http_request *rq, bool cookies)
{
	struct strbuf b;
	const char *comma = "";

	strbuf_init(&b, a, 256);
	strbuf_addc(&b, '{');
	for (size_t i = 0; i < rq->nheaders; i++) {
		struct slice rest = rq->headers[i].value, part, name;

		if (!cookies) {
			strbuf_adds(&b, comma);
			json_string(&b, rq->headers[i].name);
			strbuf_addc(&b, ':');
			json_string(&b, rest);
			comma = ",";
			continue;
		}
		while (slice_is(rq->headers[i].name, "cookie") && slice_split(&rest, ';', &part)) {
			struct slice value = slice_trim(part);

			if (!slice_split(&value, '=', &name) || !value.ptr)
				continue;
			strbuf_adds(&b, comma);
			json_string(&b, name);
			strbuf_addc(&b, ':');
			json_string(&b, value);
			comma = ",";
		}
	}
	strbuf_addc(&b, '}');
	return strbuf_slice(&b);
}

static bool set_variables(struct exchange *x)
{
	struct arena *a = x->w->arena;
	struct sql_variable variables[] = {
		{ "jwt.claims", x->who.claims },
		{ "role", x->who.role },
		{ "method", x->rq->method_text },
		{ "path", x->rq->path },
		{ "headers", pairs_json(a, x->rq, false) },
		{ "cookies", pairs_json(a, x->rq, true) },
	};
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;

	sql_request_variables(a, variables, sizeof(variables) / sizeof(*variables), x->override.wanted, &statement);
	return db_query(a, x->conn, &statement, &rows, x->err) && db_next(rows, &cells, x->err) != DB_FAILED;
}

static bool begin(struct exchange *x)
{
	bool writes = x->write || (x->call && x->call->writes);

	if (x->call && !writes && !db_read_only(x->conn, x->err))
		return false;
	return writes ? db_begin(x->conn, x->err) : db_begin_snapshot(x->conn, x->err);
}

/*
 * Code that may leave variables, temporary tables or locks in the session runs in it: the next request shall not find
 * them.
 */
static bool runs_code(const struct exchange *x)
{
	const struct schema *s = x->w->state->schema;

	return x->call || (s->other_variables && (x->write || *x->w->state->config.db_pre_request));
}

/* Variables and the configured procedure, before the request's own statements. */
static bool prepare_session(struct exchange *x)
{
	const struct config *c = &x->w->state->config;
	const struct schema *s = x->w->state->schema;
	struct strbuf call;

	x->override.wanted = s->response_variables;
	if (runs_code(x))
		db_renew(x->conn);
	if ((*c->db_pre_request || s->request_variables || s->response_variables) && !set_variables(x))
		return false;
	if (!*c->db_pre_request)
		return true;
	strbuf_init(&call, x->w->arena, 128);
	sql_call(slice_of(c->db_schemas.items[0]), slice_of(c->db_pre_request), &call);
	/* What it says of the answer must be known before a stream begins. */
	return begin(x) && db_call(x->conn, strbuf_cstr(&call), x->err) &&
	       (x->write || render_read_override(x->w->arena, x->conn, &x->override, x->err));
}

/* What the database's own code has to say of its error, while the session is there to ask. */
static bool explained(struct exchange *x, bool ok)
{
	if (!ok && x->conn && !x->rs->sent)
		render_raised(x->w->arena, x->conn, &x->override, x->err);
	return ok;
}

static bool run(struct exchange *x)
{
	struct worker *w = x->w;
	bool ok = acquire_for_reading(x) && prepare_session(x) &&
		  render_read(w->arena, &w->memory, x->plan, &x->query, x->conn, x->rs, &x->result, x->err) &&
		  (x->rs->sent || render_read_override(w->arena, x->conn, &x->override, x->err));

	explained(x, ok);
	lap(&x->timing, &x->timing.transaction);
	return ok;
}

static bool plan_write(struct exchange *x)
{
	struct state *s = x->w->state;
	bool ok = worker_schema(x->w, x->err) &&
		  write_plan(x->w->arena, &s->config, s->schema, &x->query, &x->write, x->err) &&
		  write_policies(x->w->arena, x->write, &x->who, x->err);

	lap(&x->timing, &x->timing.plan);
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

	if ((!x->conn && !acquire(x)) || !once_claim(x->once, x->conn, x->rs, &replayed, x->err))
		return false;
	if (replayed)
		metric_add(&x->w->shared->metrics.replays, 1);
	return replayed || (prepare_session(x) && work(x) && (x->roll_back || commit(x)));
}

static void start_over(struct exchange *x)
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
		start_over(x);
	/* Who is told of a failure may send the key again at once. */
	if (!explained(x, ok))
		let_go(x);
	lap(&x->timing, &x->timing.transaction);
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
	lap(&x->timing, &x->timing.plan);
	return ok;
}

static bool work_call(struct exchange *x)
{
	struct worker *w = x->w;

	x->roll_back = x->call->roll_back;
	return begin(x) &&
	       render_call(w->arena, &w->memory, x->call, &x->query, x->conn, x->rs, &x->override, &x->result, x->err);
}

static bool run_call(struct exchange *x)
{
	bool ok = acquire_for_reading(x) && prepare_session(x) && work_call(x);

	explained(x, ok);
	lap(&x->timing, &x->timing.transaction);
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

/* --- the description --- */

/* What the role may do, in the server's words. */
static bool read_grants(struct exchange *x, struct openapi_request *rq)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct db_statement statement = { .text = SLICE("SHOW GRANTS"), .columns = fetch, .ncolumns = 1 };
	struct arena *a = x->w->arena;
	struct slice *lines = NULL;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;
	size_t n = 0;

	if (!db_query(a, x->conn, &statement, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW) {
		/* Room doubles at powers of two. */
		if ((n & (n - 1)) == 0) {
			struct slice *more = arena_array(a, struct slice, n ? n * 2 : 1);

			if (n)
				memcpy(more, lines, n * sizeof(*more));
			lines = more;
		}
		lines[n++] = slice_copy(a, cells[0].s);
	}
	rq->grants = lines;
	rq->ngrants = n;
	return step == DB_END;
}

/* It goes into the document, so nothing but a host can stand there. */
static struct slice host_of(const struct http_request *rq)
{
	struct slice host;

	http_header(rq, "host", &host);
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr(".-:[]", c))))
			return (struct slice){ NULL, 0 };
	}
	return host.len <= 255 ? host : (struct slice){ NULL, 0 };
}

/* application/json for who asks for just that. */
static bool description_media(struct exchange *x, const char **out)
{
	const struct query *q = &x->query;
	const struct media_choice openapi = { .media = MEDIA_OPENAPI };
	struct slice accept;

	for (size_t i = 0; i < q->nmedia; i++)
		if (q->media[i].media == MEDIA_OPENAPI ||
		    (q->media[i].media == MEDIA_JSON && !q->media[i].strip_nulls)) {
			*out = http_media_name(q->media[i].any ? &openapi : &q->media[i]);
			return true;
		}
	http_header(x->rq, "accept", &accept);
	return error_set(x->err, ERR_MEDIA, "None of these media types are available: %.*s", (int)accept.len,
			 accept.ptr);
}

/* In pieces, so that a large text is not held twice. */
static bool send_whole(struct exchange *x, struct slice text)
{
	struct http_response *rs = x->rs;

	if (text.len >= HTTP_HOLD_BACK && !rs->head)
		http_set_header(rs, "Content-Length", "%zu", text.len);
	while (text.len) {
		size_t n = text.len < HTTP_HOLD_BACK ? text.len : HTTP_HOLD_BACK;

		strbuf_add(&rs->body, text.ptr, n);
		text = slice_from(text, n);
		if (!http_commit(rs, x->err))
			return false;
	}
	return true;
}

static bool describe(struct exchange *x)
{
	struct state *s = x->w->state;
	struct openapi_request rq = { .config = &s->config, .role = x->who.role, .host = host_of(x->rq) };
	struct slice etag, known;
	const char *media = NULL;

	rq.all = s->config.openapi_mode == OPENAPI_IGNORE;
	if (!worker_schema(x->w, x->err) || !plan_schema(&s->config, x->query.profile, &rq.db, x->err) ||
	    !description_media(x, &media) || !db_acquire(s->db, x->who.role, http_fd(x->w->server), &x->conn, x->err) ||
	    !prepare_session(x) || !read_grants(x, &rq) ||
	    !render_read_override(x->w->arena, x->conn, &x->override, x->err))
		return explained(x, false);
	rq.schema = s->schema;
	lap(&x->timing, &x->timing.transaction);
	etag = openapi_etag(x->w->arena, &rq);
	http_set_header(x->rs, "ETag", "%.*s", (int)etag.len, etag.ptr);
	http_set_header(x->rs, "Cache-Control", "private, no-cache");
	if (s->config.db_schemas.n > 1)
		http_set_header(x->rs, "Content-Profile", "%.*s", (int)rq.db.len, rq.db.ptr);
	x->rs->status = 304;
	/* Behind the quotes, for a proxy that packs the answer makes a weak one of it. */
	if (http_header(x->rq, "if-none-match", &known) && memmem(known.ptr, known.len, etag.ptr, etag.len))
		return true;
	x->rs->status = 200;
	http_set_header(x->rs, "Content-Type", "%s", media);
	return send_whole(x, openapi_make(x->w->arena, s->descriptions, &rq, etag));
}

/* --- what is neither read nor written --- */

#define METHODS "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"

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

static bool is_description(const struct exchange *x)
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

static bool answer(struct exchange *x)
{
	if (!authenticate(x) || !parse(x))
		return false;
	if (x->query.target == TARGET_ROOT && x->w->state->config.openapi_mode == OPENAPI_DISABLED)
		return error_set(x->err, ERR_ROOT_OFF, "Root endpoint metadata is disabled");
	if (x->query.method == HTTP_OPTIONS)
		return options(x);
	if (is_description(x))
		return describe(x);
	if (x->query.target == TARGET_ROUTINE)
		return call(x);
	if (is_write(x))
		return transact(x, plan_write, run_write);
	return is_read(x) ? plan(x) && run(x) : not_offered(x);
}

/* --- second attempts --- */

static bool names_something_unknown(const struct error *err)
{
	return err->code == ERR_NO_TABLE || err->code == ERR_UNKNOWN_COLUMN || err->code == ERR_NO_RELATION ||
	       err->code == ERR_DB_TABLE || err->code == ERR_DB_SCHEMA || err->code == ERR_NO_ROUTINE ||
	       err->code == ERR_DB_ROUTINE;
}

/* What the writer may know better: the reader has no such name or right yet, or must not do what is asked. */
static bool unsettled(enum error_code code)
{
	return code == ERR_DENIED || code == ERR_UNKNOWN_ROLE || code == ERR_READ_ONLY_SERVER ||
	       code == ERR_READ_ONLY || code == ERR_LOCK_WAIT || code == ERR_DEADLOCK || code == ERR_DB_OTHER ||
	       code == ERR_DB_SYNTAX;
}

/* A read that the reader has failed goes to the writer. Whether what took too long was slow, or hangs, shows when it is ended. */
static bool ask_writer(struct exchange *x)
{
	enum error_code code = x->err->code;
	bool lost = code == ERR_DB_LOST || code == ERR_CONNECTIONS, slow = code == ERR_TIMEOUT;

	if (x->place != READ_READER || x->from_writer || !x->conn ||
	    !(lost || slow || names_something_unknown(x->err) || unsettled(code)))
		return false;
	let_go(x);
	lost = db_reader_lost(x->w->state->db) || lost;
	if (slow && !lost)
		return false;
	if (lost)
		reader_is_down(x);
	x->from_writer = true;
	start_over(x);
	return true;
}

/* A read whose connection was lost, or what met a name not known yet, is tried once more. */
static bool try_again(struct exchange *x)
{
	bool reads = x->plan || (x->call && !x->call->writes) || is_description(x);
	bool lost = x->known && reads && db_worth_retry(x->conn, x->err);

	if (x->rs->sent || (x->once && !once_rewind(x->once)) || (!x->once && x->call && x->call->read_body))
		return false;
	if (ask_writer(x))
		return true;
	if (!(lost || names_something_unknown(x->err)))
		return false;
	let_go(x);
	if (x->again || (!lost && !worker_definitions_changed(x->w)))
		return false;
	x->again = true;
	start_over(x);
	return true;
}

/* --- headers of every answer --- */

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

/* The Fetch standard's preflight: answered before any token is asked for. */
static bool preflight(struct arena *a, const struct config *c, const struct http_request *rq, struct http_response *rs)
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

static void common_headers(struct exchange *x)
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

static void server_timing(struct exchange *x)
{
	const struct timing *t = &x->timing;

	http_set_header(x->rs, "Server-Timing",
			"jwt;dur=%.3f, parse;dur=%.3f, plan;dur=%.3f, transaction;dur=%.3f, response;dur=%.3f",
			(double)t->jwt / 1e3, (double)t->parse / 1e3, (double)t->plan / 1e3,
			(double)t->transaction / 1e3, (double)t->response / 1e3);
}

static void success_headers(struct exchange *x)
{
	const struct config *c = &x->w->state->config;
	struct plan *plan = x->write ? x->write->plan : x->plan;
	struct slice schema = plan ? plan->schema : x->call ? x->call->db : (struct slice){ NULL, 0 };

	preference_applied(x);
	if (c->db_schemas.n > 1 && schema.len)
		http_set_header(x->rs, "Content-Profile", "%.*s", (int)schema.len, schema.ptr);
}

/* With the first part of an answer: a stream needs them as well. */
static void complete(struct http_response *rs, void *context)
{
	struct exchange *x = context;

	common_headers(x);
	if (x->err->code == ERR_NONE) {
		success_headers(x);
		give_position(x);
		render_apply_override(&x->override, rs);
	}
	lap(&x->timing, &x->timing.response);
	if (x->w->state->config.server_timing_enabled)
		server_timing(x);
}

/* --- the log --- */

static void log_request(const struct exchange *x, bool cut, int64_t us)
{
	const struct http_request *rq = x->rq;
	const struct error *err = x->err;
	bool failed = err->code != ERR_NONE;
	enum log_level level = x->rs->status >= 500 || cut ? LOG_ERROR : LOG_INFO;
	struct strbuf b;

	if (!log_enabled(level))
		return;
	strbuf_init(&b, x->w->arena, 512);
	strbuf_lit(&b, "\"id\":");
	json_string(&b, rq->id);
	if (x->traceparent.len) {
		strbuf_lit(&b, ",\"traceparent\":");
		json_string(&b, x->traceparent);
	}
	strbuf_lit(&b, ",\"method\":");
	json_string(&b, rq->method_text);
	strbuf_lit(&b, ",\"path\":");
	json_string(&b, rq->path);
	strbuf_lit(&b, ",\"role\":");
	json_string(&b, x->known ? x->who.role : (struct slice){ "", 0 });
	strbuf_lit(&b, ",\"status\":");
	strbuf_add_i64(&b, x->rs->status);
	strbuf_lit(&b, ",\"rows\":");
	strbuf_add_u64(&b, x->result.rows);
	strbuf_lit(&b, ",\"bytes\":");
	strbuf_add_u64(&b, x->rs->bytes);
	strbuf_lit(&b, ",\"us\":");
	strbuf_add_i64(&b, us);
	strbuf_lit(&b, ",\"db_us\":");
	strbuf_add_i64(&b, x->timing.transaction);
	if (x->thread)
		strbuf_addf(&b, ",\"db_thread\":%lu%s", x->thread,
			    x->place == READ_READER ? ",\"server\":\"reader\"" : "");
	if (failed) {
		strbuf_lit(&b, ",\"code\":");
		json_string(&b, slice_of(err->sqlstate));
		strbuf_lit(&b, ",\"error\":");
		json_string(&b, slice_of(err->message));
	}
	if (failed && err->db_errno)
		strbuf_addf(&b, ",\"db_errno\":%u", err->db_errno);
	if (failed && err->log_detail) {
		strbuf_lit(&b, ",\"db_error\":");
		json_string(&b, slice_of(err->log_detail));
	}
	if (cut)
		strbuf_lit(&b, ",\"cut\":true");
	log_fields(level, "request", strbuf_slice(&b));
}

_Static_assert(HTTP_OTHER + 1 == METRIC_METHODS, "a place for each method");

static enum role_class role_class(const struct exchange *x)
{
	const struct config *c = &x->w->state->config;

	if (!x->known)
		return ROLE_NONE;
	if (x->who.anonymous)
		return ROLE_ANONYMOUS;
	if (slice_is(x->who.role, c->auth_default_role))
		return ROLE_DEFAULT;
	return slice_is(x->who.role, c->auth_admin_role) ? ROLE_ADMIN : ROLE_OTHER;
}

static void count_up(struct worker *w, const struct exchange *x, enum route route, bool cut, int64_t us)
{
	struct metric_request counted = { .route = route,
					  .method = x->rq->method,
					  .role = role_class(x),
					  .status = x->rs->status,
					  .us = (uint64_t)us,
					  .database_us = (uint64_t)x->timing.transaction,
					  .rows = x->result.rows,
					  .bytes = x->rs->bytes,
					  .cut = cut };

	metrics_request(&w->shared->metrics, &counted);
	if (x->err->code == ERR_READ_ONLY_SERVER && x->place != READ_READER)
		atomic_fetch_add(&w->shared->demotions, 1);
	worker_count(w);
}

/* --- routes --- */

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

	if (preflight(x->w->arena, &x->w->state->config, x->rq, rs))
		return;
	x->timing.last = now_us();
	rs->complete = complete;
	rs->complete_context = x;
	ok = answer(x);
	while (!ok && try_again(x))
		ok = answer(x);
	if (ok || rs->sent)
		return;
	adjust_denied(x);
	adjust_read_only(x);
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
	struct identity_env env = { x->w->arena, &s->config, s->auth, s->db, x->w->shared, http_fd(x->w->server) };

	if (preflight(x->w->arena, &s->config, x->rq, x->rs))
		return;
	/* Passwords and refresh tokens; room enough, so that growing leaves no copies. */
	arena_secret(x->w->arena);
	x->rs->secret = true;
	(void)strbuf_room(&x->rs->body, SESSION_ROOM);
	if (worker_revocations(x->w, x->err))
		identity_serve(&env, x->rq, http_read_secret, x->w->server, x->rs, x->err);
	else
		render_error(&s->config, x->err, x->rs);
	common_headers(x);
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
	let_go(x);
	body_close(x->body);
	us = now_us() - start;
	log_request(x, cut, us);
	count_up(w, x, routes[route].route, cut, us);
	worker_notice(w);
	worker_busy(w, 0);
}
