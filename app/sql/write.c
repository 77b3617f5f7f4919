/* INSERT, UPDATE and DELETE, and the SELECT that finds and locks the rows they are about. */
#include "internal.h"

#include "write.h"

static void cell(struct writer *w, const struct column *c, const struct write_cell *cell)
{
	if (cell->is_default) {
		sql_lit(w, "DEFAULT");
		return;
	}
	if (c->type.class == TYPE_GEOMETRY && cell->value.kind != VALUE_NULL) {
		strbuf_adds(&w->text, cell->geojson ? "ST_GeomFromGeoJSON(" : "ST_GeomFromText(");
		sql_param(w, cell->value);
		strbuf_addc(&w->text, ')');
		return;
	}
	sql_param(w, cell->value);
}

static void names(struct writer *w, const struct write *write)
{
	strbuf_addc(&w->text, '(');
	for (size_t i = 0; i < write->ncolumns; i++) {
		strbuf_adds(&w->text, i ? "," : "");
		strbuf_add_slice(&w->text, write->columns[i]->quoted);
	}
	strbuf_addc(&w->text, ')');
}

void sql_insert(struct arena *a, const struct write *write, struct write_cell *const *rows, size_t n,
		struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, write->plan);
	sql_lit(&w, "INSERT INTO ");
	strbuf_add_slice(&w.text, write->table->quoted);
	strbuf_addc(&w.text, ' ');
	names(&w, write);
	sql_lit(&w, " VALUES ");
	for (size_t r = 0; r < n; r++) {
		strbuf_adds(&w.text, r ? ",(" : "(");
		for (size_t i = 0; i < write->ncolumns; i++) {
			strbuf_adds(&w.text, i ? "," : "");
			cell(&w, write->columns[i], &rows[r][i]);
		}
		strbuf_addc(&w.text, ')');
	}
	sql_finish(&w, out);
}

void sql_insert_nothing(struct arena *a, const struct write *write, struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, write->plan);
	sql_lit(&w, "INSERT INTO ");
	strbuf_add_slice(&w.text, write->table->quoted);
	strbuf_addc(&w.text, ' ');
	names(&w, write);
	sql_lit(&w, " SELECT ");
	for (size_t i = 0; i < write->ncolumns; i++)
		strbuf_adds(&w.text, i ? ",NULL" : "NULL");
	sql_lit(&w, " FROM DUAL WHERE FALSE");
	sql_finish(&w, out);
}

void sql_update(struct arena *a, const struct write *write, const struct write_cell *cells, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct writer w;

	sql_writer(&w, a, write->plan);
	sql_lit(&w, "UPDATE ");
	sql_table(&w, root);
	for (size_t i = 0; i < write->ncolumns; i++) {
		strbuf_adds(&w.text, i ? "," : " SET ");
		sql_column(&w, root, write->columns[i]);
		strbuf_addc(&w.text, '=');
		cell(&w, write->columns[i], &cells[i]);
	}
	sql_where(&w, root, " WHERE ");
	sql_finish(&w, out);
}

void sql_delete(struct arena *a, const struct write *write, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct writer w;

	sql_writer(&w, a, write->plan);
	w.bare = root;
	sql_lit(&w, "DELETE FROM ");
	strbuf_add_slice(&w.text, write->table->quoted);
	sql_where(&w, root, " WHERE ");
	sql_finish(&w, out);
}

void sql_lock_keys(struct arena *a, const struct write *write, const struct key *key, struct db_statement *out)
{
	const struct plan_node *root = write->plan->root;
	struct writer w;

	sql_writer(&w, a, write->plan);
	sql_lit(&w, "SELECT ");
	for (size_t i = 0; i < key->n; i++) {
		sql_place(&w, sql_fetch(&key->columns[i]->type));
		sql_column(&w, root, key->columns[i]);
	}
	sql_lit(&w, " FROM ");
	sql_table(&w, root);
	sql_where(&w, root, " WHERE ");
	sql_lit(&w, " FOR UPDATE");
	sql_finish(&w, out);
}
