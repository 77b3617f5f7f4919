/* Counters and generations in memory that all workers of a pool map. */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define VERSION 1

static const double bounds[SHARED_BUCKETS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10 };

static void *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;

	if (fd < 0)
		return MAP_FAILED;
	if (ftruncate(fd, sizeof(struct shared)) == 0)
		p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p;
}

struct shared *shared_open(const char *path)
{
	void *p = *path ? map_file(path) : MAP_FAILED;

	if (p == MAP_FAILED) {
		if (*path)
			log_line(LOG_WARN, "shared-file %s: %s; this worker counts for itself", path, strerror(errno));
		p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return NULL;
	}
	atomic_store(&((struct shared *)p)->version, VERSION);
	return p;
}

void shared_count(struct shared *s, enum route route, int status, uint64_t microseconds)
{
	size_t b = 0;

	atomic_fetch_add_explicit(&s->requests[route][status > 0 && status < SHARED_STATUSES ? status : 0], 1,
				  memory_order_relaxed);
	while (b < SHARED_BUCKETS && (double)microseconds > bounds[b] * 1e6)
		b++;
	atomic_fetch_add_explicit(&s->durations[b], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->duration_us, microseconds, memory_order_relaxed);
}

static void metric(struct strbuf *out, const char *name, const char *type, const char *help, int64_t value)
{
	strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, (long long)value);
}

static void requests(const struct shared *s, struct strbuf *out)
{
	static const char *const names[ROUTES] = { "rest", "auth", "health", "metrics", "other" };

	strbuf_lit(out, "# HELP rowgate_requests_total Requests answered.\n# TYPE rowgate_requests_total counter\n");
	for (size_t r = 0; r < ROUTES; r++)
		for (size_t i = 0; i < SHARED_STATUSES; i++) {
			uint64_t n = atomic_load_explicit(&s->requests[r][i], memory_order_relaxed);

			if (n)
				strbuf_addf(out, "rowgate_requests_total{route=\"%s\",status=\"%zu\"} %llu\n", names[r],
					    i, (unsigned long long)n);
		}
}

static void durations(const struct shared *s, struct strbuf *out)
{
	uint64_t sum = 0;

	strbuf_lit(out, "# HELP rowgate_request_duration_seconds Time in the worker.\n"
			"# TYPE rowgate_request_duration_seconds histogram\n");
	for (size_t b = 0; b <= SHARED_BUCKETS; b++) {
		sum += atomic_load_explicit(&s->durations[b], memory_order_relaxed);
		if (b < SHARED_BUCKETS)
			strbuf_addf(out, "rowgate_request_duration_seconds_bucket{le=\"%g\"} %llu\n", bounds[b],
				    (unsigned long long)sum);
	}
	strbuf_addf(out, "rowgate_request_duration_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)sum);
	strbuf_addf(out, "rowgate_request_duration_seconds_sum %.6f\n",
		    (double)atomic_load_explicit(&s->duration_us, memory_order_relaxed) / 1e6);
	strbuf_addf(out, "rowgate_request_duration_seconds_count %llu\n", (unsigned long long)sum);
}

void shared_metrics(const struct shared *s, struct strbuf *out)
{
	requests(s, out);
	durations(s, out);
	metric(out, "rowgate_rows_total", "counter", "Rows given out.", (int64_t)atomic_load(&s->rows));
	metric(out, "rowgate_response_bytes_total", "counter", "Bytes of bodies.", (int64_t)atomic_load(&s->bytes));
	metric(out, "rowgate_responses_cut_total", "counter", "Answers cut short.", (int64_t)atomic_load(&s->cut));
	metric(out, "rowgate_database_errors_total", "counter", "Errors from the database.",
	       (int64_t)atomic_load(&s->database_errors));
	metric(out, "rowgate_database_connections_made_total", "counter", "Database connections opened.",
	       (int64_t)atomic_load(&s->connections_made));
	metric(out, "rowgate_database_connections", "gauge", "Database connections open.",
	       atomic_load(&s->connections_open));
	metric(out, "rowgate_idempotency_replays_total", "counter", "Answers given again for an Idempotency-Key.",
	       (int64_t)atomic_load(&s->replays));
	metric(out, "rowgate_workers", "gauge", "Workers running.", atomic_load(&s->workers));
	metric(out, "rowgate_workers_busy", "gauge", "Workers with a request in hand.", atomic_load(&s->busy));
	metric(out, "rowgate_schema_generation", "counter", "Changes of the definitions seen.",
	       (int64_t)atomic_load(&s->generation));
	metric(out, "rowgate_schema_loaded_timestamp_seconds", "gauge", "When the definitions were last loaded.",
	       atomic_load(&s->loaded));
	metric(out, "rowgate_logins_total", "counter", "Sign-ins with the right password.",
	       (int64_t)atomic_load(&s->logins));
	metric(out, "rowgate_logins_refused_total", "counter", "Sign-ins with a wrong one, or for nobody.",
	       (int64_t)atomic_load(&s->logins_refused));
	metric(out, "rowgate_logins_throttled_total", "counter", "Sign-ins answered 429.",
	       (int64_t)atomic_load(&s->logins_throttled));
	metric(out, "rowgate_token_cache_lookups_total", "counter", "Tokens looked for in the caches.",
	       (int64_t)atomic_load(&s->token_lookups));
	metric(out, "rowgate_token_cache_hits_total", "counter", "Tokens found there.",
	       (int64_t)atomic_load(&s->token_hits));
}
