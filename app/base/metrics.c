/*
 * Counters of a pool and their text form. What has never been counted is left out, so that the text grows with what
 * is used and not with the number of possible labels.
 */
#include "metrics.h"

#include <stdio.h>

static const double bounds[METRIC_BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
					       0.1,    0.25,  0.5,    1,     2.5,  5,     10 };

static const char *const routes[ROUTES] = { "table", "rpc", "root", "auth", "health", "metrics", "other" };
static const char *const methods[METRIC_METHODS] = {
	"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "other"
};
static const char *const roles[ROLE_CLASSES] = { "none", "anonymous", "default", "admin", "other" };

/* The last ones are for what a procedure may have chosen: 418 is 4xx. */
static const int statuses[] = { 200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 400, 401, 402, 403,
				404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422,
				423, 425, 426, 428, 429, 431, 500, 501, 502, 503, 504, 507 };
#define KNOWN (sizeof(statuses) / sizeof(*statuses))
_Static_assert(KNOWN + 6 <= METRIC_STATUSES, "a place for each status and each class");

static size_t status_index(int status)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (statuses[i] == status)
			return i;
	return KNOWN + (status >= 100 && status < 600 ? (size_t)status / 100 : 0);
}

static void status_name(size_t i, char out[8])
{
	if (i < KNOWN)
		snprintf(out, 8, "%d", statuses[i]);
	else
		snprintf(out, 8, "%uxx", (unsigned)(i - KNOWN) % 10);
}

static void observe(struct metric_histogram *h, uint64_t us)
{
	size_t b = 0;

	while (b < METRIC_BUCKETS && (double)us > bounds[b] * 1e6)
		b++;
	metric_add(&h->buckets[b], 1);
	metric_add(&h->sum_us, us);
}

void metrics_request(struct metrics *m, const struct metric_request *rq)
{
	unsigned method = rq->method < METRIC_METHODS ? rq->method : METRIC_METHODS - 1;

	metric_add(&m->requests[rq->route][method][rq->role][status_index(rq->status)], 1);
	observe(&m->durations[rq->route][method], rq->us);
	if (rq->database_us)
		observe(&m->database[rq->route], rq->database_us);
	metric_add(&m->rows[rq->route], rq->rows);
	metric_add(&m->bytes[rq->route], rq->bytes);
	metric_add(&m->cut, rq->cut);
}

void metrics_errno(struct metrics *m, unsigned number)
{
	for (size_t i = 1; i < METRIC_ERRNOS; i++) {
		uint64_t there = atomic_load_explicit(&m->errnos[i], memory_order_relaxed);

		if (!there && atomic_compare_exchange_strong(&m->errnos[i], &there, number))
			there = number;
		if (there == number) {
			metric_add(&m->errno_counts[i], 1);
			return;
		}
	}
	metric_add(&m->errno_counts[0], 1);
}

/* --- as text --- */

static uint64_t get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static void head(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metric_line(struct strbuf *out, const char *name, const char *type, const char *help, double value)
{
	head(out, name, type, help);
	strbuf_addf(out, "%s %.15g\n", name, value);
}

static void requests(const struct metrics *m, struct strbuf *out)
{
	char status[8];

	head(out, "rowgate_requests_total", "counter", "Requests answered.");
	for (size_t r = 0; r < ROUTES; r++)
		for (size_t k = 0; k < METRIC_METHODS; k++)
			for (size_t w = 0; w < ROLE_CLASSES; w++)
				for (size_t i = 0; i < METRIC_STATUSES; i++) {
					uint64_t n = get(&m->requests[r][k][w][i]);

					if (!n)
						continue;
					status_name(i, status);
					strbuf_addf(out,
						    "rowgate_requests_total{route=\"%s\",method=\"%s\",role=\"%s\","
						    "status=\"%s\"} %llu\n",
						    routes[r], methods[k], roles[w], status, (unsigned long long)n);
				}
}

/* labels: without braces. Nothing when nothing was observed. */
static void histogram(const struct metric_histogram *h, const char *name, const char *labels, struct strbuf *out)
{
	uint64_t sum = 0;

	for (size_t b = 0; b <= METRIC_BUCKETS; b++)
		sum += get(&h->buckets[b]);
	if (!sum)
		return;
	sum = 0;
	for (size_t b = 0; b < METRIC_BUCKETS; b++) {
		sum += get(&h->buckets[b]);
		strbuf_addf(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels, bounds[b], (unsigned long long)sum);
	}
	sum += get(&h->buckets[METRIC_BUCKETS]);
	strbuf_addf(out, "%s_bucket{%s,le=\"+Inf\"} %llu\n%s_sum{%s} %.6f\n%s_count{%s} %llu\n", name, labels,
		    (unsigned long long)sum, name, labels, (double)get(&h->sum_us) / 1e6, name, labels,
		    (unsigned long long)sum);
}

static void histograms(const struct metrics *m, struct strbuf *out)
{
	char labels[64];

	head(out, "rowgate_request_duration_seconds", "histogram", "Time in the worker.");
	for (size_t r = 0; r < ROUTES; r++)
		for (size_t k = 0; k < METRIC_METHODS; k++) {
			snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\"", routes[r], methods[k]);
			histogram(&m->durations[r][k], "rowgate_request_duration_seconds", labels, out);
		}
	head(out, "rowgate_database_duration_seconds", "histogram",
	     "Time from the first statement to the last row, which the client's reading may have held up.");
	for (size_t r = 0; r < ROUTES; r++) {
		snprintf(labels, sizeof(labels), "route=\"%s\"", routes[r]);
		histogram(&m->database[r], "rowgate_database_duration_seconds", labels, out);
	}
}

static void by_route(const _Atomic uint64_t counts[ROUTES], const char *name, const char *help, struct strbuf *out)
{
	head(out, name, "counter", help);
	for (size_t r = 0; r < ROUTES; r++)
		if (get(&counts[r]))
			strbuf_addf(out, "%s{route=\"%s\"} %llu\n", name, routes[r],
				    (unsigned long long)get(&counts[r]));
}

static void errnos(const struct metrics *m, struct strbuf *out)
{
	head(out, "rowgate_database_errors_total", "counter", "Errors the database answered with, by MySQL's number.");
	for (size_t i = 0; i < METRIC_ERRNOS; i++) {
		uint64_t n = get(&m->errno_counts[i]);

		if (n && i)
			strbuf_addf(out, "rowgate_database_errors_total{errno=\"%llu\"} %llu\n",
				    (unsigned long long)get(&m->errnos[i]), (unsigned long long)n);
		else if (n)
			strbuf_addf(out, "rowgate_database_errors_total{errno=\"other\"} %llu\n",
				    (unsigned long long)n);
	}
}

static void workers(const struct metrics *m, int64_t now, struct strbuf *out)
{
	int64_t running = 0, busy = 0, connections = 0, longest = 0;

	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *w = &m->workers[i];
		int64_t since = atomic_load_explicit(&w->busy, memory_order_relaxed);

		if (!atomic_load(&w->pid) || !metrics_alive(i))
			continue;
		running++;
		busy += since != 0;
		connections += atomic_load_explicit(&w->connections, memory_order_relaxed);
		if (since && now - since > longest)
			longest = now - since;
	}
	metric_line(out, "rowgate_workers", "gauge", "Workers running.", (double)running);
	metric_line(out, "rowgate_workers_busy", "gauge", "Workers with a request in hand, this one included.",
		    (double)busy);
	metric_line(out, "rowgate_worker_busy_seconds", "gauge", "The longest that a request is in hand now.",
		    (double)longest / 1e3);
	metric_line(out, "rowgate_worker_starts_total", "counter", "Workers started.", (double)get(&m->starts));
	metric_line(out, "rowgate_worker_crashes_total", "counter", "Workers that ended without having been told to.",
		    (double)get(&m->crashes));
	metric_line(out, "rowgate_database_connections", "gauge", "Database connections open.", (double)connections);
}

static void reader(const struct metrics *m, struct strbuf *out)
{
	static const char *const labels[READ_PLACES] = { "server=\"writer\",reason=\"asked\"",
							 "server=\"reader\",reason=\"\"",
							 "server=\"writer\",reason=\"down\"",
							 "server=\"writer\",reason=\"lag\"" };
	int64_t lag = atomic_load(&m->reader_lag);

	if (!atomic_load(&m->has_reader))
		return;
	head(out, "rowgate_reads_total", "counter", "Reads by the server they went to, and why to the writer.");
	for (size_t i = 0; i < READ_PLACES; i++)
		strbuf_addf(out, "rowgate_reads_total{%s} %llu\n", labels[i], (unsigned long long)get(&m->reads[i]));
	if (lag >= 0)
		metric_line(out, "rowgate_reader_lag_seconds", "gauge",
			    "How far the reader was behind when it was last looked at.", (double)lag / 1e6);
}

void metrics_write(const struct metrics *m, int64_t now, struct strbuf *out)
{
	requests(m, out);
	histograms(m, out);
	by_route(m->rows, "rowgate_rows_total", "Rows given out.", out);
	by_route(m->bytes, "rowgate_response_bytes_total", "Bytes of bodies.", out);
	metric_line(out, "rowgate_responses_cut_total", "counter", "Answers cut short.", (double)get(&m->cut));
	errnos(m, out);
	workers(m, now, out);
	metric_line(out, "rowgate_database_connections_made_total", "counter", "Database connections opened.",
		    (double)get(&m->connections_made));
	metric_line(out, "rowgate_idempotency_replays_total", "counter", "Answers given again for an Idempotency-Key.",
		    (double)get(&m->replays));
	reader(m, out);
	metric_line(out, "rowgate_token_cache_hits_total", "counter", "Tokens found in a worker's cache.",
		    (double)get(&m->token_hits));
	metric_line(out, "rowgate_token_cache_misses_total", "counter", "Tokens that had to be verified.",
		    (double)get(&m->token_misses));
}
