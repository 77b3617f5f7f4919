/*
 * What a role may do, from the lines that SHOW GRANTS gives while it is active. Both servers then list what comes by way
 * of the role, and of the roles within it, in one form:
 *
 *     GRANT SELECT (`a`, `b`), DELETE ON `db`.`table` TO ...      GRANT EXECUTE ON PROCEDURE `db`.`name` TO ...
 */
#include "grants.h"

#include "db.h"

static const struct {
	const char *word;
	unsigned right;
} words[] = {
	{ "SELECT", MAY_SELECT }, { "INSERT", MAY_INSERT },   { "UPDATE", MAY_UPDATE },
	{ "DELETE", MAY_DELETE }, { "EXECUTE", MAY_EXECUTE }, { "ALL PRIVILEGES", MAY_ALL },
};

static bool take(struct slice *rest, const char *text)
{
	if (!slice_starts(*rest, text))
		return false;
	*rest = slice_from(*rest, strlen(text));
	return true;
}

/* `name`, in which a backtick is doubled. */
static bool take_name(struct arena *a, struct slice *rest, struct slice *out)
{
	struct slice s = *rest;
	size_t i, n = 0;
	char *to;

	if (!take(&s, "`"))
		return false;
	to = arena_alloc(a, s.len + 1);
	for (i = 0; i < s.len; i++) {
		if (s.ptr[i] == '`' && !(i + 1 < s.len && s.ptr[i + 1] == '`'))
			break;
		i += s.ptr[i] == '`';
		to[n++] = s.ptr[i];
	}
	if (i == s.len)
		return false;
	*rest = slice_from(s, i + 1);
	*out = (struct slice){ to, n };
	return true;
}

/* The words of one privilege, up to a comma, a parenthesis or ON. */
static struct slice take_words(struct slice *rest)
{
	size_t n = 0;
	struct slice out;

	while (n < rest->len && rest->ptr[n] != ',' && rest->ptr[n] != '(' &&
	       !slice_starts(slice_from(*rest, n), " ON "))
		n++;
	out = slice_trim((struct slice){ rest->ptr, n });
	*rest = slice_from(*rest, n);
	return out;
}

static unsigned right_of(struct slice text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_is(text, words[i].word))
			return words[i].right;
	return 0;
}

/* (`a`, `b`) */
static bool take_columns(struct arena *a, struct slice *rest, unsigned right, struct grant *g)
{
	do {
		struct granted_column *more = g->columns;

		/* Room doubles at powers of two. */
		if ((g->ncolumns & (g->ncolumns - 1)) == 0) {
			more = arena_array(a, struct granted_column, g->ncolumns ? g->ncolumns * 2 : 1);
			if (g->ncolumns)
				memcpy(more, g->columns, g->ncolumns * sizeof(*more));
		}
		g->columns = more;
		if (!take_name(a, rest, &more[g->ncolumns].name))
			return false;
		more[g->ncolumns++].rights = right;
	} while (take(rest, ", ") || take(rest, ","));
	return take(rest, ")");
}

static bool take_privileges(struct arena *a, struct slice *rest, struct grant *g)
{
	while (!take(rest, " ON ")) {
		unsigned right = right_of(take_words(rest));

		if (take(rest, "(")) {
			if (!take_columns(a, rest, right, g))
				return false;
		} else {
			g->rights |= right;
		}
		if (!rest->len || (!take(rest, ", ") && !take(rest, ",") && !slice_starts(*rest, " ON ")))
			return false;
	}
	return true;
}

/* *.*, `db`.*, `db`.`table` */
static bool take_target(struct arena *a, struct slice *rest, struct grant *g)
{
	if (take(rest, "*.*"))
		return true;
	return take_name(a, rest, &g->db) && take(rest, ".") && (take(rest, "*") || take_name(a, rest, &g->object));
}

bool grants_read(struct arena *a, struct slice line, struct grant *out)
{
	*out = (struct grant){ .revoke = take(&line, "REVOKE ") };
	/* GRANT `role` TO ... */
	if ((!out->revoke && !take(&line, "GRANT ")) || slice_starts(line, "`") || !take_privileges(a, &line, out))
		return false;
	out->routine = take(&line, "PROCEDURE ") || take(&line, "FUNCTION ");
	if (!out->routine)
		take(&line, "TABLE ");
	return take_target(a, &line, out);
}

/* SQL's LIKE: % any text, _ any character, \ takes the next as it is. */
static bool like(struct slice pattern, struct slice text)
{
	while (pattern.len) {
		char c = pattern.ptr[0];

		pattern = slice_from(pattern, 1);
		if (c == '%') {
			for (size_t i = 0; i <= text.len; i++)
				if (like(pattern, slice_from(text, i)))
					return true;
			return false;
		}
		if (!text.len)
			return false;
		if (c == '\\' && pattern.len) {
			c = pattern.ptr[0];
			pattern = slice_from(pattern, 1);
		} else if (c == '_') {
			c = text.ptr[0];
		}
		if (c != text.ptr[0])
			return false;
		text = slice_from(text, 1);
	}
	return !text.len;
}

static unsigned everywhere(const struct grant *grants, size_t n, struct slice db)
{
	unsigned rights = 0;

	for (size_t i = 0; i < n; i++)
		if (!grants[i].db.ptr && !grants[i].revoke)
			rights |= grants[i].rights;
	for (size_t i = 0; i < n; i++)
		if (grants[i].revoke && grants[i].db.ptr && slice_eq(grants[i].db, db))
			rights &= ~grants[i].rights;
	for (size_t i = 0; i < n; i++)
		if (grants[i].db.ptr && !grants[i].object.ptr && !grants[i].revoke && like(grants[i].db, db))
			rights |= grants[i].rights;
	return rights;
}

static unsigned possible_with(const struct table *t)
{
	if (!t->updatable)
		return MAY_SELECT;
	if (t->joins)
		return MAY_SELECT | MAY_UPDATE;
	return t->lacks ? MAY_ALL & ~(unsigned)MAY_INSERT : MAY_ALL;
}

void grants_table_rights(struct arena *a, const struct grant *grants, size_t n, const struct table *table,
			 struct rights *out)
{
	unsigned possible = possible_with(table);

	out->columns = arena_alloc(a, table->ncolumns);
	out->whole = everywhere(grants, n, table->schema) & ~(unsigned)MAY_EXECUTE;
	for (size_t i = 0; i < n; i++) {
		const struct grant *g = &grants[i];

		if (g->routine || g->revoke || !g->object.ptr || !slice_eq(g->object, table->name) ||
		    !slice_eq(g->db, table->schema))
			continue;
		out->whole |= g->rights;
		for (size_t k = 0; k < g->ncolumns; k++)
			for (size_t c = 0; c < table->ncolumns; c++)
				if (slice_ieq(table->columns[c].name, g->columns[k].name))
					out->columns[c] |= (unsigned char)g->columns[k].rights;
	}
	out->whole &= possible;
	out->any = out->whole;
	for (size_t c = 0; c < table->ncolumns; c++) {
		out->columns[c] &= (unsigned char)possible;
		out->columns[c] |= (unsigned char)out->whole;
		out->any |= out->columns[c];
	}
}

bool grants_may_call(const struct grant *grants, size_t n, const struct routine *routine)
{
	if (everywhere(grants, n, routine->schema) & MAY_EXECUTE)
		return true;
	for (size_t i = 0; i < n; i++)
		if (grants[i].routine && (grants[i].rights & MAY_EXECUTE) && slice_eq(grants[i].db, routine->schema) &&
		    slice_ieq(grants[i].object, routine->name))
			return true;
	return false;
}

/* --- asking --- */

static bool texts(struct arena *a, struct db_conn *conn, struct slice text, struct slice **list_out, size_t *n_out,
		  struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct db_statement statement = { .text = text, .columns = fetch, .ncolumns = 1 };
	struct slice *list = NULL;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;
	size_t n = 0;

	if (!db_query(a, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW) {
		/* Room doubles at powers of two. */
		if ((n & (n - 1)) == 0) {
			struct slice *more = arena_array(a, struct slice, n ? n * 2 : 1);

			if (n)
				memcpy(more, list, n * sizeof(*more));
			list = more;
		}
		list[n++] = slice_copy(a, cells[0].s);
	}
	*list_out = list;
	*n_out = n;
	return step == DB_END;
}

bool grants_lines(struct arena *a, struct db_conn *conn, struct slice **lines_out, size_t *n_out, struct error *err)
{
	return texts(a, conn, SLICE("SHOW GRANTS"), lines_out, n_out, err);
}

bool grants_roles(struct arena *a, struct db_conn *conn, struct slice **roles_out, size_t *n_out, struct error *err)
{
	return texts(a, conn, SLICE("SELECT DISTINCT ROLE_NAME FROM information_schema.APPLICABLE_ROLES ORDER BY 1"),
		     roles_out, n_out, err);
}
