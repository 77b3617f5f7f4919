/*
 * From a request to the statement of a call: which routine, which arguments, typed; and what is refused without asking the
 * database. Then the rows of a call in the place of a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "call.h"
#include "query_dump.h"
#include "schema_fixture.h"
#include "sql.h"
#include "value_dump.h"

static struct arena *arena;
static struct schema *schema, *mysql;
static struct config config;

struct parameter_text {
	const char *name, *type;
	enum parameter_mode mode;
	bool optional;
};

static void add_routine(struct schema *s, const char *name, const char *returns, const struct parameter_text *p,
			size_t n)
{
	struct arena *a = s->arena;
	struct routine *r = arena_new(a, struct routine);
	struct slice type = slice_of(returns);

	r->schema = SLICE("hr");
	r->name = slice_of(name);
	r->quoted = slice_of(arena_printf(a, "`hr`.`%s`", name));
	r->is_function = returns != NULL;
	if (returns)
		r->returns = schema_type(a, type, type);
	r->parameters = arena_array(a, struct parameter, n);
	r->nparameters = n;
	for (size_t i = 0; i < n; i++) {
		struct slice whole = slice_of(p[i].type), word = whole;
		const char *end = memchr(whole.ptr, '(', whole.len);

		if (end)
			word.len = (size_t)(end - whole.ptr);
		r->parameters[i] = (struct parameter){ .column = { .name = slice_of(p[i].name),
								   .type = schema_type(a, word, whole),
								   .nullable = true },
						       .mode = p[i].mode,
						       .optional = p[i].optional };
	}
	r->next = s->routines;
	s->routines = r;
	s->nroutines++;
}

static void add_routines(struct schema *s)
{
	static const struct parameter_text add[] = { { "a", "int", PARAMETER_IN, false },
						     { "b", "int", PARAMETER_IN, false } };
	static const struct parameter_text mixed[] = { { "n", "int", PARAMETER_INOUT, false },
						       { "out", "int", PARAMETER_OUT, false },
						       { "day", "date", PARAMETER_IN, true } };
	static const struct parameter_text doc[] = { { "doc", "json", PARAMETER_IN, false } };
	static const struct parameter_text body[] = { { "body", "json", PARAMETER_IN, false } };
	static const struct parameter_text text[] = { { "body", "longtext", PARAMETER_IN, false } };
	static const struct parameter_text bytes[] = { { "any", "varbinary(4)", PARAMETER_IN, false } };
	static const struct parameter_text place[] = { { "at", "point", PARAMETER_IN, false } };

	add_routine(s, "add", "int", add, 2);
	add_routine(s, "mixed", NULL, mixed, 3);
	add_routine(s, "doc", NULL, doc, 1);
	add_routine(s, "body", NULL, body, 1);
	add_routine(s, "text", NULL, text, 1);
	add_routine(s, "bytes", NULL, bytes, 1);
	add_routine(s, "place", "point", place, 1);
	add_routine(s, "now", "timestamp", NULL, 0);
	add_routine(s, "writer", NULL, NULL, 0);
	s->routines->writes = true;
}

struct memory {
	struct slice rest;
	size_t step;
};

/* In pieces, as a network gives it. */
static int64_t read_pieces(void *context, char *to, size_t size)
{
	struct memory *m = context;
	size_t n = m->rest.len < m->step ? m->rest.len : m->step;

	if (n > size)
		n = size;
	if (n)
		memcpy(to, m->rest.ptr, n);
	m->rest = slice_from(m->rest, n);
	return (int64_t)n;
}

/* The statement and its parameters, or the refusal. */
static const char *outcome(const char *method, const char *url, const char *headers, const char *body)
{
	struct http_request rq = request_of(arena, method, url, headers);
	struct memory memory = { slice_of(body), 3 };
	struct db_statement statement;
	struct query query;
	struct call *call;
	struct error err;
	struct strbuf b;

	error_init(&err, arena);
	if (!query_parse(arena, &config, &rq, &query, &err) ||
	    !call_plan(arena, &config, schema, &query, &call, &err) ||
	    (body && !call_body(arena, call, &query, &rq, read_pieces, &memory, &err)))
		return arena_printf(arena, "%d %s", err.status, err.sqlstate);
	sql_call_routine(arena, call, query.prefer.timezone.len > 0, &statement);
	strbuf_init(&b, arena, 128);
	strbuf_add_slice(&b, statement.text);
	for (size_t i = 0; i < statement.nparams; i++) {
		strbuf_adds(&b, i ? ", " : " | ");
		dump_value(&b, &statement.params[i]);
	}
	return strbuf_cstr(&b);
}

struct row {
	const char *url, *headers, *body;
	const char *expected;
};

static void check(const char *method, const struct row *rows, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		const char *found = outcome(method, rows[i].url, rows[i].headers, rows[i].body);

		if (strcmp(found, rows[i].expected) == 0)
			continue;
		print_error("%s %s\n  %s\nis\n  %s\nnot\n  %s\n", method, rows[i].url, rows[i].body ? rows[i].body : "",
			    found, rows[i].expected);
		ok = false;
	}
	assert_true(ok);
}

static void urls(void **state)
{
	static const struct row rows[] = {
		{ "/rpc/add?a=1&b=2", "", NULL, "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add?b=2&a=1&select=*", "", NULL, "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add?a=0&a=1&b=2", "", NULL, "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add?A=1&B=2", "", NULL, "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add?a=1&b=2&a=eq.3", "", NULL, "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add?a=1&b=x", "", NULL, "400 22P02" },
		{ "/rpc/add?a=1&b=99999999999", "", NULL, "400 22003" },
		{ "/rpc/add?a=1", "", NULL, "404 PGRST202" },
		{ "/rpc/add?a=1&b=2&c=3", "", NULL, "404 PGRST202" },
		{ "/rpc/add?a=eq.1&b=2", "", NULL, "404 PGRST202" },
		{ "/rpc/nothing", "", NULL, "404 PGRST202" },
		{ "/rpc/mixed?n=1", "", NULL, "CALL `hr`.`mixed`(?,?,?) | int 1, null, null" },
		{ "/rpc/mixed?n=1&day=2020-02-29", "", NULL,
		  "CALL `hr`.`mixed`(?,?,?) | int 1, null, date 2020-02-29" },
		{ "/rpc/mixed?n=1&day=2020-02-30", "", NULL, "400 22008" },
		{ "/rpc/mixed?n=1&out=2", "", NULL, "404 PGRST202" },
		{ "/rpc/doc?doc={\"a\":1}", "", NULL, "CALL `hr`.`doc`(?) | text {\"a\":1}" },
		{ "/rpc/doc?doc={", "", NULL, "400 22P02" },
		{ "/rpc/doc?x=1&y=%22", "prefer: params=single-object\n", NULL,
		  "CALL `hr`.`doc`(?) | text {\"x\":\"1\",\"y\":\"\\\"\"}" },
		{ "/rpc/place?at=POINT(1 2)", "", NULL,
		  "SELECT ST_AsGeoJSON(`hr`.`place`(ST_GeomFromText(?))) | text POINT(1 2)" },
		{ "/rpc/now", "", NULL, "SELECT `hr`.`now`()" },
		{ "/rpc/now", "prefer: timezone=+01:00\n", NULL,
		  "SELECT v,CAST(FLOOR(UNIX_TIMESTAMP(v)) AS SIGNED) FROM (SELECT `hr`.`now`() AS v LIMIT 1) AS r" },
		{ "/rpc/writer", "", NULL, "405 25006" },
		{ "/rpc/add`?a=1&b=2", "", NULL, "404 PGRST202" },
		{ "/rpc/add?a=1&b=2", "accept-profile: extra\n", NULL, "404 PGRST202" },
		{ "/rpc/add?a=1&b=2", "accept-profile: mysql\n", NULL, "406 PGRST106" },
	};

	(void)state;
	check("GET", rows, sizeof(rows) / sizeof(*rows));
}

#define FORM "content-type: application/x-www-form-urlencoded\n"
#define TEXT "content-type: text/plain; charset=utf-8\n"
#define OCTETS "content-type: application/octet-stream\n"
#define SINGLE "prefer: params=single-object\n"

static void bodies(void **state)
{
	static const struct row rows[] = {
		{ "/rpc/add", "", "{\"a\":1,\"b\":\"2\"}", "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add", "", "{\"a\":1,\"b\":null}", "SELECT `hr`.`add`(?,?) | int 1, null" },
		{ "/rpc/add?columns=a,b", "", "{\"a\":1,\"b\":2,\"c\":3}", "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add", "", "{\"a\":1,\"b\":2,\"c\":3}", "404 PGRST202" },
		{ "/rpc/add", "", "{\"a\":1,\"b\":1.5}", "400 22P02" },
		{ "/rpc/add", "", "{\"a\":1,\"b\":[]}", "400 22P02" },
		{ "/rpc/add", "", "{\"a\":1,\"b\":2}}", "400 PGRST102" },
		{ "/rpc/add", "", "{\"a\":1,\"a\":1,\"b\":2}", "400 PGRST102" },
		{ "/rpc/add", "", "[{\"a\":1,\"b\":2}]", "400 PGRST102" },
		{ "/rpc/add", "", "", "404 PGRST202" },
		{ "/rpc/add", SINGLE, "{\"a\":1,\"b\":2}", "404 PGRST202" },
		{ "/rpc/add", FORM, "a=1&b=2", "SELECT `hr`.`add`(?,?) | int 1, int 2" },
		{ "/rpc/add", FORM, "a=1&b=", "400 22P02" },
		{ "/rpc/add", TEXT, "a", "404 PGRST202" },
		{ "/rpc/add", OCTETS, "a", "404 PGRST202" },
		{ "/rpc/add", "content-type: image/png\n", "a", "400 PGRST102" },
		{ "/rpc/add?a=1", "", "{\"a\":1,\"b\":2}", "400 PGRST100" },
		{ "/rpc/now", "", "", "SELECT `hr`.`now`()" },
		{ "/rpc/now", "", "{}", "SELECT `hr`.`now`()" },
		{ "/rpc/doc", "", "{\"doc\":[1]}", "CALL `hr`.`doc`(?) | text [1]" },
		{ "/rpc/doc", "", "{\"doc\":\"x\"}", "CALL `hr`.`doc`(?) | text \"x\"" },
		{ "/rpc/doc", "", "{\"doc\":1,\"x\":2}", "CALL `hr`.`doc`(?) | text {\"doc\":1,\"x\":2}" },
		{ "/rpc/doc", "", "{\"x\":2}", "CALL `hr`.`doc`(?) | text {\"x\":2}" },
		{ "/rpc/doc", "", " [1, 2]", "CALL `hr`.`doc`(?) | text  [1, 2]" },
		{ "/rpc/doc", SINGLE, "{\"doc\":1}", "CALL `hr`.`doc`(?) | text {\"doc\":1}" },
		{ "/rpc/doc", SINGLE, "", "400 PGRST102" },
		{ "/rpc/doc", "", "", "404 PGRST202" },
		{ "/rpc/body", "", "{\"body\":1}", "CALL `hr`.`body`(?) | text {\"body\":1}" },
		{ "/rpc/body", "", "", "400 PGRST102" },
		{ "/rpc/text", TEXT, "a\"b", "CALL `hr`.`text`(?) | text a\"b" },
		{ "/rpc/text", TEXT, "\xff", "400 PGRST102" },
		{ "/rpc/text", "", "{\"a\": 1}", "CALL `hr`.`text`(?) | text {\"a\": 1}" },
		{ "/rpc/bytes", OCTETS, "\xff\x01", "CALL `hr`.`bytes`(?) | bytes ff01" },
		{ "/rpc/bytes", OCTETS, "12345", "400 22001" },
		{ "/rpc/bytes", "", "{\"any\":\"\\\\x00ff\"}", "CALL `hr`.`bytes`(?) | bytes 00ff" },
		{ "/rpc/place", "", "{\"at\":{\"type\":\"Point\"}}",
		  "SELECT ST_AsGeoJSON(`hr`.`place`(ST_GeomFromGeoJSON(?))) | text {\"type\":\"Point\"}" },
		{ "/rpc/writer", "", "", "CALL `hr`.`writer`()" },
	};

	(void)state;
	check("POST", rows, sizeof(rows) / sizeof(*rows));
}

static void limits(void **state)
{
	uint64_t before = config.db_max_allowed_packet;

	(void)state;
	config.db_max_allowed_packet = 10;
	assert_string_equal(outcome("POST", "/rpc/doc", "", "[1234567]"), "CALL `hr`.`doc`(?) | text [1234567]");
	assert_string_equal(outcome("POST", "/rpc/doc", "", "[123456789]"), "413 54000");
	config.db_max_allowed_packet = before;
}

static void messages(void **state)
{
	struct http_request rq = request_of(arena, "GET", "/rpc/ad?b=1&a=2", "");
	struct query query;
	struct call *call;
	struct error err;

	(void)state;
	error_init(&err, arena);
	assert_true(query_parse(arena, &config, &rq, &query, &err));
	assert_false(call_plan(arena, &config, schema, &query, &call, &err));
	assert_string_equal(err.message, "Could not find the function hr.ad(a, b) in the schema cache");
	assert_string_equal(err.details,
			    "Searched for the function hr.ad with parameters a, b, but no matches were found in "
			    "the schema cache.");
	assert_string_equal(err.hint, "Perhaps you meant to call the function hr.add");
}

/* --- rows in the place of a table --- */

static struct plan *rows_plan(const struct schema *s, const char *url)
{
	static const enum type_class classes[] = { TYPE_INT, TYPE_TEXT, TYPE_JSON, TYPE_BYTES, TYPE_TIMESTAMP };
	static const char *const names[] = { "n", "t", "j", "b", "at" };
	struct http_request rq = request_of(arena, "GET", url, "");
	struct column *columns = arena_array(arena, struct column, 5);
	struct plan *plan = NULL;
	struct query query;
	struct call *call;
	struct error err;

	for (size_t i = 0; i < 5; i++)
		columns[i] = (struct column){ .name = slice_of(names[i]),
					      .quoted = slice_of(arena_printf(arena, "c%zu", i)),
					      .type = { .class = classes[i], .size = 4 },
					      .nullable = true };
	error_init(&err, arena);
	if (!query_parse(arena, &config, &rq, &query, &err) || !call_plan(arena, &config, s, &query, &call, &err) ||
	    !call_page(arena, call, &query, columns, 5, &plan, &err)) {
		print_error("%s: %s %s\n", url, err.sqlstate, err.message);
		return NULL;
	}
	return plan;
}

static void plain_rows(void **state)
{
	static const char *const plain[] = { "", "?select=t,n", "?select=x:n&limit=3&offset=2", "?select=*" };
	static const char *const shaped[] = { "?n=eq.1",      "?order=n",        "?select=n::text",
					      "?select=j->a", "?select=count()", "?or=(n.eq.1,t.is.null)" };

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		assert_true(call_is_plain(rows_plan(schema, arena_printf(arena, "/rpc/now%s", plain[i]))));
	for (size_t i = 0; i < sizeof(shaped) / sizeof(*shaped); i++)
		assert_false(call_is_plain(rows_plan(schema, arena_printf(arena, "/rpc/now%s", shaped[i]))));
}

static void shaped_rows(void **state)
{
	struct plan *plan = rows_plan(mysql, "/rpc/now?select=n&t=eq.x&order=n.desc.nullslast");
	struct db_statement s;

	(void)state;
	plan->source = SLICE("[[1]]");
	sql_select(arena, plan, plan->root, NULL, &s);
	assert_string_equal(
		slice_cstr(arena, s.text),
		"SELECT t0.c0 FROM (SELECT j.c0 AS c0,j.c1 AS c1,CAST(j.c2 AS JSON) AS c2,UNHEX(j.c3) AS c3,"
		"CAST(j.c4 AS DATETIME(6)) AS c4 FROM JSON_TABLE(?,'$[*]' COLUMNS(c0 BIGINT PATH '$[0]' ERROR ON ERROR,"
		"c1 LONGTEXT CHARACTER SET utf8mb4 PATH '$[1]' ERROR ON ERROR,"
		"c2 LONGTEXT CHARACTER SET utf8mb4 PATH '$[2]' ERROR ON ERROR,c3 LONGTEXT PATH '$[3]' ERROR ON ERROR,"
		"c4 VARCHAR(40) PATH '$[4]' ERROR ON ERROR)) AS j) AS t0 WHERE ((t0.c1=?)) ORDER BY t0.c0 DESC");
	assert_int_equal(s.nparams, 2);
	assert_true(slice_is(s.params[0].s, "[[1]]") && slice_is(s.params[1].s, "x"));
	assert_int_equal(fixture_markers(s.text), 2);
	plan = rows_plan(schema, "/rpc/now?j=cs.{\"a\":1}");
	plan->source = SLICE("[]");
	sql_select(arena, plan, plan->root, NULL, &s);
	assert_null(strstr(slice_cstr(arena, s.text), "AS JSON"));
	sql_count(arena, plan, false, &s);
	assert_int_equal(s.nparams, 2);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_open();
	config = fixture_config();
	config.db_max_allowed_packet = 1 << 20;
	schema = fixture_schema(&config.db_schemas, true, 101119);
	mysql = fixture_schema(&config.db_schemas, false, 90704);
	add_routines(schema);
	add_routines(mysql);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	schema_free(schema);
	schema_free(mysql);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),     cmocka_unit_test(bodies),     cmocka_unit_test(limits),
		cmocka_unit_test(messages), cmocka_unit_test(plain_rows), cmocka_unit_test(shaped_rows),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
