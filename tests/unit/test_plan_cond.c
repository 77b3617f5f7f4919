/* What cs, cd and ov compare with: JSON, PostgreSQL's array form, the members of a SET. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "query_dump.h"
#include "schema_fixture.h"
#include "value_dump.h"

static struct arena *arena;
static struct config config;
static struct schema *schema;

struct row {
	const char *filter;
	const char *expected;
};

static const char *values(const char *filter)
{
	struct http_request rq = request_of(arena, "GET", "/employee", "");
	const struct plan_cond *c;
	struct plan *plan;
	struct query query;
	struct error err;
	struct strbuf b;

	error_init(&err, arena);
	rq.query = slice_of(filter);
	if (!query_parse(arena, &config, &rq, &query, &err) || !plan_read(arena, &config, schema, &query, &plan, &err))
		return refusal_text(arena, &err);
	strbuf_init(&b, arena, 64);
	c = plan->root->where->kids[0];
	for (size_t i = 0; i < c->nvalues; i++) {
		strbuf_adds(&b, i ? ", " : "");
		dump_value(&b, &c->values[i]);
	}
	return strbuf_cstr(&b);
}

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = values(rows[i].filter);

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].filter, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define BAD "22P02 invalid input syntax for type json"

static void json_values(void **state)
{
	static const struct row rows[] = {
		{ "data=cs.[1,2]", "text [1,2]" },
		{ "data=cs. [1] ", "text [1]" },
		{ "data=cs.{\"a\":1}", "text {\"a\":1}" },
		{ "data=cs.{\"a\":{\"b\":[1,{}]}}", "text {\"a\":{\"b\":[1,{}]}}" },
		{ "data=cs.5", "text 5" },
		{ "data=cs.\"x\"", "text \"x\"" },
		{ "data=cd.{a,b}", "text [\"a\",\"b\"]" },
		{ "data=ov.{1,-2,1.5,1e3}", "text [1,-2,1.5,1e3]" },
		{ "data=cs.{true,null,nul}", "text [true,null,\"nul\"]" },
		{ "data=cs.{}", "text []" },
		{ "data=cs.{a}", "text [\"a\"]" },
		{ "data=cs.{,}", "text [\"\",\"\"]" },
		{ "data=cs.{a, b}", "text [\"a\",\"b\"]" },
		{ "data=cs.{\"b,c\",d}", "text [\"b,c\",\"d\"]" },
		{ "data=cs.{\"a:b\",\"}\"}", "text [\"a:b\",\"}\"]" },
		{ "data=cs.{\"a\\\"b\",\"c\\\\\"}", "text [\"a\\\"b\",\"c\\\\\"]" },
		{ "data=cs.{007,-}", "text [\"007\",\"-\"]" },
		{ "data=cs.{a\\b,c'd}", "text [\"a\\\\b\",\"c'd\"]" },
		{ "data=cs.{a b}", "text [\"a b\"]" },
		{ "data=cs.", BAD },
		{ "data=cs.x", BAD },
		{ "data=cs.{", BAD },
		{ "data=cs.{a:1}", BAD },
		{ "data=cs.{\"a\":}", BAD },
		{ "data=cs.[1", BAD },
		{ "data=cs.[1]x", BAD },
		{ "data=cs.{\"a\":1,\"a\":2}", BAD },
		{ "data=eq.{a,b}", BAD },
		{ "data=in.(1,x)", BAD },
		{ "name=cs.{a}", "42883 operator does not exist: text @> unknown" },
	};

	(void)state;
	HOLDS(rows);
}

static void set_members(void **state)
{
	static const struct row rows[] = {
		{ "tags=cs.{a,b}", "text a, text b" },
		{ "tags=cs.a,b", "text a, text b" },
		{ "tags=cs.{a, b}", "text a, text b" },
		{ "tags=cs.{\"a\",b}", "text a, text b" },
		{ "tags=cs.{}", "" },
		{ "tags=cs.", "" },
		{ "tags=cd.{a}", "42883 operator does not exist: set <@ unknown" },
	};

	(void)state;
	HOLDS(rows);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_open();
	config = fixture_config();
	schema = fixture_schema(&config.db_schemas, true, 101119);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	schema_free(schema);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_values),
		cmocka_unit_test(set_members),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
