/* Filters: what stands in the URL, and the tree it becomes or why it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "query_dump.h"

static struct arena *arena;

struct row {
	const char *query;
	const char *expected; /* behind "* where ", or a refusal */
};

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = query_text(arena, rows[i].query);

		if (strncmp(got, "* where ", 8) == 0)
			got += 8;
		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].query, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define BAD(what, text, column) "PGRST100 \"failed to parse " what " (" text ")\" (line 1, column " #column ")"
#define FILTER(text, column) BAD("filter", text, column)
#define TREE(text, column) BAD("logic tree", text, column)
#define PATH(text, column) BAD("tree path", text, column)

static void operators(void **state)
{
	static const struct row rows[] = {
		{ "id=eq.5", "id eq <5>" },
		{ "id=neq.5", "id neq <5>" },
		{ "id=gt.5", "id gt <5>" },
		{ "id=gte.5", "id gte <5>" },
		{ "id=lt.5", "id lt <5>" },
		{ "id=lte.5", "id lte <5>" },
		{ "a=like.*x*", "a like <*x*>" },
		{ "a=ilike.x%25", "a ilike <x%>" },
		{ "a=match.^x", "a match <^x>" },
		{ "a=imatch.^x", "a imatch <^x>" },
		{ "a=isdistinct.x", "a isdistinct <x>" },
		{ "a=cs.{1,2}", "a cs <{1,2}>" },
		{ "a=cd.%5B1%5D", "a cd <[1]>" },
		{ "a=ov.{a}", "a ov <{a}>" },
		{ "a=fts.x%26y", "a fts <x&y>" },
		{ "a=plfts.x+y", "a plfts <x y>" },
		{ "a=phfts.x%20y", "a phfts <x y>" },
		{ "a=wfts.x+or+y", "a wfts <x or y>" },
		{ "a=fts(english).x", "a fts(english) <x>" },
		{ "a=wfts(simple).x", "a wfts(simple) <x>" },
		{ "a=not.plfts(german).x", "not a plfts(german) <x>" },
		{ "a=not.eq.x", "not a eq <x>" },
		{ "a=not.in.(1,2)", "not a in <1> <2>" },
		{ "a=not.is.null", "not a is null" },
		/* The value is everything behind the operator's dot. */
		{ "a=eq.", "a eq <>" },
		{ "a=eq.x.y", "a eq <x.y>" },
		{ "a=eq.x,y)", "a eq <x,y)>" },
		{ "a=eq.%22x%22", "a eq <\"x\">" },
		{ "a=eq. x ", "a eq < x >" },
		{ "a=eq.not.eq.x", "a eq <not.eq.x>" },
		{ "a=eq.null", "a eq <null>" },
		{ "a=eq.x=y", "a eq <x=y>" },
		{ "a=eq.%C3%A4%26%3D%3F", "a eq <\xc3\xa4&=?>" },
		{ "a=eq.'; DROP TABLE t; --", "a eq <'; DROP TABLE t; -->" },
		/* Several filters are ANDed; the order of parameters means nothing. */
		{ "a=gt.1&a=lt.5&b=eq.x", "a gt <1>; a lt <5>; b eq <x>" },
		{ "&&a=gt.1&&", "a gt <1>" },
		/* refused */
		{ "a=5", FILTER("5", 1) },
		{ "a=", FILTER("", 1) },
		{ "a", FILTER("", 1) },
		{ "a=eq", FILTER("eq", 3) },
		{ "a=eq5", FILTER("eq5", 3) },
		{ "a=eq:5", FILTER("eq:5", 3) },
		{ "a=EQ.5", FILTER("EQ.5", 1) },
		{ "a=equals.5", FILTER("equals.5", 3) },
		{ "a=.5", FILTER(".5", 1) },
		{ "a=not.5", FILTER("not.5", 5) },
		{ "a=not.not.eq.5", FILTER("not.not.eq.5", 5) },
		{ "a=nope.5", FILTER("nope.5", 1) },
		{ "a= eq.5", FILTER(" eq.5", 1) },
		{ "a=sl.5", FILTER("sl.5", 1) },
		{ "a=sr.5", FILTER("sr.5", 1) },
		{ "a=nxr.5", FILTER("nxr.5", 1) },
		{ "a=nxl.5", FILTER("nxl.5", 1) },
		{ "a=adj.5", FILTER("adj.5", 1) },
		{ "a=eq(english).5", FILTER("eq(english).5", 4) },
		{ "a=fts().x", FILTER("fts().x", 5) },
		{ "a=fts(x", FILTER("fts(x", 5) },
		{ "a=fts(x)y", FILTER("fts(x)y", 7) },
		{ "%C3%A4=\xc3\xa4q.5", FILTER("\xc3\xa4q.5", 1) },
		/* the column counts characters, not bytes */
		{ "a=in.(\xc3\xa4\xc3\xb6", FILTER("in.(\xc3\xa4\xc3\xb6", 7) },
	};

	(void)state;
	HOLDS(rows);
}

static void lists(void **state)
{
	static const struct row rows[] = {
		{ "a=in.(1,2,3)", "a in <1> <2> <3>" },
		{ "a=in.()", "a in" },
		{ "a=in.(x)", "a in <x>" },
		{ "a=in.(,)", "a in <> <>" },
		{ "a=in.(%20x, y )", "a in <x> < y >" },
		{ "a=in.(%20)", "a in" },
		{ "a=in.(x,)", "a in <x> <>" },
		{ "a=in.(null)", "a in <null>" },
		{ "a=in.(\"x,y\",z)", "a in <x,y> <z>" },
		{ "a=in.(\"\")", "a in <>" },
		{ "a=in.(\")\")", "a in <)>" },
		{ "a=in.(\"a\\\"b\",\"c\\\\d\")", "a in <a\"b> <c\\d>" },
		{ "a=in.(\"a\\nb\")", "a in <anb>" },
		/* a quote that does not span the item is part of it */
		{ "a=in.(\"a\"b,c)", "a in <\"a\"b> <c>" },
		{ "a=in.(a\"b,c)", "a in <a\"b> <c>" },
		{ "a=in.(a(b,c)", "a in <a(b> <c>" },
		{ "a=in.(Z%C3%BCrich,x%20y)", "a in <Z\xc3\xbcrich> <x y>" },
		{ "a=in.(%22%27%20OR%201=1%22)", "a in <' OR 1=1>" },
		{ "a=eq(any).{1,2}", "a eq any <1> <2>" },
		{ "a=eq(all).{1,2}", "a eq all <1> <2>" },
		{ "a=like(any).{*x*,y*}", "a like any <*x*> <y*>" },
		{ "a=ilike(all).{x}", "a ilike all <x>" },
		{ "a=gt(any).{1}", "a gt any <1>" },
		{ "a=gte(all).{1}", "a gte all <1>" },
		{ "a=lt(any).{1}", "a lt any <1>" },
		{ "a=lte(all).{1}", "a lte all <1>" },
		{ "a=match(any).{^a,\"b{1,2}\"}", "a match any <^a> <b{1,2}>" },
		{ "a=imatch(all).{a}", "a imatch all <a>" },
		{ "a=not.eq(any).{1,2}", "not a eq any <1> <2>" },
		{ "a=eq(any).{}", "a eq any" },
		{ "a=eq(any).{\"a,b\",\"}\"}", "a eq any <a,b> <}>" },
		/* refused */
		{ "a=in.1,2", FILTER("in.1,2", 4) },
		{ "a=in.", FILTER("in.", 4) },
		{ "a=in.(1,2", FILTER("in.(1,2", 8) },
		{ "a=in.(", FILTER("in.(", 5) },
		{ "a=in.(\"x)", "a in <\"x>" },
		{ "a=in.(\")", "a in <\">" },
		{ "a=in. ( x,y ) ", "a in <x> <y >" },
		{ "a=in.(1)x", FILTER("in.(1)x", 7) },
		{ "a=in.(1),(2)", FILTER("in.(1),(2)", 7) },
		{ "a=in(any).(1)", FILTER("in(any).(1)", 3) },
		{ "a=neq(any).{1}", FILTER("neq(any).{1}", 4) },
		{ "a=is(any).{null}", FILTER("is(any).{null}", 3) },
		{ "a=isdistinct(any).{1}", FILTER("isdistinct(any).{1}", 11) },
		{ "a=cs(any).{1}", FILTER("cs(any).{1}", 3) },
		{ "a=eq(some).{1}", FILTER("eq(some).{1}", 4) },
		{ "a=eq(any)", FILTER("eq(any)", 8) },
		{ "a=eq(any).(1)", FILTER("eq(any).(1)", 9) },
		{ "a=eq(any).1", FILTER("eq(any).1", 9) },
		{ "a=eq(any).{1", FILTER("eq(any).{1", 11) },
		{ "a=eq(any).{1}x", FILTER("eq(any).{1}x", 12) },
	};

	(void)state;
	HOLDS(rows);
}

static void is_words(void **state)
{
	static const struct row rows[] = {
		{ "a=is.null", "a is null" },
		{ "a=is.not_null", "a is not_null" },
		{ "a=is.true", "a is true" },
		{ "a=is.false", "a is false" },
		{ "a=is.unknown", "a is unknown" },
		{ "a=is.NULL", "a is null" },
		{ "a=is.Not_Null", "a is not_null" },
		{ "a=is.TruE", "a is true" },
		{ "a=not.is.not_null", "not a is not_null" },
		{ "a=is.nul", FILTER("is.nul", 4) },
		{ "a=is.nulls", FILTER("is.nulls", 4) },
		{ "a=is.null ", FILTER("is.null ", 8) },
		{ "a=is.null,", FILTER("is.null,", 8) },
		{ "a=is.", FILTER("is.", 4) },
		{ "a=is.5", FILTER("is.5", 4) },
		{ "a=is.not null", FILTER("is.not null", 4) },
		{ "a=is.notnull", FILTER("is.notnull", 4) },
		{ "a=is.not_", FILTER("is.not_", 4) },
	};

	(void)state;
	HOLDS(rows);
}

static void names(void **state)
{
	static const struct row rows[] = {
		{ "Order%20Date=eq.1", "'Order Date' eq <1>" },
		{ "%C3%9Cber=eq.1", "'\xc3\x9c"
				    "ber' eq <1>" },
		{ "a-b=eq.1", "'a-b' eq <1>" },
		{ "$a=eq.1", "'$a' eq <1>" },
		{ "_a9=eq.1", "_a9 eq <1>" },
		{ "9=eq.1", "9 eq <1>" },
		{ " a =eq.1", "a eq <1>" },
		{ "\"a.b\"=eq.1", "'a.b' eq <1>" },
		{ "\"a,b:c*(d)>\"=eq.1", "'a,b:c*(d)>' eq <1>" },
		{ "\"a\\\"b\"=eq.1", "'a\"b' eq <1>" },
		{ "\"a\\\\b\"=eq.1", "'a\\b' eq <1>" },
		{ "a`b=eq.1", "'a`b' eq <1>" },
		{ "a'b=eq.1", "'a'b' eq <1>" },
		{ "a%3Fb=eq.1", "'a?b' eq <1>" },
		{ "a%3Db=eq.1", "'a=b' eq <1>" },
		{ "a;b=eq.1", "'a;b' eq <1>" },
		{ "\"select\"=eq.1", "select eq <1>" },
		{ "\"order\"=eq.1", "order eq <1>" },
		{ "\"limit\"=eq.1", "limit eq <1>" },
		{ "\"or\"=eq.1", "or eq <1>" },
		{ "\"and\"=eq.1", "and eq <1>" },
		{ "not=eq.1", "not eq <1>" },
		{ "d->a=eq.1", "d->a eq <1>" },
		{ "d->>a=eq.1", "d->>a eq <1>" },
		{ "d->a->0->>b=eq.1", "d->a->[0]->>b eq <1>" },
		{ "d->-1=eq.1", "d->[-1] eq <1>" },
		{ "d->-10->>5=eq.1", "d->[-10]->>[5] eq <1>" },
		{ "d->0x=eq.1", "d->0x eq <1>" },
		{ "d->\"0\"=eq.1", "d->0 eq <1>" },
		{ "d->\"a.b\"=eq.1", "d->'a.b' eq <1>" },
		{ "d->\"a->b\"=eq.1", "d->'a->b' eq <1>" },
		{ "d->a b=eq.1", "d->'a b' eq <1>" },
		{ "d->a-b=eq.1", "d->'a-b' eq <1>" },
		{ "d->%22%22=eq.1", "d->'' eq <1>" },
		{ "d->or=eq.1", "d->or eq <1>" },
		/* a digit string that is no index of an array any more */
		{ "d->99999999999=eq.1", "d->99999999999 eq <1>" },
		/* refused */
		{ "=eq.1", PATH("", 1) },
		{ "\"\"=eq.1", PATH("\"\"", 3) },
		{ "\"a=eq.1", PATH("\"a", 3) },
		{ "\"a\\\"=eq.1", PATH("\"a\\\"", 5) },
		{ "a,b=eq.1", PATH("a,b", 2) },
		{ "a:b=eq.1", PATH("a:b", 2) },
		{ "a*=eq.1", PATH("a*", 2) },
		{ "a(b)=eq.1", PATH("a(b)", 2) },
		{ "a!b=eq.1", PATH("a!b", 2) },
		{ "\"a\"b=eq.1", PATH("\"a\"b", 4) },
		{ "d->=eq.1", PATH("d->", 4) },
		{ "d->>=eq.1", PATH("d->>", 5) },
		{ "->a=eq.1", PATH("->a", 1) },
		{ "d->>a->b=eq.1", PATH("d->>a->b", 8) },
		{ "d->>a->>b=eq.1", PATH("d->>a->>b", 8) },
		{ "d->a.b=eq.1", PATH("d->a.b", 5) },
		{ "a.=eq.1", PATH("a.", 3) },
		{ ".a=eq.1", PATH(".a", 1) },
		/* no such embed */
		{ "x.a=eq.1", "PGRST108 'x' is not an embedded resource in this request" },
		{ "x.or=(a.eq.1)", "PGRST108 'x' is not an embedded resource in this request" },
		{ "x.y.z.a=eq.1", "PGRST108 'x' is not an embedded resource in this request" },
	};

	(void)state;
	HOLDS(rows);
}

static void trees(void **state)
{
	static const struct row rows[] = {
		{ "or=(a.eq.1,b.eq.2)", "or(a eq <1>; b eq <2>)" },
		{ "and=(a.eq.1,b.eq.2)", "and(a eq <1>; b eq <2>)" },
		{ "not.or=(a.eq.1)", "not or(a eq <1>)" },
		{ "not.and=(a.eq.1)", "not and(a eq <1>)" },
		{ "or=(a.not.eq.1)", "or(not a eq <1>)" },
		{ "or=(a.eq.1,and(b.eq.2,c.eq.3))", "or(a eq <1>; and(b eq <2>; c eq <3>))" },
		{ "or=(a.eq.1,not.and(b.gt.2,c.is.null))", "or(a eq <1>; not and(b gt <2>; c is null))" },
		{ "or=(not.or(a.eq.1),or(b.eq.2))", "or(not or(a eq <1>); or(b eq <2>))" },
		{ "or=( a.eq.1 , b.eq.2)", "or(a eq <1 >; b eq <2>)" },
		{ "or=(a.in.(1,2),b.in.(\"x,y\",\")\"))", "or(a in <1> <2>; b in <x,y> <)>)" },
		{ "or=(a.in.(),b.eq.1)", "or(a in; b eq <1>)" },
		{ "or=(a.eq.\"x,y\",b.eq.\"(z)\")", "or(a eq <x,y>; b eq <(z)>)" },
		{ "or=(a.eq.\"\",b.eq.)", "or(a eq <>; b eq <>)" },
		{ "or=(a.eq.\"a\\\"b\\\\\")", "or(a eq <a\"b\\>)" },
		{ "or=(a.eq.\"x\"y)", "or(a eq <\"x\"y>)" },
		{ "or=(a.eq.x.y)", "or(a eq <x.y>)" },
		{ "or=(a.cs.{1,2},b.eq.1)", "or(a cs <{1,2}>; b eq <1>)" },
		{ "or=(a.cs.{\"x\",\"}\"},b.eq.1)", "or(a cs <{\"x\",\"}\"}>; b eq <1>)" },
		{ "or=(a.cs.[1,[2,3]],b.eq.1)", "or(a cs <[1,[2,3]]>; b eq <1>)" },
		{ "or=(a.eq(any).{1,2},b.like(all).{x*})", "or(a eq any <1> <2>; b like all <x*>)" },
		{ "or=(a.fts(english).x,b.plfts.y z)", "or(a fts(english) <x>; b plfts <y z>)" },
		{ "or=(d->a->>b.eq.1,d->0.gt.2)", "or(d->a->>b eq <1>; d->[0] gt <2>)" },
		{ "or=(\"a.b\".eq.1,\"and\".eq.2)", "or('a.b' eq <1>; and eq <2>)" },
		{ "or=(and.eq.1,or.eq.2)", "or(and eq <1>; or eq <2>)" },
		{ "or=(a.is.not_null,b.is.TRUE)", "or(a is not_null; b is true)" },
		{ "and=(a.gt.1)&or=(b.lt.2)&c=eq.3", "and(a gt <1>); or(b lt <2>); c eq <3>" },
		{ "or=(a b.eq.1)", "or('a b' eq <1>)" },
		{ "or= (a.eq.1)", "or(a eq <1>)" },
		{ "or=( and ( a.eq.1 , b.is.null ) , not.or (c.in. (1) , d.eq.2) ) ",
		  "or(and(a eq <1 >; b is null); not or(c in <1>; d eq <2>))" },
		/* refused */
		{ "or=", TREE("", 3) },
		{ "or=a.eq.1", TREE("a.eq.1", 3) },
		{ "or=()", TREE("()", 4) },
		{ "or=(a.eq.1", TREE("(a.eq.1", 10) },
		{ "or=(a.eq.1))", TREE("(a.eq.1))", 11) },
		{ "or=(a.eq.1,)", TREE("(a.eq.1,)", 11) },
		{ "or=(,a.eq.1)", TREE("(,a.eq.1)", 4) },
		{ "or=(a)", TREE("(a)", 5) },
		{ "or=(a.eq)", TREE("(a.eq)", 8) },
		{ "or=(a.b.eq.1)", TREE("(a.b.eq.1)", 6) },
		{ "or=(a.eq.1)x", TREE("(a.eq.1)x", 11) },
		{ "or=(a.is.nix)", TREE("(a.is.nix)", 9) },
		{ "or=(a.sl.1)", TREE("(a.sl.1)", 6) },
		{ "or=(a.eq.\"x)", "or(a eq <\"x>)" },
		{ "not.and=(a.eq.1", TREE("(a.eq.1", 15) },
		{ "and=(a.eq.1", TREE("(a.eq.1", 11) },
		{ "or=(andy(a.eq.1))", TREE("(andy(a.eq.1))", 7) },
		{ "or=(not.xor(a.eq.1))", TREE("(not.xor(a.eq.1))", 8) },
		{ "or=(and.nix.1)", TREE("(and.nix.1)", 8) },
		{ "or=(and())", TREE("(and())", 8) },
		{ "or=(not.a.eq.1)", TREE("(not.a.eq.1)", 8) },
		{ "or=not.(a.eq.1)", TREE("not.(a.eq.1)", 3) },
	};

	(void)state;
	HOLDS(rows);
}

static const char *nested(unsigned levels)
{
	struct strbuf b;

	strbuf_init(&b, arena, 256);
	strbuf_adds(&b, "or=(");
	for (unsigned i = 1; i < levels; i++)
		strbuf_adds(&b, "or(");
	strbuf_adds(&b, "a.eq.1");
	for (unsigned i = 0; i < levels; i++)
		strbuf_adds(&b, ")");
	return strbuf_cstr(&b);
}

/* What could grow without end has a limit, and is refused beyond it. */
static void limits(void **state)
{
	struct strbuf b;
	const char *got;

	(void)state;
	assert_memory_equal(query_text(arena, nested(32)), "* where or(or(", 14);
	assert_memory_equal(query_text(arena, nested(33)), "PGRST100", 8);
	assert_memory_equal(query_text(arena, nested(20000)), "PGRST100", 8);
	strbuf_init(&b, arena, 1024);
	for (unsigned i = 0; i < 40; i++)
		strbuf_adds(&b, i ? "->a" : "d");
	strbuf_adds(&b, "=eq.1");
	assert_memory_equal(query_text(arena, strbuf_cstr(&b)), "PGRST100", 8);
	strbuf_init(&b, arena, 1024);
	for (unsigned i = 0; i < 40; i++)
		strbuf_adds(&b, "a.");
	strbuf_adds(&b, "a=eq.1");
	assert_memory_equal(query_text(arena, strbuf_cstr(&b)), "PGRST100", 8);
	/* A long list keeps every item. */
	strbuf_init(&b, arena, 65536);
	strbuf_adds(&b, "a=in.(");
	for (unsigned i = 0; i < 10000; i++)
		strbuf_addf(&b, "%s%u", i ? "," : "", i);
	strbuf_adds(&b, ")");
	got = query_text(arena, strbuf_cstr(&b));
	assert_non_null(strstr(got, "in <0> <1> <2>"));
	assert_string_equal(got + strlen(got) - 14, " <9998> <9999>");
	/* A message shows 300 bytes of the text at most, and no half character. */
	strbuf_init(&b, arena, 1024);
	strbuf_adds(&b, "a=x");
	for (unsigned i = 0; i < 400; i++)
		strbuf_adds(&b, "\xc3\xa4");
	got = query_text(arena, strbuf_cstr(&b));
	assert_true(utf8_valid(slice_of(got)));
	assert_true(strlen(got) < 380);
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
		cmocka_unit_test(operators), cmocka_unit_test(lists), cmocka_unit_test(is_words),
		cmocka_unit_test(names),     cmocka_unit_test(trees), cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
