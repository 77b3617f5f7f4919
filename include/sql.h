#ifndef ROWGATE_SQL_H
#define ROWGATE_SQL_H

#include "db.h"
#include "plan.h"

/*
 * Plans as statements. Identifiers come quoted from the schema cache, words from this stage's own tables, and every
 * value of a client is a bound parameter. Text and parameters live in the arena.
 */

/* The distinct keys of the parents whose rows an embed's statement shall give: n tuples of width values. */
struct sql_keys {
	const struct value *values;
	size_t width;
	size_t n;
};

/*
 * The SELECT of one level. Its result row holds: for an embed, the relation's columns first (as they are matched, see
 * plan_node.weighted); then each item's value at item->place; then what kids and timestamps need. Sets the places in
 * node, its items and its kids. keys is NULL for the root.
 */
void sql_select(struct arena *a, const struct plan *plan, struct plan_node *node, const struct sql_keys *keys,
		struct db_statement *out);

/* A value that the rows of a counted level have beside the items that make their groups. */
struct sql_wanted {
	struct plan_expr expr; /* without its aggregate */
	bool weighed;          /* text is wanted as it compares as well */
	bool instant;          /* TIMESTAMP: seconds since 1970, as text */
	/* Set by sql: */
	size_t place;
	bool has_weight;
	size_t weight_place;
};

/*
 * The same of a counted level: every row, not grouped, in no order and without a limit. Instead of aggregates, whose
 * places are the caller's to set, it has what is wanted.
 */
void sql_gather(struct arena *a, const struct plan *plan, struct plan_node *node, const struct sql_keys *keys,
		struct sql_wanted *wanted, size_t n, struct db_statement *out);

/*
 * SELECT COUNT(*) of the rows of the root, which is not counted here; within its limit and offset when page. One FETCH_INT
 * column.
 */
void sql_count(struct arena *a, const struct plan *plan, bool page, struct db_statement *out);

/*
 * EXPLAIN of the count, whose first row's "rows" and "filtered" estimate it: their columns' places are given, all
 * columns are FETCH_TEXT.
 */
void sql_estimate(struct arena *a, const struct plan *plan, struct db_statement *out, size_t *rows_out,
		  size_t *filtered_out);

/* The statement of the root behind EXPLAIN, or ANALYZE; one FETCH_TEXT column. json: FORMAT=JSON, else the text form. */
void sql_explain(struct arena *a, const struct plan *plan, bool analyze, bool json, struct db_statement *out);

/* SET time_zone = ? : UTC by its names, an offset, or a name the server knows. */
void sql_set_timezone(struct arena *a, struct slice zone, struct db_statement *out);

/* SET @`request.NAME`=?, ... : names are constants of the caller. */
struct sql_variable {
	const char *name;
	struct slice value;
};

/* response: those that code of the database answers with become NULL as well. */
void sql_request_variables(struct arena *a, const struct sql_variable *variables, size_t n, bool response,
			   struct db_statement *out);

/* CALL `db`.`name`(), for a procedure named in the configuration: "name" or "db.name". */
void sql_call(struct slice db, struct slice name, struct strbuf *out);

#endif
