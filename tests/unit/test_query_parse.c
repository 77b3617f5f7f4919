/* Paths, methods, order, limits, Range, Prefer, profiles and media: what a whole request asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "query_dump.h"

static struct arena *arena;

static const char *const targets[] = { "root", "table", "routine" };
static const char *const media[] = {
	"json", "csv", "ndjson", "object", "octets", "geojson", "openapi", "plan", "text"
};

static void add_name(struct strbuf *b, const char *what, struct slice s)
{
	if (!s.len)
		return;
	strbuf_addf(b, " %s ", what);
	dump_name(b, s);
}

static const char *request_text(const struct config *config, const struct http_request *rq)
{
	struct strbuf b, prefer;
	struct query q;
	struct error err;

	error_init(&err, arena);
	if (!query_parse(arena, config, rq, &q, &err))
		return err.details ? arena_printf(arena, "%s | %s", refusal_text(arena, &err), err.details)
				   : refusal_text(arena, &err);
	strbuf_init(&b, arena, 256);
	strbuf_init(&prefer, arena, 256);
	strbuf_adds(&b, targets[q.target]);
	add_name(&b, "name", q.name);
	add_name(&b, "profile", q.profile);
	if (q.root.nitems || q.root.nwhere || q.root.norder || q.root.has_limit) {
		strbuf_adds(&b, ": ");
		dump_node(&b, &q.root);
	}
	query_prefer_applied(&q.prefer, &prefer);
	if (prefer.len)
		strbuf_addf(&b, " prefer %s", strbuf_cstr(&prefer));
	for (size_t i = 0; i < q.nmedia; i++)
		if (q.nmedia > 1 || q.media[i].media != MEDIA_JSON)
			strbuf_addf(&b, " %s", media[q.media[i].media]);
	return strbuf_cstr(&b);
}

struct row {
	const char *method, *url, *headers;
	const char *expected;
};

static void holds(const struct row *rows, size_t n)
{
	struct config config = query_config();
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct http_request rq = request_of(arena, rows[i].method, rows[i].url, rows[i].headers);
		const char *got = request_text(&config, &rq);

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s %s\n%s\ngives %s\nnot   %s\n", rows[i].method, rows[i].url, rows[i].headers,
				    got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define INVALID_PATH "PGRST125 Invalid path specified in request URL"
#define T "table name t: *"

static void paths(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/", "", "root: *" },
		{ "GET", "", "", "root: *" },
		{ "GET", "/t", "", T },
		{ "HEAD", "/t", "", T },
		{ "GET", "/Order%20Items", "", "table name 'Order Items': *" },
		{ "GET", "/%C3%9Cber", "",
		  "table name '\xc3\x9c"
		  "ber': *" },
		{ "GET", "/a%2Fb", "", "table name 'a/b': *" },
		{ "GET", "/a+b", "", "table name 'a+b': *" }, /* a plus is a blank in the query alone */
		{ "GET", "/a.b", "", "table name 'a.b': *" },
		{ "GET", "/a%60b", "", "table name 'a`b': *" },
		{ "GET", "/rpc/f", "", "routine name f: *" },
		{ "POST", "/rpc/f", "", "routine name f: *" },
		{ "GET", "/rpc", "", "table name rpc: *" },
		{ "GET", "/t/", "", INVALID_PATH },
		{ "GET", "//", "", INVALID_PATH },
		{ "GET", "//t", "", INVALID_PATH },
		{ "GET", "/a/b", "", INVALID_PATH },
		{ "GET", "/rpc/", "", INVALID_PATH },
		{ "GET", "/rpc/a/b", "", INVALID_PATH },
		{ "GET", "/RPC/f", "", INVALID_PATH },
		{ "GET", "/t/1", "", INVALID_PATH },
		{ "GET", "/a/b/c/d", "", INVALID_PATH },
		{ "GET", "/%zz", "",
		  "PGRST100 invalid percent-encoding in the request URL | \"%zz\" is no escape of two hexadecimal digits" },
		{ "GET", "/t?a=eq.%4", "",
		  "PGRST100 invalid percent-encoding in the request URL | \"%4\" is no escape of two hexadecimal digits" },
		{ "GET", "/t?a%00=eq.1", "", "PGRST100 the request URL holds a NUL character" },
		{ "GET", "/t%00", "", "PGRST100 the request URL holds a NUL character" },
		{ "GET", "/t?a=eq.%C3", "", "PGRST100 the request URL is not valid UTF-8" },
		{ "GET", "/t?a=eq.\xff", "", "PGRST100 the request URL is not valid UTF-8" },
		{ "GET", "/t?a=eq.%C0%AF", "", "PGRST100 the request URL is not valid UTF-8" },
		{ "GET", "/t?a=eq.%ED%A0%80", "", "PGRST100 the request URL is not valid UTF-8" },
		{ "GET", "/%C0%AE%C0%AE", "", "PGRST100 the request URL is not valid UTF-8" },
	};

	(void)state;
	HOLDS(rows);
}

static void methods(void **state)
{
	static const struct row rows[] = {
		{ "POST", "/t", "", T },
		{ "PATCH", "/t?id=eq.1", "", T " where id eq <1>" },
		{ "PUT", "/t?id=eq.1", "", T " where id eq <1>" },
		{ "DELETE", "/t?id=eq.1", "", T " where id eq <1>" },
		{ "OPTIONS", "/t", "", "table name t" },
		{ "OPTIONS", "/t?id=nonsense", "accept: nothing/known", "table name t" },
		{ "OPTIONS", "/rpc/f", "", "routine name f" },
		{ "TRACE", "/t", "", "PGRST117 Unsupported HTTP method: TRACE" },
		{ "get", "/t", "", "PGRST117 Unsupported HTTP method: get" },
		{ "FOO", "/rpc/f", "", "PGRST117 Unsupported HTTP method: FOO" },
		{ "PATCH", "/rpc/f", "", "PGRST101 Cannot use the PATCH method on RPC" },
		{ "PUT", "/rpc/f", "", "PGRST101 Cannot use the PUT method on RPC" },
		{ "DELETE", "/rpc/f", "", "PGRST101 Cannot use the DELETE method on RPC" },
		/* The path is judged before the method. */
		{ "TRACE", "/a/b", "", INVALID_PATH },
	};

	(void)state;
	HOLDS(rows);
}

#define BAD(what, text, column, details) \
	"PGRST100 \"failed to parse " what " (" text ")\" (line 1, column " #column ") | " details
#define DIRECTION "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""
#define NOT_TO_ONE "unexpected \"(\" expecting \"->\", delimiter (.), \",\" or end of input"
#define NULLS "\"nullsfirst\" or \"nullslast\""
#define NAME "field name (* or [a..z0..9_$])"

static void order(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/t?order=a", "", T " order a" },
		{ "GET", "/t?order=a.asc", "", T " order a" },
		{ "GET", "/t?order=a.desc", "", T " order a desc" },
		{ "GET", "/t?order=a.nullsfirst", "", T " order a nullsfirst" },
		{ "GET", "/t?order=a.nullslast", "", T " order a nullslast" },
		{ "GET", "/t?order=a.asc.nullsfirst", "", T " order a nullsfirst" },
		{ "GET", "/t?order=a.desc.nullslast,b", "", T " order a desc nullslast, b" },
		{ "GET", "/t?order=%20a%20,%20b.desc%20", "", T " order a, b desc" },
		{ "GET", "/t?order=d->a->>0.desc", "", T " order d->a->>[0] desc" },
		{ "GET", "/t?order=rel(a).desc", "", T " order rel(a) desc" },
		{ "GET", "/t?order=rel(d->>a).nullslast", "", T " order rel(d->>a) nullslast" },
		{ "GET", "/t?order=\"a.b\".desc,\"c,d\"", "", T " order 'a.b' desc, 'c,d'" },
		{ "GET", "/t?order=Order+Date", "", T " order 'Order Date'" },
		{ "GET", "/t?order=desc", "", T " order desc" },
		{ "GET", "/t?order=desc.desc", "", T " order desc desc" },
		{ "GET", "/t?order=", "", T },
		{ "GET", "/t?order=a&order=b", "", T " order a, b" },
		/* refused */
		{ "GET", "/t?order=a,", "", BAD("order", "a,", 3, "unexpected end of input expecting " NAME) },
		{ "GET", "/t?order=,a", "", BAD("order", ",a", 1, "unexpected \",\" expecting " NAME) },
		{ "GET", "/t?order=a.", "", BAD("order", "a.", 3, "unexpected end of input expecting " DIRECTION) },
		{ "GET", "/t?order=a.up", "", BAD("order", "a.up", 3, "unexpected \"u\" expecting " DIRECTION) },
		{ "GET", "/t?order=a.asd", "", BAD("order", "a.asd", 3, "unexpected \"d\" expecting " DIRECTION) },
		{ "GET", "/t?order=a.DESC", "", BAD("order", "a.DESC", 3, "unexpected \"D\" expecting " DIRECTION) },
		{ "GET", "/t?order=a.desc.", "",
		  BAD("order", "a.desc.", 8, "unexpected end of input expecting " NULLS) },
		{ "GET", "/t?order=a.desc.asc", "",
		  BAD("order", "a.desc.asc", 8, "unexpected \"a\" expecting " NULLS) },
		{ "GET", "/t?order=a.nullsfirst.desc", "",
		  BAD("order", "a.nullsfirst.desc", 13, "unexpected \".\" expecting \",\" or end of input") },
		{ "GET", "/t?order=a.descending", "",
		  BAD("order", "a.descending", 7, "unexpected \"e\" expecting \",\" or end of input") },
		{ "GET", "/t?order=a%20desc,", "",
		  BAD("order", "a desc,", 8, "unexpected end of input expecting " NAME) },
		{ "GET", "/t?order=rel(a", "", BAD("order", "rel(a", 4, NOT_TO_ONE) },
		{ "GET", "/t?order=rel()", "", BAD("order", "rel()", 5, "unexpected \")\" expecting " NAME) },
		{ "GET", "/t?order=rel(a,b)", "", BAD("order", "rel(a,b)", 4, NOT_TO_ONE) },
		{ "GET", "/t?order=a(b(c))", "", BAD("order", "a(b(c))", 2, NOT_TO_ONE) },
		{ "GET", "/t?order=d->>a->b", "",
		  BAD("order", "d->>a->b", 8, "unexpected \"b\" expecting nothing behind ->>") },
	};

	(void)state;
	HOLDS(rows);
}

#define NUMBER "a number from 0 to 9223372036854775807"
#define NO_NUMBER(what, text, c) BAD(what " parameter", text, 1, "unexpected \"" c "\" expecting " NUMBER)
#define RANGE_ERROR                                                                                  \
	"PGRST103 Requested range not satisfiable | The lower boundary must be lower than or equal " \
	"to the upper boundary in the Range header."
#define LIMIT_ERROR "PGRST103 Requested range not satisfiable | Limit should be greater than or equal to zero."

static void limits(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/t?limit=5", "", T " limit 5" },
		{ "GET", "/t?limit=0", "", T " limit 0" },
		{ "GET", "/t?offset=3", "", T " offset 3" },
		{ "GET", "/t?limit=5&offset=3", "", T " limit 5 offset 3" },
		{ "GET", "/t?limit=9223372036854775807&offset=9223372036854775807", "",
		  T " limit 9223372036854775807 offset 9223372036854775807" },
		{ "GET", "/t?limit=%205%20", "", T " limit 5" },
		{ "GET", "/t?limit=007", "", T " limit 7" },
		{ "GET", "/t?limit=-1", "", LIMIT_ERROR },
		{ "GET", "/t?offset=-1", "", T },
		{ "GET", "/t?offset=-9223372036854775808&limit=5", "", T " limit 5" },
		{ "GET", "/t?offset=-9223372036854775809", "", NO_NUMBER("offset", "-9223372036854775809", "-") },
		{ "GET", "/t?limit=+5x", "", NO_NUMBER("limit", " 5x", " ") },
		{ "GET", "/t?limit=abc", "", NO_NUMBER("limit", "abc", "a") },
		{ "GET", "/t?limit=1.5", "", NO_NUMBER("limit", "1.5", "1") },
		{ "GET", "/t?limit=9223372036854775808", "", NO_NUMBER("limit", "9223372036854775808", "9") },
		{ "GET", "/t?offset=99999999999999999999", "", NO_NUMBER("offset", "99999999999999999999", "9") },
		{ "GET", "/t?limit=", "", BAD("limit parameter", "", 1, "unexpected end of input expecting " NUMBER) },
		/* Range */
		{ "GET", "/t", "range: 0-9", T " limit 10" },
		{ "GET", "/t", "range: 5-9", T " limit 5 offset 5" },
		{ "GET", "/t", "range: 5-", T " offset 5" },
		{ "GET", "/t", "range: 0-", T },
		{ "GET", "/t", "range: 0-0", T " limit 1" },
		{ "GET", "/t", "range-unit: items\nrange: 0-9", T " limit 10" },
		{ "GET", "/t", "range: items=0-9", T " limit 10" },
		{ "GET", "/t", "range: 0-18446744073709551614", T },
		/* what is no range of ours is passed over */
		{ "GET", "/t", "range: bytes=0-9", T },
		{ "GET", "/t", "range: -5", T },
		{ "GET", "/t", "range: 5", T },
		{ "GET", "/t", "range: a-b", T },
		{ "GET", "/t", "range: 0-9,20-29", T },
		{ "GET", "/t", "range: 0-99999999999999999999", T },
		{ "GET", "/t", "range: ", T },
		{ "GET", "/t", "range-unit: bytes\nrange: 0-9", T },
		/* for reads only */
		{ "PATCH", "/t", "range: 0-9", T },
		{ "DELETE", "/t", "range: 9-0", T },
		{ "POST", "/t", "range: 0-9", T },
		/* the intersection with the parameters */
		{ "GET", "/t?limit=5", "range: 0-9", T " limit 5" },
		{ "GET", "/t?limit=20", "range: 0-9", T " limit 10" },
		{ "GET", "/t?limit=20&offset=5", "range: 0-9", T " limit 5 offset 5" },
		{ "GET", "/t?offset=5", "range: 0-9", T " limit 5 offset 5" },
		{ "GET", "/t?offset=2", "range: 5-", T " offset 5" },
		{ "GET", "/t?offset=7", "range: 5-", T " offset 7" },
		{ "GET", "/t?limit=10&offset=2", "range: 5-", T " limit 7 offset 5" },
		/* an embed's limit is its own */
		{ "GET", "/t?select=r(*)&r.limit=20", "range: 0-9", "table name t: r(* limit 20) limit 10" },
		/* refused */
		{ "GET", "/t", "range: 9-0", RANGE_ERROR },
		{ "GET", "/t?limit=5", "range: 1-0", RANGE_ERROR },
		{ "GET", "/t?limit=5", "range: 10-19", LIMIT_ERROR },
		{ "GET", "/t?offset=5", "range: 0-4", LIMIT_ERROR },
		{ "GET", "/t?limit=5&offset=5", "range: 10-", LIMIT_ERROR },
		{ "GET", "/t?limit=0", "range: 10-19", T " limit 0" },
		{ "GET", "/t?limit=0", "range: 9-0", T " limit 0" },
		{ "HEAD", "/t", "range: 0-9", T },
	};

	(void)state;
	HOLDS(rows);
}

#define STRICT_BAD(list) "PGRST122 Invalid preferences given with handling=strict | Invalid preferences: " list

static void prefer(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/t", "prefer: count=exact", T " prefer count=exact" },
		{ "GET", "/t", "prefer: count=planned", T " prefer count=planned" },
		{ "GET", "/t", "prefer: count=estimated", T " prefer count=estimated" },
		{ "POST", "/t", "prefer: return=representation", T " prefer return=representation" },
		{ "POST", "/t", "prefer: return=minimal", T " prefer return=minimal" },
		{ "POST", "/t", "prefer: return=headers-only", T " prefer return=headers-only" },
		{ "POST", "/t", "prefer: resolution=merge-duplicates", T " prefer resolution=merge-duplicates" },
		{ "POST", "/t", "prefer: resolution=ignore-duplicates", T " prefer resolution=ignore-duplicates" },
		{ "POST", "/t", "prefer: missing=default", T " prefer missing=default" },
		{ "POST", "/t", "prefer: missing=null", T " prefer missing=null" },
		{ "GET", "/t", "prefer: handling=strict", T " prefer handling=strict" },
		{ "GET", "/t", "prefer: handling=lenient", T " prefer handling=lenient" },
		{ "GET", "/t", "prefer: tx=commit", T " prefer tx=commit" },
		{ "GET", "/t", "prefer: tx=rollback", T " prefer tx=rollback" },
		{ "GET", "/t", "prefer: timezone=Europe/Zurich", T " prefer timezone=Europe/Zurich" },
		{ "GET", "/t", "prefer: timezone=+05:30", T " prefer timezone=+05:30" },
		{ "PATCH", "/t", "prefer: max-affected=10", T " prefer max-affected=10" },
		{ "PATCH", "/t", "prefer: max-affected=0", T " prefer max-affected=0" },
		/* commas or several headers, in PostgREST's order when applied */
		{ "POST", "/t",
		  "prefer: max-affected=5, timezone=UTC,handling=strict , tx=rollback\n"
		  "prefer: count=exact,return=minimal,missing=default,resolution=merge-duplicates",
		  T " prefer resolution=merge-duplicates, missing=default, return=minimal, count=exact, tx=rollback, "
		    "handling=strict, timezone=UTC, max-affected=5" },
		/* the first of a kind wins */
		{ "GET", "/t", "prefer: count=exact, count=planned", T " prefer count=exact" },
		{ "GET", "/t", "prefer: count=exact\nprefer: count=planned", T " prefer count=exact" },
		{ "GET", "/t", "prefer: timezone=UTC, timezone=+01:00", T " prefer timezone=UTC" },
		{ "GET", "/t", "prefer: max-affected=1, max-affected=2", T " prefer max-affected=1" },
		{ "GET", "/t", "prefer: handling=lenient, handling=strict, nonsense", T " prefer handling=lenient" },
		/* unknown ones are passed over, or refused */
		{ "GET", "/t", "prefer: ", T },
		{ "GET", "/t", "prefer: ,,", T },
		{ "GET", "/t", "prefer: count=all, wait=10", T },
		{ "GET", "/t", "prefer: COUNT=exact", T },
		{ "GET", "/t", "prefer: count = exact", T },
		{ "GET", "/t", "prefer: timezone=", T },
		{ "GET", "/t", "prefer: max-affected=x", T },
		{ "GET", "/t", "prefer: max-affected=-1", T },
		{ "GET", "/t", "prefer: handling=strict, count=all, wait=10", STRICT_BAD("count=all, wait=10") },
		{ "GET", "/t", "prefer: wait=10\nprefer: handling=strict", STRICT_BAD("wait=10") },
		{ "GET", "/t", "prefer: handling=strict, max-affected=x", STRICT_BAD("max-affected=x") },
		{ "GET", "/t", "prefer: handling=strict, timezone=", STRICT_BAD("timezone=") },
	};

	(void)state;
	HOLDS(rows);
}

static void profiles_and_media(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/t", "accept-profile: hr", "table name t profile hr: *" },
		{ "HEAD", "/t", "accept-profile: hr", "table name t profile hr: *" },
		{ "GET", "/t", "content-profile: hr", T },
		{ "POST", "/t", "content-profile: hr", "table name t profile hr: *" },
		{ "POST", "/t", "accept-profile: hr", T },
		{ "PATCH", "/t", "content-profile: hr", "table name t profile hr: *" },
		{ "DELETE", "/t", "content-profile: a b", "table name t profile 'a b': *" },
		{ "POST", "/rpc/f", "content-profile: hr\naccept-profile: x", "routine name f profile hr: *" },
		{ "GET", "/rpc/f", "content-profile: x\naccept-profile: hr", "routine name f profile hr: *" },
		{ "GET", "/t", "accept-profile: ", T },
		{ "GET", "/t", "accept: text/csv", T " csv" },
		{ "GET", "/t", "accept: text/csv;q=0.5, application/json", T " json csv" },
		{ "GET", "/t", "accept: application/vnd.pgrst.object+json", T " object" },
		{ "GET", "/t", "accept: image/png", "PGRST107 None of these media types are available: image/png" },
		/* a routine's parameters are arguments */
		{ "GET", "/rpc/f?a=1&b=x", "", "routine name f: *" },
		/* columns and on_conflict belong to writes */
		{ "GET", "/t?columns=a,b&on_conflict=a", "", T },
	};

	(void)state;
	HOLDS(rows);
}

static void url_length(void **state)
{
	struct config config = query_config();
	struct http_request rq = request_of(arena, "GET", "/t?id=eq.1", "");

	(void)state;
	config.max_url_length = 9;
	assert_string_equal(request_text(&config, &rq), T " where id eq <1>");
	config.max_url_length = 8;
	assert_string_equal(request_text(&config, &rq), "PGRST100 The request URL is longer than 8 bytes");
}

/* Whatever came in, the body of a refusal is JSON. */
static void bodies_are_utf8(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/%z\xc3\xa4", "", "" },         { "\xff", "/t", "", "" },
		{ "GET", "/t", "accept: \xff/\xe4", "" }, { "GET", "/t", "prefer: handling=strict, \xc3", "" },
		{ "GET", "/t?a=%\xff\xfe", "", "" },      { "GET", "/t?a=%a\xc3\xa4", "", "" },
		{ "GET", "/t?order=a.\xc3\xa4", "", "" }, { "GET", "/t?or=(a.eq.1)\xf0\x9f\x98\x80", "", "" },
	};
	struct config config = query_config();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http_request rq = request_of(arena, rows[i].method, rows[i].url, rows[i].headers);
		struct query q;
		struct error err;
		struct strbuf b;

		error_init(&err, arena);
		assert_false(query_parse(arena, &config, &rq, &q, &err));
		strbuf_init(&b, arena, 256);
		error_body(&err, false, &b);
		if (!utf8_valid(strbuf_slice(&b)))
			fail_msg("%s %s answers %s", rows[i].method, rows[i].url, strbuf_cstr(&b));
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
		cmocka_unit_test(paths),      cmocka_unit_test(methods),         cmocka_unit_test(order),
		cmocka_unit_test(limits),     cmocka_unit_test(prefer),          cmocka_unit_test(profiles_and_media),
		cmocka_unit_test(url_length), cmocka_unit_test(bodies_are_utf8),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
