#ifndef ROWGATE_SQL_INTERNAL_H
#define ROWGATE_SQL_INTERNAL_H

#include "sql.h"

/* Where a derived table's list of columns goes, which is known at the end. */
struct hole {
	const struct plan_node *node;
	size_t at;
	struct hole *next;
};

/* A statement being written. */
struct writer {
	struct arena *a;
	const struct plan *plan;
	struct strbuf text;
	struct value *params;
	size_t nparams, cap;
	enum db_fetch *columns;
	size_t ncolumns, columns_cap;
	const struct plan_node *bare; /* goes by its table's own name: MariaDB's DELETE takes no alias before 11.6 */
	bool chosen;                  /* the bare node's rows have been found under its policies */
	const struct plan_policy *existing; /* on the bare node's rows, beside its own; NULL: none */
	bool **used;                        /* by number of node: columns of a derived table */
	struct hole *holes, *last_hole;
	size_t ntables; /* that the server may join in any order */
	bool sorts;     /* its rows */
	bool wide;      /* one of them may be longer than MySQL's sort buffer */
};

void sql_writer(struct writer *w, struct arena *a, const struct plan *plan);
void sql_finish(const struct writer *w, struct db_statement *out);

/* '?' and its value. */
void sql_param(struct writer *w, struct value v);

/* The value of a ? that is written already. */
void sql_bind(struct writer *w, struct value v);

/* --- row policies (app/sql/policy.c) --- */

/* A policy's condition, where its table is the one in reach. */
void sql_policy(struct writer *w, const struct plan_policy *policy);

/* Those of the bare node and of w->existing. */
void sql_allowed(struct writer *w, const struct plan_node *node);

/* Has the node a policy, and a statement in which its table is the only one at the top? Then it can be bare. */
bool sql_alone(const struct plan_node *node);

/* Must the node's own conditions wait for its policy? */
bool sql_guards(const struct plan_node *node);

/* (SELECT ... FROM `schema`.`table` WHERE policy), of the node's table or its junction. */
void sql_derived(struct writer *w, const struct plan_node *node);
void sql_derived_junction(struct writer *w, const struct plan_node *node);

/* A column that a derived table must have. */
void sql_uses(struct writer *w, const struct plan_node *node, const struct column *c);

/* The text with the columns of its derived tables. */
struct slice sql_filled(const struct writer *w);

/* tN.`column`; of the bare node `schema`.`table`.`column` */
void sql_column(struct writer *w, const struct plan_node *node, const struct column *c);

/* An expression: as it is compared, ordered and grouped; or as it is selected, for C to finish. */
void sql_expr(struct writer *w, const struct plan_expr *e);
void sql_selected(struct writer *w, const struct plan_expr *e);

/* How a value of a type is fetched. */
enum db_fetch sql_fetch(const struct type *type);

/* The place of the next column of the result; writes what stands between it and the one before. */
size_t sql_place(struct writer *w, enum db_fetch fetch);

/* Conditions of a node and of its inner embeds, joined by AND behind " WHERE " or " AND "; nothing when there are none. */
void sql_where(struct writer *w, const struct plan_node *node, const char *before);

/* One of them, in parentheses. */
void sql_condition(struct writer *w, const struct plan_cond *c);

/* left op literal on MariaDB (app/sql/json.c): OP_EQ, OP_NEQ, an order; what else compares is taken for OP_EQ. */
void sql_mariadb_json(struct writer *w, const struct plan_expr *left, enum query_op op, struct slice literal);

/* `schema`.`table` AS tN, with the junction of a many-to-many relation: JOIN ... AS jN. */
void sql_table(struct writer *w, const struct plan_node *node);

/* The rows of a call, in the place of a table (app/sql/call.c). */
void sql_source(struct writer *w, const struct plan_node *node);

/* The column the parents' key is compared with: the junction's, or the node's own. */
void sql_key_column(struct writer *w, const struct plan_node *node, size_t i);

/*
 * IN lists are padded, by repeating their last value, so that lists of many lengths share a statement: to a multiple of
 * five up to a hundred, for pages are such, beyond to a power of two.
 */
static inline size_t sql_padded(size_t n)
{
	size_t padded = 128;

	if (n <= 2)
		return n;
	if (n <= 100)
		return (n + 4) / 5 * 5;
	while (padded < n)
		padded *= 2;
	return padded;
}

#define sql_lit(w, literal) strbuf_lit(&(w)->text, literal)

#endif
