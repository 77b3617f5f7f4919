/* The growing buffer, with an arena and without, and its numbers; the arena itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "strbuf.h"

static struct arena *arena;

static void numbers(void **state)
{
	static const uint64_t unsigneds[] = { 0,   1,   9,    10,   11,    99,        100,
					      101, 999, 1000, 9999, 10000, 123456789, UINT64_MAX };
	static const int64_t signeds[] = { 0, -1, -9, -10, -99, -100, INT64_MAX, INT64_MIN };
	char expected[32];
	struct strbuf b;

	(void)state;
	strbuf_init(&b, arena, 0);
	for (size_t i = 0; i < sizeof(unsigneds) / sizeof(*unsigneds); i++) {
		b.len = 0;
		strbuf_add_u64(&b, unsigneds[i]);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)unsigneds[i]);
		assert_string_equal(strbuf_cstr(&b), expected);
	}
	for (size_t i = 0; i < sizeof(signeds) / sizeof(*signeds); i++) {
		b.len = 0;
		strbuf_add_i64(&b, signeds[i]);
		snprintf(expected, sizeof(expected), "%lld", (long long)signeds[i]);
		assert_string_equal(strbuf_cstr(&b), expected);
	}
}

static void fill(struct strbuf *b)
{
	strbuf_add(b, NULL, 0);
	strbuf_lit(b, "a");
	strbuf_addc(b, '\0');
	strbuf_adds(b, "bc");
	strbuf_add_slice(b, SLICE("d\0e"));
	strbuf_addf(b, "%s-%d", "f", 7);
	strbuf_addf(b, "%s", "");
	assert_true(slice_eq(strbuf_slice(b), SLICE("a\0bcd\0ef-7")));
	assert_int_equal(strbuf_cstr(b)[b->len], 0);
	assert_int_equal(b->len, 10);
}

/* Growing keeps what is there, one byte at a time and in large steps. */
static void growing(struct strbuf *b)
{
	for (unsigned i = 0; i < 10000; i++)
		strbuf_addc(b, (char)('a' + i % 26));
	memset(strbuf_room(b, 100000), 'x', 100000);
	b->len += 100000;
	assert_int_equal(b->len, 110000);
	for (unsigned i = 0; i < 10000; i++)
		if (b->ptr[i] != (char)('a' + i % 26))
			fail_msg("byte %u", i);
	assert_int_equal(b->ptr[109999], 'x');
}

static void buffers(void **state)
{
	struct strbuf b;

	(void)state;
	for (size_t cap = 0; cap < 20; cap++) {
		strbuf_init(&b, arena, cap);
		fill(&b);
		strbuf_open(&b, cap);
		fill(&b);
		strbuf_close(&b);
		assert_null(b.ptr);
		assert_int_equal(b.len, 0);
	}
	strbuf_init(&b, arena, 0);
	growing(&b);
	strbuf_open(&b, 1);
	growing(&b);
	strbuf_close(&b);
	strbuf_init(&b, arena, 0);
	assert_string_equal(strbuf_cstr(&b), "");
}

static void json_strings(void **state)
{
	static const struct {
		struct slice text;
		const char *expected;
	} rows[] = {
		{ { NULL, 0 }, "\"\"" },
		{ SLICE("a"), "\"a\"" },
		{ SLICE("\""), "\"\\\"\"" },
		{ SLICE("\\"), "\"\\\\\"" },
		{ SLICE("a\nb\tc\rd\be\ff"), "\"a\\nb\\tc\\rd\\be\\ff\"" },
		{ SLICE("\0\x01\x0b\x1f"), "\"\\u0000\\u0001\\u000b\\u001f\"" },
		{ SLICE("\x7f/'"), "\"\x7f/'\"" },
		{ SLICE("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
		{ SLICE("ends with \""), "\"ends with \\\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct strbuf b;

		strbuf_init(&b, arena, 0);
		json_string(&b, rows[i].text);
		assert_string_equal(strbuf_cstr(&b), rows[i].expected);
	}
}

static unsigned order;

static void called(void *object)
{
	*(unsigned *)object = ++order;
}

static void arenas(void **state)
{
	static unsigned first, second;
	struct arena *a = arena_open();
	char *p[200];

	(void)state;
	for (int round = 0; round < 3; round++) {
		/* Sizes around the block's; all zeroed, aligned, and none over another. */
		for (size_t i = 0; i < 200; i++) {
			p[i] = arena_alloc(a, i * i);
			assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
			for (size_t k = 0; k < i * i; k++)
				if (p[i][k])
					fail_msg("byte %zu of %zu is not zero", k, i * i);
			memset(p[i], (int)i, i * i);
		}
		for (size_t i = 1; i < 200; i++)
			if ((unsigned char)p[i][0] != i || (unsigned char)p[i][i * i - 1] != i)
				fail_msg("allocation %zu was written over", i);
		assert_true(arena_used(a) > 2600000);
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	memset(arena_alloc_raw(a, 1 << 20), 1, 1 << 20);
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	assert_string_equal(arena_printf(a, "%d %s", 5, "x"), "5 x");
	arena_defer(a, called, &first);
	arena_defer(a, called, &second);
	arena_reset(a);
	assert_int_equal(second, 1);
	assert_int_equal(first, 2);
	arena_reset(a);
	assert_int_equal(order, 2);
	arena_defer(a, called, &first);
	arena_close(a);
	assert_int_equal(first, 3);
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
		cmocka_unit_test(numbers),
		cmocka_unit_test(buffers),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(arenas),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
