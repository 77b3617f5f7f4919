/* Pieces of text: comparing, trimming, splitting, numbers. (UTF-8: test_http_urlcode.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "strbuf.h"

static struct arena *arena;

static void comparing(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE(""), (struct slice){ NULL, 0 }));
	assert_true(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
	assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	assert_false(slice_eq(SLICE("a"), SLICE("ab")));
	assert_true(slice_is(SLICE("ab"), "ab"));
	assert_false(slice_is(SLICE("ab\0"), "ab"));
	assert_true(slice_ieq(SLICE("AbZ09-"), SLICE("aBz09-")));
	assert_false(slice_ieq(SLICE("@"), SLICE("`")));
	assert_false(slice_ieq(SLICE("["), SLICE("{")));
	assert_false(slice_ieq(SLICE("\xc3\x84"), SLICE("\xc3\xa4")));
	assert_true(slice_starts(SLICE("abc"), "ab"));
	assert_true(slice_starts(SLICE("abc"), ""));
	assert_false(slice_starts(SLICE("a"), "ab"));
}

static void trimming(void **state)
{
	static const struct {
		struct slice text;
		const char *expected;
	} rows[] = {
		{ SLICE(""), "" },           { SLICE("  "), "" },
		{ SLICE("a"), "a" },         { SLICE(" \ta b\t "), "a b" },
		{ SLICE("\na\n"), "\na\n" }, { SLICE("\xc2\xa0"), "\xc2\xa0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(slice_cstr(arena, slice_trim(rows[i].text)), rows[i].expected);
}

static void splitting(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "a,b", "<a><b>" }, { "a,", "<a><>" }, { ",a", "<><a>" },
		{ "", "<>" },        { ",", "<><>" },   { "abc", "<abc>" },
	};
	struct slice none = { NULL, 0 }, part;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice rest = slice_of(rows[i].text);
		struct strbuf b;

		strbuf_init(&b, arena, 0);
		while (slice_split(&rest, ',', &part))
			strbuf_addf(&b, "<%.*s>", (int)part.len, part.ptr);
		assert_string_equal(strbuf_cstr(&b), rows[i].expected);
		assert_null(rest.ptr);
	}
	assert_false(slice_split(&none, ',', &part));
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool is_u64, is_i64;
		uint64_t u;
		int64_t i;
	} rows[] = {
		{ "0", true, true, 0, 0 },
		{ "007", true, true, 7, 7 },
		{ "18446744073709551615", true, false, UINT64_MAX, 0 },
		{ "18446744073709551616", false, false, 0, 0 },
		{ "18446744073709551620", false, false, 0, 0 },
		{ "99999999999999999999", false, false, 0, 0 },
		{ "184467440737095516150", false, false, 0, 0 },
		{ "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
		{ "9223372036854775808", true, false, (uint64_t)INT64_MAX + 1, 0 },
		{ "-9223372036854775808", false, true, 0, INT64_MIN },
		{ "-9223372036854775809", false, false, 0, 0 },
		{ "-0", false, true, 0, 0 },
		{ "+5", false, true, 0, 5 },
		{ "-5", false, true, 0, -5 },
		{ "", false, false, 0, 0 },
		{ "+", false, false, 0, 0 },
		{ "-", false, false, 0, 0 },
		{ "--5", false, false, 0, 0 },
		{ " 5", false, false, 0, 0 },
		{ "5 ", false, false, 0, 0 },
		{ "5x", false, false, 0, 0 },
		{ "0x5", false, false, 0, 0 },
		{ "5.0", false, false, 0, 0 },
		{ "\xd9\xa5", false, false, 0, 0 }, /* a digit, but not of ours */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t u = 1;
		int64_t n = 1;

		if (parse_u64(slice_of(rows[i].text), &u) != rows[i].is_u64 || (rows[i].is_u64 && u != rows[i].u))
			fail_msg("parse_u64 '%s'", rows[i].text);
		if (parse_i64(slice_of(rows[i].text), &n) != rows[i].is_i64 || (rows[i].is_i64 && n != rows[i].i))
			fail_msg("parse_i64 '%s'", rows[i].text);
	}
	assert_false(parse_u64((struct slice){ "5\0", 2 }, &(uint64_t){ 0 }));
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
		cmocka_unit_test(comparing),
		cmocka_unit_test(trimming),
		cmocka_unit_test(splitting),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
