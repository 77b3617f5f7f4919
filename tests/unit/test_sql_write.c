/*
 * From a request that writes to its statements: query_parse, write_plan, write_row over a schema of our own. Each row also
 * holds that every '?' outside of quotes has its parameter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query_dump.h"
#include "schema_fixture.h"
#include "sql.h"
#include "value_dump.h"
#include "write.h"

static struct arena *arena;
static struct schema *mariadb, *mysql;
static struct config config;

/* What is asked of a request: one of the statements it may lead to, or what is wrong with its rows. */
enum what { INSERT, RETURNING, NOTHING, CONFLICTS, MERGE, UPDATE, DELETE, LOCK };

struct row {
	const char *method, *url, *prefer;
	const char *type, *body; /* type: NULL is JSON */
	const char *expected;    /* the statement, or a refusal */
	const char *params;
};

struct made {
	struct write *write;
	struct write_cell *rows[8];
	size_t n;
};

static int64_t read_text(void *context, char *to, size_t size)
{
	struct slice *left = context;
	size_t n = left->len < size ? left->len : size;

	if (n)
		memcpy(to, left->ptr, n);
	*left = slice_from(*left, n);
	return (int64_t)n;
}

static bool read_rows(struct made *m, struct http_request *rq, const char *text, struct error *err)
{
	struct write_faults *faults = arena_new(arena, struct write_faults);
	struct slice left = slice_of(text);
	struct body_limits limits = { 1 << 20, 0 };
	struct body *body = body_open(rq, read_text, &left, limits, err);
	struct body_row row;
	enum body_step step;

	faults->a = arena;
	if (!body)
		return false;
	m->write->date_format = body_date_format(body);
	while ((step = body_next(body, &row, err)) == BODY_ROW && m->n < 8)
		if (!write_row(arena, m->write, &row, &m->rows[m->n++], faults, err) && err->code != ERR_NONE)
			break;
	body_close(body);
	if (err->code == ERR_NONE && faults->rows)
		return write_refuse(faults, err);
	return err->code == ERR_NONE && step == BODY_END;
}

static bool make(const struct schema *schema, const struct row *row, struct made *m, struct error *err)
{
	const char *headers = arena_printf(arena, "content-type: %s%s%s", row->type ? row->type : "application/json",
					   row->prefer ? "\nprefer: " : "", row->prefer ? row->prefer : "");
	struct http_request rq = request_of(arena, row->method, row->url, headers);
	struct query query;

	return query_parse(arena, &config, &rq, &query, err) &&
	       write_plan(arena, &config, schema, &query, &m->write, err) &&
	       (m->write->kind == WRITE_DELETE || read_rows(m, &rq, row->body, err));
}

static void statement(const struct made *m, enum what what, struct db_statement *s)
{
	static const struct value held[] = { { .kind = VALUE_INT, .i = 77 }, { .kind = VALUE_INT, .i = 78 } };
	const struct key *primary = m->write->table->primary;

	switch (what) {
	case INSERT:
		sql_insert(arena, m->write, m->rows, m->n, NULL, s);
		break;
	case RETURNING:
		sql_insert(arena, m->write, m->rows, m->n, primary, s);
		break;
	case NOTHING:
		sql_insert_nothing(arena, m->write, s);
		break;
	case CONFLICTS:
		sql_conflicts(arena, m->write, m->rows, m->n, primary, s);
		break;
	case MERGE:
		sql_merge(arena, m->write, m->rows[0], held, s);
		break;
	case UPDATE:
		sql_update(arena, m->write, m->rows[0], s);
		break;
	case DELETE:
		sql_delete(arena, m->write, s);
		break;
	case LOCK:
		sql_lock_keys(arena, m->write, primary, s);
		break;
	}
}

static bool same(const struct row *row, const char *what, const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0)
		return true;
	print_error("%s %s %s\n%s %s\nnot    %s\n", row->method, row->url, row->body ? row->body : "", what, got,
		    expected);
	return false;
}

static const char *refusal(struct error *err)
{
	const char *text = refusal_text(arena, err);

	return err->details ? arena_printf(arena, "%s | %s", text, err->details) : text;
}

static unsigned wrong(const struct schema *schema, enum what what, const struct row *row)
{
	struct made m = { 0 };
	struct db_statement s;
	struct error err;
	bool right;

	error_init(&err, arena);
	if (!make(schema, row, &m, &err))
		return !same(row, "gives ", refusal(&err), row->expected);
	statement(&m, what, &s);
	if (fixture_markers(s.text) != s.nparams)
		fail_msg("%s: %zu parameters in %.*s", row->url, s.nparams, (int)s.text.len, s.text.ptr);
	right = same(row, "gives ", slice_cstr(arena, s.text), row->expected);
	return !(same(row, "params", dump_params(arena, &s), row->params) && right);
}

static void holds(enum what what, const struct row *rows, size_t n)
{
	unsigned failed = 0;

	for (size_t i = 0; i < n; i++)
		failed += wrong(mariadb, what, &rows[i]) + wrong(mysql, what, &rows[i]);
	assert_int_equal(failed, 0);
}

#define HOLDS(what, rows) holds(what, rows, sizeof(rows) / sizeof(*(rows)))
#define POST(url, body, ...)                               \
	{                                                  \
		"POST", url, NULL, NULL, body, __VA_ARGS__ \
	}
#define PUT(url, body, ...)                               \
	{                                                 \
		"PUT", url, NULL, NULL, body, __VA_ARGS__ \
	}
#define PATCH(url, body, ...)                               \
	{                                                   \
		"PATCH", url, NULL, NULL, body, __VA_ARGS__ \
	}

#define INTO "INSERT INTO `hr`.`division` "
#define NULL_IN(column, table)                                                                                       \
	"23502 null value in column \"" column "\" of relation \"" table "\" violates not-null constraint | Row 1, " \
	"column \"" column "\": null value in column \"" column "\" of relation \"" table                            \
	"\" violates not-null constraint"

static void inserts(void **state)
{
	static const struct row rows[] = {
		POST("/division", "{\"id\":1,\"name\":\"a\"}", INTO "(`id`,`name`) VALUES (?,?)", "int 1, text a"),
		POST("/division", "[{\"id\":1,\"name\":\"a\"},{\"name\":\"b\",\"id\":2}]",
		     INTO "(`id`,`name`) VALUES (?,?),(?,?)", "int 1, text a, int 2, text b"),
		POST("/division?columns=name,id", "[{\"id\":1,\"name\":\"a\",\"x\":5}]",
		     INTO "(`name`,`id`) VALUES (?,?)", "text a, int 1"),
		POST("/division?columns=name,id,budget", "{\"id\":1,\"name\":\"a\"}",
		     INTO "(`name`,`id`,`budget`) VALUES (?,?,?)", "text a, int 1, null"),
		{ "POST", "/division?columns=name,id,budget", "missing=default", NULL, "{\"id\":1,\"name\":\"a\"}",
		  INTO "(`name`,`id`,`budget`) VALUES (?,?,DEFAULT)", "text a, int 1" },
		{ "POST", "/division", NULL, "text/csv", "id,name\n1,a\n2,\"b,c\"\n",
		  INTO "(`id`,`name`) VALUES (?,?),(?,?)", "int 1, text a, int 2, text b,c" },
		{ "POST", "/division", NULL, "application/x-www-form-urlencoded", "id=1&name=a+b",
		  INTO "(`id`,`name`) VALUES (?,?)", "int 1, text a b" },
		{ "POST", "/salary", NULL, "text/csv; date-format=\"%m/%d/%y\"",
		  "employee_id,from_date,amount\n1,12/8/17,5\n",
		  "INSERT INTO `hr`.`salary` (`employee_id`,`from_date`,`amount`) VALUES (?,?,?)",
		  "int 1, date 2017-12-08, decimal 5" },
		POST("/division", "{\"id\":1,\"name\":\"'; DROP TABLE x; -- ?\"}", INTO "(`id`,`name`) VALUES (?,?)",
		     "int 1, text '; DROP TABLE x; -- ?"),
		POST("/division", "{\"id\":1,\"name\":\"a\",\"budget\":18446744073709551615}",
		     INTO "(`id`,`name`,`budget`) VALUES (?,?,?)", "int 1, text a, uint 18446744073709551615"),
		POST("/division", "{\"id\":1}", NULL_IN("name", "division"), NULL),
		POST("/division", "{\"id\":1,\"name\":null}", NULL_IN("name", "division"), NULL),
		POST("/division", "{\"id\":1,\"nam\":2}",
		     "PGRST204 Could not find the 'nam' column of 'division' in the schema cache", NULL),
		POST("/division?columns=nam", "{\"id\":1}",
		     "PGRST204 Could not find the 'nam' column of 'division' in the schema cache", NULL),
		POST("/division", "[{\"id\":1,\"name\":\"a\"},{\"id\":2}]",
		     "PGRST102 All object keys must match | Row 2 has other keys than the first.", NULL),
	};

	(void)state;
	HOLDS(INSERT, rows);
}

static void faults(void **state)
{
	static const struct row rows[] = {
		POST("/salary", "[{\"employee_id\":\"x\",\"from_date\":\"2020-02-30\",\"amount\":1}]",
		     "22P02 invalid input syntax for type integer: \"x\" | Row 1, column \"employee_id\", value \"x\": "
		     "invalid input syntax for type integer: \"x\"\nRow 1, column \"from_date\", value \"2020-02-30\": "
		     "date/time field value out of range: \"2020-02-30\"",
		     NULL),
		POST("/division",
		     "[{\"id\":1,\"name\":\"a\"},{\"id\":3000000000,\"name\":\"b\"},{\"id\":2,\"name\":null}]",
		     "22003 value \"3000000000\" is out of range for type integer | Row 2, column \"id\", value "
		     "\"3000000000\": value \"3000000000\" is out of range for type integer\nRow 3, column \"name\": null "
		     "value in column \"name\" of relation \"division\" violates not-null constraint",
		     NULL),
		{ "POST", "/country", NULL, "text/csv", "code,name\nDE,x\nDEU,y\n",
		  "22001 value too long for type character varying(2) | Row 2 (line 3), column \"code\", value \"DEU\": "
		  "value too long for type character varying(2)",
		  NULL },
	};

	(void)state;
	HOLDS(INSERT, rows);
}

#define UPSERT(url, prefer, body, ...)                       \
	{                                                    \
		"POST", url, prefer, NULL, body, __VA_ARGS__ \
	}
#define MERGING "resolution=merge-duplicates"
#define IGNORING "resolution=ignore-duplicates"

static void conflicts(void **state)
{
	static const struct row rows[] = {
		UPSERT("/division", MERGING, "[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b\"}]",
		       "SELECT FIELD(TRUE,(t0.`id`=?),(t0.`id`=?)),t0.`id`,t0.`id` FROM `hr`.`division` AS t0 WHERE "
		       "(t0.`id` IN (?,?)) FOR UPDATE",
		       "int 1, int 2, int 1, int 2"),
		UPSERT("/division", IGNORING, "{\"id\":1,\"name\":\"a\"}",
		       "SELECT FIELD(TRUE,(t0.`id`=?)),t0.`id`,t0.`id` FROM `hr`.`division` AS t0 WHERE (t0.`id` IN (?)) "
		       "LOCK IN SHARE MODE",
		       "int 1, int 1"),
		UPSERT("/assignment", MERGING, "{\"project_id\":5,\"employee_id\":1,\"hours\":3}",
		       "SELECT FIELD(TRUE,(t0.`employee_id`=? AND t0.`project_id`=?)),t0.`employee_id`,t0.`project_id`,"
		       "t0.`employee_id`,t0.`project_id` FROM `hr`.`assignment` AS t0 WHERE "
		       "((t0.`employee_id`,t0.`project_id`) IN ((?,?))) FOR UPDATE",
		       "int 1, int 5, int 1, int 5"),
		UPSERT("/division?on_conflict=name", MERGING, "{\"id\":1,\"name\":\"a\"}",
		       "42P10 there is no unique or exclusion constraint matching the ON CONFLICT specification", NULL),
		UPSERT("/division?on_conflict=x", MERGING, "{\"id\":1,\"name\":\"a\"}",
		       "42703 column \"x\" does not exist", NULL),
		PUT("/division?id=eq.7", "{\"id\":7,\"name\":\"a\"}",
		    "SELECT FIELD(TRUE,(t0.`id`=?)),t0.`id`,t0.`id` FROM `hr`.`division` AS t0 WHERE (t0.`id` IN (?)) FOR "
		    "UPDATE",
		    "int 7, int 7"),
		PUT("/division?name=eq.7", "{\"id\":7,\"name\":\"a\"}",
		    "PGRST105 Filters must include all and only primary key columns with 'eq' operators", NULL),
		PUT("/division?id=eq.7&limit=1", "{\"id\":7,\"name\":\"a\"}",
		    "PGRST114 limit/offset querystring parameters are not allowed for PUT", NULL),
	};

	(void)state;
	HOLDS(CONFLICTS, rows);
}

static void merges(void **state)
{
	static const struct row merged[] = {
		UPSERT("/division", MERGING, "{\"name\":\"a\",\"id\":1,\"budget\":null}",
		       "UPDATE `hr`.`division` AS t0 SET t0.`name`=?,t0.`budget`=? WHERE t0.`id`=?",
		       "text a, null, int 77"),
		UPSERT("/assignment", MERGING, "{\"project_id\":5,\"employee_id\":1,\"hours\":3}",
		       "UPDATE `hr`.`assignment` AS t0 SET t0.`hours`=? WHERE t0.`employee_id`=? AND t0.`project_id`=?",
		       "int 3, int 77, int 78"),
		PUT("/division?id=eq.7", "{\"id\":7,\"name\":\"a\"}",
		    "UPDATE `hr`.`division` AS t0 SET t0.`name`=?,t0.`budget`=? WHERE t0.`id`=?",
		    "text a, null, int 77"),
	};
	static const struct row nothing[] = {
		UPSERT("/division", MERGING, "{\"id\":1,\"name\":\"a\"}",
		       INTO "(`id`,`name`) SELECT NULL,NULL FROM DUAL WHERE FALSE ON DUPLICATE KEY UPDATE "
			    "`id`=VALUES(`id`),`name`=VALUES(`name`)",
		       ""),
		UPSERT("/division", IGNORING, "{\"id\":1,\"name\":\"a\"}",
		       INTO "(`id`,`name`) SELECT NULL,NULL FROM DUAL WHERE FALSE", ""),
	};
	static const struct row returning[] = {
		POST("/assignment", "{\"employee_id\":1,\"project_id\":2}",
		     "INSERT INTO `hr`.`assignment` (`employee_id`,`project_id`) VALUES (?,?) RETURNING "
		     "`employee_id`,`project_id`",
		     "int 1, int 2"),
	};

	(void)state;
	HOLDS(MERGE, merged);
	HOLDS(NOTHING, nothing);
	HOLDS(RETURNING, returning);
}

static void changes(void **state)
{
	static const struct row updates[] = {
		PATCH("/division?id=eq.5&name=like.a*", "{\"name\":\"b\"}",
		      "UPDATE `hr`.`division` AS t0 SET t0.`name`=? WHERE ((t0.`id`=?)) AND ((t0.`name` LIKE ? COLLATE utf8mb4_bin))",
		      "text b, int 5, text a%"),
		PATCH("/division", "{\"name\":\"b\"}", "21000 UPDATE requires a WHERE clause", NULL),
		PATCH("/division?id=eq.5", "{\"nothing\":1}",
		      "PGRST204 Could not find the 'nothing' column of 'division' in the schema cache", NULL),
	};
	static const struct row deletes[] = {
		{ "DELETE", "/division?id=in.(1,2)", NULL, NULL, NULL,
		  "DELETE FROM `hr`.`division` WHERE (`hr`.`division`.`id` IN (?,?))", "int 1, int 2" },
		{ "DELETE", "/division", NULL, NULL, NULL, "21000 DELETE requires a WHERE clause", NULL },
	};
	static const struct row locks[] = {
		{ "DELETE", "/assignment?hours=is.null", NULL, NULL, NULL,
		  "SELECT t0.`employee_id`,t0.`project_id` FROM `hr`.`assignment` AS t0 WHERE ((t0.`hours`) IS NULL) FOR "
		  "UPDATE",
		  "" },
	};

	(void)state;
	HOLDS(UPDATE, updates);
	HOLDS(DELETE, deletes);
	HOLDS(LOCK, locks);
}

static int begin(void **state)
{
	(void)state;
	arena = arena_open();
	config = fixture_config();
	mariadb = fixture_schema(&config.db_schemas, true, 101100);
	mysql = fixture_schema(&config.db_schemas, false, 90700);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_close(mariadb->arena);
	arena_close(mysql->arena);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(inserts, begin, end),
		cmocka_unit_test_setup_teardown(faults, begin, end),
		cmocka_unit_test_setup_teardown(conflicts, begin, end),
		cmocka_unit_test_setup_teardown(merges, begin, end),
		cmocka_unit_test_setup_teardown(changes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
