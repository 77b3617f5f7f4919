/* Names, quotes and the place of an error. */
#include "internal.h"

void parser_init(struct parser *p, struct arena *a, struct error *err, const char *what, struct slice text)
{
	*p = (struct parser){
		.a = a, .err = err, .what = what, .whole = text, .rest = text, .max_depth = MAX_TREE_DEPTH
	};
}

static int shown(struct slice s)
{
	size_t n = s.len > 300 ? 300 : s.len;

	/* Never half a character. */
	while (n < s.len && n > 0 && ((unsigned char)s.ptr[n] & 0xC0) == 0x80)
		n--;
	return (int)n;
}

/* There is nothing that could have stood at rest; unexpected is where that shows. */
static bool fail_at(struct parser *p, struct slice unexpected, const char *expected)
{
	size_t column = 1 + p->shift;
	size_t bytes = 1;

	for (size_t i = 0; i < p->whole.len - p->rest.len; i++)
		column += ((unsigned char)p->whole.ptr[i] & 0xC0) != 0x80;
	while (bytes < unexpected.len && ((unsigned char)unexpected.ptr[bytes] & 0xC0) == 0x80)
		bytes++;
	error_set(p->err, ERR_PARSE, "\"failed to parse %s (%.*s)\" (line 1, column %zu)", p->what, shown(p->whole),
		  p->whole.ptr, column);
	if (unexpected.len)
		return error_details(p->err, "unexpected \"%.*s\" expecting %s", (int)bytes, unexpected.ptr, expected);
	return error_details(p->err, "unexpected end of input expecting %s", expected);
}

bool parser_fail(struct parser *p, const char *expected)
{
	return fail_at(p, p->rest, expected);
}

bool parser_fail_word(struct parser *p, const char *word, const char *expected)
{
	size_t n = 0;

	while (n < p->rest.len && word[n] && p->rest.ptr[n] == word[n])
		n++;
	return fail_at(p, slice_from(p->rest, n), expected);
}

bool parser_take(struct parser *p, const char *word)
{
	if (!slice_starts(p->rest, word))
		return false;
	p->rest = slice_from(p->rest, strlen(word));
	return true;
}

bool parser_take_char(struct parser *p, char c)
{
	if (!p->rest.len || p->rest.ptr[0] != c)
		return false;
	p->rest = slice_from(p->rest, 1);
	return true;
}

void parser_blanks(struct parser *p)
{
	while (p->rest.len && (p->rest.ptr[0] == ' ' || p->rest.ptr[0] == '\t'))
		p->rest = slice_from(p->rest, 1);
}

bool parser_quote_ends(const struct parser *p)
{
	size_t i = 1;

	while (i < p->rest.len && p->rest.ptr[i] != '"')
		i += p->rest.ptr[i] == '\\' ? 2 : 1;
	return i < p->rest.len;
}

bool parser_quoted(struct parser *p, struct slice *out)
{
	struct slice s = slice_from(p->rest, 1);
	size_t end = 0, n = 0;
	bool escaped = false;
	char *copy;

	while (end < s.len && s.ptr[end] != '"') {
		escaped |= s.ptr[end] == '\\';
		end += s.ptr[end] == '\\' ? 2 : 1;
	}
	if (end >= s.len) {
		p->rest = slice_from(s, s.len);
		return parser_fail(p, "the closing quote \"\\\"\"");
	}
	p->rest = slice_from(s, end + 1);
	*out = (struct slice){ s.ptr, end };
	if (!escaped)
		return true;
	copy = arena_alloc(p->a, end);
	for (size_t i = 0; i < end; i++) {
		if (s.ptr[i] == '\\')
			i++;
		copy[n++] = s.ptr[i];
	}
	*out = (struct slice){ copy, n };
	return true;
}

static bool ends_name(struct slice s, size_t i)
{
	switch (s.ptr[i]) {
	case ',':
	case '.':
	case ':':
	case '(':
	case ')':
	case '"':
	case '!':
	case '*':
		return true;
	case '-':
		return i + 1 < s.len && s.ptr[i + 1] == '>';
	default:
		return false;
	}
}

bool query_is_reserved(struct slice name)
{
	static const char *const reserved[] = { "select", "columns", "on_conflict", "order", "limit",
						"offset", "and",     "or",          "having" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (slice_is(name, reserved[i]))
			return true;
	return false;
}

static bool needs_quotes(struct slice name)
{
	if (query_is_reserved(name))
		return true;
	for (size_t i = 0; i < name.len; i++)
		if (ends_name(name, i))
			return true;
	return slice_trim(name).len != name.len;
}

void query_add_name(struct strbuf *b, struct slice name)
{
	if (!needs_quotes(name)) {
		strbuf_add_slice(b, name);
		return;
	}
	strbuf_addc(b, '"');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"' || name.ptr[i] == '\\')
			strbuf_addc(b, '\\');
		strbuf_addc(b, name.ptr[i]);
	}
	strbuf_addc(b, '"');
}

bool parser_name(struct parser *p, struct slice *out, bool *quoted_out)
{
	size_t n = 0;

	parser_blanks(p);
	if (quoted_out)
		*quoted_out = parser_peek(p) == '"';
	if (parser_peek(p) == '"') {
		if (!parser_quoted(p, out))
			return false;
		parser_blanks(p);
		return out->len || parser_fail(p, "a name");
	}
	while (n < p->rest.len && !ends_name(p->rest, n))
		n++;
	*out = slice_trim((struct slice){ p->rest.ptr, n });
	if (!out->len)
		return parser_fail(p, "field name (* or [a..z0..9_$])");
	p->rest = slice_from(p->rest, n);
	return true;
}

/* A key does not begin with '-': what does is an index counted from the end, and nothing else. */
static bool index_from_end(struct parser *p)
{
	struct parser at = *p;

	parser_take_char(&at, '-');
	if (parser_peek(&at) < '0' || parser_peek(&at) > '9')
		return parser_fail(&at, "digit");
	while (parser_peek(&at) >= '0' && parser_peek(&at) <= '9')
		at.rest = slice_from(at.rest, 1);
	if (parser_at_end(&at) || strchr(".,) \t", parser_peek(&at)) || slice_starts(at.rest, "->") ||
	    slice_starts(at.rest, "::"))
		return true;
	return parser_fail(&at, "digit, \"->\", \"::\", \".\", \",\" or end of input");
}

/* Digits alone are an index of an array, as in PostgreSQL. */
static void step_kind(struct query_step *s, struct slice text, bool quoted)
{
	s->is_index = !quoted && text.len <= 10 && parse_i64(text, &s->index) && text.ptr[0] != '+';
	s->key = text;
}

static bool json_step(struct parser *p, struct query_step *s)
{
	bool quoted = parser_peek(p) == '"';
	struct slice text;
	size_t n = 0;

	if (quoted) {
		if (!parser_quoted(p, &text))
			return false;
	} else {
		if (parser_peek(p) == '-' && !index_from_end(p))
			return false;
		while (n < p->rest.len && (!ends_name(p->rest, n) || p->rest.ptr[n] == '!' || p->rest.ptr[n] == '*'))
			n++;
		text = (struct slice){ p->rest.ptr, n };
		if (!n)
			return parser_fail(p, "\"-\", digit or any non reserved character different from: .,>()");
		p->rest = slice_from(p->rest, n);
	}
	step_kind(s, text, quoted);
	return true;
}

bool parser_field(struct parser *p, struct query_field *out)
{
	*out = (struct query_field){ 0 };
	if (!parser_name(p, &out->name, NULL))
		return false;
	while (parser_take(p, "->")) {
		struct query_step *s;

		if (out->nsteps == MAX_TREE_DEPTH)
			return parser_fail(p, "a shorter JSON path");
		if (out->nsteps && out->steps[out->nsteps - 1].as_text)
			return parser_fail(p, "nothing behind ->>");
		out->steps = query_push(p->a, out->steps, out->nsteps, sizeof(*s));
		s = &out->steps[out->nsteps];
		s->as_text = parser_take_char(p, '>');
		if (!json_step(p, s))
			return false;
		out->nsteps++;
	}
	return true;
}

void *query_push(struct arena *a, void *items, size_t n, size_t size)
{
	void *more;

	if (n & (n - 1))
		return items;
	more = arena_alloc(a, (n ? n * 2 : 1) * size);
	if (n)
		memcpy(more, items, n * size);
	return more;
}
