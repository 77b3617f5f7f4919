/* Casts: what a client may call a type, and the SQL a row of the closed list makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../app/plan/internal.h"

static struct arena *arena;

struct row {
	const char *name;
	enum type_class from;
	const char *expected; /* around x, and the type it is then; or a refusal */
};

static const char *cast(const char *name, enum type_class from)
{
	struct plan_expr of = { .type = { .class = from } };
	const struct plan_cast *c = NULL;
	struct planner p = { .a = arena };
	struct error err;

	error_init(&err, arena);
	p.err = &err;
	if (!plan_cast(&p, slice_of(name), &of, &c))
		return arena_printf(arena, "%s %s", err.sqlstate, err.message);
	return arena_printf(arena, "%sx%s %s%s", c->open, c->close, c->type.is_unsigned ? "unsigned " : "",
			    type_name(&c->type));
}

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = cast(rows[i].name, rows[i].from);

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].name, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define NO(name) "42704 type \"" name "\" does not exist"

static void names(void **state)
{
	static const struct row rows[] = {
		{ "text", TYPE_INT, "CAST(x AS CHAR) text" },
		{ "varchar", TYPE_INT, "CAST(x AS CHAR) text" },
		{ "character varying", TYPE_INT, "CAST(x AS CHAR) text" },
		{ "char", TYPE_INT, "CAST(x AS CHAR) text" },
		{ "character", TYPE_INT, "CAST(x AS CHAR) text" },
		{ "int2", TYPE_TEXT, "CAST(x AS SIGNED) smallint" },
		{ "smallint", TYPE_TEXT, "CAST(x AS SIGNED) smallint" },
		{ "int", TYPE_TEXT, "CAST(x AS SIGNED) integer" },
		{ "int4", TYPE_TEXT, "CAST(x AS SIGNED) integer" },
		{ "integer", TYPE_TEXT, "CAST(x AS SIGNED) integer" },
		{ "int8", TYPE_TEXT, "CAST(x AS SIGNED) bigint" },
		{ "bigint", TYPE_TEXT, "CAST(x AS SIGNED) bigint" },
		{ "signed", TYPE_TEXT, "CAST(x AS SIGNED) bigint" },
		{ "unsigned", TYPE_TEXT, "CAST(x AS UNSIGNED) unsigned bigint" },
		{ "numeric", TYPE_TEXT, "CAST(x AS DECIMAL(65,30)) numeric" },
		{ "decimal", TYPE_TEXT, "CAST(x AS DECIMAL(65,30)) numeric" },
		{ "float4", TYPE_TEXT, "(x+0e0) double precision" },
		{ "real", TYPE_TEXT, "(x+0e0) double precision" },
		{ "float8", TYPE_TEXT, "(x+0e0) double precision" },
		{ "float", TYPE_TEXT, "(x+0e0) double precision" },
		{ "double", TYPE_TEXT, "(x+0e0) double precision" },
		{ "double precision", TYPE_TEXT, "(x+0e0) double precision" },
		{ "bool", TYPE_INT, "(x<>0) boolean" },
		{ "boolean", TYPE_INT, "(x<>0) boolean" },
		{ "date", TYPE_TEXT, "CAST(x AS DATE) date" },
		{ "time", TYPE_TEXT, "CAST(x AS TIME(6)) time" },
		{ "timestamp", TYPE_TEXT, "CAST(x AS DATETIME(6)) timestamp" },
		{ "datetime", TYPE_TEXT, "CAST(x AS DATETIME(6)) timestamp" },
		{ "timestamptz", TYPE_TEXT, "CAST(x AS DATETIME(6)) timestamp with time zone" },
		{ "json", TYPE_TEXT, "CAST(x AS CHAR) json" },
		{ "jsonb", TYPE_TEXT, "CAST(x AS CHAR) json" },
		{ "binary", TYPE_TEXT, "CAST(x AS BINARY) bytea" },
		{ "bytea", TYPE_TEXT, "CAST(x AS BINARY) bytea" },
		/* any case, blanks around */
		{ "TEXT", TYPE_INT, "CAST(x AS CHAR) text" },
		{ "Double Precision", TYPE_TEXT, "(x+0e0) double precision" },
		{ " int ", TYPE_TEXT, "CAST(x AS SIGNED) integer" },
		/* what CAST would not show well */
		{ "text", TYPE_BOOL, "ELT(1+(x<>0),'false','true') text" },
		{ "text", TYPE_BYTES, "CONCAT('\\\\x',LOWER(HEX(x))) text" },
		{ "text", TYPE_GEOMETRY, "ST_AsText(x) text" },
		{ "bool", TYPE_TEXT, "(LOWER(x) IN ('t','true','y','yes','on','1')) boolean" },
		{ "bool", TYPE_JSON, "(LOWER(x) IN ('t','true','y','yes','on','1')) boolean" },
		/* refused */
		{ "", TYPE_INT, NO("") },
		{ "uuid", TYPE_INT, NO("uuid") },
		{ "int16", TYPE_INT, NO("int16") },
		{ "in", TYPE_INT, NO("in") },
		{ "text[]", TYPE_INT, NO("text[]") },
		{ "double  precision", TYPE_INT, NO("double  precision") },
		{ "pg_catalog.text", TYPE_INT, NO("pg_catalog.text") },
		{ "CHAR) FROM mysql.user -- ", TYPE_INT, NO("CHAR) FROM mysql.user -- ") },
		{ "int); DROP TABLE t", TYPE_INT, NO("int); DROP TABLE t") },
		{ "'text'", TYPE_INT, NO("'text'") },
		{ "`text`", TYPE_INT, NO("`text`") },
	};

	(void)state;
	HOLDS(rows);
}

static void sizes(void **state)
{
	static const struct row rows[] = {
		{ "numeric(10)", TYPE_TEXT, "CAST(x AS DECIMAL(10,0)) numeric" },
		{ "numeric(10,2)", TYPE_TEXT, "CAST(x AS DECIMAL(10,2)) numeric" },
		{ "numeric( 10 , 2 )", TYPE_TEXT, "CAST(x AS DECIMAL(10,2)) numeric" },
		{ "decimal(65,30)", TYPE_TEXT, "CAST(x AS DECIMAL(65,30)) numeric" },
		{ "decimal(1,1)", TYPE_TEXT, "CAST(x AS DECIMAL(1,1)) numeric" },
		{ "varchar(5)", TYPE_INT, "CAST(x AS CHAR(5)) text" },
		{ "varchar(100)", TYPE_INT, "CAST(x AS CHAR(100)) text" },
		{ "varchar(255)", TYPE_INT, "CAST(x AS CHAR(255)) text" },
		{ "numeric(0)", TYPE_TEXT, NO("numeric(0)") },
		{ "numeric(66)", TYPE_TEXT, NO("numeric(66)") },
		{ "numeric(40,31)", TYPE_TEXT, NO("numeric(40,31)") },
		{ "numeric(5,6)", TYPE_TEXT, NO("numeric(5,6)") },
		{ "numeric()", TYPE_TEXT, NO("numeric()") },
		{ "numeric(,)", TYPE_TEXT, NO("numeric(,)") },
		{ "numeric(10,)", TYPE_TEXT, NO("numeric(10,)") },
		{ "numeric(,2)", TYPE_TEXT, NO("numeric(,2)") },
		{ "numeric(10,2,3)", TYPE_TEXT, NO("numeric(10,2,3)") },
		{ "numeric(-1)", TYPE_TEXT, NO("numeric(-1)") },
		{ "numeric(1e1)", TYPE_TEXT, NO("numeric(1e1)") },
		{ "numeric(10", TYPE_TEXT, NO("numeric(10") },
		{ "numeric(10)x", TYPE_TEXT, NO("numeric(10)x") },
		{ "numeric(10))", TYPE_TEXT, NO("numeric(10))") },
		{ "numeric(99999999999999999999)", TYPE_TEXT, NO("numeric(99999999999999999999)") },
		{ "varchar(0)", TYPE_TEXT, NO("varchar(0)") },
		{ "varchar(5,2)", TYPE_TEXT, NO("varchar(5,2)") },
		{ "int(5)", TYPE_TEXT, NO("int(5)") },
		{ "bool(1)", TYPE_TEXT, NO("bool(1)") },
		{ "(10)", TYPE_TEXT, NO("(10)") },
	};

	(void)state;
	HOLDS(rows);
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
		cmocka_unit_test(names),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
