/* information_schema's DATA_TYPE and COLUMN_TYPE, of both servers, as types of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../app/schema/internal.h"

static struct arena *arena;

static const char *const classes[] = { "int",       "bool", "decimal",  "float",  "double", "date", "datetime",
				       "timestamp", "time", "year",     "text",   "enum",   "set",  "bytes",
				       "bit",       "json", "geometry", "vector", "uuid",   "inet" };

static const char *type_text(const char *data_type, const char *column_type)
{
	struct type t = schema_type(arena, slice_of(data_type), slice_of(column_type));
	struct strbuf b;

	strbuf_init(&b, arena, 64);
	strbuf_adds(&b, classes[t.class]);
	if (t.size)
		strbuf_addf(&b, " %u", t.size);
	strbuf_adds(&b, t.is_unsigned ? " unsigned" : "");
	strbuf_adds(&b, t.bit ? " bit" : "");
	if (t.decimals)
		strbuf_addf(&b, " .%u", t.decimals);
	for (size_t i = 0; i < t.nlabels; i++)
		strbuf_addf(&b, " <%.*s>", (int)t.labels[i].len, t.labels[i].ptr);
	return strbuf_cstr(&b);
}

struct row {
	const char *data_type, *column_type;
	const char *expected; /* class, size, ... .decimals <labels> */
};

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = type_text(rows[i].data_type, rows[i].column_type);

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].column_type, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))

static void numbers(void **state)
{
	static const struct row rows[] = {
		{ "tinyint", "tinyint(4)", "int 1" },
		{ "tinyint", "tinyint", "int 1" },
		{ "tinyint", "tinyint(3) unsigned", "int 1 unsigned" },
		{ "tinyint", "tinyint unsigned", "int 1 unsigned" },
		{ "tinyint", "tinyint(1)", "bool 1" },
		{ "tinyint", "tinyint(1) unsigned", "int 1 unsigned" },
		{ "tinyint", "tinyint(10)", "int 1" },
		{ "smallint", "smallint(6)", "int 2" },
		{ "mediumint", "mediumint(8) unsigned zerofill", "int 3 unsigned" },
		{ "int", "int(11)", "int 4" },
		{ "int", "int", "int 4" },
		{ "int", "int(10) unsigned", "int 4 unsigned" },
		{ "bigint", "bigint(20)", "int 8" },
		{ "bigint", "bigint unsigned", "int 8 unsigned" },
		{ "decimal", "decimal(10,2)", "decimal .2" },
		{ "decimal", "decimal(65,30) unsigned", "decimal unsigned .30" },
		{ "decimal", "decimal(10,0)", "decimal" },
		{ "float", "float", "float" },
		{ "double", "double", "double" },
		{ "double", "double(10,2)", "double" },
		{ "bit", "bit(1)", "bool 1 bit" },
		{ "bit", "bit(8)", "bit 8" },
		{ "bit", "bit(64)", "bit 64" },
		{ "year", "year(4)", "year" },
		{ "year", "year", "year" },
	};

	(void)state;
	HOLDS(rows);
}

static void others(void **state)
{
	static const struct row rows[] = {
		{ "date", "date", "date" },
		{ "datetime", "datetime", "datetime" },
		{ "datetime", "datetime(6)", "datetime .6" },
		{ "timestamp", "timestamp", "timestamp" },
		{ "timestamp", "timestamp(3)", "timestamp .3" },
		{ "time", "time", "time" },
		{ "time", "time(2)", "time .2" },
		{ "char", "char(3)", "text" },
		{ "varchar", "varchar(255)", "text" },
		{ "tinytext", "tinytext", "text" },
		{ "longtext", "longtext", "text" },
		{ "binary", "binary(16)", "bytes 16" },
		{ "varbinary", "varbinary(16)", "bytes" },
		{ "longblob", "longblob", "bytes" },
		{ "json", "json", "json" },
		{ "uuid", "uuid", "uuid" },
		{ "inet4", "inet4", "inet" },
		{ "inet6", "inet6", "inet" },
		{ "vector", "vector(3)", "vector" },
		{ "geometry", "geometry", "geometry" },
		{ "point", "point", "geometry" },
		{ "multipolygon", "multipolygon", "geometry" },
		{ "geomcollection", "geomcollection", "geometry" },
		{ "geometrycollection", "geometrycollection", "geometry" },
		/* a type of a later server is shown as its text */
		{ "vectors", "vectors(3)", "text" },
		{ "", "", "text" },
		{ "xmltype", "xmltype", "text" },
	};

	(void)state;
	HOLDS(rows);
}

static void labels(void **state)
{
	static const struct row rows[] = {
		{ "enum", "enum('a')", "enum <a>" },
		{ "enum", "enum('a','b c','')", "enum <a> <b c> <>" },
		{ "enum", "enum('it''s','a''''b')", "enum <it's> <a''b>" },
		{ "enum", "enum('a,b','c)','(d')", "enum <a,b> <c)> <(d>" },
		{ "enum", "enum('\xc3\xa4','\"','`','\\x')", "enum <\xc3\xa4> <\"> <`> <\\x>" },
		{ "set", "set('a','b')", "set <a> <b>" },
		{ "set", "set('''')", "set <'>" },
		{ "enum", "enum('tinyint(1)','bit(1)')", "enum <tinyint(1)> <bit(1)>" },
		{ "enum", "enum('a", "enum <a>" },
		{ "enum", "enum('", "enum <>" },
		{ "enum", "enum()", "enum" },
	};

	(void)state;
	HOLDS(rows);
}

/* The names PostgreSQL's messages use. */
static void names(void **state)
{
	static const struct {
		const char *data_type, *column_type, *name;
	} rows[] = {
		{ "tinyint", "tinyint(4)", "tinyint" },
		{ "tinyint", "tinyint(1)", "boolean" },
		{ "bit", "bit(1)", "boolean" },
		{ "smallint", "smallint(6)", "smallint" },
		{ "mediumint", "mediumint(9)", "integer" },
		{ "int", "int(11)", "integer" },
		{ "bigint", "bigint(20)", "bigint" },
		{ "decimal", "decimal(10,2)", "numeric" },
		{ "float", "float", "real" },
		{ "double", "double", "double precision" },
		{ "date", "date", "date" },
		{ "datetime", "datetime", "timestamp" },
		{ "timestamp", "timestamp", "timestamp with time zone" },
		{ "time", "time", "time" },
		{ "varchar", "varchar(5)", "text" },
		{ "blob", "blob", "bytea" },
		{ "bit", "bit(4)", "bit" },
		{ "json", "json", "json" },
		{ "point", "point", "geometry" },
		{ "uuid", "uuid", "uuid" },
		{ "inet6", "inet6", "inet" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct type t = schema_type(arena, slice_of(rows[i].data_type), slice_of(rows[i].column_type));

		assert_string_equal(type_name(&t), rows[i].name);
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
		cmocka_unit_test(numbers),
		cmocka_unit_test(others),
		cmocka_unit_test(labels),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
