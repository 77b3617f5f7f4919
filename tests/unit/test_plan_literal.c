/* A filter's text as a value of a column's type: good, out of range, malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan.h"
#include "value_dump.h"

static struct arena *arena;

struct row {
	const char *text;
	const char *expected; /* the value, or the code */
};

static const char *literal(const struct type *type, struct slice text)
{
	struct value v = { .kind = VALUE_NULL };
	struct strbuf b;
	struct error err;
	bool instant;

	error_init(&err, arena);
	if (!plan_literal(arena, type, text, &v, &instant, &err)) {
		assert_int_equal(err.status, 400);
		assert_true(utf8_valid(slice_of(err.message)));
		return err.sqlstate;
	}
	strbuf_init(&b, arena, 64);
	dump_value(&b, &v);
	strbuf_adds(&b, instant ? " instant" : "");
	return strbuf_cstr(&b);
}

static void holds(struct type type, const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = literal(&type, slice_of(rows[i].text));

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s '%s'\ngives %s\nnot   %s\n", type_name(&type), rows[i].text, got,
				    rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows, ...) holds((struct type){ __VA_ARGS__ }, rows, sizeof(rows) / sizeof(*(rows)))
#define BAD "22P02"
#define RANGE "22003"
#define BAD_TIME "22007"
#define TIME_RANGE "22008"

static void integers(void **state)
{
	static const struct row tiny[] = {
		{ "0", "int 0" },
		{ "127", "int 127" },
		{ "-128", "int -128" },
		{ "+7", "int 7" },
		{ " 7 ", "int 7" },
		{ "007", "int 7" },
		{ "-0", "int 0" },
		{ "128", RANGE },
		{ "-129", RANGE },
		{ "99999999999999999999", RANGE },
		{ "", BAD },
		{ " ", BAD },
		{ "-", BAD },
		{ "+", BAD },
		{ "--1", BAD },
		{ "+-1", BAD },
		{ "1-", BAD },
		{ "abc", BAD },
		{ "1a", BAD },
		{ "1.0", BAD },
		{ "1e1", BAD },
		{ "0x10", BAD },
		{ "1 2", BAD },
		{ "null", BAD },
		{ "true", BAD },
		{ "\xc2\xb2", BAD },
		{ "1,2", BAD },
	};
	static const struct row small[] = {
		{ "32767", "int 32767" }, { "32768", RANGE }, { "-32768", "int -32768" }, { "-32769", RANGE }
	};
	static const struct row medium[] = { { "8388607", "int 8388607" },
					     { "8388608", RANGE },
					     { "-8388608", "int -8388608" },
					     { "-8388609", RANGE } };
	static const struct row plain[] = { { "2147483647", "int 2147483647" },
					    { "2147483648", RANGE },
					    { "-2147483648", "int -2147483648" },
					    { "-2147483649", RANGE } };
	static const struct row big[] = {
		{ "9223372036854775807", "int 9223372036854775807" },
		{ "9223372036854775808", RANGE },
		{ "-9223372036854775808", "int -9223372036854775808" },
		{ "-9223372036854775809", RANGE },
	};
	static const struct row utiny[] = { { "0", "uint 0" }, { "255", "uint 255" }, { "256", RANGE },
					    { "-1", RANGE },   { "-0", "uint 0" },    { "+255", "uint 255" },
					    { "-", BAD } };
	static const struct row ubig[] = { { "18446744073709551615", "uint 18446744073709551615" },
					   { "18446744073709551616", RANGE },
					   { "-1", RANGE } };

	(void)state;
	HOLDS(tiny, .class = TYPE_INT, .size = 1);
	HOLDS(small, .class = TYPE_INT, .size = 2);
	HOLDS(medium, .class = TYPE_INT, .size = 3);
	HOLDS(plain, .class = TYPE_INT, .size = 4);
	HOLDS(big, .class = TYPE_INT, .size = 8);
	HOLDS(utiny, .class = TYPE_INT, .size = 1, .is_unsigned = true);
	HOLDS(ubig, .class = TYPE_INT, .size = 8, .is_unsigned = true);
}

static void numbers(void **state)
{
	static const struct row decimal[] = {
		{ "0", "decimal 0" },
		{ "1.50", "decimal 1.50" },
		{ "-1.5", "decimal -1.5" },
		{ "+.5", "decimal +.5" },
		{ "5.", "decimal 5." },
		{ "1e3", "decimal 1e3" },
		{ "1E-3", "decimal 1E-3" },
		{ " 1 ", "decimal 1" },
		{ "123456789012345678901234567890.123456789", "decimal 123456789012345678901234567890.123456789" },
		{ "1e65", "decimal 1e65" },
		{ "1e66", RANGE },
		{ "-1e66", RANGE },
		{ "1e999999999999", RANGE },
		{ "", BAD },
		{ ".", BAD },
		{ "-", BAD },
		{ "e5", BAD },
		{ "1e", BAD },
		{ "1e+", BAD },
		{ "1e5.5", BAD },
		{ "1.2.3", BAD },
		{ "1,5", BAD },
		{ "0x1", BAD },
		{ "1d", BAD },
		{ "NaN", BAD },
		{ "Infinity", BAD },
		{ "1_000", BAD },
	};
	static const struct row dbl[] = {
		{ "0.1", "double 0.10000000000000001" },
		{ "-2", "double -2" },
		{ "1e308", "double 1e+308" },
		{ "1e309", RANGE },
		{ "-1e309", RANGE },
		{ "inf", BAD },
		{ "nan", BAD },
		{ "0x1p3", BAD },
		{ "1e", BAD },
		{ "", BAD },
	};
	static const struct row real[] = {
		{ "0.1", "double 0.10000000149011612" }, /* as the column keeps it */
		{ "16777217", "double 16777216" },       { "1e39", RANGE }, { "-1e39", RANGE }, { "x", BAD },
	};
	static const struct row year[] = {
		{ "2020", "int 2020" }, { "1901", "int 1901" }, { "2155", "int 2155" },
		{ "0", "int 0" },       { "0000", "int 0" },    { "1900", RANGE },
		{ "2156", RANGE },      { "-2020", BAD },       { "", BAD },
		{ "20x", BAD },         { "2020.0", BAD },
	};

	(void)state;
	HOLDS(decimal, .class = TYPE_DECIMAL, .decimals = 2);
	HOLDS(dbl, .class = TYPE_DOUBLE);
	HOLDS(real, .class = TYPE_FLOAT);
	HOLDS(year, .class = TYPE_YEAR);
}

static void booleans(void **state)
{
	static const struct row rows[] = {
		{ "true", "int 1" }, { "false", "int 0" }, { "TRUE", "int 1" }, { "False", "int 0" },
		{ "t", "int 1" },    { "f", "int 0" },     { "1", "int 1" },    { "0", "int 0" },
		{ "yes", "int 1" },  { "no", "int 0" },    { "y", "int 1" },    { "n", "int 0" },
		{ "on", "int 1" },   { "off", "int 0" },   { " on ", "int 1" }, { "", BAD },
		{ "truex", BAD },    { "null", BAD },      { "wahr", BAD },
	};
	static const struct row numbers[] = {
		{ "2", "int 2" }, { " -1 ", "int -1" }, { "127", "int 127" }, { "-128", "int -128" },
		{ "128", RANGE }, { "-129", RANGE },    { "1.5", BAD },       { "2x", BAD },
	};
	static const struct row bits[] = { { "2", BAD }, { "-1", BAD } };

	(void)state;
	HOLDS(rows, .class = TYPE_BOOL);
	HOLDS(rows, .class = TYPE_BOOL, .bit = true);
	HOLDS(numbers, .class = TYPE_BOOL);
	HOLDS(bits, .class = TYPE_BOOL, .bit = true);
}

static void dates(void **state)
{
	static const struct row date[] = {
		{ "2020-01-31", "date 2020-01-31" },
		{ "2020-1-5", "date 2020-01-05" },
		{ " 2020-01-31 ", "date 2020-01-31" },
		{ "2020-02-29", "date 2020-02-29" },
		{ "2000-02-29", "date 2000-02-29" },
		{ "0000-00-00", "date 0000-00-00" },
		{ "2020-00-00", "date 2020-00-00" },
		{ "9999-12-31", "date 9999-12-31" },
		{ "2020-01-31T23:59:59Z", "date 2020-01-31" },
		{ "2020-01-31 10:00", "date 2020-01-31" },
		{ "2020-01-31T23:00:00-05:00", "date 2020-01-31" },
		{ "2019-02-29", TIME_RANGE },
		{ "1900-02-29", TIME_RANGE },
		{ "2020-02-30", TIME_RANGE },
		{ "2020-04-31", TIME_RANGE },
		{ "2020-13-01", TIME_RANGE },
		{ "2020-01-32", TIME_RANGE },
		{ "2020-01-31T24:00:00", TIME_RANGE },
		{ "2020-01-31T10:60:00", TIME_RANGE },
		{ "", BAD_TIME },
		{ "today", BAD_TIME },
		{ "20200131", BAD_TIME },
		{ "2020/01/31", BAD_TIME },
		{ "31.01.2020", BAD_TIME },
		{ "2020-01", BAD_TIME },
		{ "2020-01-", BAD_TIME },
		{ "2020-01-311", BAD_TIME },
		{ "20-01-31", BAD_TIME },
		{ "12020-01-31", BAD_TIME },
		{ "-2020-01-31", BAD_TIME },
		{ "2020-01-31x", BAD_TIME },
		{ "2020-01-31T", BAD_TIME },
		{ "2020-01-31T10", BAD_TIME },
		{ "2020-01-31T1000", BAD_TIME },
		{ "2020-01-31' OR 1=1", BAD_TIME },
	};
	static const struct row datetime[] = {
		{ "2020-01-31", "datetime 2020-01-31T00:00:00" },
		{ "2020-01-31T10:11:12", "datetime 2020-01-31T10:11:12" },
		{ "2020-01-31 10:11:12", "datetime 2020-01-31T10:11:12" },
		{ "2020-01-31t10:11", "datetime 2020-01-31T10:11:00" },
		{ "2020-01-31T1:11", "datetime 2020-01-31T01:11:00" },
		{ "2020-01-31T10:11:12.5", "datetime 2020-01-31T10:11:12.5" },
		{ "2020-01-31T10:11:12.123456", "datetime 2020-01-31T10:11:12.123456" },
		{ "2020-01-31T10:11:12.1234567", "datetime 2020-01-31T10:11:12.123456" },
		{ "2020-01-31T10:11:12.000001", "datetime 2020-01-31T10:11:12.000001" },
		/* no time zone here: an offset is dropped, as in PostgreSQL */
		{ "2020-01-31T10:11:12Z", "datetime 2020-01-31T10:11:12" },
		{ "2020-01-31T10:11:12+05:30", "datetime 2020-01-31T10:11:12" },
		{ "2020-01-31T23:59:60", TIME_RANGE },
		{ "2020-01-31T25:00:00", TIME_RANGE },
		{ "2020-01-31T10:11:12.", BAD_TIME },
		{ "2020-01-31T10:11:12.x", BAD_TIME },
		{ "2020-01-31T10:1:12", BAD_TIME },
		{ "2020-01-31T10:11:1", BAD_TIME },
		{ "2020-01-31T10:11:12X", BAD_TIME },
		{ "2020-01-31T10:11:12+", BAD_TIME },
		{ "2020-01-31T10:11:12+5", BAD_TIME },
		{ "2020-01-31T10:11:12+05:", "datetime 2020-01-31T10:11:12" },
		{ "2020-01-31T10:11:12+16:00", BAD_TIME },
		{ "2020-01-31T10:11:12+05:60", BAD_TIME },
		{ "2020-01-31T10:11:12+05:30x", BAD_TIME },
		{ "2020-01-31T10:11:12 Europe/Zurich", BAD_TIME },
		{ "now", BAD_TIME },
	};
	static const struct row timestamp[] = {
		{ "2020-01-31T10:00:00", "datetime 2020-01-31T10:00:00" },
		{ "2020-01-31T10:00:00Z", "datetime 2020-01-31T10:00:00 instant" },
		{ "2020-01-31T10:00:00z", "datetime 2020-01-31T10:00:00 instant" },
		{ "2020-01-31T10:00:00+00", "datetime 2020-01-31T10:00:00 instant" },
		{ "2020-01-31T10:00:00+02", "datetime 2020-01-31T08:00:00 instant" },
		{ "2020-01-31T10:00:00-0230", "datetime 2020-01-31T12:30:00 instant" },
		{ "2020-01-31T10:00:00+05:30", "datetime 2020-01-31T04:30:00 instant" },
		{ "2020-01-31T10:00:00 05:30", "datetime 2020-01-31T04:30:00 instant" }, /* the + was a blank */
		{ "2020-01-31T10:00:00 +05:30", "datetime 2020-01-31T04:30:00 instant" },
		{ "2020-01-01T00:30:00+01:00", "datetime 2019-12-31T23:30:00 instant" },
		{ "2019-12-31T23:30:00-01:00", "datetime 2020-01-01T00:30:00 instant" },
		{ "2020-03-01T00:00:00+00:01", "datetime 2020-02-29T23:59:00 instant" },
		{ "1969-12-31T23:59:00-00:02", "datetime 1970-01-01T00:01:00 instant" },
		{ "1960-01-01T00:00:00+14:00", "datetime 1959-12-31T10:00:00 instant" },
		{ "2020-01-31T10:00:00.25+01:00", "datetime 2020-01-31T09:00:00.25 instant" },
		{ "0000-00-00T00:00:00Z", "datetime 0000-00-00T00:00:00" },
		{ "2020-01-31", "datetime 2020-01-31T00:00:00" },
		{ "0000-01-01T01:00:00+01:00", "datetime 0000-01-01T00:00:00 instant" },
		{ "0000-01-01T00:00:00+01:00", TIME_RANGE },
		{ "9999-12-31T23:59:00-01:00", TIME_RANGE },
	};
	static const struct row time[] = {
		{ "10:11:12", "time 10:11:12" },
		{ "10:11", "time 10:11:00" },
		{ "1:11", "time 01:11:00" },
		{ "-10:11:12.5", "time -10:11:12.5" },
		{ "838:59:59", "time 838:59:59" },
		{ "-838:59:59", "time -838:59:59" },
		{ "24:00:00", "time 24:00:00" },
		{ "839:00:00", TIME_RANGE },
		{ "10:60:00", TIME_RANGE },
		{ "10:00:60", TIME_RANGE },
		{ "", BAD_TIME },
		{ "10", BAD_TIME },
		{ "10:", BAD_TIME },
		{ "10:1", BAD_TIME },
		{ "1000:00:00", BAD_TIME },
		{ "--10:00", BAD_TIME },
		{ "10:00:00 pm", BAD_TIME },
		{ "101112", BAD_TIME },
	};

	(void)state;
	HOLDS(date, .class = TYPE_DATE);
	HOLDS(datetime, .class = TYPE_DATETIME, .decimals = 6);
	HOLDS(timestamp, .class = TYPE_TIMESTAMP);
	HOLDS(time, .class = TYPE_TIME);
}

static void texts(void **state)
{
	static const struct slice labels[] = { SLICE("small"), SLICE("Big"), SLICE("it's"), SLICE("\xc3\xa4") };
	static const struct row text[] = {
		{ "", "text " },
		{ " x ", "text  x " },
		{ "' OR 1=1 -- ", "text ' OR 1=1 -- " },
		{ "null", "text null" },
		{ "\xf0\x9f\x98\x80", "text \xf0\x9f\x98\x80" },
	};
	static const struct row enumeration[] = {
		{ "small", "text small" },
		{ "big", "text big" },
		{ "it's", "text it's" },
		{ "\xc3\xa4", "text \xc3\xa4" },
		{ "", "text " },
		{ "huge", BAD },
		{ "1", BAD },
		{ " small", BAD },
		{ "small,Big", BAD },
	};
	static const struct row set[] = {
		{ "small", "text small" },
		{ "small,Big", "text small,Big" },
		{ "", "text " },
		{ "small,huge", BAD },
		{ "small,", BAD },
		{ ",small", BAD },
		{ "3", BAD },
	};
	struct type labelled = { .class = TYPE_ENUM, .labels = labels, .nlabels = 4 };

	(void)state;
	HOLDS(text, .class = TYPE_TEXT);
	HOLDS(text, .class = TYPE_JSON);
	holds(labelled, enumeration, sizeof(enumeration) / sizeof(*enumeration));
	labelled.class = TYPE_SET;
	holds(labelled, set, sizeof(set) / sizeof(*set));
}

static void binary(void **state)
{
	static const struct row bytes[] = {
		{ "", "bytes " },
		{ "\\x", "bytes " },
		{ "\\x00ff", "bytes 00ff" },
		{ "\\xDEADbeef", "bytes deadbeef" },
		{ "abc", "bytes 616263" },
		{ "x00", "bytes 783030" },
		{ "\\x0", BAD },
		{ "\\x0g", BAD },
		{ "\\x00 ff", BAD },
		{ "\\x0-0-", BAD },
		{ "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		  "bytes 61306565626339392d396330622d346566382d626236642d366262396264333830613131" },
	};
	static const struct row sixteen[] = {
		{ "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "bytes a0eebc999c0b4ef8bb6d6bb9bd380a11" },
		{ "\\xa0eebc999c0b4ef8bb6d6bb9bd380a11", "bytes a0eebc999c0b4ef8bb6d6bb9bd380a11" },
		{ "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", BAD },
	};
	static const struct row bits[] = {
		{ "0", "uint 0" },
		{ "1", "uint 1" },
		{ "0101", "uint 5" },
		{ "11111111", "uint 255" },
		{ "011111111", "uint 255" },
		{ "100000000", RANGE },
		{ "2", BAD },
		{ "", BAD },
		{ "b1", BAD },
		{ "1 1", BAD },
	};
	static const struct row bits64[] = {
		{ "1111111111111111111111111111111111111111111111111111111111111111", "uint 18446744073709551615" },
		{ "10000000000000000000000000000000000000000000000000000000000000000", RANGE },
	};

	(void)state;
	HOLDS(bytes, .class = TYPE_BYTES);
	HOLDS(sixteen, .class = TYPE_BYTES, .size = 16);
	HOLDS(bits, .class = TYPE_BIT, .size = 8);
	HOLDS(bits64, .class = TYPE_BIT, .size = 64);
}

static void mariadb_types(void **state)
{
	static const struct row uuid[] = {
		{ "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "text a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" },
		{ "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "text A0EEBC999C0B4EF8BB6D6BB9BD380A11" },
		{ "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "text a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" },
		{ "", BAD },
		{ "a0eebc99", BAD },
		{ "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", BAD },
		{ "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1100", BAD },
		{ "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", BAD },
		{ "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", BAD },
		{ "x", BAD },
	};
	static const struct row inet[] = {
		{ "127.0.0.1", "text 127.0.0.1" },
		{ " ::1 ", "text ::1" },
		{ "2001:db8::ff00:42:8329", "text 2001:db8::ff00:42:8329" },
		{ "::ffff:10.0.0.1", "text ::ffff:10.0.0.1" },
		{ "", BAD },
		{ "256.0.0.1", BAD },
		{ "1.2.3", BAD },
		{ "1.2.3.4/8", BAD },
		{ "::g", BAD },
		{ "localhost", BAD },
	};

	(void)state;
	HOLDS(uuid, .class = TYPE_UUID);
	HOLDS(inet, .class = TYPE_INET);
}

/* The message names type and text, and does not grow with the text. */
static void messages(void **state)
{
	static const struct {
		struct type type;
		const char *text, *message;
	} rows[] = {
		{ { .class = TYPE_INT, .size = 4 }, "abc", "invalid input syntax for type integer: \"abc\"" },
		{ { .class = TYPE_INT, .size = 2 }, "99999", "value \"99999\" is out of range for type smallint" },
		{ { .class = TYPE_BOOL }, "x", "invalid input syntax for type boolean: \"x\"" },
		{ { .class = TYPE_DATE }, "x", "invalid input syntax for type date: \"x\"" },
		{ { .class = TYPE_DATETIME }, "2020-02-30", "date/time field value out of range: \"2020-02-30\"" },
		{ { .class = TYPE_UUID }, "x", "invalid input syntax for type uuid: \"x\"" },
		{ { .class = TYPE_BIT, .size = 4 }, "3", "\"3\" is not a valid binary digit" },
	};
	struct type type = { .class = TYPE_INT, .size = 4 };
	struct value v;
	struct error err;
	struct strbuf b;
	bool instant;

	(void)state;
	error_init(&err, arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_false(plan_literal(arena, &rows[i].type, slice_of(rows[i].text), &v, &instant, &err));
		assert_string_equal(err.message, rows[i].message);
	}
	strbuf_init(&b, arena, 1024);
	for (size_t i = 0; i < 300; i++)
		strbuf_adds(&b, "x\xc3\xa4");
	assert_false(plan_literal(arena, &type, strbuf_slice(&b), &v, &instant, &err));
	assert_true(strlen(err.message) < 300);
	assert_non_null(strstr(err.message, "x\xc3\xa4x\xc3\xa4"));
	assert_true(utf8_valid(slice_of(err.message)));
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
		cmocka_unit_test(integers),      cmocka_unit_test(numbers),  cmocka_unit_test(booleans),
		cmocka_unit_test(dates),         cmocka_unit_test(texts),    cmocka_unit_test(binary),
		cmocka_unit_test(mariadb_types), cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
