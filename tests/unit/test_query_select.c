/* select=: what stands in the URL, and the items it becomes or why it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "query_dump.h"

static struct arena *arena;

struct row {
	const char *select; /* decoded */
	const char *expected;
};

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = query_text(arena, arena_printf(arena, "select=%s", rows[i].select));

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].select, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define BAD(text, column) "PGRST100 \"failed to parse select parameter (" text ")\" (line 1, column " #column ")"

static void columns(void **state)
{
	static const struct row rows[] = {
		{ "", "*" },
		{ "*", "*" },
		{ "id", "id" },
		{ "id,name", "id,name" },
		{ "name,id,name", "name,id,name" },
		{ "*,id", "*,id" },
		{ "id,*", "id,*" },
		{ " id , name ", "id,name" },
		{ " * , id", "*,id" },
		{ "a:id", "a:id" },
		{ "a: id", "a:id" },
		{ "a :id", "a:id" },
		{ "\"a.b\":\"c,d\"", "'a.b':'c,d'" },
		{ "\"a\\\"b\"", "'a\"b'" },
		{ "First Name", "'First Name'" },
		{ "a-b", "'a-b'" },
		{ "$x", "'$x'" },
		{ "%C3%9Cber", "'\xc3\x9c"
			       "ber'" },
		{ "a%60b", "'a`b'" },
		{ "count", "count" },
		{ "id::text", "id::text" },
		{ "a:id::text", "a:id::text" },
		{ "id::numeric(10,2)", "id::numeric(10,2)" },
		{ "id::numeric(10,2),name", "id::numeric(10,2),name" },
		{ "id::double precision", "id::double precision" },
		{ "d->a", "d->a" },
		{ "d->>a", "d->>a" },
		{ "d->a->0->>b", "d->a->[0]->>b" },
		{ "d->-1", "d->[-1]" },
		{ "x:d->a", "x:d->a" },
		{ "x:d->>a::int", "x:d->>a::int" },
		{ "d->\"a,b\"->>\"c.d\"", "d->'a,b'->>'c.d'" },
		/* refused */
		{ ",", BAD(",", 1) },
		{ "id,", BAD("id,", 4) },
		{ ",id", BAD(",id", 1) },
		{ "id,,name", BAD("id,,name", 4) },
		{ "id name,", BAD("id name,", 9) },
		{ "a:b:c", BAD("a:b:c", 4) },
		{ "a:", BAD("a:", 3) },
		{ ":a", BAD(":a", 1) },
		{ "a:*", BAD("a:*", 3) },
		{ "id::", BAD("id::", 5) },
		{ "id::,a", BAD("id::,a", 5) },
		{ "*::text", BAD("*::text", 2) },
		{ "id::text::int", BAD("id::text::int", 9) },
		{ "id)", BAD("id)", 3) },
		{ ")", BAD(")", 1) },
		{ "id(", BAD("id(", 4) },
		{ "\"id", BAD("\"id", 4) },
		{ "\"\"", BAD("\"\"", 3) },
		{ "d->", BAD("d->", 4) },
		{ "d->a.b", BAD("d->a.b", 6) },
		{ "d->--1", BAD("d->--1", 5) },
		{ "d->>-1x", BAD("d->>-1x", 7) },
		{ "d->-x", BAD("d->-x", 5) },
		{ "d->-1:x", BAD("d->-1:x", 6) },
		{ "d->>a->b", BAD("d->>a->b", 8) },
		{ "d->a:x", BAD("d->a:x", 5) },
		{ "a!b", BAD("a!b", 2) },
		{ "a.b", BAD("a.b", 3) },
	};

	(void)state;
	HOLDS(rows);
}

static void aggregates(void **state)
{
	static const struct row rows[] = {
		{ "count()", "count()" },
		{ "n:count()", "n:count()" },
		{ "count()::text", "count()::text" },
		{ "id.count()", "id.count()" },
		{ "a.sum(),a.avg(),a.max(),a.min()", "a.sum(),a.avg(),a.max(),a.min()" },
		{ "total:a.sum()", "total:a.sum()" },
		{ "a::int.sum()::text", "a::int.sum()::text" },
		{ "d->a.sum()", "d->a.sum()" },
		{ "d->>a::int.avg()", "d->>a::int.avg()" },
		{ "\"sum()\"", "'sum()'" },
		{ "rel(count())", "rel(count())" },
		{ "rel(name,x:pay.sum())", "rel(name,x:pay.sum())" },
		{ "a.median(),m:a.stddev(),a.stddev_pop()", "a.median(),m:a.stddev(),a.stddev_pop()" },
		{ "a.count(distinct)::text", "a.count(distinct)::text" },
		{ "a.quantile(0.9)", "a.quantile(9/1)" },
		{ "a.quantile(.25)", "a.quantile(25/2)" },
		{ "a.quantile(1)", "a.quantile(1/0)" },
		{ "a.quantile(0),a.quantile(0.000000001)", "a.quantile(0/0),a.quantile(1/9)" },
		{ "a.boxplot(),a.boxplot(0),a.boxplot(10000)", "a.boxplot(100/0),a.boxplot(0/0),a.boxplot(10000/0)" },
		{ "a.histogram(20)", "a.histogram(20/0)" },
		{ "a.boxplot()->q1,x:a.histogram(3)->>width::int",
		  "a.boxplot(100/0)->q1,x:a.histogram(3/0)->>width::int" },
		{ "a.median()->q1", BAD("a.median()->q1", 11) },
		{ "a.boxplot()->q1->q1", BAD("a.boxplot()->q1->q1", 16) },
		{ "a.year(),q:a.quarter(),a::date.month()", "a.year(),q:a.quarter(),a::date.month()" },
		{ "a.day(),a.hour(),a.minute(),a.weekday(),a.date(),a.year_month()",
		  "a.day(),a.hour(),a.minute(),a.weekday(),a.date(),a.year_month()" },
		{ "a.year().max()::text", "a.year().max()::text" },
		{ "year", "year" },
		{ "count(distinct)", "count(distinct)" }, /* an embed */
		{ "a.quantile()", BAD("a.quantile()", 12) },
		{ "a.quantile(1.1)", BAD("a.quantile(1.1)", 12) },
		{ "a.quantile(2)", BAD("a.quantile(2)", 12) },
		{ "a.quantile(0.0000000001)", BAD("a.quantile(0.0000000001)", 12) },
		{ "a.quantile(-0.1)", BAD("a.quantile(-0.1)", 12) },
		{ "a.quantile(.)", BAD("a.quantile(.)", 12) },
		{ "a.histogram()", BAD("a.histogram()", 13) },
		{ "a.histogram(0)", BAD("a.histogram(0)", 13) },
		{ "a.histogram(1001)", BAD("a.histogram(1001)", 13) },
		{ "a.histogram(1e9)", BAD("a.histogram(1e9)", 3) },
		{ "a.boxplot(10001)", BAD("a.boxplot(10001)", 11) },
		{ "a.boxplot(99999999999999999999)", BAD("a.boxplot(99999999999999999999)", 11) },
		{ "a.median(1)", BAD("a.median(1)", 3) },
		{ "a.year(1)", BAD("a.year(1)", 3) },
		{ "a.year().month()", BAD("a.year().month()", 10) },
		{ "a.sum", BAD("a.sum", 3) },
		{ "a.sum(", BAD("a.sum(", 3) },
		{ "a.sum(b)", BAD("a.sum(b)", 3) },
		{ "a.SUM()", BAD("a.SUM()", 3) },
		{ "a.sum().avg()", BAD("a.sum().avg()", 8) },
		{ "*.sum()", BAD("*.sum()", 2) },
	};

	(void)state;
	HOLDS(rows);
}

static void embeds(void **state)
{
	static const struct row rows[] = {
		{ "rel(*)", "rel(*)" },
		{ "rel(id,name)", "rel(id,name)" },
		{ "id,rel(id),name", "id,rel(id),name" },
		{ "rel()", "rel()" },
		{ "rel( )", "rel()" },
		{ "rel( id , name )", "rel(id,name)" },
		{ "x:rel(id)", "x:rel(id)" },
		{ "x: rel (id)", "x:rel(id)" },
		{ "rel!fk(id)", "rel!fk(id)" },
		{ "rel!inner(id)", "rel!inner(id)" },
		{ "rel!left(id)", "rel(id)" },
		{ "rel!fk!inner(id)", "rel!fk!inner(id)" },
		{ "rel!inner!fk(id)", "rel!fk!inner(id)" },
		{ "rel!fk!left(id)", "rel!fk(id)" },
		{ "x:rel!\"my fk\"!inner(id)", "x:rel!'my fk'!inner(id)" },
		{ "\"inner\"(id)", "inner(id)" },
		{ "\"a(b\"(id)", "'a(b'(id)" },
		{ "Order Items(id)", "'Order Items'(id)" },
		{ "a(b(c(d)))", "a(b(c(d)))" },
		{ "a(*,b(*),c(*)),d(e)", "a(*,b(*),c(*)),d(e)" },
		{ "a(x:id::text,d->>k)", "a(x:id::text,d->>k)" },
		{ "...rel(id)", "...rel(id)" },
		{ "...rel(*)", "...rel(*)" },
		{ "...rel!fk!inner(id,x:name)", "...rel!fk!inner(id,x:name)" },
		{ "...a(...b(c))", "...a(...b(c))" },
		{ "rel(id),rel(name)", "rel(id),rel(name)" },
		{ "count(id)", "count(id)" },
		/* refused */
		{ "rel(id", BAD("rel(id", 7) },
		{ "rel(", BAD("rel(", 5) },
		{ "rel(id))", BAD("rel(id))", 8) },
		{ "rel(id,)", BAD("rel(id,)", 8) },
		{ "rel(,)", BAD("rel(,)", 5) },
		{ "rel(id)x", BAD("rel(id)x", 8) },
		{ "rel(id).x", BAD("rel(id).x", 8) },
		{ "rel(id)::text", BAD("rel(id)::text", 8) },
		{ "rel!", BAD("rel!", 5) },
		{ "rel!(id)", BAD("rel!(id)", 5) },
		{ "rel!fk", BAD("rel!fk", 4) },
		{ "rel!a!b(id)", BAD("rel!a!b(id)", 8) },
		{ "...rel", BAD("...rel", 7) },
		{ "...alias:rel(id)", BAD("...alias:rel(id)", 9) },
		{ "...", BAD("...", 4) },
		{ "..rel(id)", BAD("..rel(id)", 1) },
		{ "....rel(id)", BAD("....rel(id)", 4) },
		{ "...count()", "...count()" }, /* a relation called count, with nothing shown of it */
		{ "d->a(id)", BAD("d->a(id)", 5) },
		{ "(id)", BAD("(id)", 1) },
	};

	(void)state;
	HOLDS(rows);
}

/* Parameters that belong to an embed stand behind its path; the path goes by the alias where there is one. */
static void embed_parameters(void **state)
{
	static const struct row rows[] = {
		{ "rel(*)&rel.id=eq.1", "rel(* where id eq <1>)" },
		{ "rel(*)&rel.order=id.desc", "rel(* order id desc)" },
		{ "rel(*)&rel.limit=3&rel.offset=2", "rel(* limit 3 offset 2)" },
		{ "rel(*)&rel.or=(a.eq.1,b.eq.2)", "rel(* where or(a eq <1>; b eq <2>))" },
		{ "rel(*)&rel.not.and=(a.eq.1)", "rel(* where not and(a eq <1>))" },
		{ "a(b(c))&a.b.c=gt.1&a.b.order=c&a.x=eq.2", "a(b(c where c gt <1> order c) where x eq <2>)" },
		{ "x:rel(*)&x.id=eq.1", "x:rel(* where id eq <1>)" },
		{ "\"a.b\"(*)&\"a.b\".\"c.d\"=eq.1", "'a.b'(* where 'c.d' eq <1>)" },
		{ "rel(*)&rel.d->>k=eq.1", "rel(* where d->>k eq <1>)" },
		{ "rel(*)&rel=is.null", "rel(*) where rel is null" },
		{ "rel(*)&rel=not.is.null", "rel(*) where not rel is null" },
		{ "rel(*)&or=(rel.is.null,a.eq.1)", "rel(*) where or(rel is null; a eq <1>)" },
		{ "rel(*)&order=rel(id).desc.nullslast,a", "rel(*) order rel(id) desc nullslast, a" },
		{ "...rel(*)&rel.id=eq.1", "...rel(* where id eq <1>)" },
		{ "rel(*)&rel.\"limit\"=eq.1", "rel(* where limit eq <1>)" },
		{ "rel(*)&rel.select=eq.1", "rel(* where select eq <1>)" },
		{ "rel(*)&\"rel.id\"=eq.1", "rel(*) where 'rel.id' eq <1>" },
		{ "x:rel(*)&rel.id=eq.1", "PGRST108 'rel' is not an embedded resource in this request" },
		{ "rel(*)&other.id=eq.1", "PGRST108 'other' is not an embedded resource in this request" },
		{ "rel(*)&rel.rel.id=eq.1", "PGRST108 'rel' is not an embedded resource in this request" },
		{ "rel(*)&Rel.id=eq.1", "PGRST108 'Rel' is not an embedded resource in this request" },
		{ "rel&rel.id=eq.1", "PGRST108 'rel' is not an embedded resource in this request" },
		{ "rel(*)&rel.limit=x", "PGRST100 \"failed to parse limit parameter (x)\" (line 1, column 1)" },
	};

	(void)state;
	HOLDS(rows);
	assert_string_equal(query_text(arena, "rel.id=eq.1&select=rel(*)"), "rel(* where id eq <1>)");
	assert_string_equal(query_text(arena, "select=&select=a"), "a");
	assert_string_equal(query_text(arena, "select=a&select=b"), "a");
}

static const char *depth(unsigned levels)
{
	struct strbuf b;

	strbuf_init(&b, arena, 256);
	strbuf_adds(&b, "select=");
	for (unsigned i = 0; i < levels; i++)
		strbuf_adds(&b, "a(");
	strbuf_adds(&b, "id");
	for (unsigned i = 0; i < levels; i++)
		strbuf_adds(&b, ")");
	return strbuf_cstr(&b);
}

static void limits(void **state)
{
	(void)state;
	assert_memory_equal(query_text(arena, depth(12)), "a(a(a(", 6);
	assert_memory_equal(query_text(arena, depth(13)), "PGRST100", 8);
	assert_memory_equal(query_text(arena, depth(20000)), "PGRST100", 8);
	/* Siblings do not add up to depth. */
	assert_string_equal(query_text(arena, "select=a(b()),a(b()),a(b()),a(b()),a(b()),a(b()),a(b())"),
			    "a(b()),a(b()),a(b()),a(b()),a(b()),a(b()),a(b())");
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
		cmocka_unit_test(columns),          cmocka_unit_test(aggregates), cmocka_unit_test(embeds),
		cmocka_unit_test(embed_parameters), cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
