/* Views in the canonical form of information_schema: which base columns they show, and how many tables they read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "schema.h"

static struct arena *arena;

static void note(void *context, size_t position, struct slice db, struct slice table, struct slice column)
{
	strbuf_addf(context, " %zu=%.*s.%.*s.%.*s", position, (int)db.len, db.ptr, (int)table.len, table.ptr,
		    (int)column.len, column.ptr);
}

static const char *lineage(struct slice text)
{
	struct strbuf found, b;
	size_t n;

	strbuf_init(&found, arena, 64);
	n = schema_view_lineage(arena, text, note, &found);
	strbuf_init(&b, arena, 64);
	strbuf_addf(&b, "%zu%s", n, strbuf_cstr(&found));
	return strbuf_cstr(&b);
}

struct row {
	const char *text;
	const char *expected; /* tables, then position=column */
};

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = lineage(slice_of(rows[i].text));

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].text, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define ID "select `d`.`t`.`id` AS `id`"

static void plain(void **state)
{
	static const struct row rows[] = {
		{ ID " from `d`.`t`", "1 0=d.t.id" },
		{ "select `t`.`id` AS `id`,`t`.`name` AS `label` from `d`.`t`", "1 0=d.t.id 1=d.t.name" },
		{ "select `x`.`id` AS `id` from `d`.`t` `x`", "1 0=d.t.id" },
		{ ID " from `d`.`t` where `d`.`t`.`id` > 5", "1 0=d.t.id" },
		{ ID " from `d`.`t` where (`d`.`t`.`id` = 1) order by `d`.`t`.`id` limit 5", "1 0=d.t.id" },
		{ ID " from `d`.`t` order by `d`.`t`.`id`", "1 0=d.t.id" },
		{ ID " from `d`.`t` limit 5", "1 0=d.t.id" },
		/* expressions show nothing, the columns around them do */
		{ "select `t`.`a` AS `a`,concat(`t`.`b`,',',`t`.`c`) AS `x`,`t`.`d` AS `d` from `d`.`t`",
		  "1 0=d.t.a 2=d.t.d" },
		{ "select count(0) AS `n`,(`t`.`a` + 1) AS `b`,1 AS `c`,'x,y' AS `d`,NULL AS `e`,`t`.`f` AS `f` from `d`.`t`",
		  "1 5=d.t.f" },
		{ "select (select max(`u`.`x`) from `d`.`u`) AS `m`,`t`.`id` AS `id` from `d`.`t`", "1 1=d.t.id" },
		{ "select `t`.`a` = 1 AS `a` from `d`.`t`", "1" },
		{ "select `t`.`a` + `t`.`b` AS `c` from `d`.`t`", "1" },
		{ "select case when `t`.`a` then 'x' else ' from ' end AS `c`,`t`.`b` AS `b` from `d`.`t`",
		  "1 1=d.t.b" },
	};

	(void)state;
	HOLDS(rows);
}

static void joins(void **state)
{
	static const struct row rows[] = {
		{ "select `a`.`id` AS `id`,`b`.`id` AS `bid` from (`d`.`a` join `d`.`b` on((`a`.`id` = `b`.`id`)))",
		  "2 0=d.a.id 1=d.b.id" },
		{ "select `x`.`id` AS `id`,`y`.`id` AS `y` from (`d`.`t` `x` left join `e`.`t` `y` on(`x`.`id` = `y`.`p`))",
		  "2 0=d.t.id 1=e.t.id" },
		{ "select `x`.`id` AS `id` from `d`.`t` `x` join `d`.`u` `y` where `x`.`id` = `y`.`id`", "2 0=d.t.id" },
		{ "select `x`.`id` AS `a`,`y`.`id` AS `b`,`z`.`id` AS `c` from ((`d`.`t` `x` join `d`.`t` `y` "
		  "on((`x`.`p` = `y`.`id`))) join `d`.`u` `z` on(((`z`.`a` = `x`.`a`) and (`z`.`b` = ' from '))))",
		  "3 0=d.t.id 1=d.t.id 2=d.u.id" },
	};

	(void)state;
	HOLDS(rows);
}

/* Rows that are not the base table's rows: the count is never 1, or nothing is shown at all. */
static void not_plain(void **state)
{
	static const struct row rows[] = {
		{ "select distinct `d`.`t`.`id` AS `id` from `d`.`t`", "2 0=d.t.id" },
		{ ID " from `d`.`t` group by `d`.`t`.`id`", "2 0=d.t.id" },
		{ ID " from `d`.`t` where 1 group by `d`.`t`.`id`", "2 0=d.t.id" },
		{ ID " from `d`.`t` where (`d`.`t`.`id` = (select max(1) from `d`.`u` group by 1))", "1 0=d.t.id" },
		{ ID " from `d`.`t` having (`id` > 1)", "2 0=d.t.id" },
		{ ID " from `d`.`t` union " ID " from `d`.`t`", "0" },
		{ ID " from `d`.`t` union all " ID " from `d`.`u`", "0" },
		{ ID " from `d`.`t` except " ID " from `d`.`u`", "0" },
		{ ID " from `d`.`t` intersect " ID " from `d`.`u`", "0" },
		{ "(" ID " from `d`.`t`) union (" ID " from `d`.`t`)", "0" },
		{ "select `x`.`id` AS `id` from (select `d`.`t`.`id` AS `id` from `d`.`t`) `x`", "0" },
		{ "select `x`.`id` AS `id`,`z`.`y` AS `y` from (`d`.`t` `x` join (select 1 AS `y`) `z`)",
		  "2 0=d.t.id" },
		{ "select `x`.`id` AS `id` from (`d`.`t` `x` join (select `d`.`u`.`p` AS `p` from `d`.`u` group by "
		  "`d`.`u`.`p`) `z` on(`z`.`p` = `x`.`id`)) where `x`.`id` > 1",
		  "2 0=d.t.id" },
		{ "select `x`.`id` AS `id` from (`d`.`t` `x` join (select 1 AS `y`) )", "0" },
		{ "with `c` as (" ID " from `d`.`t`) select `c`.`id` AS `id` from `c`", "0" },
		{ "select 1 AS `1`", "0" },
		{ "values row(1)", "0" },
		{ "", "0" },
		{ "select ", "0" },
		{ "select `t`.`id` AS `id` from ", "0" },
		{ "select `t`.`id` AS `id` from `t`", "0" },
		{ "select `t`.`id` AS `id` from `d`.`t", "0" },
		{ "select `t`.`id AS `id` from `d`.`t`", "0" },
		{ "select `t`.`id` AS `id` from `a`.`b`.`t`", "0" },
		{ "create table x", "0" },
	};

	(void)state;
	HOLDS(rows);
}

static void hostile(void **state)
{
	static const struct row rows[] = {
		{ "select `t`.`a``b` AS `a``b` from `d`.`t`", "1 0=d.t.a`b" },
		{ "select `t`.`, ` AS `x`,`t`.` from ` AS `y` from `d`.`t`", "1 0=d.t.,  1=d.t. from " },
		{ "select `t`.`a` AS ` union `,`t`.`b` AS `b` from `d`.`t`", "1 0=d.t.a 1=d.t.b" },
		{ "select `t`.`(` AS `(`,`t`.`)` AS `)` from `d`.`t`", "1 0=d.t.( 1=d.t.)" },
		{ "select ' union ' AS `x`,`t`.`b` AS `b` from `d`.`t` where `t`.`c` = ' group by '", "1 1=d.t.b" },
		{ "select 'it''s, from `d`.`u`' AS `x`,`t`.`b` AS `b` from `d`.`t`", "1 1=d.t.b" },
		{ "select 'a\\', from `d`.`u`' AS `x`,`t`.`b` AS `b` from `d`.`t`", "1 1=d.t.b" },
		{ "select `t`.`b` AS `b` from `d ``x`.`t.y` `t`", "1 0=d `x.t.y.b" },
		{ "select `t`.`id` AS `id` from `d`.`t` `select `", "1" },
	};

	(void)state;
	HOLDS(rows);
}

/* Any piece of such a text is read without harm. */
static void pieces(void **state)
{
	static const char text[] =
		"select distinct `x`.`a``b` AS `a`,concat('it''s \\' ,',`y`.`c`) AS `d`,`y`.`e` AS `e` "
		"from ((`d`.`t` `x` left join `d`.`u` `y` on((`x`.`a` = `y`.`b`))) join `d`.`v`) "
		"where `x`.`q` = ' group by ' group by `x`.`a` having 1 order by 2 limit 3";
	size_t n = sizeof(text) - 1;

	(void)state;
	for (size_t from = 0; from < n; from++)
		for (size_t to = from; to <= n; to += 3) {
			char *copy = arena_strndup(arena, text + from, to - from);

			lineage((struct slice){ copy, to - from });
			if (arena_used(arena) > 1 << 20)
				arena_reset(arena);
		}
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),   cmocka_unit_test(joins),  cmocka_unit_test(not_plain),
		cmocka_unit_test(hostile), cmocka_unit_test(pieces),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
