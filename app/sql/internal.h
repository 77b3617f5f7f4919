#ifndef ROWGATE_SQL_INTERNAL_H
#define ROWGATE_SQL_INTERNAL_H

#include "sql.h"

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
};

void sql_writer(struct writer *w, struct arena *a, const struct plan *plan);
void sql_finish(const struct writer *w, struct db_statement *out);

/* '?' and its value. */
void sql_param(struct writer *w, struct value v);

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
