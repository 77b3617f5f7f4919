/* Bodies, each read in pieces of several sizes: the rows as compact text, or the refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <zlib.h>

#include "body.h"

#define JSON "application/json"
#define NDJSON "application/x-ndjson"
#define CSV "text/csv"
#define FORM "application/x-www-form-urlencoded"

static struct arena *arena;

/* A body that comes in pieces; cut: the connection breaks at its end. */
struct sent {
	struct slice left;
	size_t piece;
	bool cut;
};

static int64_t read_sent(void *context, char *to, size_t size)
{
	struct sent *s = context;
	size_t n = s->piece < size ? s->piece : size;

	if (!s->left.len)
		return s->cut ? -1 : 0;
	n = n < s->left.len ? n : s->left.len;
	memcpy(to, s->left.ptr, n);
	s->left = slice_from(s->left, n);
	return (int64_t)n;
}

static void show_member(struct strbuf *b, const struct body_member *m)
{
	static const char *const kinds[] = { "null", "true", "false", "#", "", "", "~" };

	strbuf_add_slice(b, m->name);
	strbuf_addc(b, '=');
	strbuf_adds(b, kinds[m->kind]);
	if (m->kind == CELL_STRING)
		json_string(b, m->text);
	else if (m->kind >= CELL_NUMBER)
		strbuf_add_slice(b, m->text);
}

/* "a=#1 b="x"|a=#2 ...|" and the refusal behind it. */
static const char *shown(const char *type, const char *encoding, struct sent sent, struct body_limits limits)
{
	struct http_header headers[] = { { SLICE("content-type"), slice_of(type) },
					 { SLICE("content-encoding"), slice_of(encoding) } };
	struct http_request rq = { .headers = headers, .nheaders = *encoding ? 2 : 1 };
	enum body_step step = BODY_FAILED;
	struct body_row row;
	struct error err;
	struct strbuf b;
	struct body *body;

	strbuf_init(&b, arena, 256);
	error_init(&err, arena);
	body = body_open(&rq, read_sent, &sent, limits, &err);
	while (body && (step = body_next(body, &row, &err)) == BODY_ROW) {
		for (size_t i = 0; i < row.n; i++) {
			strbuf_adds(&b, i ? " " : "");
			show_member(&b, &row.members[i]);
		}
		strbuf_addc(&b, '|');
	}
	if (step == BODY_FAILED)
		strbuf_addf(&b, "%d %s %s%s%s", err.status, err.sqlstate, err.message, err.details ? ": " : "",
			    err.details ? err.details : "");
	body_close(body);
	return strbuf_cstr(&b);
}

struct row {
	const char *type;
	const char *body;
	const char *expected;
};

static void holds(const struct row *rows, size_t n)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 100000 };

	for (size_t i = 0; i < n * 5; i++) {
		const struct row *row = &rows[i / 5];
		struct sent sent = { slice_of(row->body), pieces[i % 5], false };
		const char *got = shown(row->type, "", sent, (struct body_limits){ 100000, 0 });

		if (strcmp(got, row->expected) != 0)
			fail_msg("%s %s in pieces of %zu\ngives '%s'\nnot   '%s'", row->type, row->body, pieces[i % 5],
				 got, row->expected);
	}
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*rows))
#define INVALID "400 PGRST102 Empty or invalid json: "
#define EMPTY INVALID "The request body is empty."
#define BAD_CSV "400 PGRST102 Invalid CSV: "

static void json(void **state)
{
	static const struct row rows[] = {
		{ JSON, "{}", "|" },
		{ JSON, "[]", "" },
		{ JSON, " [ ] ", "" },
		{ JSON, "[{}]", "|" },
		{ JSON, "[{},{}]", "||" },
		{ JSON, "{\"a\":1}", "a=#1|" },
		{ JSON "; charset=utf-8", " { \"a\" : -1.50e+3 , \"b\" : null } ", "a=#-1.50e+3 b=null|" },
		{ "", "{\"a\":true,\"b\":false}", "a=true b=false|" },
		{ JSON, "[{\"a\":\"x\"},{\"a\":\"\"}]", "a=\"x\"|a=\"\"|" },
		{ JSON, "[ {\"a\":1} ,\n {\"a\":2} ]\n", "a=#1|a=#2|" },
		{ JSON, "{\"a\":{\"b\":[1,{\"c\":\"}\"}]},\"d\":[]}", "a={\"b\":[1,{\"c\":\"}\"}]} d=[]|" },
		{ JSON, "{\"a\":\"q\\\"\\\\\\u00e9\\ud83d\\ude00\\n\"}", "a=\"q\\\"\\\\é😀\\n\"|" },
		{ JSON, "{\"a\\u0062\":\"[{,:\"}", "ab=\"[{,:\"|" },
		{ JSON, "{\"a\":12345678901234567890123456789.123}", "a=#12345678901234567890123456789.123|" },
		{ "application/vnd.pgrst.object+json", "{\"a\":1}", "a=#1|" },
		{ JSON, "", EMPTY },
		{ JSON, " \n ", EMPTY },
		{ JSON, "1", INVALID "Row 1: an object expected." },
		{ JSON, "null", INVALID "Row 1: an object expected." },
		{ JSON, "[1]", INVALID "Row 1: an object expected." },
		{ JSON, "[{}, []]", "|" INVALID "Row 2: an object expected." },
		{ JSON, "[", INVALID "Row 1: it ends too early." },
		{ JSON, "[{\"a\":1}", "a=#1|" INVALID "Row 2: it ends too early." },
		{ JSON, "[{\"a\":1},", "a=#1|" INVALID "Row 2: it ends too early." },
		{ JSON, "[{\"a\":1},]", "a=#1|" INVALID "Row 2: an object expected." },
		{ JSON, "[{\"a\":1} {\"a\":2}]", "a=#1|" INVALID "Row 2: ',' or ']' expected." },
		{ JSON, "{\"a\":1", INVALID "Row 1: it ends within an object." },
		{ JSON, "{\"a\":\"x}", INVALID "Row 1: it ends within an object." },
		{ JSON, "{\"a\":1}x", "a=#1|" INVALID "Row 2: something behind the value." },
		{ JSON, "[{\"a\":1}]]", "a=#1|" INVALID "Row 2: something behind the value." },
		{ JSON, "[]{}", INVALID "Row 1: something behind the value." },
		{ JSON, "{\"a\":1,\"a\":2}", INVALID "Row 1: the same name twice in one object at byte 8 of it." },
		{ JSON, "{\"a\":NaN}", INVALID "Row 1: a value expected at byte 6 of it." },
		{ JSON, "{\"a\":01}", INVALID "Row 1: ',' or '}' expected at byte 7 of it." },
		{ JSON, "{\"a\":\"\\u0000\"}", INVALID "Row 1: U+0000 in a string at byte 9 of it." },
		{ JSON, "{\"a\":\"\\ud800\"}", INVALID "Row 1: a lone surrogate at byte 13 of it." },
		{ JSON, "{\"a\":\"\xc0\xaf\"}", INVALID "Row 1: invalid UTF-8 at byte 7 of it." },
		{ JSON, "{'a':1}", INVALID "Row 1: a name in double quotes expected at byte 2 of it." },
		{ JSON, "{\"a\":[1}]", INVALID "Row 1: ',' or ']' expected at byte 8 of it." },
		{ "text/plain", "{}", "400 PGRST102 Content-Type not acceptable: text/plain" },
	};

	(void)state;
	HOLDS(rows);
}

static void ndjson(void **state)
{
	static const struct row rows[] = {
		{ NDJSON, "{\"a\":1}\n{\"a\":2}\n", "a=#1|a=#2|" },
		{ NDJSON, "{\"a\":1}\r\n\n{\"a\":2}", "a=#1|a=#2|" },
		{ NDJSON, "", "" },
		{ NDJSON, "{\"a\":1}\n[]", "a=#1|" INVALID "Line 2: an object expected." },
		{ NDJSON, "{\"a\":1}\n{\"a\":", "a=#1|" INVALID "Line 2: it ends within an object." },
	};

	(void)state;
	HOLDS(rows);
}

static void csv(void **state)
{
	static const struct row rows[] = {
		{ CSV, "a,b\n1,2\n", "a=~1 b=~2|" },
		{ CSV, "a,b\r\n1,2\r\n3,4", "a=~1 b=~2|a=~3 b=~4|" },
		{ CSV,
		  "\xEF\xBB\xBF"
		  "a\n1\n",
		  "a=~1|" },
		{ CSV, "a,b\n,\n", "a=~ b=~|" },
		{ CSV, "a,b\nNULL,\"NULL\"\n", "a=null b=~NULL|" },
		{ CSV "; null=\"\"", "a,b\n,x\n", "a=null b=~x|" },
		{ CSV "; null=\\N", "a,b\n\\N,NULL\n", "a=null b=~NULL|" },
		{ CSV ";delimiter=\";\"", "a;b\n1,5;2\n", "a=~1,5 b=~2|" },
		{ CSV "; delimiter=tab", "a\tb\n1\t2\n", "a=~1 b=~2|" },
		{ CSV, "\"a \"\"x\"\"\",b\n\"1,\r\n2\",\"\"\"\"\n", "a \"x\"=~1,\r\n2 b=~\"|" },
		{ CSV, "a\n\nx\n", "a=~|a=~x|" },
		{ CSV, "a,b\n\n1,2\n\n", "a=~1 b=~2|" },
		{ CSV, "a,b\n", "" },
		{ CSV, "a,b\r1,2\r", BAD_CSV "Line 1: a carriage return without a line feed." },
		{ CSV, "", BAD_CSV "Line 1: a header line expected." },
		{ CSV, "a,a\n", BAD_CSV "Line 1: the same column twice in the header." },
		{ CSV, "a,b\n1,2\n3\n",
		  "a=~1 b=~2|400 PGRST102 All lines must have same number of fields: Line 3 has 1 fields, the header 2." },
		{ CSV, "a,b\n\"1\n\n\",2\n3,4,5\n",
		  "a=~1\n\n b=~2|400 PGRST102 All lines must have same number of fields: Line 5 has 3 fields, the header 2." },
		{ CSV, "a\n\"x\n", BAD_CSV "Line 2: a quoted field without its closing quote." },
		{ CSV, "a\n\"x\"y\n", BAD_CSV "Line 2: something between a closing quote and the delimiter." },
		{ CSV, "a\nx\"y\"\n", BAD_CSV "Line 2: a quote within a field that has none around it." },
		{ CSV, "a\n\xff\n", BAD_CSV "Line 2: invalid UTF-8." },
		{ CSV "; charset=latin1", "a\n", "400 PGRST102 text/csv must be UTF-8" },
		{ CSV "; delimiter=ab", "a\n",
		  "400 PGRST102 The delimiter of text/csv must be one ASCII character, or tab" },
	};

	(void)state;
	HOLDS(rows);
}

static void form(void **state)
{
	static const struct row rows[] = {
		{ FORM, "a=1&b=x+y%21", "a=~1 b=~x y!|" },
		{ FORM, "", "|" },
		{ FORM, "a&b=", "a=~ b=~|" },
		{ FORM, "a=%zz", "400 PGRST102 Invalid form data" },
		{ FORM, "a=%00", "400 PGRST102 Invalid form data" },
	};

	(void)state;
	HOLDS(rows);
}

static void cut(void **state)
{
	static const char *const bodies[] = { "", "[{\"a\":1},", "{\"a\"" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sent sent = { slice_of(bodies[i]), 5, true };
		const char *got = shown(JSON, "", sent, (struct body_limits){ 1000, 0 });

		assert_non_null(strstr(got, "400 PGRST102 The request body ends before its end"));
	}
}

static void limits(void **state)
{
	struct strbuf b;
	struct sent sent = { { NULL, 0 }, 4096, false };

	(void)state;
	strbuf_init(&b, arena, 400000);
	strbuf_lit(&b, "[{\"a\":1},{\"a\":\"");
	for (int i = 0; i < 300000; i++)
		strbuf_addc(&b, 'x');
	strbuf_lit(&b, "\"}]");
	sent.left = strbuf_slice(&b);
	assert_string_equal(shown(JSON, "", sent, (struct body_limits){ 200000, 0 }),
			    "a=#1|413 54000 row 2 is larger than 200000 bytes");
	assert_string_equal(shown(JSON, "", sent, (struct body_limits){ 400000, 200000 }),
			    "a=#1|413 54000 the request body is larger than allowed");
	assert_non_null(strstr(shown(JSON, "", sent, (struct body_limits){ 400000, 0 }), "xxx\"|"));
}

/* text packed as gzip, so often in a row. */
static struct slice packed(const char *text, int times)
{
	size_t room = 4000 * (size_t)times;
	char *out = arena_alloc(arena, room);
	z_stream z = { 0 };
	size_t n = 0;

	for (int i = 0; i < times; i++) {
		assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
		z.next_in = (unsigned char *)(uintptr_t)text;
		z.avail_in = (uInt)strlen(text);
		z.next_out = (unsigned char *)out + n;
		z.avail_out = (uInt)(room - n);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		n = (size_t)((char *)z.next_out - out);
		deflateEnd(&z);
	}
	return (struct slice){ out, n };
}

static void gzip(void **state)
{
	struct slice two = packed("{\"a\":1}\n", 2), one = packed("[{\"a\":1}]", 1);
	struct body_limits any = { 1000, 0 };

	(void)state;
	for (size_t piece = 1; piece < 50; piece += 7) {
		assert_string_equal(shown(NDJSON, "gzip", (struct sent){ two, piece, false }, any), "a=#1|a=#1|");
		assert_string_equal(shown(JSON, "GZIP", (struct sent){ one, piece, false }, any), "a=#1|");
	}
	for (size_t n = 0; n < one.len; n++) {
		struct slice part = { one.ptr, n };
		const char *got = shown(JSON, "gzip", (struct sent){ part, 9, false }, any);

		assert_non_null(strstr(got, n ? "400 PGRST102 The request body ends before its end" : EMPTY));
	}
	assert_string_equal(shown(JSON, "gzip", (struct sent){ SLICE("{\"a\":1}"), 9, false }, any),
			    "400 PGRST102 The request body is not valid gzip");
	assert_string_equal(shown(JSON, "br", (struct sent){ one, 9, false }, any),
			    "415 PGRST102 Content-Encoding not acceptable: br");
}

/* A packed body of 1 MiB of blanks is refused once it is larger than allowed. */
static void bomb(void **state)
{
	char *blanks = arena_alloc(arena, 1048577);
	struct sent sent = { { NULL, 0 }, 100, false };

	(void)state;
	memset(blanks, ' ', 1048576);
	sent.left = packed(blanks, 2);
	assert_true(sent.left.len < 3000);
	assert_string_equal(shown(JSON, "gzip", sent, (struct body_limits){ 1000, 1500000 }),
			    "413 54000 the request body is larger than allowed");
	assert_string_equal(shown(JSON, "gzip", sent, (struct body_limits){ 1000, 0 }), EMPTY);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json, setup, teardown),
		cmocka_unit_test_setup_teardown(ndjson, setup, teardown),
		cmocka_unit_test_setup_teardown(csv, setup, teardown),
		cmocka_unit_test_setup_teardown(form, setup, teardown),
		cmocka_unit_test_setup_teardown(cut, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(gzip, setup, teardown),
		cmocka_unit_test_setup_teardown(bomb, setup, teardown),
	};

	return cmocka_run_group_tests_name("bodies", tests, NULL, NULL);
}
