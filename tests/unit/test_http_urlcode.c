/* Percent-encoding: what is decoded, what is refused, and UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http.h"

static struct arena *arena;

static const char *decoded(struct slice text, bool plus)
{
	struct slice out = { NULL, 0 };
	struct error err;

	error_init(&err, arena);
	if (http_url_decode(arena, text, plus, &out, &err))
		return slice_cstr(arena, out);
	assert_int_equal(err.code, ERR_PARSE);
	return arena_printf(arena, "! %s", err.details ? err.details : err.message);
}

#define BROKEN(escape) "! \"" escape "\" is no escape of two hexadecimal digits"
#define NOT_UTF8 "! the request URL is not valid UTF-8"
#define NUL "! the request URL holds a NUL character"

static void decode(void **state)
{
	static const struct {
		struct slice text;
		bool plus;
		const char *expected;
	} rows[] = {
		{ SLICE(""), true, "" },
		{ SLICE("abc"), true, "abc" },
		{ SLICE("a+b"), true, "a b" },
		{ SLICE("a+b"), false, "a+b" },
		{ SLICE("a%2Bb"), true, "a+b" },
		{ SLICE("a%2bb"), true, "a+b" },
		{ SLICE("%41%42%43"), false, "ABC" },
		{ SLICE("%25"), true, "%" },
		{ SLICE("%2541"), true, "%41" }, /* decoded once */
		{ SLICE("a%20b"), false, "a b" },
		{ SLICE("%0a%0D%09%7f"), false, "\n\r\t\x7f" },
		{ SLICE("%C3%A4"), true, "\xc3\xa4" },
		{ SLICE("\xc3\xa4"), true, "\xc3\xa4" },
		{ SLICE("\xc3%A4"), true, "\xc3\xa4" },
		{ SLICE("%F0%9F%98%80"), true, "\xf0\x9f\x98\x80" },
		{ SLICE("&=?#/'`\"\\<>"), true, "&=?#/'`\"\\<>" },
		/* broken escapes */
		{ SLICE("%"), true, BROKEN("%") },
		{ SLICE("%4"), true, BROKEN("%4") },
		{ SLICE("a%"), true, BROKEN("%") },
		{ SLICE("a%4"), true, BROKEN("%4") },
		{ SLICE("%zz"), true, BROKEN("%zz") },
		{ SLICE("%4z"), true, BROKEN("%4z") },
		{ SLICE("%z4"), true, BROKEN("%z4") },
		{ SLICE("%%41"), true, BROKEN("%%4") },
		{ SLICE("%+1"), true, BROKEN("%+1") },
		{ SLICE("%-1"), true, BROKEN("%-1") },
		{ SLICE("%0x41"), true, BROKEN("%0x") },
		{ SLICE("% 41"), true, BROKEN("% 4") },
		{ SLICE("%41%4"), true, BROKEN("%4") },
		{ SLICE("%u0041"), true, BROKEN("%u0") },
		{ SLICE("%:0"), true, BROKEN("%:0") },
		{ SLICE("%@0"), true, BROKEN("%@0") },
		{ SLICE("%G0"), true, BROKEN("%G0") },
		{ SLICE("%g0"), true, BROKEN("%g0") },
		/* NUL */
		{ SLICE("%00"), true, NUL },
		{ SLICE("a%00b"), false, NUL },
		{ SLICE("a\0b"), true, NUL },
		{ SLICE("\0"), false, NUL },
		/* no UTF-8 */
		{ SLICE("%80"), true, NOT_UTF8 },
		{ SLICE("%FF"), true, NOT_UTF8 },
		{ SLICE("\xff"), true, NOT_UTF8 },
		{ SLICE("%C3"), true, NOT_UTF8 },
		{ SLICE("%C3x"), true, NOT_UTF8 },
		{ SLICE("%C0%80"), true, NOT_UTF8 },
		{ SLICE("%C0%AF"), true, NOT_UTF8 },
		{ SLICE("%E0%80%AF"), true, NOT_UTF8 },
		{ SLICE("%ED%A0%80%ED%B0%80"), true, NOT_UTF8 },
		{ SLICE("%F4%90%80%80"), true, NOT_UTF8 },
		{ SLICE("%E4"), false, NOT_UTF8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *got = decoded(rows[i].text, rows[i].plus);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("%s gives '%s', not '%s'", rows[i].text.ptr, got, rows[i].expected);
	}
}

static void encode(void **state)
{
	static const struct {
		struct slice text;
		const char *expected;
	} rows[] = {
		{ SLICE(""), "" },
		{ SLICE("AZaz09-._~"), "AZaz09-._~" },
		{ SLICE("a b+c"), "a%20b%2Bc" },
		{ SLICE("\xc3\xa4"), "%C3%A4" },
		{ SLICE("%&=?/\"'"), "%25%26%3D%3F%2F%22%27" },
		{ SLICE("\0\x7f\xff"), "%00%7F%FF" },
	};
	struct strbuf b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		strbuf_init(&b, arena, 0);
		http_url_encode(&b, rows[i].text);
		assert_string_equal(strbuf_cstr(&b), rows[i].expected);
	}
}

/* Every character but NUL comes back. */
static void there_and_back(void **state)
{
	struct strbuf text, url;
	struct slice out;
	struct error err;

	(void)state;
	error_init(&err, arena);
	strbuf_init(&text, arena, 256);
	strbuf_init(&url, arena, 1024);
	for (int c = 1; c < 128; c++)
		strbuf_addc(&text, (char)c);
	for (unsigned c = 0xC3; c < 0xE0; c++) {
		strbuf_addc(&text, (char)c);
		strbuf_addc(&text, (char)0xBF);
	}
	http_url_encode(&url, strbuf_slice(&text));
	for (int plus = 0; plus < 2; plus++) {
		assert_true(http_url_decode(arena, strbuf_slice(&url), plus, &out, &err));
		assert_true(slice_eq(out, strbuf_slice(&text)));
	}
}

/* utf8_valid against the definition: a code point has one encoding, and surrogates have none. */
static size_t encoded(unsigned c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xE0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void utf8(void **state)
{
	static const struct slice bad[] = {
		SLICE("\x80"),
		SLICE("\xbf"),
		SLICE("\xc0\x80"),
		SLICE("\xc1\xbf"),
		SLICE("\xc2"),
		SLICE("\xc2\x41"),
		SLICE("\xc2\xc2"),
		SLICE("\xe0\x9f\xbf"),
		SLICE("\xe1\x80"),
		SLICE("\xe1\x80\x41"),
		SLICE("\xed\xa0\x80"),
		SLICE("\xed\xbf\xbf"),
		SLICE("\xf0\x8f\xbf\xbf"),
		SLICE("\xf1\x80\x80"),
		SLICE("\xf4\x90\x80\x80"),
		SLICE("\xf5\x80\x80\x80"),
		SLICE("\xf8\x88\x80\x80\x80"),
		SLICE("\xfe"),
		SLICE("\xff"),
		SLICE("ok\xc3"),
	};
	char text[4];

	(void)state;
	for (unsigned c = 0; c < 0x110000; c++) {
		size_t n = encoded(c, text);
		bool surrogate = c >= 0xD800 && c < 0xE000;

		if (utf8_valid((struct slice){ text, n }) == surrogate)
			fail_msg("U+%04X is judged wrong", c);
		if (n > 1 && utf8_valid((struct slice){ text, n - 1 }))
			fail_msg("half of U+%04X is taken", c);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (utf8_valid(bad[i]))
			fail_msg("bad text %zu is taken", i);
	assert_true(utf8_valid((struct slice){ NULL, 0 }));
	assert_true(utf8_valid(SLICE("a\0b")));
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
		cmocka_unit_test(decode),
		cmocka_unit_test(encode),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
