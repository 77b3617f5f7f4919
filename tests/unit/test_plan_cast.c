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
	const char *expected; /* where @ is cast, and the type it is then; or a refusal */
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
	if (!c)
		return "as it is";
	return arena_printf(arena, "%s %s%s%s", c->text, c->type.is_unsigned ? "unsigned " : "", type_name(&c->type),
			    c->trimmed ? " trimmed" : "");
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
#define SYNTAX "CAST(EXP(710+LENGTH(@))"
#define RANGE "CAST(18446744073709551615+(1+LENGTH(@))"
#define NUMBER "'^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *$'"
#define NO(name) "42704 type \"" name "\" does not exist"

static void names(void **state)
{
	static const struct row rows[] = {
		{ "text", TYPE_INT, "CAST(@ AS CHAR) text" },
		{ "varchar", TYPE_INT, "CAST(@ AS CHAR) text" },
		{ "character varying", TYPE_INT, "CAST(@ AS CHAR) text" },
		{ "char", TYPE_INT, "CAST(@ AS CHAR) text" },
		{ "character", TYPE_INT, "CAST(@ AS CHAR) text" },
		{ "int2", TYPE_YEAR, "CAST(@ AS SIGNED) smallint" },
		{ "smallint", TYPE_YEAR, "CAST(@ AS SIGNED) smallint" },
		{ "int", TYPE_YEAR, "CAST(@ AS SIGNED) integer" },
		{ "int4", TYPE_YEAR, "CAST(@ AS SIGNED) integer" },
		{ "integer", TYPE_YEAR, "CAST(@ AS SIGNED) integer" },
		{ "int8", TYPE_YEAR, "CAST(@ AS SIGNED) bigint" },
		{ "bigint", TYPE_YEAR, "CAST(@ AS SIGNED) bigint" },
		{ "signed", TYPE_YEAR, "CAST(@ AS SIGNED) bigint" },
		{ "unsigned", TYPE_YEAR, "CAST(@ AS UNSIGNED) unsigned bigint" },
		{ "numeric", TYPE_INT, "CAST(@ AS DECIMAL(20,0)) numeric trimmed" },
		{ "decimal", TYPE_INT, "CAST(@ AS DECIMAL(20,0)) numeric trimmed" },
		{ "float4", TYPE_INT, "(@+0e0) double precision" },
		{ "real", TYPE_INT, "(@+0e0) double precision" },
		{ "float8", TYPE_INT, "(@+0e0) double precision" },
		{ "float", TYPE_INT, "(@+0e0) double precision" },
		{ "double", TYPE_INT, "(@+0e0) double precision" },
		{ "double precision", TYPE_INT, "(@+0e0) double precision" },
		{ "bool", TYPE_INT, "(@<>0) boolean" },
		{ "boolean", TYPE_INT, "(@<>0) boolean" },
		{ "date", TYPE_DATETIME, "CAST(@ AS DATE) date" },
		{ "time", TYPE_DATETIME, "CAST(@ AS TIME(6)) time" },
		{ "timestamp", TYPE_DATETIME, "CAST(@ AS DATETIME(6)) timestamp" },
		{ "datetime", TYPE_DATETIME, "CAST(@ AS DATETIME(6)) timestamp" },
		{ "timestamptz", TYPE_DATETIME, "CAST(@ AS DATETIME(6)) timestamp with time zone" },
		{ "json", TYPE_TEXT, "CAST(@ AS CHAR) json" },
		{ "jsonb", TYPE_TEXT, "CAST(@ AS CHAR) json" },
		{ "binary", TYPE_TEXT, "CAST(@ AS BINARY) bytea" },
		{ "bytea", TYPE_TEXT, "CAST(@ AS BINARY) bytea" },
		/* any case, blanks around */
		{ "TEXT", TYPE_INT, "CAST(@ AS CHAR) text" },
		{ "Double Precision", TYPE_INT, "(@+0e0) double precision" },
		{ " int ", TYPE_YEAR, "CAST(@ AS SIGNED) integer" },
		/* what CAST would not show well */
		{ "text", TYPE_BOOL, "CASE @ WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE CAST(@ AS CHAR) END text" },
		{ "text", TYPE_BYTES, "CONCAT('\\\\x',LOWER(HEX(@))) text" },
		{ "text", TYPE_GEOMETRY, "ST_AsText(@) text" },
		{ "json", TYPE_DATE, "as it is" },
		{ "json", TYPE_JSON, "as it is" },
		{ "json", TYPE_GEOMETRY, "as it is" },
		{ "numeric", TYPE_DECIMAL, "as it is" },
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

/* What does not fit fails. */
static void checks(void **state)
{
	static const struct row rows[] = {
		{ "int2", TYPE_DECIMAL,
		  "CASE WHEN ROUND(@)>=-32768 AND ROUND(@)<32768 THEN CAST(@ AS SIGNED) ELSE " RANGE
		  " AS SIGNED) END smallint" },
		{ "int8", TYPE_DOUBLE,
		  "CASE WHEN ROUND(@)>=-9223372036854775808 AND ROUND(@)<9223372036854775808 THEN CAST(@ AS SIGNED) "
		  "ELSE " RANGE " AS SIGNED) END bigint" },
		{ "unsigned", TYPE_INT,
		  "CASE WHEN @>=0 AND @<18446744073709551616 THEN CAST(@ AS UNSIGNED) ELSE " RANGE
		  " AS UNSIGNED) END unsigned bigint" },
		{ "int", TYPE_TEXT,
		  "CASE WHEN @ NOT REGEXP '^ *[-+]?[0-9]+ *$' THEN " SYNTAX " AS SIGNED) WHEN CAST(@ AS DECIMAL(65,0))"
		  ">=-2147483648 AND CAST(@ AS DECIMAL(65,0))<2147483648 THEN CAST(CAST(@ AS DECIMAL(65,0)) AS SIGNED) "
		  "ELSE " RANGE " AS SIGNED) END integer" },
		{ "numeric", TYPE_TEXT,
		  "CASE WHEN @ NOT REGEXP " NUMBER " THEN " SYNTAX " AS DECIMAL(65,30)) WHEN ABS(@+0e0)<1e35 THEN "
		  "CAST(@ AS DECIMAL(65,30)) ELSE " RANGE " AS DECIMAL(65,30)) END numeric trimmed" },
		{ "float8", TYPE_TEXT,
		  "CASE WHEN @ NOT REGEXP " NUMBER " THEN EXP(710+LENGTH(@)) WHEN ABS(@+0e0)<1.79e308 THEN @+0e0 ELSE "
		  "(18446744073709551615+(1+LENGTH(@)))+0e0 END double precision" },
		{ "bool", TYPE_TEXT,
		  "CASE WHEN LOWER(@) IN ('t','true','y','yes','on','1') THEN 1 WHEN LOWER(@) IN "
		  "('f','false','n','no','off','0') THEN 0 ELSE " SYNTAX " AS SIGNED) END boolean" },
		{ "date", TYPE_TEXT, "COALESCE(CAST(@ AS DATE)," SYNTAX " AS DATE)) date" },
		{ "int", TYPE_UUID, "42846 cannot cast type uuid to integer" },
		{ "json", TYPE_UUID, "42846 cannot cast type uuid to json" },
		{ "numeric", TYPE_INET, "42846 cannot cast type inet to numeric" },
		{ "bool", TYPE_GEOMETRY, "42846 cannot cast type geometry to boolean" },
		{ "int8", TYPE_DATE, "42846 cannot cast type date to bigint" },
		{ "date", TYPE_INT, "42846 cannot cast type integer to date" },
		{ "time", TYPE_DATE, "42846 cannot cast type date to time" },
		{ "float8", TYPE_BYTES, "42846 cannot cast type bytea to double precision" },
		{ "int", TYPE_ENUM, "42846 cannot cast type enum to integer" },
	};

	(void)state;
	HOLDS(rows);
}

/* Integers that every value of the column fits are not checked. */
static void fitting(void **state)
{
	static const struct {
		const char *name;
		struct type from;
		bool checked;
	} rows[] = {
		{ "int2", { .class = TYPE_INT, .size = 2 }, false },
		{ "int2", { .class = TYPE_INT, .size = 2, .is_unsigned = true }, true },
		{ "int4", { .class = TYPE_INT, .size = 3, .is_unsigned = true }, false },
		{ "int4", { .class = TYPE_INT, .size = 8 }, true },
		{ "int8", { .class = TYPE_INT, .size = 8 }, false },
		{ "int8", { .class = TYPE_INT, .size = 8, .is_unsigned = true }, true },
		{ "unsigned", { .class = TYPE_INT, .size = 8, .is_unsigned = true }, false },
		{ "unsigned", { .class = TYPE_INT, .size = 1 }, true },
		{ "int2", { .class = TYPE_BIT, .size = 15 }, false },
		{ "int2", { .class = TYPE_BIT, .size = 16 }, true },
		{ "int8", { .class = TYPE_BIT, .size = 64 }, true },
		{ "int2", { .class = TYPE_BOOL, .size = 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct plan_expr of = { .type = rows[i].from };
		const struct plan_cast *c = NULL;
		struct planner p = { .a = arena };

		assert_true(plan_cast(&p, slice_of(rows[i].name), &of, &c));
		assert_int_equal(strncmp(c->text, "CASE", 4) == 0, rows[i].checked);
	}
}

static void sizes(void **state)
{
	static const struct row rows[] = {
		{ "numeric(10)", TYPE_DECIMAL,
		  "CASE WHEN ABS(ROUND(@,0))<=9999999999.0 THEN CAST(@ AS DECIMAL(10,0)) ELSE " RANGE
		  " AS DECIMAL(10,0)) END numeric" },
		{ "numeric( 10 , 2 )", TYPE_INT,
		  "CASE WHEN ABS(ROUND(@,2))<=99999999.99 THEN CAST(@ AS DECIMAL(10,2)) ELSE " RANGE
		  " AS DECIMAL(10,2)) END numeric" },
		{ "decimal(65,30)", TYPE_DOUBLE,
		  "CASE WHEN ABS(ROUND(@,30))<=99999999999999999999999999999999999.999999999999999999999999999999 "
		  "THEN CAST(@ AS DECIMAL(65,30)) ELSE " RANGE " AS DECIMAL(65,30)) END numeric" },
		{ "decimal(1,1)", TYPE_TEXT,
		  "CASE WHEN @ NOT REGEXP " NUMBER " THEN " SYNTAX " AS DECIMAL(1,1)) WHEN ABS(ROUND(CAST(@ AS "
		  "DECIMAL(65,1)),1))<=0.9 THEN CAST(@ AS DECIMAL(1,1)) ELSE " RANGE " AS DECIMAL(1,1)) END numeric" },
		{ "varchar(5)", TYPE_INT, "CAST(@ AS CHAR(5)) text" },
		{ "varchar(100)", TYPE_INT, "CAST(@ AS CHAR(100)) text" },
		{ "varchar(255)", TYPE_INT, "CAST(@ AS CHAR(255)) text" },
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
		cmocka_unit_test(checks),
		cmocka_unit_test(fitting),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
