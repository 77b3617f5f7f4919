/* Statements on the identity account's connection. Results are few and small, so rows are copied into the arena. */
#include "internal.h"

bool store_open(struct store *q, const struct identity_env *env, struct error *err)
{
	*q = (struct store){ .env = env, .err = err };
	return db_identity(env->db, env->client_fd, &q->conn, err);
}

void store_close(struct store *q)
{
	db_release(q->env->db, q->conn);
	q->conn = NULL;
}

static struct value *kept(struct arena *a, const struct value *cells, size_t n)
{
	struct value *copy = arena_array(a, struct value, n);

	for (size_t i = 0; i < n; i++) {
		copy[i] = cells[i];
		if (cells[i].kind == VALUE_TEXT)
			copy[i].s = slice_copy(a, cells[i].s);
	}
	return copy;
}

bool store_rows(struct store *q, struct slice text, const struct value *params, size_t nparams,
		const enum db_fetch *fetch, size_t ncolumns, struct value ***rows_out, size_t *n_out)
{
	struct db_statement statement = {
		.text = text, .params = params, .nparams = nparams, .columns = fetch, .ncolumns = ncolumns
	};
	struct arena *a = q->env->arena;
	struct value **list = NULL;
	const struct value *cells;
	struct db_rows *rows;
	size_t n = 0, cap = 0;
	enum db_step step;

	if (!db_query(a, q->conn, &statement, &rows, q->err))
		return false;
	while ((step = db_next(rows, &cells, q->err)) == DB_ROW) {
		if (n == cap) {
			struct value **more = arena_array(a, struct value *, cap ? cap * 2 : 4);

			if (n)
				memcpy(more, list, n * sizeof(struct value *));
			list = more;
			cap = cap ? cap * 2 : 4;
		}
		list[n++] = kept(a, cells, ncolumns);
	}
	*rows_out = list;
	*n_out = n;
	return step == DB_END;
}

bool store_run(struct store *q, struct slice text, const struct value *params, size_t nparams, uint64_t *met_out)
{
	struct db_statement statement = { .text = text, .params = params, .nparams = nparams };
	uint64_t met, made;

	return db_execute(q->conn, &statement, met_out ? met_out : &met, &made, q->err);
}

struct slice store_instant(struct arena *a, const struct value *v)
{
	struct strbuf b;

	if (v->kind != VALUE_DATETIME)
		return (struct slice){ "", 0 };
	strbuf_init(&b, a, 32);
	value_add_datetime(&b, &v->t);
	strbuf_addc(&b, 'Z');
	return strbuf_slice(&b);
}
