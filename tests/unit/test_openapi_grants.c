/* What SHOW GRANTS says, read (app/schema/grants.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../app/openapi/internal.h"

static struct column columns[] = { { .name = SLICE("a") }, { .name = SLICE("b,`)") }, { .name = SLICE("C") } };
static const struct table table = {
	.schema = SLICE("my_db"), .name = SLICE("t"), .columns = columns, .ncolumns = 3, .updatable = true
};

static struct rights rights_of(struct arena *a, const char *const *lines, const struct table *t)
{
	struct grant *grants = arena_array(a, struct grant, 16);
	struct rights r = { 0, 0, NULL };
	size_t n = 0;

	for (; *lines; lines++)
		n += grants_read(a, slice_of(*lines), &grants[n]);
	grants_table_rights(a, grants, n, t, &r);
	return r;
}

#define LINES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static void test_whole(void **state)
{
	static const struct {
		const char *line;
		unsigned rights;
	} cases[] = {
		{ "GRANT SELECT ON `my_db`.`t` TO `r`@`%`", MAY_SELECT },
		{ "GRANT SELECT, INSERT, UPDATE, DELETE ON `my_db`.`t` TO `r` WITH GRANT OPTION", 15 },
		{ "GRANT ALL PRIVILEGES ON `my_db`.* TO `r`", 15 },
		{ "GRANT SELECT, RELOAD, SHOW VIEW, DELETE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*ON `x`.`y`'", 9 },
		{ "GRANT BACKUP_ADMIN,BINLOG_ADMIN ON *.* TO `u`@`%`", 0 },
		/* Rights whose names begin like others. */
		{ "GRANT DELETE HISTORY, ALTER ROUTINE, CREATE VIEW ON `my_db`.* TO `r`", 0 },
		{ "GRANT SELECT ON `my\\_db`.* TO `r`", MAY_SELECT },
		{ "GRANT SELECT ON `my_%`.* TO `r`", MAY_SELECT },
		{ "GRANT SELECT ON `%`.* TO `r`", MAY_SELECT },
		{ "GRANT SELECT ON `m\\_db`.* TO `r`", 0 },
		{ "GRANT SELECT ON `my\\%`.* TO `r`", 0 },
		{ "GRANT SELECT ON `my_d`.* TO `r`", 0 },
		/* The name of a table stands for itself. */
		{ "GRANT SELECT ON `my%`.`t` TO `r`", 0 },
		{ "GRANT SELECT ON `my_db`.`T` TO `r`", 0 },
		{ "GRANT SELECT ON `my_db`.`t``` TO `r`", 0 },
		{ "GRANT EXECUTE ON PROCEDURE `my_db`.`t` TO `r`", 0 },
		{ "GRANT `r` TO `u`", 0 },
		{ "GRANT `a`@`%`,`b`@`%` TO `u`@`%`", 0 },
		{ "GRANT PROXY ON ``@`%` TO `root`@`localhost`", 0 },
		{ "GRANT USAGE ON *.* TO `r`", 0 },
		{ "GRANT SELECT", 0 },
		{ "GRANT SELECT ON `my_db", 0 },
		{ "GRANT SELECT (`a ON `my_db`.`t`", 0 },
		{ "", 0 },
	};
	struct arena *a = arena_open();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rights r = rights_of(a, LINES(cases[i].line), &table);

		if (r.whole != cases[i].rights)
			print_error("%s\n", cases[i].line);
		assert_int_equal(r.whole, cases[i].rights);
	}
	arena_close(a);
}

static void test_columns(void **state)
{
	struct arena *a = arena_open();
	struct rights r =
		rights_of(a, LINES("GRANT SELECT (`a`, `b,``)`), INSERT (`c`), DELETE ON `my_db`.`t` TO `r`"), &table);

	(void)state;
	assert_int_equal(r.whole, MAY_DELETE);
	assert_int_equal(r.any, MAY_SELECT | MAY_INSERT | MAY_DELETE);
	assert_int_equal(r.columns[0], MAY_SELECT | MAY_DELETE);
	assert_int_equal(r.columns[1], MAY_SELECT | MAY_DELETE);
	assert_int_equal(r.columns[2], MAY_INSERT | MAY_DELETE);
	arena_close(a);
}

static void test_revoked(void **state)
{
	struct arena *a = arena_open();
	struct rights r = rights_of(a,
				    LINES("GRANT SELECT, INSERT ON *.* TO `r`", "REVOKE INSERT ON `my_db`.* FROM `r`",
					  "REVOKE SELECT ON `other`.* FROM `r`"),
				    &table);

	(void)state;
	assert_int_equal(r.whole, MAY_SELECT);
	arena_close(a);
}

static void test_views(void **state)
{
	struct table view = table;
	struct arena *a = arena_open();

	(void)state;
	view.joins = true;
	assert_int_equal(rights_of(a, LINES("GRANT ALL PRIVILEGES ON *.* TO `r`"), &view).any, MAY_SELECT | MAY_UPDATE);
	view.updatable = false;
	assert_int_equal(rights_of(a, LINES("GRANT ALL PRIVILEGES ON *.* TO `r`"), &view).any, MAY_SELECT);
	assert_int_equal(rights_of(a, LINES("GRANT UPDATE (`a`) ON `my_db`.`t` TO `r`"), &view).any, 0);
	arena_close(a);
}

static void test_routines(void **state)
{
	static const struct {
		const char *line;
		bool may;
	} cases[] = {
		{ "GRANT EXECUTE ON FUNCTION `my_db`.`F` TO `r`", true },
		{ "GRANT EXECUTE ON `my_db`.* TO `r`", true },
		{ "GRANT EXECUTE ON *.* TO `r`", true },
		{ "GRANT ALTER ROUTINE ON FUNCTION `my_db`.`f` TO `r`", false },
		{ "GRANT EXECUTE ON FUNCTION `other`.`f` TO `r`", false },
		{ "GRANT SELECT ON *.* TO `r`", false },
	};
	const struct routine f = { .schema = SLICE("my_db"), .name = SLICE("f"), .is_function = true };
	struct arena *a = arena_open();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct grant g;

		assert_true(grants_read(a, slice_of(cases[i].line), &g));
		assert_int_equal(grants_may_call(&g, 1, &f), cases[i].may);
	}
	arena_close(a);
}

static void test_examples(void **state)
{
	struct arena *a = arena_open();
	struct slice *examples = NULL;
	size_t n;

	(void)state;
	assert_true(slice_is(openapi_examples(a, SLICE("No more than this."), &examples, &n), "No more than this."));
	assert_int_equal(n, 0);
	assert_true(slice_is(openapi_examples(a, SLICE("Word. Example: a b \nExample:\nEnd."), &examples, &n),
			     "Word. End."));
	assert_int_equal(n, 2);
	assert_true(slice_is(examples[0], "a b"));
	assert_true(slice_is(examples[1], ""));
	assert_true(slice_is(openapi_examples(a, SLICE("Counterexample: 4"), &examples, &n), "Counterexample: 4"));
	assert_true(slice_is(openapi_examples(a, SLICE("Example: 4"), &examples, &n), ""));
	assert_int_equal(n, 1);
	arena_close(a);
}

static void test_keys(void **state)
{
	struct arena *a = arena_open();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, a, 64);
	openapi_key(&b, SLICE("Order_1 a-b.c/\xc3\xa9"));
	assert_true(slice_is(strbuf_slice(&b), "Order_1-20a-2Db-2Ec-2F-C3-A9"));
	arena_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_columns),  cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_views), cmocka_unit_test(test_routines), cmocka_unit_test(test_examples),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
