#ifndef ROWGATE_SHARED_H
#define ROWGATE_SHARED_H

#include "config.h"
#include "metrics.h"
#include "statements.h"

/*
 * What the workers of one pool share: a memory-mapped file (shared-file) of counters for /metrics and the generation of
 * the definitions. Every member is atomic; nobody locks. Without a file each worker has its own.
 */
#define SHARED_HASHERS 64
#define SHARED_LIMITS 8192

struct shared {
	_Atomic uint64_t version;
	_Atomic uint64_t generation;  /* of the definitions: how often they have changed */
	_Atomic uint64_t definitions; /* their digest: workers load theirs anew when it is another */
	_Atomic uint64_t counter;     /* the server's definition counter when it was last looked at; 0: read again */
	_Atomic int64_t next_poll;    /* milliseconds, monotonic: who moves it on does the poll */
	_Atomic int64_t next_reread;  /* milliseconds, monotonic: when they are read again in any case */
	_Atomic int64_t reread_pause; /* milliseconds between the last reading and that */
	_Atomic int64_t loaded;       /* seconds since 1970 of the last change of definitions */
	_Atomic int64_t checked;      /* seconds since 1970 when they were last known to be those of the database */
	_Atomic int64_t workers;      /* running when the last one started */
	_Atomic int64_t next_expiry;  /* milliseconds, monotonic: who moves it on deletes old idempotency keys */
	_Atomic uint64_t demotions;   /* how often a server was found to be read-only: workers drop their connections */
	_Atomic int64_t next_beat;    /* as next_poll: who moves it on moves the writer's time on */
	_Atomic int64_t beat_at;      /* milliseconds, monotonic, of the last time that worked */
	_Atomic int64_t beat_offset;  /* microseconds: the writer's time less the monotonic clock's, at most */
	_Atomic int64_t reader_down;  /* milliseconds, monotonic, until when the reader is not asked */
	_Atomic uint64_t revocations; /* version of the newest; workers read them when it is not theirs */
	_Atomic int64_t next_revocation_poll;    /* as next_poll */
	_Atomic int64_t hashers[SHARED_HASHERS]; /* password hashes under way: milliseconds when they are given up */
	_Atomic uint64_t limits[SHARED_LIMITS];  /* app/identity/throttle.c */
	_Atomic uint64_t limits_key[2];
	_Atomic uint64_t logins, logins_refused, logins_throttled;
	_Atomic uint64_t reloads; /* how often a reload of the whole pool was asked for */
	struct metrics metrics;
	struct statement_pool statements;
};

/*
 * Maps path, made when it does not exist; anonymous memory when path is empty or cannot be used (logged). A file that
 * another version of the program has made is left to that one's workers, and a new one takes its place; with replace
 * false it stays, and the memory is anonymous.
 */
struct shared *shared_open(const char *path, bool replace);

/* A worker's place among the others, held until the process ends; NULL when all are taken. */
struct metric_worker *shared_join(struct shared *s);

/* Before an orderly end. */
void shared_leave(struct metric_worker *self);

/* The Prometheus text exposition format, version 0.0.4. */
void shared_metrics(const struct shared *s, struct strbuf *out);

#endif
