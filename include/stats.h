#ifndef ROWGATE_STATS_H
#define ROWGATE_STATS_H

#include "sql.h"

/*
 * Levels of a plan that are counted here (plan_node.counted): their rows are read once, unsorted, and each group's values
 * are kept as how often each occurs, from which every quantile is exact. Memory grows with the distinct values, up to
 * db-max-distinct.
 */
struct stats;

/*
 * Reads all rows of a level and forms its groups: what having leaves of them, in order, within limit and offset. keys as
 * in sql_select. Sets the places of node as sql_select does. Lives in a. Fails with what the database says, ERR_PACKET
 * for too many distinct values, ERR_OUT_OF_RANGE for numbers of more than 28 digits.
 */
bool stats_open(struct arena *a, const struct plan *plan, struct plan_node *node, const struct sql_keys *keys,
		struct db_conn *conn, struct stats **out, struct error *err) MUST_CHECK;

/* The groups there are, on the page or not. */
uint64_t stats_total(const struct stats *s);

/* The next group as a row: node->nplaces cells, which live as long as the stats. False: there is none. */
bool stats_next(struct stats *s, const struct value **cells_out);

/* What an aggregate makes of no rows. */
struct value stats_of_nothing(struct arena *a, const struct plan_expr *e);

#endif
