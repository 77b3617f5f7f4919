/*
 * Search texts in MySQL's boolean mode. fts takes PostgreSQL's tsquery (a & b | !c, a:*, a <-> b), plfts any words,
 * phfts a phrase, wfts what people type into a search box. Words lose the characters that are operators in boolean
 * mode, so that a client's text can only ever be words.
 */
#include "internal.h"

#define MAX_DEPTH 11 /* the servers take two parentheses for each level, and not more than some thirty */

struct tsquery {
	struct planner *p;
	struct slice whole, rest;
	unsigned depth;
};

static bool is_operator(char c)
{
	return c && strchr("+-><()~*\"@&|!:", c) != NULL;
}

static void blanks(struct slice *s)
{
	while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\t' || s->ptr[0] == '\n'))
		*s = slice_from(*s, 1);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* What stands for c within quotes, which the servers end at a new line as well. */
static char literal(char c)
{
	return is_operator(c) || is_blank(c) ? ' ' : c;
}

static bool take(struct slice *s, const char *word)
{
	blanks(s);
	if (!slice_starts(*s, word))
		return false;
	*s = slice_from(*s, strlen(word));
	return true;
}

static bool bad(struct tsquery *q)
{
	error_set(q->p->err, ERR_PARSE, "syntax error in tsquery: \"%.*s\"", (int)q->whole.len, q->whole.ptr);
	q->p->err->sqlstate = "42601";
	return false;
}

/* A word up to a blank or operator, or 'quoted'. Empty when there is none. */
static struct slice word(struct slice *s, struct strbuf *b)
{
	size_t start = b->len;
	bool quoted = take(s, "'");

	blanks(s);
	for (; s->len; *s = slice_from(*s, 1)) {
		char c = s->ptr[0];

		if (quoted ? c == '\'' : is_blank(c) || is_operator(c))
			break;
		strbuf_addc(b, literal(c));
	}
	if (quoted && s->len)
		*s = slice_from(*s, 1);
	return (struct slice){ b->ptr + start, b->len - start };
}

static bool any_of(struct tsquery *q, struct strbuf *out);

/* One operand; *negated when it stands behind '!'. */
static bool operand(struct tsquery *q, struct strbuf *out, bool *negated)
{
	*negated = false;
	while (take(&q->rest, "!"))
		*negated = !*negated;
	if (take(&q->rest, "(")) {
		strbuf_addc(out, '(');
		if (!any_of(q, out) || !take(&q->rest, ")"))
			return bad(q);
		strbuf_addc(out, ')');
		return true;
	}
	strbuf_addc(out, '"');
	if (!word(&q->rest, out).len)
		return bad(q);
	while (take(&q->rest, "<->")) {
		strbuf_addc(out, ' ');
		if (!word(&q->rest, out).len)
			return bad(q);
	}
	strbuf_addc(out, '"');
	return true;
}

/* A prefix search cannot stand in quotes: "word"* becomes word*. What stands in parentheses has no prefix. */
static bool prefix(struct tsquery *q, struct strbuf *out)
{
	bool has_letter = false;

	if (!take(&q->rest, ":*"))
		return true;
	/* The servers end a word at '%' as well: a prefix of nothing is a syntax error there. */
	for (size_t i = 1; out->ptr[0] == '"' && i + 1 < out->len; i++)
		has_letter |= !is_blank(out->ptr[i]) && out->ptr[i] != '%';
	if (!has_letter)
		return bad(q);
	memmove(out->ptr, out->ptr + 1, out->len - 2);
	out->ptr[out->len - 2] = '*';
	out->len--;
	return true;
}

static bool all_of(struct tsquery *q, struct strbuf *out)
{
	size_t n = 0;

	do {
		struct strbuf one;
		bool negated;

		strbuf_init(&one, q->p->a, 32);
		if (!operand(q, &one, &negated) || !prefix(q, &one))
			return false;
		if (n++)
			strbuf_addc(out, ' ');
		strbuf_addc(out, negated ? '-' : '+');
		strbuf_add_slice(out, strbuf_slice(&one));
	} while (take(&q->rest, "&"));
	return true;
}

static bool any_of(struct tsquery *q, struct strbuf *out)
{
	if (++q->depth > MAX_DEPTH)
		return bad(q);
	for (;;) {
		struct strbuf one;

		strbuf_init(&one, q->p->a, 64);
		if (!all_of(q, &one))
			return false;
		blanks(&q->rest);
		if (q->rest.len && q->rest.ptr[0] == '|') {
			q->rest = slice_from(q->rest, 1);
			strbuf_addf(out, "(%.*s) ", (int)one.len, one.ptr);
			continue;
		}
		strbuf_addf(out, "(%.*s)", (int)one.len, one.ptr);
		q->depth--;
		return true;
	}
}

/* One word or phrase of *s as sign + "word". */
static void one_word(struct slice *s, bool web, bool signless, struct strbuf *out)
{
	bool minus = web && s->ptr[0] == '-', phrase;

	if (minus)
		*s = slice_from(*s, 1);
	phrase = web && s->len && s->ptr[0] == '"';
	if (phrase)
		*s = slice_from(*s, 1);
	strbuf_adds(out, minus ? " -\"" : signless ? "  \"" : " +\"");
	for (; s->len && (phrase ? s->ptr[0] != '"' : !is_blank(s->ptr[0])); *s = slice_from(*s, 1))
		strbuf_addc(out, literal(s->ptr[0]));
	if (phrase && s->len)
		*s = slice_from(*s, 1);
	strbuf_addc(out, '"');
}

static bool takes_or(struct slice *s)
{
	if (s->len < 2 || !slice_ieq((struct slice){ s->ptr, 2 }, SLICE("or")) || (s->len > 2 && !is_blank(s->ptr[2])))
		return false;
	*s = slice_from(*s, 2);
	return true;
}

/* web: quotes keep phrases, '-' excludes, 'or' takes the sign from the words before it and the one behind. */
static void words(struct slice s, bool web, struct strbuf *out)
{
	size_t signless = 0; /* bytes of out that have no '+' any more */
	bool behind_or = false;

	for (blanks(&s); s.len; blanks(&s)) {
		if (!web || !takes_or(&s)) {
			one_word(&s, web, behind_or, out);
			behind_or = false;
			continue;
		}
		for (; signless < out->len; signless++)
			if (out->ptr[signless] == '+')
				out->ptr[signless] = ' ';
		behind_or = true;
	}
}

bool plan_fulltext(struct planner *p, enum query_op op, struct slice text, struct slice *out)
{
	struct tsquery q = { p, text, text, 0 };
	struct strbuf b;

	strbuf_init(&b, p->a, text.len * 2 + 16);
	if (op == OP_FTS) {
		blanks(&q.rest);
		if (!any_of(&q, &b))
			return false;
		blanks(&q.rest);
		if (q.rest.len)
			return bad(&q);
	} else if (op == OP_PHFTS) {
		strbuf_addc(&b, '"');
		for (size_t i = 0; i < text.len; i++)
			strbuf_addc(&b, literal(text.ptr[i]));
		strbuf_addc(&b, '"');
	} else {
		words(text, op == OP_WFTS, &b);
	}
	*out = strbuf_slice(&b);
	return true;
}
