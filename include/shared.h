#ifndef ROWGATE_SHARED_H
#define ROWGATE_SHARED_H

#include <stdatomic.h>

#include "config.h"

/*
 * What the workers of one pool share: a memory-mapped file (shared-file) of counters for /metrics and the generation of
 * the definitions. Every member is atomic; nobody locks. Without a file each worker has its own.
 */
enum route { ROUTE_REST, ROUTE_AUTH, ROUTE_HEALTH, ROUTE_METRICS, ROUTE_OTHER, ROUTES };

#define SHARED_STATUSES 600
#define SHARED_BUCKETS 12
#define SHARED_HASHERS 64
#define SHARED_LIMITS 8192

struct shared {
	_Atomic uint64_t version;
	_Atomic uint64_t generation; /* of the definitions: workers load theirs anew when it has moved */
	_Atomic uint64_t counter;    /* the server's definition counter when it was last looked at */
	_Atomic int64_t next_poll;   /* milliseconds, monotonic: who moves it on does the poll */
	_Atomic int64_t loaded;      /* seconds since 1970 of the last change of definitions */
	_Atomic uint64_t requests[ROUTES][SHARED_STATUSES];
	_Atomic uint64_t durations[SHARED_BUCKETS + 1];
	_Atomic uint64_t duration_us;
	_Atomic uint64_t rows;
	_Atomic uint64_t bytes;
	_Atomic uint64_t cut;
	_Atomic uint64_t database_errors;
	_Atomic uint64_t connections_made;
	_Atomic int64_t connections_open;
	_Atomic int64_t busy;
	_Atomic int64_t workers;
	_Atomic uint64_t token_hits;
	_Atomic uint64_t token_lookups;
	_Atomic int64_t next_expiry; /* milliseconds, monotonic: who moves it on deletes old idempotency keys */
	_Atomic uint64_t demotions;  /* how often a server was found to be read-only: workers drop their connections */
	_Atomic uint64_t replays;
	_Atomic uint64_t revocations;            /* version of the newest; workers read them when it is not theirs */
	_Atomic int64_t next_revocation_poll;    /* as next_poll */
	_Atomic int64_t hashers[SHARED_HASHERS]; /* password hashes under way: milliseconds when they are given up */
	_Atomic uint64_t limits[SHARED_LIMITS];  /* app/identity/throttle.c */
	_Atomic uint64_t limits_key[2];
	_Atomic uint64_t logins, logins_refused, logins_throttled;
};

/* Maps path, made when it does not exist; anonymous memory when path is empty or cannot be used (logged). */
struct shared *shared_open(const char *path);

void shared_count(struct shared *s, enum route route, int status, uint64_t microseconds);

/* The Prometheus text exposition format, version 0.0.4. */
void shared_metrics(const struct shared *s, struct strbuf *out);

#endif
