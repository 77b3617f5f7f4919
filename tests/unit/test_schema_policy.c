/* Expressions of row policies: which placeholders they have, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "schema.h"

static struct arena *arena;

/* The text, then each placeholder's path; or what is wrong. */
static const char *parsed(struct slice text)
{
	struct policy_expression e;
	const char *fault = schema_policy_parse(arena, text, &e);
	struct strbuf b;

	if (fault)
		return arena_printf(arena, "! %s", fault);
	strbuf_init(&b, arena, 64);
	strbuf_add_slice(&b, e.text);
	for (size_t i = 0; i < e.n; i++) {
		strbuf_adds(&b, e.claims[i].role ? " |role" : " |");
		for (size_t k = 0; k < e.claims[i].n; k++)
			strbuf_addf(&b, "%s%.*s", k ? "/" : "", (int)e.claims[i].path[k].len, e.claims[i].path[k].ptr);
	}
	strbuf_adds(&b, e.always ? " always" : "");
	strbuf_adds(&b, e.subqueries ? " reads" : "");
	strbuf_adds(&b, e.calls ? " calls" : "");
	return strbuf_cstr(&b);
}

struct row {
	const char *text, *expected;
};

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = parsed(slice_of(rows[i].text));

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].text, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))

static void placeholders(void **state)
{
	static const struct row rows[] = {
		{ "owner = :user", "owner = ? |sub" },
		{ "owner=:user", "owner=? |sub" },
		{ ":role = 'x' AND a = :claims.a", "? = 'x' AND a = ? |role |a" },
		{ "a = :claims.app_metadata.eid", "a = ? |app_metadata/eid" },
		{ "JSON_CONTAINS(:claims, 'x')", "JSON_CONTAINS(?, 'x') |" },
		{ "a = :claims.\"https://x/y\".z", "a = ? |https://x/y/z" },
		{ "a = :claims.a.\"b c\"", "a = ? |a/b c" },
		{ "a IN (:claims.a,:claims.b)", "a IN (?,?) |a |b" },
		{ "a = :claims.a-1", "a = ?-1 |a" },
		{ "a = :claims.a+:claims.a", "a = ?+? |a |a" },
		{ ":claims.v1_2", "? |v1_2" },
		{ "  owner = :user  ", "owner = ? |sub" },
		{ "a = :claims.1", "a = ? |1" },
		{ "a = :user AND b = :user AND c = :user AND d = :user AND e = :user",
		  "a = ? AND b = ? AND c = ? AND d = ? AND e = ? |sub |sub |sub |sub |sub" },
	};

	(void)state;
	HOLDS(rows);
}

static void quotes(void **state)
{
	static const struct row rows[] = {
		{ "a = ':user'", "a = ':user'" },
		{ "a = \":user\"", "a = \":user\"" },
		{ "`:user` = 1", "`:user` = 1" },
		{ "a = 'it''s :user' AND b = :user", "a = 'it''s :user' AND b = ? |sub" },
		{ "a = '' AND b = :user", "a = '' AND b = ? |sub" },
		{ "a = ')' AND b = '(' AND c = '?;--#/*@'", "a = ')' AND b = '(' AND c = '?;--#/*@'" },
		{ "`a``:user` = :user", "`a``:user` = ? |sub" },
		{ "`a\\b` = 1", "`a\\b` = 1" },
		{ "a = '\"' AND b = \"'\"", "a = '\"' AND b = \"'\"" },
		{ "a = 'select'", "a = 'select'" },
		{ "selected = 1", "selected = 1" },
		{ "a IN (SELECT x FROM d.t)", "a IN (SELECT x FROM d.t) reads" },
		{ "a IN (TABLE d.t)", "a IN (TABLE d.t) reads" },
		{ "TRUE", "TRUE always" },
		{ "\n true ", "true always" },
		{ "TRUE OR FALSE", "TRUE OR FALSE" },
		{ "'TRUE'", "'TRUE'" },
	};

	(void)state;
	HOLDS(rows);
}

#define NOT_A_NAME "! a colon begins :claims.name, :user or :role, and stands for nothing else"
#define BACKSLASH "! a backslash in a text means one thing or another by sql_mode: write CHAR(92)"
#define OPEN_QUOTE "! a quote does not end"
#define CLOSED "! a parenthesis is closed that was not opened"

static void refused(void **state)
{
	static const struct row rows[] = {
		{ "", "! it is empty" },
		{ "  \n", "! it is empty" },
		{ "a = 1)", CLOSED },
		{ "a = 1) OR (1", CLOSED },
		{ ")(", CLOSED },
		{ "(a = 1", "! a parenthesis is not closed" },
		{ "a = ')' OR (b", "! a parenthesis is not closed" },
		{ "a = ?", "! a question mark: write a placeholder, such as :claims.sub" },
		{ "a = 1; DROP TABLE t", "! a semicolon" },
		{ "a = 1 -- x", "! a comment" },
		{ "a = 1--1", "! a comment" },
		{ "a = 1 # x", "! a comment" },
		{ "a /* b */ = 1", "! a comment" },
		{ "a /*! b */ = 1", "! a comment" },
		{ "a = 1 */", "! a comment" },
		{ "a = @x", "! a variable: what it holds is not known to be the caller's" },
		{ "a = @@sql_mode", "! a variable: what it holds is not known to be the caller's" },
		{ "a = 'b", OPEN_QUOTE },
		{ "a = \"b", OPEN_QUOTE },
		{ "`a = 1", OPEN_QUOTE },
		{ "'", OPEN_QUOTE },
		{ "a = 'b\\' OR '1'", BACKSLASH },
		{ "a = \"b\\\" OR '1'", BACKSLASH },
		{ "a = \\N", "! a backslash" },
		{ "a = :x", NOT_A_NAME },
		{ "a = :", NOT_A_NAME },
		{ "a = : user", NOT_A_NAME },
		{ "a := 1", NOT_A_NAME },
		{ "a::text = 1", NOT_A_NAME },
		{ "a = :users", NOT_A_NAME },
		{ "a = :claimsa", NOT_A_NAME },
		{ "a = :USER", NOT_A_NAME },
		{ "a = :claims.", "! a placeholder ends in a dot" },
		{ "a = :claims.a.", "! a placeholder ends in a dot" },
		{ "a = :claims..a", "! a placeholder ends in a dot" },
		{ "a = :claims.\"a", OPEN_QUOTE },
		{ "a = :user.a", "! only :claims has names in it" },
		{ "a = :role.a", "! only :claims has names in it" },
		{ "a = :claims.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", "! the path of a placeholder is too long" },
	};

	(void)state;
	HOLDS(rows);
	assert_string_equal(parsed(SLICE("a = 1\0 OR 1")), "! a zero byte");
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

#define WAITS                                                                                                       \
	"! a policy reads no files, waits for nothing and locks nothing: no LOAD_FILE, BENCHMARK, SLEEP, GET_LOCK " \
	"and the like"

static void functions_of_databases(void **state)
{
	static const struct row rows[] = {
		{ "f(1)", "f(1)" },
		{ "x.f(1)", "x.f(1) calls" },
		{ "`x`.`f`(1)", "`x`.`f`(1) calls" },
		{ "x . f\n(1)", "x . f\n(1) calls" },
		{ "t.a IN (1)", "t.a IN (1)" },
		{ "t.a = (1)", "t.a = (1)" },
		{ "'x.f'(1)", "'x.f'(1)" },
		{ "1.5 + (2)", "1.5 + (2)" },
		{ "LOAD_FILE('x')", WAITS },
		{ "load_file ('x')", WAITS },
		{ "a = BENCHMARK(9, 1)", WAITS },
		{ "Sleep(1)", WAITS },
		{ "get_lock('a', 1)", WAITS },
		{ "a = 'load_file'", "a = 'load_file'" },
		{ "RELEASE_ALL_LOCKS() = 0", WAITS },
		{ "master_gtid_wait('0-1-9', 1) = 0", WAITS },
		/* What would be found where policy_check stands. */
		{ "heartbeat_read() > 1", "heartbeat_read() > 1 calls" },
		{ "`View_Definition` (1, 2) = a", "`View_Definition` (1, 2) = a calls" },
		{ "\"idempotency_find\"(1, 2)", "\"idempotency_find\"(1, 2) calls" },
		{ "heartbeat_read = (1)", "heartbeat_read = (1)" },
		{ "'heartbeat_read'", "'heartbeat_read'" },
	};

	(void)state;
	HOLDS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(placeholders),
		cmocka_unit_test(quotes),
		cmocka_unit_test(refused),
		cmocka_unit_test(functions_of_databases),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
