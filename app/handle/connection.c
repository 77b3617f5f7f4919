/* The connection that an exchange works on: of the writer, or of a reader that is as new as it has to be. */
#include "internal.h"

#include "log.h"

void exchange_let_go(struct exchange *x)
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

bool exchange_acquire(struct exchange *x)
{
	struct worker *w = x->w;

	if (!x->conn && !db_acquire(w->state->db, x->who.role, http_fd(w->server), &x->conn, x->err))
		return false;
	x->thread = db_thread(x->conn);
	comment(x);
	return true;
}

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

void exchange_reader_is_down(struct exchange *x)
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
		exchange_let_go(x);
		/* A role that is none says nothing of the server. */
		if (x->err->code == ERR_UNKNOWN_ROLE)
			error_init(x->err, x->err->arena);
		else
			exchange_reader_is_down(x);
	} else if (is_fresh(x, beat, position)) {
		x->place = READ_READER;
	} else {
		exchange_let_go(x);
	}
	return x->place == READ_READER;
}

bool exchange_acquire_for_reading(struct exchange *x)
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
	return exchange_acquire(x);
}

void exchange_give_position(struct exchange *x)
{
	int64_t time;

	if (x->committed && *x->w->state->config.db_reader_host && worker_writer_time(x->w, &time))
		http_set_header(x->rs, "Rowgate-Position", "w1-%lld", (long long)time);
}
