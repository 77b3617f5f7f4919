#ifndef ROWGATE_STATEMENTS_H
#define ROWGATE_STATEMENTS_H

#include "metrics.h"

/*
 * Which statements take the database's time: a table for each worker's place, in memory that all workers of a pool map.
 * Its worker alone writes it, everyone reads all of them; what a worker has counted outlives it. A full table drops what
 * has taken least. Texts are those that were prepared, so no value is in them; lists of parameters are cut short.
 */
#define STATEMENTS 64
#define STATEMENT_TEXT 800

struct statement_entry {
	_Atomic uint64_t turn; /* odd while the entry is made another's */
	_Atomic uint64_t count, errors, rows, total_us, max_us;
	_Atomic int64_t last; /* seconds since 1970 */
	_Atomic uint64_t len;
	char text[STATEMENT_TEXT];
};

struct statement_table {
	_Atomic uint64_t age;                /* as that of the pool, else all of this is over */
	_Atomic uint64_t shapes[STATEMENTS]; /* 0: free */
	struct statement_entry entries[STATEMENTS];
};

struct statement_pool {
	_Atomic uint64_t age;
	_Atomic int64_t since; /* seconds since 1970; 0: since the pool began */
	_Atomic bool used[METRIC_WORKERS];
	struct statement_table tables[METRIC_WORKERS];
};

/* A number for the statement but for how long its lists of parameters are; never 0. */
uint64_t statement_shape(struct slice text);

/* A statement has ended. place: the worker's. */
void statement_note(struct statement_pool *pool, size_t place, uint64_t shape, struct slice text, uint64_t us,
		    uint64_t rows, bool failed);

enum statement_order { BY_TOTAL, BY_MEAN, BY_MAX, BY_COUNT };

struct statement_sum {
	struct slice text;
	uint64_t shape, count, errors, rows, total_us, max_us;
	int64_t last;
};

/* What the whole pool has counted, the largest first; in a. */
size_t statements_read(struct arena *a, const struct statement_pool *pool, enum statement_order order,
		       struct statement_sum **list_out);

/* Counting begins anew. now: seconds since 1970. */
void statements_forget(struct statement_pool *pool, int64_t now);

#endif
