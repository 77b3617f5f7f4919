/*
 * "table?query", and behind a NUL a Prefer header, as far as the statements they become, on the schema of the unit
 * tests as three servers. What is judged of every statement:
 *
 *   - each '?' outside of quotes has its parameter;
 *   - it is made of this file's words and literals and of the schema's identifiers alone, numbers have at most eight
 *     digits: whatever a client wrote went to a parameter;
 *   - parameters and the answer's keys are UTF-8, as is every refusal.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/query_dump.h"
#include "../unit/schema_fixture.h"

#include "sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena *arena;
static struct config config;
static struct schema *schemas[3];

static const char *const words[] = {
	"ABS",
	"AGAINST",
	"ANALYZE",
	"AND",
	"ARRAY",
	"AS",
	"ASC",
	"AVG",
	"BIN",
	"BINARY",
	"BOOLEAN",
	"BY",
	"CASE",
	"CAST",
	"CHAR",
	"COALESCE",
	"COLLATE",
	"COLUMNS",
	"CONCAT",
	"CONVERT_TZ",
	"COUNT",
	"DATE",
	"DATETIME",
	"DAYOFMONTH",
	"DECIMAL",
	"DESC",
	"DISTINCT",
	"ELSE",
	"ELT",
	"END",
	"EXISTS",
	"EXP",
	"EXPLAIN",
	"EXTENDED",
	"FALSE",
	"FIELD",
	"FIND_IN_SET",
	"FLOOR",
	"FORMAT",
	"FROM",
	"GROUP",
	"HAVING",
	"HEX",
	"HOUR",
	"IFNULL",
	"IN",
	"IS",
	"ISNULL",
	"JOIN",
	"JSON",
	"JSON_COMPACT",
	"JSON_CONTAINS",
	"JSON_EQUALS",
	"JSON_EXTRACT",
	"JSON_LENGTH",
	"JSON_OVERLAPS",
	"JSON_TABLE",
	"JSON_TYPE",
	"JSON_UNQUOTE",
	"LEFT",
	"LENGTH",
	"LIKE",
	"LIMIT",
	"LOWER",
	"LPAD",
	"MATCH",
	"MAX",
	"MIN",
	"MINUTE",
	"MODE",
	"MONTH",
	"NOT",
	"NULL",
	"OFFSET",
	"ON",
	"OR",
	"ORDER",
	"OVER",
	"PARTITION",
	"PATH",
	"QUARTER",
	"REGEXP",
	"REGEXP_LIKE",
	"ROUND",
	"ROW_NUMBER",
	"SELECT",
	"SIGNED",
	"STDDEV_POP",
	"STDDEV_SAMP",
	"ST_AsGeoJSON",
	"ST_AsText",
	"SUM",
	"THEN",
	"TIME",
	"TRADITIONAL",
	"TREE",
	"TRUE",
	"UNIX_TIMESTAMP",
	"UNSIGNED",
	"WEEKDAY",
	"WEIGHT_STRING",
	"WHEN",
	"WHERE",
	"YEAR",
	"jt",
	"q",
	"rn",
	"session",
	"time_zone",
	"utf8mb4_0900_as_ci",
	"utf8mb4_0900_bin",
	"utf8mb4_bin",
	"utf8mb4_nopad_bin",
	"utf8mb4_uca1400_as_ci",
	"v",
};

/* Of the integer types, and what is beyond every number. */
static const char *const bounds[] = { "2147483648", "9223372036854775808", "18446744073709551615",
				      "18446744073709551616" };

static const char *const literals[] = { "$",
					"$[*]",
					"(?-i)",
					"(?i)",
					"+00:00",
					"-",
					"1",
					"ARRAY",
					"BOOLEAN",
					"DOUBLE",
					"INTEGER",
					"NULL",
					"OBJECT",
					"STRING",
					"[",
					"\\\\x",
					"]",
					"c",
					"false",
					"i",
					"on",
					"t",
					"true",
					"y",
					"yes",
					"^ *[-+]?[0-9]+ *$",
					"^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *$",
					"n",
					"no",
					"f",
					"off",
					"0" };

static void require(bool holds, const char *what, struct slice text)
{
	if (holds)
		return;
	fprintf(stderr, "%s: %.*s\n", what, (int)text.len, text.ptr);
	abort();
}

static bool listed(struct slice s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(s, list[i]))
			return true;
	return false;
}

#define LISTED(s, list) listed(s, list, sizeof(list) / sizeof(*(list)))

/* Aliases are a letter and a number. */
static bool is_alias(struct slice s)
{
	uint64_t n;

	return s.len > 1 && s.len < 8 && strchr("tjc", s.ptr[0]) && parse_u64(slice_from(s, 1), &n);
}

static bool is_identifier(struct slice s)
{
	if (slice_is(s, "`hr`") || slice_is(s, "`extra`"))
		return true;
	for (const struct table *t = schema_next_table(schemas[0], NULL); t; t = schema_next_table(schemas[0], t)) {
		if (slice_eq(s, slice_from(t->quoted, t->schema.len + 3)))
			return true;
		for (size_t i = 0; i < t->ncolumns; i++)
			if (slice_eq(s, t->columns[i].quoted))
				return true;
	}
	return false;
}

/* Length of `a name` or 'a text' at the front. */
static size_t quoted_length(struct slice s)
{
	size_t i = 1;

	while (i < s.len) {
		if (s.ptr[i] == s.ptr[0] && (s.ptr[0] != '`' || i + 1 == s.len || s.ptr[i + 1] != '`'))
			return i + 1;
		i += s.ptr[i] == s.ptr[0] ? 2 : 1;
	}
	return s.len;
}

static size_t word_length(struct slice s)
{
	size_t i = 0;

	while (i < s.len && (isalnum((unsigned char)s.ptr[i]) || s.ptr[i] == '_'))
		i++;
	return i;
}

/* The bound of a DECIMAL. */
static bool is_nines(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '9')
			return false;
	return true;
}

/* Of a DOUBLE, and of the bound of a wide DECIMAL: "e" and at most two digits. */
static size_t exponent_length(struct slice s)
{
	size_t i = 1;

	if (!s.len || s.ptr[0] != 'e')
		return 0;
	while (i < s.len && i < 3 && isdigit((unsigned char)s.ptr[i]))
		i++;
	return i > 1 ? i : 0;
}

/* One token of a statement; how long it is. */
static size_t token(struct slice rest)
{
	struct slice t = { rest.ptr, 1 };

	if (rest.ptr[0] == '`') {
		t.len = quoted_length(rest);
		require(is_identifier(t), "identifier", rest);
	} else if (rest.ptr[0] == '\'') {
		t.len = quoted_length(rest);
		require(LISTED(((struct slice){ t.ptr + 1, t.len - 2 }), literals), "literal", rest);
	} else if (isdigit((unsigned char)rest.ptr[0])) {
		while (t.len < rest.len && isdigit((unsigned char)rest.ptr[t.len]))
			t.len++;
		require(t.len <= 8 || is_nines(t) || LISTED(t, bounds), "number", rest);
		t.len += exponent_length(slice_from(rest, t.len));
	} else if (word_length(rest)) {
		t.len = word_length(rest);
		require(LISTED(t, words) || is_alias(t), "word", rest);
	} else {
		require(strchr(" (),.=<>?+-*@", rest.ptr[0]), "character", rest);
	}
	return t.len;
}

static void judge(const struct db_statement *s)
{
	struct slice rest = s->text;

	require(fixture_markers(s->text) == s->nparams, "parameters", s->text);
	while (rest.len)
		rest = slice_from(rest, token(rest));
	for (size_t i = 0; i < s->nparams; i++) {
		const struct value *v = &s->params[i];

		if (v->kind == VALUE_TEXT || v->kind == VALUE_DECIMAL)
			require(utf8_valid(v->s), "parameter", s->text);
	}
}

static void judge_node(const struct plan *plan, struct plan_node *node)
{
	static const struct value values[12] = { { .kind = VALUE_INT } };
	struct db_statement s;

	for (size_t i = 0; i < node->nitems; i++)
		require(utf8_valid(node->items[i].key), "key", node->items[i].key);
	for (size_t n = 1; n < 4 && node->relation && !node->hoisted; n += 2) {
		struct sql_keys keys = { values, node->relation->n, n };

		fixture_select(arena, plan, node, &keys, &s);
		judge(&s);
	}
	for (size_t i = 0; i < node->nkids; i++)
		judge_node(plan, node->kids[i]);
}

static void judge_plan(const struct plan *plan)
{
	struct db_statement s;
	size_t rows, filtered;

	fixture_select(arena, plan, plan->root, NULL, &s);
	judge(&s);
	judge_node(plan, plan->root);
	for (int page = 0; page < 2 && !plan->root->counted; page++) {
		sql_count(arena, plan, page, &s);
		judge(&s);
	}
	sql_estimate(arena, plan, &s, &rows, &filtered);
	judge(&s);
}

static void set_up(void)
{
	arena = arena_open();
	config = fixture_config();
	schemas[0] = fixture_schema(&config.db_schemas, true, 101119);
	schemas[1] = fixture_schema(&config.db_schemas, true, 100618);
	schemas[2] = fixture_schema(&config.db_schemas, false, 90704);
}

static void judge_refusal(const struct error *err)
{
	struct strbuf b;

	strbuf_init(&b, arena, 256);
	error_body(err, false, &b);
	require(err->status == 300 || (err->status >= 400 && err->status < 500), "status", strbuf_slice(&b));
	require(utf8_valid(strbuf_slice(&b)), "refusal", strbuf_slice(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { size ? (const char *)data : "", size }, url = { "", 0 };
	struct http_header prefer = { SLICE("prefer"), { NULL, 0 } };
	struct http_request rq = { .method_text = SLICE("GET"), .headers = &prefer };
	struct query query;
	struct error err;

	if (!arena)
		set_up();
	slice_split(&rest, '\0', &url);
	prefer.value = rest;
	rq.nheaders = rest.ptr ? 1 : 0;
	slice_split(&url, '?', &rq.path);
	rq.query = url.ptr ? url : (struct slice){ "", 0 };
	error_init(&err, arena);
	if (!query_parse(arena, &config, &rq, &query, &err)) {
		judge_refusal(&err);
	} else {
		for (size_t i = 0; i < 3; i++) {
			struct plan *plan;

			config.text_compare = i == 1 ? COMPARE_EXACT : COMPARE_COLUMN;
			if (plan_read(arena, &config, schemas[i], &query, &plan, &err))
				judge_plan(plan);
			else
				judge_refusal(&err);
		}
	}
	arena_reset(arena);
	return 0;
}
