/* Search texts as MySQL's boolean mode reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../app/plan/internal.h"

static struct arena *arena;

struct row {
	const char *text;
	const char *expected;
};

static const char *search(enum query_op op, const char *text)
{
	struct planner p = { .a = arena };
	struct error err;
	struct slice out;

	error_init(&err, arena);
	p.err = &err;
	if (plan_fulltext(&p, op, slice_of(text), &out))
		return slice_cstr(arena, out);
	return arena_printf(arena, "%d %s %s", err.status, err.sqlstate, err.message);
}

static void holds(enum query_op op, const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *got = search(op, rows[i].text);

		if (strcmp(got, rows[i].expected) != 0) {
			print_error("%s\ngives %s\nnot   %s\n", rows[i].text, got, rows[i].expected);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#define HOLDS(op, rows) holds(op, rows, sizeof(rows) / sizeof(*(rows)))
#define BAD(text) "400 42601 syntax error in tsquery: \"" text "\""

static void tsquery(void **state)
{
	static const struct row rows[] = {
		{ "a", "(+\"a\")" },
		{ " a ", "(+\"a\")" },
		{ "a&b", "(+\"a\" +\"b\")" },
		{ "a & b & c", "(+\"a\" +\"b\" +\"c\")" },
		{ "a|b", "(+\"a\") (+\"b\")" },
		{ "a&b|c", "(+\"a\" +\"b\") (+\"c\")" },
		{ "a&!b", "(+\"a\" -\"b\")" },
		{ "a&!!b", "(+\"a\" +\"b\")" },
		{ "a:*", "(+a*)" },
		{ "a:*&b", "(+a* +\"b\")" },
		{ "a<->b", "(+\"a b\")" },
		{ "a <-> b <-> c", "(+\"a b c\")" },
		{ "(a|b)&c", "(+((+\"a\") (+\"b\")) +\"c\")" },
		{ "!(a|b)&c", "(-((+\"a\") (+\"b\")) +\"c\")" },
		{ "'two words'", "(+\"two words\")" },
		{ "'a&b'", "(+\"a b\")" }, /* what is an operator in boolean mode never stays one */
		{ "'a\"b'", "(+\"a b\")" },
		{ "Z\xc3\xbcrich", "(+\"Z\xc3\xbcrich\")" },
		{ "it%s", "(+\"it%s\")" },
		{ "", BAD("") },
		{ " ", BAD(" ") },
		{ "a b", BAD("a b") },
		{ "a&", BAD("a&") },
		{ "&a", BAD("&a") },
		{ "a|", BAD("a|") },
		{ "|", BAD("|") },
		{ "!", BAD("!") },
		{ "a&&b", BAD("a&&b") },
		{ "(a", BAD("(a") },
		{ "a)", BAD("a)") },
		{ "()", BAD("()") },
		{ "a:b", BAD("a:b") },
		{ "a<b", BAD("a<b") },
		{ "a<->", BAD("a<->") },
		{ "+a -b", BAD("+a -b") },
		{ "a*", BAD("a*") },
		{ "\"a\"", BAD("\"a\"") },
		{ "a@b", BAD("a@b") },
		{ ":*", BAD(":*") },
		{ "(a|b):*", BAD("(a|b):*") },
		{ "''", BAD("''") },
		{ "'a\nb'", "(+\"a b\")" },
		/* a prefix of nothing is a syntax error of the server's */
		{ "%:*", BAD("%:*") },
		{ "'+':*", BAD("'+':*") },
		{ "a%:*", "(+a%*)" },
	};

	(void)state;
	HOLDS(OP_FTS, rows);
}

static void words(void **state)
{
	static const struct row plain[] = {
		{ "a", " +\"a\"" },
		{ "a b", " +\"a\" +\"b\"" },
		{ "  a \t b  ", " +\"a\" +\"b\"" },
		{ "a or b", " +\"a\" +\"or\" +\"b\"" },
		{ "+a -b", " +\" a\" +\" b\"" },
		{ "\"a b\"", " +\" a\" +\"b \"" },
		{ "a@b.c", " +\"a b.c\"" },
		{ "a* (b) ~c <d> |e & !f", " +\"a \" +\" b \" +\" c\" +\" d \" +\" e\" +\" \" +\" f\"" },
		{ "", "" },
	};
	static const struct row web[] = {
		{ "a b", " +\"a\" +\"b\"" },
		{ "a -b", " +\"a\" -\"b\"" },
		{ "-\"a b\" c", " -\"a b\" +\"c\"" },
		{ "\"a b\" c", " +\"a b\" +\"c\"" },
		{ "\"a b", " +\"a b\"" },
		{ "\"a -b\"", " +\"a  b\"" },
		{ "a or b", "  \"a\"  \"b\"" },
		{ "a OR b", "  \"a\"  \"b\"" },
		{ "\"or\"", " +\"or\"" },
		{ "orange", " +\"orange\"" },
		{ "a+b", " +\"a b\"" },
		{ "a(b)*c", " +\"a b  c\"" },
		{ "\"a\nb\"", " +\"a b\"" },
		{ "", "" },
	};
	static const struct row phrase[] = {
		{ "a b", "\"a b\"" },         { "a \"b\" c", "\"a  b  c\"" }, { "-a +b* (c)", "\" a  b   c \"" },
		{ "a&b|c!d", "\"a b c d\"" }, { "a\nb\tc", "\"a b c\"" },     { "", "\"\"" },
	};

	(void)state;
	HOLDS(OP_PLFTS, plain);
	HOLDS(OP_WFTS, web);
	HOLDS(OP_PHFTS, phrase);
}

/* Whatever the client writes, quotes and parentheses are paired, and no operator but ours stands outside of quotes. */
static bool well_formed(const char *s)
{
	int depth = 0;
	bool quoted = false;

	for (const char *c = s; *c; c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (quoted && strchr("+-><()~*@&|!:", *c))
			return false;
		else if (!quoted && *c == '(')
			depth++;
		else if (!quoted && *c == ')' && --depth < 0)
			return false;
		else if (!quoted && strchr("><~@&|!:", *c))
			return false;
	}
	return !quoted && !depth;
}

static void any_text(void **state)
{
	static const char alphabet[] = "ab '\"+-&|!:*()<>~@ or";
	static const enum query_op ops[] = { OP_FTS, OP_PLFTS, OP_PHFTS, OP_WFTS };
	uint32_t seed = 1;
	char text[13] = "";

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = round % sizeof(text);

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		text[n] = '\0';
		for (size_t k = 0; k < sizeof(ops) / sizeof(*ops); k++) {
			const char *got = search(ops[k], text);

			if (strncmp(got, "400 ", 4) != 0 && !well_formed(got))
				fail_msg("%u: '%s' gives '%s'", (unsigned)ops[k], text, got);
		}
		if (round % 100 == 0)
			arena_reset(arena);
	}
}

/* As much text as a URL may hold neither takes long nor much stack. */
static void long_texts(void **state)
{
	static const char *const units[] = { "or ", "a or ", "a&", "!", "(", "a|", "\"a\" ", "a<->" };
	struct strbuf b;

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		strbuf_init(&b, arena, 140000);
		while (b.len < 131000)
			strbuf_adds(&b, units[i]);
		search(OP_FTS, strbuf_cstr(&b));
		search(OP_WFTS, strbuf_cstr(&b));
		search(OP_PLFTS, strbuf_cstr(&b));
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
		cmocka_unit_test(tsquery),
		cmocka_unit_test(words),
		cmocka_unit_test(any_text),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
