/* admin/pool, admin/metrics, admin/statements, admin/reload: how the pool fares, for who runs it. */
#include <time.h>

#include "clock.h"
#include "internal.h"

#define STATEMENTS_SHOWN 50
#define STATEMENTS_SHOWN_MAX 1000

/* --- statements --- */

static bool order_of(struct call *c, enum statement_order *out)
{
	static const char *const names[] = {
		[BY_TOTAL] = "total", [BY_MEAN] = "mean", [BY_MAX] = "max", [BY_COUNT] = "count"
	};
	struct slice text = url_parameter(c, "order");

	*out = BY_TOTAL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(text, names[i])) {
			*out = (enum statement_order)i;
			return true;
		}
	return !text.len || deny(c->err, 400, "validation_failed", "order is total, mean, max or count");
}

static void add_statement(const struct statement_sum *s, struct strbuf *b)
{
	strbuf_lit(b, "{\"text\":");
	json_string(b, s->text);
	strbuf_addf(b,
		    ",\"count\":%llu,\"errors\":%llu,\"rows\":%llu,\"total_ms\":%.3f,\"mean_ms\":%.3f,\"max_ms\":%.3f",
		    (unsigned long long)s->count, (unsigned long long)s->errors, (unsigned long long)s->rows,
		    (double)s->total_us / 1e3, (double)s->total_us / (double)s->count / 1e3, (double)s->max_us / 1e3);
	json_instant(b, "last_at", s->last);
	strbuf_addc(b, '}');
}

bool serve_statements(struct call *c)
{
	struct statement_pool *pool = &c->env->shared->statements;
	struct slice text = url_parameter(c, "limit");
	struct strbuf *b = &c->rs->body;
	uint64_t limit = STATEMENTS_SHOWN;
	struct statement_sum *list;
	enum statement_order order;
	int64_t since = atomic_load(&pool->since);
	size_t n;

	if (c->rq->method == HTTP_DELETE) {
		statements_forget(pool, time(NULL));
		c->rs->status = 204;
		return true;
	}
	if (!order_of(c, &order))
		return false;
	if (text.len && (!parse_u64(text, &limit) || !limit || limit > STATEMENTS_SHOWN_MAX))
		return deny(c->err, 400, "validation_failed", "limit is 1 to %d", STATEMENTS_SHOWN_MAX);
	n = statements_read(c->env->arena, pool, order, &list);
	strbuf_lit(b, "{\"statements\":[");
	for (size_t i = 0; i < n && i < limit; i++) {
		if (i)
			strbuf_addc(b, ',');
		add_statement(&list[i], b);
	}
	strbuf_addc(b, ']');
	if (since)
		json_instant(b, "since", since);
	strbuf_addc(b, '}');
	return true;
}

/* --- the pool --- */

static void add_worker(const struct metric_worker *w, int64_t now, struct strbuf *b)
{
	int64_t since = atomic_load(&w->busy), reloaded = atomic_load(&w->reloaded);

	strbuf_addf(b, "{\"pid\":%lld,\"busy_ms\":", (long long)atomic_load(&w->pid));
	if (since)
		strbuf_add_i64(b, now > since ? now - since : 0);
	else
		strbuf_lit(b, "null");
	strbuf_addf(b, ",\"connections\":%lld", (long long)atomic_load(&w->connections));
	if (reloaded)
		json_instant(b, "reloaded_at", reloaded);
	strbuf_addc(b, '}');
}

static void add_workers(const struct shared *s, struct strbuf *b)
{
	uint64_t asked = atomic_load(&s->reloads);
	unsigned done = 0, failed = 0, n = 0;
	int64_t now = now_ms(), connections = 0;

	strbuf_lit(b, ",\"workers\":[");
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *w = &s->metrics.workers[i];

		if (!atomic_load(&w->pid) || !metrics_alive(i))
			continue;
		if (n++)
			strbuf_addc(b, ',');
		add_worker(w, now, b);
		connections += atomic_load(&w->connections);
		if (atomic_load(&w->reloads) != asked)
			continue;
		if (atomic_load(&w->reload_failed))
			failed++;
		else
			done++;
	}
	strbuf_addf(b, "],\"connections\":%lld,\"reload\":{\"number\":%llu,\"done\":%u,\"failed\":%u}",
		    (long long)connections, (unsigned long long)asked, done, failed);
}

/* What it is, and how long it takes to say so. */
static bool ask_database(struct call *c, struct slice *version_out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct db_statement statement = { .text = SLICE("SELECT VERSION()"), .columns = fetch, .ncolumns = 1 };
	const struct value *cells;
	struct db_rows *rows;
	struct db_conn *conn;
	enum db_step step;

	if (!db_catalogue(c->env->db, &conn, c->err) || !db_query(c->env->arena, conn, &statement, &rows, c->err))
		return false;
	while ((step = db_next(rows, &cells, c->err)) == DB_ROW)
		*version_out = slice_copy(c->env->arena, cells[0].s);
	return step == DB_END;
}

static void add_database(struct call *c, struct strbuf *b)
{
	struct slice version = { "", 0 };
	int64_t begun = now_us();
	bool ok = ask_database(c, &version);

	strbuf_addf(b, ",\"database\":{\"answers\":%s,\"ms\":%.1f", ok ? "true" : "false",
		    (double)(now_us() - begun) / 1e3);
	if (ok) {
		strbuf_lit(b, ",\"server\":");
		json_string(b, memmem(version.ptr, version.len, "MariaDB", 7)
				       ? version
				       : slice_of(arena_printf(c->env->arena, "MySQL %.*s", (int)version.len,
							       version.ptr)));
	} else {
		strbuf_lit(b, ",\"msg\":");
		json_string(b, slice_of(c->err->message));
		error_init(c->err, c->err->arena);
	}
	strbuf_addc(b, '}');
}

static void add_definitions(struct call *c, struct strbuf *b)
{
	const struct schema *schema = c->env->definitions(c->env->worker, false, c->err);
	const struct shared *s = c->env->shared;

	error_init(c->err, c->err->arena);
	strbuf_addf(b, ",\"definitions\":{\"tables\":%zu,\"routines\":%zu", schema ? schema->ntables : 0,
		    schema ? schema->nroutines : 0);
	json_instant(b, "loaded_at", atomic_load(&s->loaded));
	json_instant(b, "checked_at", atomic_load(&s->checked));
	strbuf_addc(b, '}');
}

bool serve_pool(struct call *c)
{
	struct strbuf *b = &c->rs->body;

	strbuf_lit(b, "{\"version\":\"" ROWGATE_VERSION "\"");
	json_instant(b, "now", time(NULL));
	add_workers(c->env->shared, b);
	add_database(c, b);
	add_definitions(c, b);
	strbuf_addc(b, '}');
	return true;
}

bool serve_metrics(struct call *c)
{
	c->media = "text/plain; version=0.0.4";
	shared_metrics(c->env->shared, &c->rs->body);
	return true;
}

/* --- reload --- */

/* Every worker sees the number within a tick of its loop, and does as at SIGHUP. */
bool serve_reload(struct call *c)
{
	if (!c->env->configuration(c->env->worker, c->err)) {
		deny(c->err, 400, "configuration_invalid", "%s", c->err->message);
		return error_hint(c->err, "rowgate check names every problem of a configuration.");
	}
	c->rs->status = 202;
	strbuf_addf(&c->rs->body, "{\"number\":%llu}",
		    (unsigned long long)atomic_fetch_add(&c->env->shared->reloads, 1) + 1);
	return true;
}
