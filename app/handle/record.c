/* What is kept of an exchange: its line in the log, and what it counts in /metrics. */
#include "internal.h"

#include "log.h"

void record_log(const struct exchange *x, bool cut, int64_t us)
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
	if (x->known && x->who.subject.len) {
		strbuf_lit(&b, ",\"sub\":");
		json_string(&b, x->who.subject);
	}
	strbuf_lit(&b, ",\"status\":");
	strbuf_add_i64(&b, x->rs->status);
	strbuf_lit(&b, ",\"rows\":");
	strbuf_add_u64(&b, x->result.rows);
	strbuf_lit(&b, ",\"bytes\":");
	strbuf_add_u64(&b, x->rs->bytes);
	strbuf_lit(&b, ",\"us\":");
	strbuf_add_i64(&b, us);
	strbuf_lit(&b, ",\"db_us\":");
	strbuf_add_i64(&b, x->timing.us[STAGE_TRANSACTION]);
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

void record_count(struct worker *w, const struct exchange *x, enum route route, bool cut, int64_t us)
{
	struct metric_request counted = { .route = route,
					  .method = x->rq->method,
					  .role = role_class(x),
					  .status = x->rs->status,
					  .us = (uint64_t)us,
					  .database_us = (uint64_t)x->timing.us[STAGE_TRANSACTION],
					  .rows = x->result.rows,
					  .bytes = x->rs->bytes,
					  .cut = cut };

	metrics_request(&w->shared->metrics, &counted);
	if (x->err->code == ERR_READ_ONLY_SERVER && x->place != READ_READER)
		atomic_fetch_add(&w->shared->demotions, 1);
	worker_count(w);
}
