/*
 * The expression of a policy: SQL of an administrator, between whose placeholders everything is left as it stands. It is
 * read only as far as it takes to find them outside of texts and quoted names, and to be sure that in parentheses it
 * stays one expression, whatever sql_mode the server has.
 */
#include "internal.h"

struct scan {
	struct arena *a;
	struct slice rest;
	struct strbuf text;
	struct policy_expression *out;
	size_t cap;
	unsigned depth;
	bool named, dotted; /* what stands before is a name; one behind a dot */
	bool own;           /* a name of rowgate's functions */
	bool dot;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '$' || (unsigned char)c >= 0x80;
}

static struct slice word(struct scan *s)
{
	size_t n = 0;
	struct slice found;

	while (n < s->rest.len && is_word(s->rest.ptr[n]))
		n++;
	found = (struct slice){ s->rest.ptr, n };
	s->rest = slice_from(s->rest, n);
	return found;
}

/* A text or a quoted name, with its quotes. Two in a row are one text to the server, and two here. */
static const char *quoted(struct scan *s, struct slice *out)
{
	char quote = s->rest.ptr[0];
	const char *end = memchr(s->rest.ptr + 1, quote, s->rest.len - 1);

	if (!end)
		return "a quote does not end";
	*out = (struct slice){ s->rest.ptr, (size_t)(end - s->rest.ptr) + 1 };
	s->rest = slice_from(s->rest, out->len);
	if (quote != '`' && memchr(out->ptr, '\\', out->len))
		return "a backslash in a text means one thing or another by sql_mode: write CHAR(92)";
	return NULL;
}

/* .name or ."any name" */
static const char *step(struct scan *s, struct slice *out)
{
	const char *fault;

	s->rest = slice_from(s->rest, 1);
	if (s->rest.len && s->rest.ptr[0] == '"') {
		fault = quoted(s, out);
		*out = (struct slice){ out->ptr + 1, out->len - 2 };
		return fault;
	}
	*out = word(s);
	return out->len ? NULL : "a placeholder ends in a dot";
}

static const char *path(struct scan *s, struct policy_claim *claim)
{
	struct slice steps[16] = { { NULL, 0 } };
	const char *fault;

	while (s->rest.len && s->rest.ptr[0] == '.') {
		if (claim->n == sizeof(steps) / sizeof(*steps))
			return "the path of a placeholder is too long";
		fault = step(s, &steps[claim->n++]);
		if (fault)
			return fault;
	}
	if (claim->n) {
		struct slice *kept = arena_array(s->a, struct slice, claim->n);

		for (size_t i = 0; i < claim->n; i++)
			kept[i] = slice_copy(s->a, steps[i]);
		claim->path = kept;
	}
	return NULL;
}

static void add_claim(struct scan *s, const struct policy_claim *claim)
{
	struct policy_expression *e = s->out;

	if (e->n == s->cap) {
		struct policy_claim *more = arena_array(s->a, struct policy_claim, s->cap ? s->cap * 2 : 4);

		if (e->n)
			memcpy(more, e->claims, e->n * sizeof(*more));
		e->claims = more;
		s->cap = s->cap ? s->cap * 2 : 4;
	}
	e->claims[e->n++] = *claim;
	strbuf_addc(&s->text, '?');
}

static const char *placeholder(struct scan *s)
{
	static const struct slice subject = { "sub", 3 };
	struct policy_claim claim = { .role = false };
	const char *fault = NULL;
	struct slice name;

	s->rest = slice_from(s->rest, 1);
	name = word(s);
	if (slice_is(name, "claims")) {
		fault = path(s, &claim);
	} else if (slice_is(name, "user")) {
		claim.path = &subject;
		claim.n = 1;
	} else if (slice_is(name, "role")) {
		claim.role = true;
	} else {
		return "a colon begins :claims.name, :user or :role, and stands for nothing else";
	}
	if (!fault && s->rest.len && s->rest.ptr[0] == '.')
		fault = "only :claims has names in it";
	add_claim(s, &claim);
	return fault;
}

static bool follows(const struct scan *s, const char *text)
{
	return slice_starts(s->rest, text);
}

/* What may not stand outside of texts and quoted names. */
static const char *refused(const struct scan *s)
{
	switch (s->rest.ptr[0]) {
	case ';':
		return "a semicolon";
	case '?':
		return "a question mark: write a placeholder, such as :claims.sub";
	case '@':
		return "a variable: what it holds is not known to be the caller's";
	case '\\':
		return "a backslash";
	case '\0':
		return "a zero byte";
	case '#':
		return "a comment";
	default:
		return follows(s, "--") || follows(s, "/*") || follows(s, "*/") ? "a comment" : NULL;
	}
}

/* Two names with a dot, and a parenthesis: a function of some database. */
static void follow(struct scan *s, char c, bool name)
{
	if (c == '(' && s->named && (s->dotted || s->own))
		s->out->calls = true;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return;
	s->own = false;
	s->dotted = name && s->dot;
	s->named = name;
	s->dot = c == '.';
}

static const char *parenthesis(struct scan *s, char c)
{
	if (c == ')' && s->depth-- == 0)
		return "a parenthesis is closed that was not opened";
	s->depth += c == '(';
	return NULL;
}

static bool any_of(struct slice word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(word, slice_of(words[i])))
			return true;
	return false;
}

/* A server may call them while it only looks at the expression, and with more rights than the role's. */
static const char *refused_word(struct slice word)
{
	static const char *const words[] = { "load_file",
					     "benchmark",
					     "sleep",
					     "get_lock",
					     "release_lock",
					     "release_all_locks",
					     "master_pos_wait",
					     "master_gtid_wait",
					     "source_pos_wait",
					     "wait_for_executed_gtid_set",
					     "wait_until_sql_thread_after_gtids" };

	if (any_of(word, words, sizeof(words) / sizeof(*words)))
		return "a policy reads no files, waits for nothing and locks nothing: no LOAD_FILE, BENCHMARK, SLEEP, "
		       "GET_LOCK and the like";
	return NULL;
}

/* What policy_check would find without a dot, for it stands in the same database. */
static bool is_own(struct slice name)
{
	static const char *const names[] = { "view_definition", "view_columns", "trigger_matches", "idempotency_find",
					     "heartbeat_read" };

	if (name.len > 1 && !is_word(name.ptr[0]))
		name = (struct slice){ name.ptr + 1, name.len - 2 };
	return any_of(name, names, sizeof(names) / sizeof(*names));
}

static const char *next(struct scan *s)
{
	char c = s->rest.ptr[0];
	const char *fault = refused(s);
	struct slice piece;

	if (fault)
		return fault;
	if (c == '\'' || c == '"' || c == '`') {
		fault = quoted(s, &piece);
		follow(s, c, c != '\'');
		s->own = !fault && is_own(piece);
	} else if (c == ':') {
		follow(s, c, false);
		return placeholder(s);
	} else if (is_word(c)) {
		piece = word(s);
		s->out->subqueries |= slice_ieq(piece, SLICE("select")) || slice_ieq(piece, SLICE("table"));
		fault = refused_word(piece);
		follow(s, c, true);
		s->own = is_own(piece);
	} else {
		fault = parenthesis(s, c);
		follow(s, c, false);
		piece = (struct slice){ s->rest.ptr, 1 };
		s->rest = slice_from(s->rest, 1);
	}
	if (!fault)
		strbuf_add_slice(&s->text, piece);
	return fault;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct slice trimmed(struct slice s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

const char *schema_policy_parse(struct arena *a, struct slice source, struct policy_expression *out)
{
	struct scan s = { .a = a, .rest = trimmed(source), .out = out };
	const char *fault = NULL;

	*out = (struct policy_expression){ .source = source };
	if (!s.rest.len)
		return "it is empty";
	strbuf_init(&s.text, a, s.rest.len + 16);
	while (s.rest.len && !fault)
		fault = next(&s);
	if (!fault && s.depth)
		fault = "a parenthesis is not closed";
	out->text = strbuf_slice(&s.text);
	out->always = slice_ieq(out->text, SLICE("true"));
	return fault;
}
