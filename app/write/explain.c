/*
 * Constraint errors in PostgreSQL's words. MySQL names the constraint in its message alone, so the names are taken from
 * there; all else in that text stays in the log.
 */
#include "internal.h"

/* What stands between the first open behind text's `after` and the close that follows; empty: nothing does. */
static struct slice between(const char *text, const char *after, char open, char close)
{
	const char *at = strstr(text, after), *from, *to;

	from = at ? strchr(at + strlen(after), open) : NULL;
	to = from ? strchr(from + 1, close) : NULL;
	return to ? (struct slice){ from + 1, (size_t)(to - from) - 1 } : (struct slice){ NULL, 0 };
}

/* Without the backticks around and between names: `a`, `b` is a, b. */
static const char *bare(struct arena *a, struct slice names)
{
	char *to = slice_cstr(a, names);
	size_t n = 0;

	for (size_t i = 0; i < names.len; i++)
		if (names.ptr[i] != '`')
			to[n++] = names.ptr[i];
	to[n] = '\0';
	return to;
}

static const struct key *key_named(const struct table *t, struct slice name)
{
	for (size_t i = 0; i < t->nunique; i++)
		if (slice_eq(t->unique[i].name, name))
			return &t->unique[i];
	return NULL;
}

/* Duplicate entry 'VALUE' for key 'TABLE.KEY', on MariaDB 'KEY'. The value may hold anything. */
static void duplicate(const struct write *w, struct error *err, const char *text)
{
	static const char middle[] = "' for key '";
	const char *at = NULL, *dot;
	struct slice entry, name;
	const struct key *key;
	struct strbuf columns;

	for (const char *p = text; (p = strstr(p, middle)); p++)
		at = p;
	if (strncmp(text, "Duplicate entry '", 17) != 0 || !at)
		return;
	entry = (struct slice){ text + 17, (size_t)(at - text) - 17 };
	name = slice_of(at + strlen(middle));
	name.len -= name.len && name.ptr[name.len - 1] == '\'';
	key = key_named(w->table, name);
	dot = memchr(name.ptr, '.', name.len);
	if (!key && dot) {
		name = slice_from(name, (size_t)(dot - name.ptr) + 1);
		key = key_named(w->table, name);
	}
	/* Those that were there are locked: it is the body that has the key twice. */
	if (key && key == w->conflict && !key->partly && w->resolution == RESOLUTION_MERGE) {
		write_met_twice(err);
		return;
	}
	error_set(err, ERR_DUPLICATE, "duplicate key value violates unique constraint \"%.*s\"", (int)name.len,
		  name.ptr);
	strbuf_init(&columns, err->arena, 64);
	for (size_t i = 0; key && i < key->n; i++) {
		strbuf_adds(&columns, i ? ", " : "");
		strbuf_add_slice(&columns, key->columns[i]->name);
	}
	error_details(err, "Key (%s)=(%.*s) already exists.", key ? strbuf_cstr(&columns) : "?", (int)entry.len,
		      entry.ptr);
}

/* ... (`db`.`child`, CONSTRAINT `name` FOREIGN KEY (`a`) REFERENCES `parent` (`b`) ...) */
static void foreign_key(const struct write *w, struct error *err, const char *text, bool child)
{
	struct arena *a = err->arena;
	struct slice constraint = between(text, "CONSTRAINT ", '`', '`');
	const char *columns = bare(a, between(text, "FOREIGN KEY ", '(', ')'));
	const char *references = strstr(text, "REFERENCES ");
	const char *parent = references ? bare(a, between(references, "REFERENCES ", '`', '`')) : "";
	const char *target = references ? bare(a, between(references, "` ", '(', ')')) : "";
	struct slice table = between(text, "`.", '`', '`');

	if (!constraint.len || !references)
		return;
	if (child) {
		error_set(err, ERR_FOREIGN_KEY,
			  "insert or update on table \"%.*s\" violates foreign key constraint \"%.*s\"", (int)table.len,
			  table.ptr, (int)constraint.len, constraint.ptr);
		error_details(err, "Key (%s) is not present in table \"%s\".", columns, parent);
		return;
	}
	error_set(err, ERR_FOREIGN_KEY,
		  "update or delete on table \"%.*s\" violates foreign key constraint \"%.*s\" on table \"%.*s\"",
		  (int)w->table->name.len, w->table->name.ptr, (int)constraint.len, constraint.ptr, (int)table.len,
		  table.ptr);
	error_details(err, "Key (%s) is still referenced from table \"%.*s\".", target, (int)table.len, table.ptr);
}

/* CONSTRAINT `name` failed for `db`.`table`, or Check constraint 'name' is violated. */
static void check(const struct write *w, struct error *err, const char *text)
{
	struct slice name = between(text, "CONSTRAINT ", '`', '`');

	if (!name.len)
		name = between(text, "Check constraint ", '\'', '\'');
	if (name.len)
		error_set(err, ERR_CHECK, "new row for relation \"%.*s\" violates check constraint \"%.*s\"",
			  (int)w->table->name.len, w->table->name.ptr, (int)name.len, name.ptr);
}

bool write_met_twice(struct error *err)
{
	error_set(err, ERR_CARDINALITY, "ON CONFLICT DO UPDATE command cannot affect row a second time");
	return error_hint(err, "Ensure that no rows proposed for insertion within the same command have duplicate "
			       "constrained values.");
}

/* ... for column `db`.`table`.`name` at row N, or 'name' */
uint64_t write_error_row(const struct error *err, struct slice *column_out)
{
	static const char mark[] = " at row ";
	const char *at = NULL, *from;
	uint64_t row;

	*column_out = SLICE("");
	for (const char *p = err->log_detail; p && (p = strstr(p, mark)); p++)
		at = p;
	if (!at || !parse_u64(slice_of(at + strlen(mark)), &row))
		return 0;
	from = at - 1;
	if (from > err->log_detail && (*from == '`' || *from == '\''))
		for (const char *p = from - 1; p > err->log_detail && !column_out->len; p--)
			if (*p == *from)
				*column_out = (struct slice){ p + 1, (size_t)(from - p) - 1 };
	return row;
}

void write_explain(const struct write *w, struct error *err)
{
	unsigned number = err->db_errno;
	const char *text = err->log_detail;

	if (!text)
		return;
	if (number == 1062 || number == 1586)
		duplicate(w, err, text);
	else if (number == 1452 || number == 1451)
		foreign_key(w, err, text, number == 1452);
	else if (number == 1369)
		error_set(err, ERR_VIEW_CHECK, "new row violates check option for view \"%.*s\"",
			  (int)w->table->name.len, w->table->name.ptr);
	else if (number == 3819 || number == 4025)
		check(w, err, text);
	err->db_errno = number;
	err->log_detail = text;
}
