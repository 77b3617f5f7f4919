/*
 * The bare export: a table of a million rows from the database to a file, as JSON or CSV, by the text protocol and
 * an unbuffered result. No HTTP, no token, no TLS: what Rowgate's export is measured against.
 *
 *   bulk json|csv FILE
 */
#include "probe.h"

#define TABLE "SELECT id, eid, salary, date FROM salary_history ORDER BY id"

enum { MAX_COLUMNS = 12, FLUSH_AT = 1 << 18 };

struct export
{
	FILE *file;
	MYSQL_RES *result;
	unsigned columns;
	bool number[MAX_COLUMNS];
	char key[MAX_COLUMNS][80];
	struct out out;
};

static void flush(struct export *e)
{
	if (fwrite(e->out.bytes, 1, e->out.len, e->file) != e->out.len)
		fail("write failed");
	e->out.len = 0;
}

static void add_json(struct export *e, MYSQL_ROW row, const unsigned long *len)
{
	for (unsigned i = 0; i < e->columns; i++) {
		out_text(&e->out, e->key[i]);
		if (!row[i])
			out_text(&e->out, "null");
		else if (e->number[i])
			out_add(&e->out, row[i], len[i]);
		else
			out_json_string(&e->out, row[i], len[i]);
	}
	out_char(&e->out, '}');
}

static void add_quoted(struct out *o, const char *s, size_t n)
{
	out_char(o, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			out_char(o, '"');
		out_char(o, s[i]);
	}
	out_char(o, '"');
}

static bool needs_quotes(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == ',' || s[i] == '"' || s[i] == '\n' || s[i] == '\r')
			return true;
	}
	return false;
}

static void add_csv(struct export *e, MYSQL_ROW row, const unsigned long *len)
{
	for (unsigned i = 0; i < e->columns; i++) {
		if (i)
			out_char(&e->out, ',');
		if (row[i] && !e->number[i] && needs_quotes(row[i], len[i]))
			add_quoted(&e->out, row[i], len[i]);
		else if (row[i])
			out_add(&e->out, row[i], len[i]);
	}
	out_char(&e->out, '\n');
}

static void export_open(struct export *e, MYSQL *db)
{
	if (mysql_query(db, TABLE))
		fail("%s", mysql_error(db));
	e->result = mysql_use_result(db);
	e->columns = mysql_num_fields(e->result);
	for (unsigned i = 0; i < e->columns; i++) {
		const MYSQL_FIELD *field = mysql_fetch_field_direct(e->result, i);

		e->number[i] = is_number(field->type);
		snprintf(e->key[i], sizeof(e->key[i]), "%c\"%s\":", i ? ',' : '{', field->name);
	}
}

static void export_rows(struct export *e, MYSQL *db, bool json)
{
	MYSQL_ROW row;

	for (bool first = true; (row = mysql_fetch_row(e->result)); first = false) {
		const unsigned long *len = mysql_fetch_lengths(e->result);

		if (e->out.len > FLUSH_AT)
			flush(e);
		if (json)
			out_char(&e->out, first ? '[' : ',');
		if (json)
			add_json(e, row, len);
		else
			add_csv(e, row, len);
	}
	if (mysql_errno(db))
		fail("%s", mysql_error(db));
	if (json)
		out_char(&e->out, ']');
	flush(e);
}

int main(int argc, char **argv)
{
	static struct export e;
	MYSQL *db;

	if (argc != 3)
		fail("usage: bulk json|csv FILE");
	e.file = fopen(argv[2], "w");
	if (!e.file)
		fail("%s cannot be written", argv[2]);
	setvbuf(e.file, NULL, _IONBF, 0);
	db = db_connect();
	export_open(&e, db);
	export_rows(&e, db, strcmp(argv[1], "json") == 0);
	fclose(e.file);
	mysql_close(db);
	return 0;
}
