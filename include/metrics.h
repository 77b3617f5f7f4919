#ifndef ROWGATE_METRICS_H
#define ROWGATE_METRICS_H

#include <stdatomic.h>

#include "strbuf.h"

/*
 * What /metrics says, counted in memory that all workers of a pool map: a worker adds with atomic instructions alone,
 * nobody locks, and what it has added outlives it. Labels are classes of a fixed number, never a client's text.
 */
enum route { ROUTE_TABLE, ROUTE_RPC, ROUTE_ROOT, ROUTE_AUTH, ROUTE_HEALTH, ROUTE_METRICS, ROUTE_OTHER, ROUTES };

/* Who asked: nobody known (a refused token, a path without one), or somebody by the kind of role. */
enum role_class { ROLE_NONE, ROLE_ANONYMOUS, ROLE_DEFAULT, ROLE_ADMIN, ROLE_OTHER, ROLE_CLASSES };

/* Where a read was answered; the writer (none is configured, or it is a write), the reader; the writer because the reader is down, or lags. */
enum read_place { READ_WRITER, READ_READER, READ_DOWN, READ_LAGS, READ_PLACES };

#define METRIC_METHODS 8 /* as enum http_method */
#define METRIC_STATUSES 48
#define METRIC_BUCKETS 14
#define METRIC_ERRNOS 128
#define METRIC_WORKERS 512

struct metric_histogram {
	_Atomic uint64_t buckets[METRIC_BUCKETS + 1];
	_Atomic uint64_t sum_us;
};

/* A worker's own place: gone with it, for it holds a lock on the shared file that the kernel takes away. */
struct metric_worker {
	_Atomic int64_t pid;  /* 0: free */
	_Atomic int64_t busy; /* milliseconds, monotonic, since when a request is in hand; 0: idle */
	_Atomic int64_t connections;
	_Atomic uint64_t reloads;   /* of struct shared: the last that it has followed */
	_Atomic bool reload_failed; /* and went on as it was */
	_Atomic int64_t reloaded;   /* seconds since 1970 */
};

struct metrics {
	_Atomic uint64_t requests[ROUTES][METRIC_METHODS][ROLE_CLASSES][METRIC_STATUSES];
	struct metric_histogram durations[ROUTES][METRIC_METHODS];
	struct metric_histogram database[ROUTES];
	_Atomic uint64_t rows[ROUTES];
	_Atomic uint64_t bytes[ROUTES];
	_Atomic uint64_t cut;
	/* Errors of the database: places are taken by the first number that comes; what finds none is counted at [0]. */
	_Atomic uint64_t errnos[METRIC_ERRNOS];
	_Atomic uint64_t errno_counts[METRIC_ERRNOS];
	_Atomic uint64_t connections_made;
	_Atomic uint64_t token_hits, token_misses;
	_Atomic uint64_t replays;
	_Atomic uint64_t starts, crashes;
	_Atomic uint64_t reads[READ_PLACES];
	_Atomic int64_t reader_lag; /* microseconds; less than 0: not known */
	_Atomic bool has_reader;
	struct metric_worker workers[METRIC_WORKERS];
};

/* One request, when it has ended. Times are microseconds. */
struct metric_request {
	enum route route;
	unsigned method; /* enum http_method */
	enum role_class role;
	int status;
	uint64_t us;
	uint64_t database_us; /* 0: it was not asked */
	uint64_t rows, bytes;
	bool cut;
};

void metrics_request(struct metrics *m, const struct metric_request *rq);

/* The database answered with this error. */
void metrics_errno(struct metrics *m, unsigned number);

static inline void metric_add(_Atomic uint64_t *counter, uint64_t n)
{
	if (n)
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* A line of type counter or gauge without labels, with its HELP and TYPE. */
void metric_line(struct strbuf *out, const char *name, const char *type, const char *help, double value);

/* The Prometheus text exposition format, version 0.0.4, of what struct metrics holds. now: milliseconds, monotonic. */
void metrics_write(const struct metrics *m, int64_t now, struct strbuf *out);

/* Does the worker of this place run? (app/base/shared.c) */
bool metrics_alive(size_t place);

#endif
