/* What the strict JSON check accepts, what it refuses and where, and that many names cost little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "json.h"

static struct arena *arena;

static bool check(struct slice text, unsigned depth, struct json_fault *fault)
{
	*fault = (struct json_fault){ SIZE_MAX, NULL };
	return json_check(arena, text, depth, fault);
}

static void accepts(void **state)
{
	static const struct slice good[] = { SLICE("{}"),
					     SLICE("[]"),
					     SLICE("\"\""),
					     SLICE("0"),
					     SLICE("-0"),
					     SLICE("-1.5e+10"),
					     SLICE("1E2"),
					     SLICE("true"),
					     SLICE("false"),
					     SLICE("null"),
					     SLICE(" \t\r\n[ 1 , 2 ] \n"),
					     SLICE("{\"a\":1,\"b\":[{},[],{\"a\":2}]}"),
					     SLICE("{\"a\":{\"a\":{\"a\":1}}}"),
					     SLICE("[{\"a\":1},{\"a\":1}]"),
					     SLICE("{\"\":1}"),
					     SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""),
					     SLICE("\"\\ud83d\\ude00\""),
					     SLICE("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
					     SLICE("{\"a\":1,\"A\":2}"),
					     SLICE("{\"a\\u0062\":1,\"a\\u0063\":2}"),
					     SLICE("\"\x7f\""),
					     SLICE("18446744073709551616"),
					     SLICE("0.123456789012345678901234567890"),
					     SLICE("[[[[[[[[]]]]]]]]") };
	struct json_fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!check(good[i], 8, &f))
			fail_msg("refused: %.*s: %s at %zu", (int)good[i].len, good[i].ptr, f.reason, f.offset);
}

static void refuses(void **state)
{
	static const struct {
		struct slice text;
		size_t offset;
		const char *reason; /* a part of it */
	} bad[] = {
		{ SLICE(""), 0, "value expected" },
		{ SLICE("  "), 2, "value expected" },
		{ SLICE("\xef\xbb\xbf{}"), 0, "value expected" },
		{ SLICE("{} x"), 3, "behind" },
		{ SLICE("{}\0"), 2, "behind" },
		{ SLICE("1 2"), 2, "behind" },
		{ SLICE("NaN"), 0, "value expected" },
		{ SLICE("Infinity"), 0, "value expected" },
		{ SLICE("-Infinity"), 1, "digit" },
		{ SLICE("+1"), 0, "value expected" },
		{ SLICE("01"), 1, "behind" },
		{ SLICE("1."), 2, "digit" },
		{ SLICE(".5"), 0, "value expected" },
		{ SLICE("1e"), 2, "digit" },
		{ SLICE("-"), 1, "digit" },
		{ SLICE("0x10"), 1, "behind" },
		{ SLICE("tru"), 0, "value expected" },
		{ SLICE("True"), 0, "value expected" },
		{ SLICE("nullx"), 4, "behind" },
		{ SLICE("'a'"), 0, "value expected" },
		{ SLICE("{'a':1}"), 1, "name" },
		{ SLICE("{a:1}"), 1, "name" },
		{ SLICE("{1:1}"), 1, "name" },
		{ SLICE("{\"a\":1,}"), 7, "name" },
		{ SLICE("{\"a\" 1}"), 5, "':'" },
		{ SLICE("{\"a\":}"), 5, "value expected" },
		{ SLICE("{\"a\":1"), 6, "'}'" },
		{ SLICE("{\"a\":1]"), 6, "'}'" },
		{ SLICE("{,}"), 1, "name" },
		{ SLICE("[1,]"), 3, "value expected" },
		{ SLICE("[,1]"), 1, "value expected" },
		{ SLICE("[1 2]"), 3, "']'" },
		{ SLICE("[1"), 2, "']'" },
		{ SLICE("["), 1, "value expected" },
		{ SLICE("]"), 0, "value expected" },
		{ SLICE("[1}"), 2, "']'" },
		{ SLICE("/* c */1"), 0, "value expected" },
		{ SLICE("1//"), 1, "behind" },
		{ SLICE("\"a"), 2, "closing quote" },
		{ SLICE("\""), 1, "closing quote" },
		{ SLICE("\"\\\""), 3, "closing quote" },
		{ SLICE("\"\\"), 2, "escape" },
		{ SLICE("\"\\x41\""), 2, "escape" },
		{ SLICE("\"\\\0\""), 2, "escape" },
		{ SLICE("\"a\nb\""), 2, "control" },
		{ SLICE("\"a\0b\""), 2, "control" },
		{ SLICE("\"\\u0000\""), 3, "U+0000" },
		{ SLICE("{\"a\\u0000b\":1}"), 5, "U+0000" },
		{ SLICE("\"\\u12\""), 3, "hexadecimal" },
		{ SLICE("\"\\u12"), 3, "hexadecimal" },
		{ SLICE("\"\\ug000\""), 3, "hexadecimal" },
		{ SLICE("\"\\ud800\""), 7, "surrogate" },
		{ SLICE("\"\\ud800\\u0041\""), 7, "surrogate" },
		{ SLICE("\"\\ud800\\ud800\""), 7, "surrogate" },
		{ SLICE("\"\\ud800\\uzzzz\""), 7, "surrogate" },
		{ SLICE("\"\\udc00\""), 3, "surrogate" },
		{ SLICE("\"ab\xc0\xaf\""), 3, "UTF-8" },
		{ SLICE("\"ab\xff\""), 3, "UTF-8" },
		{ SLICE("\"\xc3\xa9\xc3\""), 3, "UTF-8" },
		{ SLICE("\"\xed\xa0\x80\""), 1, "UTF-8" },
		{ SLICE("\"\xf4\x90\x80\x80\""), 1, "UTF-8" },
		{ SLICE("{\"\xc3\":1}"), 2, "UTF-8" },
		{ SLICE("{\"a\":1,\"b\":2,\"a\":3}"), 13, "twice" },
		{ SLICE("{\"role\":1,\"\\u0072ole\":2}"), 10, "twice" },
		{ SLICE("{\"\\u0072ole\":1,\"r\\u006fle\":2}"), 15, "twice" },
		{ SLICE("{\"\":1,\"\":2}"), 6, "twice" },
		{ SLICE("{\"\\n\":1,\"\\u000a\":2}"), 8, "twice" },
		{ SLICE("{\"\\/\":1,\"/\":2}"), 8, "twice" },
		{ SLICE("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"), 10, "twice" },
		{ SLICE("{\"\xe2\x82\xac\":1,\"\\u20AC\":2}"), 9, "twice" },
		{ SLICE("[{\"x\":{\"a\":1,\"a\":2}}]"), 13, "twice" },
		{ SLICE("{\"a\":{\"b\":1},\"a\":1}"), 13, "twice" },
		{ SLICE("[[[[[[[[[]]]]]]]]]"), 8, "deeply" },
	};
	struct json_fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (check(bad[i].text, 8, &f))
			fail_msg("accepted: %.*s", (int)bad[i].text.len, bad[i].text.ptr);
		if (f.offset != bad[i].offset || !strstr(f.reason, bad[i].reason))
			fail_msg("%.*s: '%s' at %zu", (int)bad[i].text.len, bad[i].text.ptr, f.reason, f.offset);
	}
}

/* Every beginning of a good object is refused, and nothing is read behind its end. */
static void refuses_every_beginning(void **state)
{
	static const char text[] = "{\"a\":[1.5e3,true,null,\"\\u00e9\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":false}}";
	struct json_fault f;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *exact = test_malloc(n + 1);

		memcpy(exact, text, n);
		exact[n] = '}';
		if (check((struct slice){ exact, n }, 8, &f))
			fail_msg("accepted the first %zu bytes", n);
		test_free(exact);
	}
	assert_true(check(slice_of(text), 8, &f));
}

static void limits_numbers(void **state)
{
	char digits[130];
	struct json_fault f;

	(void)state;
	memset(digits, '7', sizeof(digits));
	assert_true(check((struct slice){ digits, 128 }, 1, &f));
	assert_false(check((struct slice){ digits, 129 }, 1, &f));
	assert_int_equal(f.offset, 0);
}

static void limits_depth(void **state)
{
	struct json_fault f;
	struct strbuf b;

	(void)state;
	assert_true(check(SLICE("{\"a\":1}"), 1, &f));
	assert_false(check(SLICE("{\"a\":[]}"), 1, &f));
	assert_true(check(SLICE("7"), 0, &f));
	assert_false(check(SLICE("[]"), 0, &f));
	strbuf_init(&b, arena, 0);
	for (int i = 0; i < 1000000; i++)
		strbuf_addc(&b, '[');
	assert_false(check(strbuf_slice(&b), 100, &f));
	assert_int_equal(f.offset, 100);
}

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Objects of n names each, all different but perhaps the last. */
static void add_members(struct strbuf *b, int n, const char *last)
{
	strbuf_addc(b, '{');
	for (int i = 0; i < n; i++)
		strbuf_addf(b, "\"name%d\":%d,", i, i);
	strbuf_addf(b, "\"%s\":0}", last);
}

static void finds_twins_among_many(void **state)
{
	static const int sizes[] = { 1, 2, 15, 16, 17, 31, 32, 33, 100, 5000 };
	struct json_fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct strbuf b;

		strbuf_init(&b, arena, 0);
		add_members(&b, sizes[i], "other");
		assert_true(check(strbuf_slice(&b), 1, &f));
		for (int twin = 0; twin < sizes[i]; twin += sizes[i] / 3 + 1) {
			b.len = 0;
			add_members(&b, sizes[i], arena_printf(arena, "n\\u0061me%d", twin));
			assert_false(check(strbuf_slice(&b), 1, &f));
			assert_string_equal(f.reason, "the same name twice in one object");
			assert_memory_equal(b.ptr + f.offset, "\"n\\u0061me", 10);
		}
	}
}

static void many_names_cost_little(void **state)
{
	struct json_fault f;
	struct strbuf b;
	double before;

	(void)state;
	strbuf_init(&b, arena, 0);
	add_members(&b, 100000, "last");
	before = milliseconds();
	assert_true(check(strbuf_slice(&b), 1, &f));
	/* 50 ms is the promise; the sanitizers are slower. */
	assert_true(milliseconds() - before < 200);
}

/* The memory for names is used again by the next object of an array. */
static void rows_cost_no_memory(void **state)
{
	struct json_fault f;
	struct strbuf b;
	size_t before;

	(void)state;
	strbuf_init(&b, arena, 0);
	strbuf_addc(&b, '[');
	for (int i = 0; i < 10000; i++) {
		add_members(&b, 20, "last");
		strbuf_addc(&b, i < 9999 ? ',' : ']');
	}
	before = arena_used(arena);
	assert_true(check(strbuf_slice(&b), 2, &f));
	assert_true(arena_used(arena) - before < 8192);
}

static void tells_the_kind(void **state)
{
	(void)state;
	assert_int_equal(json_kind(SLICE(" \n{}")), '{');
	assert_int_equal(json_kind(SLICE("[")), '[');
	assert_int_equal(json_kind(SLICE("7")), '7');
	assert_int_equal(json_kind(SLICE(" \t\r\n")), 0);
	assert_int_equal(json_kind(SLICE("")), 0);
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

/* A server may hold half a surrogate pair: U+FFFD takes its place, and what stands behind it is left alone. */
static void halves(void **state)
{
	static const char *const rows[][2] = {
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ "\\ud83dx", "\xef\xbf\xbdx" },
		{ "\\ude00\\u0041", "\xef\xbf\xbd\x41" },
		{ "\\ud83d\\n12345", "\xef\xbf\xbd\n12345" },
		{ "\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
	};
	struct arena *a = arena_open();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(slice_cstr(a, json_unescaped(a, slice_of(rows[i][0]))), rows[i][1]);
	arena_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_every_beginning),
		cmocka_unit_test(limits_numbers),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(finds_twins_among_many),
		cmocka_unit_test(many_names_cost_little),
		cmocka_unit_test(rows_cost_no_memory),
		cmocka_unit_test(tells_the_kind),
		cmocka_unit_test(halves),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
