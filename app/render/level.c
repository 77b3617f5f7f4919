/* Where the rows of a level come from. */
#include "internal.h"

bool level_open(struct arena *a, const struct reader *r, struct plan_node *node, const struct sql_keys *keys,
		bool cursor, struct level *out, struct error *err)
{
	struct db_statement statement;

	*out = (struct level){ 0 };
	if (node->counted)
		return stats_open(a, r->plan, node, keys, r->conn, &out->stats, err);
	sql_select(a, r->plan, node, keys, &statement);
	statement.cursor = cursor;
	return db_query(a, r->conn, &statement, &out->rows, err);
}

enum db_step level_next(struct level *s, const struct value **cells_out, struct error *err)
{
	if (s->stats)
		return stats_next(s->stats, cells_out) ? DB_ROW : DB_END;
	return db_next(s->rows, cells_out, err);
}

void level_close(struct level *s)
{
	if (s->rows)
		db_rows_close(s->rows);
}
