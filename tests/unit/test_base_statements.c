/* Statements are counted by their shape, the largest stay, and a pool's are added up (app/base/statements.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "statements.h"

static struct arena *arena;
static struct statement_pool *pool;

static void note(size_t place, const char *text, uint64_t us)
{
	statement_note(pool, place, statement_shape(slice_of(text)), slice_of(text), us, 1, us == 13);
}

static const struct statement_sum *found(const struct statement_sum *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(list[i].text, text))
			return &list[i];
	return NULL;
}

static void shapes(void **state)
{
	static const char *const same[][2] = {
		{ "SELECT a IN (?,?)", "SELECT a IN (?,?,?,?)" },
		{ "INSERT t VALUES (?,?),(?,?)", "INSERT t VALUES (?,?),(?,?),(?,?)" },
		{ "FIELD(a,?,?) LIMIT ?", "FIELD(a,?,?,?) LIMIT ?" },
	};
	static const char *const different[][2] = {
		{ "SELECT a", "SELECT b" },   { "SELECT `?,?`", "SELECT `?,?,?`" }, { "SELECT 'a'", "SELECT 'b'" },
		{ "SELECT `a", "SELECT `b" }, { "SELECT ?", "SELECT ?,?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		assert_true(statement_shape(slice_of(same[i][0])) == statement_shape(slice_of(same[i][1])));
	for (size_t i = 0; i < sizeof(different) / sizeof(*different); i++)
		assert_true(statement_shape(slice_of(different[i][0])) != statement_shape(slice_of(different[i][1])));
}

static void a_pool_is_added_up(void **state)
{
	struct statement_sum *list;
	const struct statement_sum *s;
	size_t n;

	(void)state;
	note(0, "SELECT a IN (?,?)", 10);
	note(3, "SELECT a IN (?,?,?)", 13);
	note(511, "SELECT b", 5);
	n = statements_read(arena, pool, BY_TOTAL, &list);
	assert_int_equal(n, 2);
	s = &list[0];
	assert_true(slice_is(s->text, "SELECT a IN (?,...)"));
	assert_true(s->count == 2 && s->total_us == 23 && s->max_us == 13 && s->rows == 2 && s->errors == 1);
	n = statements_read(arena, pool, BY_COUNT, &list);
	assert_int_equal(list[0].count, 2);
	statements_forget(pool, 7);
	assert_int_equal(statements_read(arena, pool, BY_TOTAL, &list), 0);
	note(0, "SELECT b", 1);
	assert_int_equal(statements_read(arena, pool, BY_TOTAL, &list), 1);
	assert_int_equal(pool->since, 7);
}

static void the_largest_stay(void **state)
{
	char text[2000];
	struct statement_sum *list;
	size_t n;

	(void)state;
	statements_forget(pool, 8);
	note(1, "SELECT slow", 1000000);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "SELECT %d", i);
		note(1, text, 1);
	}
	n = statements_read(arena, pool, BY_TOTAL, &list);
	assert_int_equal(n, STATEMENTS);
	assert_true(slice_is(list[0].text, "SELECT slow"));
	assert_non_null(found(list, n, "SELECT 999"));
	/* A long one is cut, and not within a character: each has two bytes, behind one of one. */
	text[0] = 'X';
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	note(1, text, 2000000);
	n = statements_read(arena, pool, BY_MAX, &list);
	assert_int_equal(n, STATEMENTS);
	assert_true(utf8_valid(list[0].text));
	assert_int_equal(list[0].text.len, STATEMENT_TEXT - 1);
}

static int begin(void **state)
{
	(void)state;
	arena = arena_open();
	pool = calloc(1, sizeof(*pool));
	return pool ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	free(pool);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(a_pool_is_added_up),
		cmocka_unit_test(the_largest_stay),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
