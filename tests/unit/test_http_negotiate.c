/* Accept: which kinds of answer a header allows, best first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http.h"

static struct arena *arena;

static const char *const media[] = {
	"json", "csv", "ndjson", "object", "octets", "geojson", "openapi", "plan", "text"
};

static const char *choices_text(struct slice accept)
{
	struct media_choice *c;
	struct strbuf b;
	struct error err;
	size_t n;

	error_init(&err, arena);
	if (!http_negotiate(arena, accept, &c, &n, &err))
		return arena_printf(arena, "%s %d %s", err.sqlstate, err.status, err.message);
	strbuf_init(&b, arena, 64);
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(&b, "%s%s%s", i ? " " : "", media[c[i].media], c[i].strip_nulls ? "!" : "");
		if (c[i].media == MEDIA_PLAN)
			strbuf_addf(&b, "(%s%s %s%s)", c[i].plan_json ? "json" : "text",
				    c[i].plan_analyze ? " analyze" : "", media[c[i].plan_for],
				    c[i].plan_for_stripped ? "!" : "");
	}
	return strbuf_cstr(&b);
}

struct row {
	const char *accept;
	const char *expected; /* ! is nulls=stripped */
};

static void holds(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = choices_text(slice_of(rows[i].accept));

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].accept, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(rows) holds(rows, sizeof(rows) / sizeof(*(rows)))
#define NONE(accept) "PGRST107 406 None of these media types are available: " accept
#define P "application/vnd.pgrst."

static void types(void **state)
{
	static const struct row rows[] = {
		{ "", "json" },
		{ "   ", "json" },
		{ "*/*", "json" },
		{ "application/*", "json" },
		{ "application/json", "json" },
		{ "APPLICATION/JSON", "json" },
		{ "application/json; charset=utf-8", "json" },
		{ P "array", "json" },
		{ P "array+json", "json" },
		{ P "array+json;nulls=stripped", "json!" },
		{ P "array;nulls=stripped", "json!" },
		{ P "array+json; nulls=stripped", "json!" },
		{ P "array+json;nulls=kept", "json" },
		{ "application/json;nulls=stripped", "json" },
		{ P "object", "object" },
		{ P "object+json", "object" },
		{ P "object+json;nulls=stripped", "object!" },
		{ P "object+json;nulls=stripped;q=0.5", "object!" },
		{ "text/csv", "csv" },
		{ "text/csv;header=absent", "csv" },
		{ "application/x-ndjson", "ndjson" },
		{ "application/ndjson", "ndjson" },
		{ "application/geo+json", "geojson" },
		{ "application/octet-stream", "octets" },
		{ "application/openapi+json", "openapi" },
		{ "text/plain", "text" },
		/* refused */
		{ "image/png", NONE("image/png") },
		{ "text/html, image/*", NONE("text/html, image/*") },
		{ "json", NONE("json") },
		{ "application/json-patch", NONE("application/json-patch") },
		{ "*", NONE("*") },
		{ "/", NONE("/") },
		{ ",", NONE(",") },
		{ ";", NONE(";") },
		{ ";q=1", NONE(";q=1") },
		{ "application/json;q=0", NONE("application/json;q=0") },
		{ "\"application/json\"", NONE("\"application/json\"") },
	};

	(void)state;
	HOLDS(rows);
}

static void quality(void **state)
{
	static const struct row rows[] = {
		{ "text/csv, application/json", "csv json" },
		{ "application/json, text/csv", "json csv" },
		{ "text/csv;q=0.5, application/json", "json csv" },
		{ "text/csv;q=0.5, application/json;q=0.6", "json csv" },
		{ "text/csv;q=0.55, application/json;q=0.6", "json csv" },
		{ "text/csv;q=0.999, application/json;q=1.000", "json csv" },
		{ "text/csv;q=0.001, application/json;q=0.002", "json csv" },
		{ "text/csv;q=1, application/json;q=1.0", "csv json" },
		{ "text/csv;q=0, application/json", "json" },
		{ "text/csv;q=0.0, application/json", "json" },
		{ "text/csv;q=0.000, application/json", "json" },
		{ "text/csv ; q=0.5 , application/json ; q=0.6", "json csv" },
		{ "text/csv;header=present;q=0.5,application/json;q=0.6", "json csv" },
		{ "image/png, text/csv;q=0.1", "csv" },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json" },
		{ "text/csv;q=0.1, application/json;q=0.2, " P "object;q=0.3", "object json csv" },
		{ "text/csv;Q=0.5, application/json;Q=0.6", "json csv" },
		{ "text/csv;Q=0, application/json", "json" },
		/* a range does not bring back what was refused */
		{ "application/json;q=0, */*", "csv" },
		{ "*/*, application/json;q=0", "csv" },
		{ "application/json;q=0, text/csv;q=0, */*", "ndjson" },
		{ "application/json;q=0, application/*", "ndjson" },
		{ "text/csv;q=0, text/*", NONE("text/csv;q=0, text/*") },
		{ "*/*;q=0, text/csv", "csv" },
		{ "*/*;q=0", NONE("*/*;q=0") },
		/* what is no quality counts as 1 */
		{ "text/csv;q=x, application/json;q=0.9", "csv json" },
		{ "text/csv;q=, application/json;q=0.9", "csv json" },
		{ "text/csv;q=7, application/json", "csv json" },
		{ "text/csv;q=1.9, application/json", "csv json" },
		{ "text/csv;q=-1, application/json;q=0.9", "csv json" },
		/* a comma or semicolon in quotes is part of the parameter */
		{ "text/csv;a=\"x,y;q=0\", application/json", "csv json" },
	};

	(void)state;
	HOLDS(rows);
}

static void plans(void **state)
{
	static const struct row rows[] = {
		{ P "plan", "plan(text json)" },
		{ P "plan+text", "plan(text json)" },
		{ P "plan+json", "plan(json json)" },
		{ P "plan+json;for=\"text/csv\"", "plan(json csv)" },
		{ P "plan+json; for=\"application/json\"; options=analyze|verbose", "plan(json analyze json)" },
		{ P "plan;options=verbose", "plan(text json)" },
		{ P "plan;options=analyzed", "plan(text json)" },
		{ P "plan;for=\"" P "object+json;nulls=stripped\"", "plan(text object!)" },
		{ P "plan;for=\"" P "array+json; nulls=stripped\";options=analyze", "plan(text analyze json!)" },
		{ P "plan;for=\"nonsense\"", "plan(text json)" },
		{ P "plan;for=\"", "plan(text json)" },
		{ P "plan;for=", "plan(text json)" },
		{ P "plan;options", "plan(text json)" },
	};

	(void)state;
	HOLDS(rows);
}

static void long_headers(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, arena, 65536);
	for (unsigned i = 0; i < 2000; i++)
		strbuf_adds(&b, "text/csv;q=0.5,image/png,");
	assert_string_equal(choices_text(strbuf_slice(&b)), "csv");
	/* the best count, wherever they stand */
	strbuf_adds(&b, "application/json;q=0.6");
	assert_string_equal(choices_text(strbuf_slice(&b)), "json csv");
	strbuf_init(&b, arena, 65536);
	for (unsigned i = 0; i < 2000; i++)
		strbuf_addf(&b, "text/csv;q=0.%03u,", i % 900);
	strbuf_adds(&b, "application/json");
	assert_memory_equal(choices_text(strbuf_slice(&b)), "json csv", 8);
	assert_string_equal(choices_text((struct slice){ "text/csv\0,application/json", 26 }), "json");
}

/* A plan's type says what it is the plan of, and what was asked of it. */
static void plan_names(void **state)
{
	static const char *const rows[][2] = {
		{ P "plan", P "plan+text; for=\"application/json\"; charset=utf-8" },
		{ P "plan+json;options=nonsense", P "plan+json; for=\"application/json\"; charset=utf-8" },
		{ P "plan+json; for=\"text/csv\"; options = wal|analyze ",
		  P "plan+json; for=\"text/csv\"; options=analyze|wal; charset=utf-8" },
		{ P "plan; for=\"" P "object;nulls=stripped\"",
		  P "plan+text; for=\"" P "object+json;nulls=stripped\"; charset=utf-8" },
		{ P "plan; for=\"application/octet-stream\"",
		  P "plan+text; for=\"application/octet-stream\"; charset=utf-8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct media_choice *choices;
		struct error err;
		size_t n;

		error_init(&err, arena);
		assert_true(http_negotiate(arena, slice_of(rows[i][0]), &choices, &n, &err));
		assert_int_equal(n, 1);
		assert_string_equal(http_media_name(choices), rows[i][1]);
	}
}

static void names(void **state)
{
	static const struct {
		struct media_choice choice;
		const char *name;
	} rows[] = {
		{ { .media = MEDIA_JSON }, "application/json; charset=utf-8" },
		{ { .media = MEDIA_JSON, .strip_nulls = true },
		  "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8" },
		{ { .media = MEDIA_OBJECT }, "application/vnd.pgrst.object+json; charset=utf-8" },
		{ { .media = MEDIA_OBJECT, .strip_nulls = true },
		  "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8" },
		{ { .media = MEDIA_CSV }, "text/csv; charset=utf-8" },
		{ { .media = MEDIA_NDJSON }, "application/x-ndjson; charset=utf-8" },
		{ { .media = MEDIA_GEOJSON }, "application/geo+json; charset=utf-8" },
		{ { .media = MEDIA_OCTETS }, "application/octet-stream" },
		{ { .media = MEDIA_OPENAPI }, "application/openapi+json; charset=utf-8" },
		{ { .media = MEDIA_TEXT }, "text/plain; charset=utf-8" },
		{ { .media = MEDIA_PLAN }, "application/vnd.pgrst.plan+text; charset=utf-8" },
		{ { .media = MEDIA_PLAN, .plan_json = true }, "application/vnd.pgrst.plan+json; charset=utf-8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(http_media_name(&rows[i].choice), rows[i].name);
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
		cmocka_unit_test(types),      cmocka_unit_test(quality),      cmocka_unit_test(plans),
		cmocka_unit_test(plan_names), cmocka_unit_test(long_headers), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
