/*
 * The bare import: a CSV file with a header and no quotes into the table `imports`, by INSERTs of a thousand rows in one
 * transaction (rows), or by LOAD DATA LOCAL INFILE (infile). No HTTP, no token, no checks: what Rowgate's import is
 * measured against.
 *
 *   load rows|infile FILE
 */
#include "probe.h"

enum { ROWS = 1000 };

static void run(MYSQL *db, const char *sql, size_t len)
{
	if (mysql_real_query(db, sql, len))
		fail("%s", mysql_error(db));
}

/* 1,2,3,2020-01-31 as (1,2,3,'2020-01-31') */
static void add_row(struct out *o, const char *line, size_t len)
{
	size_t date = len;

	while (date && line[date - 1] != ',')
		date--;
	out_char(o, '(');
	out_add(o, line, date);
	out_char(o, '\'');
	out_add(o, line + date, len - date);
	out_text(o, "')");
}

static void load_rows(MYSQL *db, FILE *file)
{
	static struct out out;
	char line[256];
	int n = 0;

	run(db, "START TRANSACTION", strlen("START TRANSACTION"));
	if (!fgets(line, sizeof(line), file))
		fail("the file is empty");
	while (fgets(line, sizeof(line), file)) {
		if (!n)
			out_text(&out, "INSERT INTO imports (id,eid,salary,date) VALUES ");
		else
			out_char(&out, ',');
		add_row(&out, line, strcspn(line, "\r\n"));
		if (++n < ROWS)
			continue;
		run(db, out.bytes, out.len);
		out.len = 0;
		n = 0;
	}
	if (n)
		run(db, out.bytes, out.len);
	run(db, "COMMIT", strlen("COMMIT"));
}

static void load_infile(MYSQL *db, const char *path)
{
	char sql[1024];
	int len = snprintf(sql, sizeof(sql),
			   "LOAD DATA LOCAL INFILE '%s' INTO TABLE imports FIELDS TERMINATED BY ',' IGNORE 1 LINES "
			   "(id,eid,salary,date)",
			   path);

	run(db, sql, (size_t)len);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
	MYSQL *db;

	if (!file)
		fail("usage: load rows|infile FILE");
	db = db_connect();
	if (strcmp(argv[1], "rows") == 0)
		load_rows(db, file);
	else
		load_infile(db, argv[2]);
	fclose(file);
	mysql_close(db);
	return 0;
}
