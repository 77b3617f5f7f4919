#ifndef ROWGATE_HANDLE_INTERNAL_H
#define ROWGATE_HANDLE_INTERNAL_H

#include "../worker.h"

#include "clock.h"

/* Durations of the stages in microseconds, for Server-Timing and the log. */
enum stage { STAGE_JWT, STAGE_PARSE, STAGE_PLAN, STAGE_TRANSACTION, STAGE_RESPONSE, STAGES };

struct timing {
	int64_t last;
	int64_t us[STAGES];
	bool reached[STAGES];
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

static inline void timing_lap(struct timing *t, enum stage stage)
{
	int64_t now = now_us();

	t->us[stage] += now - t->last;
	t->reached[stage] = true;
	t->last = now;
}

#define METHODS "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"

/* --- connection.c --- */

/* Gives the connection back, if there is one. */
void exchange_let_go(struct exchange *x);
bool exchange_acquire(struct exchange *x) MUST_CHECK;

/* A read goes to the reader, when there is one that is up and as new as it has to be. */
bool exchange_acquire_for_reading(struct exchange *x) MUST_CHECK;

/* The reader is not asked for a second: it does not answer, and the writer does. */
void exchange_reader_is_down(struct exchange *x);

/* After a write: whoever sends this back with a read finds what was written. */
void exchange_give_position(struct exchange *x);

/* --- session.c --- */

/* The transaction of what is to be done. */
bool exchange_begin(struct exchange *x) MUST_CHECK;

/* Variables and the configured procedure, before the request's own statements. */
bool exchange_prepare(struct exchange *x) MUST_CHECK;

/* What the database's own code has to say of its error, while the session is there to ask. Returns ok. */
bool exchange_explained(struct exchange *x, bool ok);

/* --- answer.c, describe.c --- */

/* The pipeline, a line per stage. False with x->err. */
bool exchange_answer(struct exchange *x) MUST_CHECK;

/* Nothing is left of an attempt but the connection. */
void exchange_start_over(struct exchange *x);

bool exchange_is_description(const struct exchange *x);
bool exchange_describe(struct exchange *x) MUST_CHECK;

/* --- again.c --- */

/* True when what failed is worth another attempt, for which all is prepared. */
bool exchange_try_again(struct exchange *x) MUST_CHECK;

/* --- headers.c --- */

/* The Fetch standard's preflight: answered before any token is asked for. */
bool headers_preflight(struct arena *a, const struct config *c, const struct http_request *rq,
		       struct http_response *rs);

/* Vary, CORS, the header that is handed through. */
void headers_common(struct exchange *x);

/* With the first part of an answer: a stream needs them as well. */
void headers_complete(struct http_response *rs, void *context);

/* --- record.c --- */

void record_log(const struct exchange *x, bool cut, int64_t us);
void record_count(struct worker *w, const struct exchange *x, enum route route, bool cut, int64_t us);

#endif
