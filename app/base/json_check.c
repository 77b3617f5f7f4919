/*
 * The strict JSON check that stands before json-c and libjwt.
 *
 * One pass over the text with a stack of open brackets, so nesting costs no C stack. Names of open objects lie
 * on a second stack; when an object closes, its own names are on top and are compared: pairwise when they are
 * few, by a keyed hash when they are many, so that a client cannot make the comparison quadratic. A name with
 * escapes is compared as what it means: "role" and "\u0072ole" are the same name.
 */
#include "json.h"

#include "hash.h"

#define MAX_NUMBER 128
#define FEW_NAMES 16

struct name {
	struct slice text; /* unescaped */
	size_t offset;
};

struct frame {
	bool object;
	size_t first_name; /* where its names begin on the stack of names */
};

struct check {
	struct arena *arena;
	const char *text;
	size_t len;
	size_t at;
	unsigned limit;
	struct frame *frames;
	size_t nframes, frames_cap;
	struct name *names;
	size_t nnames, names_cap;
	uint32_t *table; /* for objects of many names: place on the stack + 1; 0: free */
	size_t table_cap;
	struct json_fault *fault;
};

static bool wrong_at(struct check *c, size_t offset, const char *reason)
{
	c->fault->offset = offset;
	c->fault->reason = reason;
	return false;
}

static bool wrong(struct check *c, const char *reason)
{
	return wrong_at(c, c->at, reason);
}

/* The next byte; 0 at the end, which is never valid where this is asked. */
static char peek(const struct check *c)
{
	return c->at < c->len ? c->text[c->at] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_blanks(struct check *c)
{
	while (c->at < c->len && is_blank(c->text[c->at]))
		c->at++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void *grown(struct arena *a, const void *old, size_t used, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *fresh = arena_alloc(a, more * size);

	if (used)
		memcpy(fresh, old, used * size);
	*cap = more;
	return fresh;
}

static bool open_bracket(struct check *c, bool object)
{
	if (c->nframes >= c->limit)
		return wrong(c, "nested too deeply");
	if (c->nframes == c->frames_cap)
		c->frames = grown(c->arena, c->frames, c->nframes, &c->frames_cap, sizeof(*c->frames));
	c->frames[c->nframes++] = (struct frame){ object, c->nnames };
	c->at++;
	skip_blanks(c);
	return true;
}

static bool distinct_few(struct check *c, const struct name *names, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (slice_eq(names[i].text, names[k].text))
				return wrong_at(c, names[i].offset, "the same name twice in one object");
	return true;
}

static bool distinct_many(struct check *c, const struct name *names, size_t n)
{
	size_t size = 64, at;

	while (size < n * 2)
		size *= 2;
	if (size > c->table_cap) {
		c->table = arena_array(c->arena, uint32_t, size);
		c->table_cap = size;
	} else {
		memset(c->table, 0, size * sizeof(*c->table));
	}
	for (size_t i = 0; i < n; i++) {
		for (at = hash_text(names[i].text) & (size - 1); c->table[at]; at = (at + 1) & (size - 1))
			if (slice_eq(names[c->table[at] - 1].text, names[i].text))
				return wrong_at(c, names[i].offset, "the same name twice in one object");
		c->table[at] = (uint32_t)i + 1;
	}
	return true;
}

static bool close_bracket(struct check *c)
{
	size_t first = c->frames[--c->nframes].first_name;
	size_t n = c->nnames - first;

	c->at++;
	c->nnames = first;
	if (n < 2)
		return true;
	return n <= FEW_NAMES ? distinct_few(c, c->names + first, n) : distinct_many(c, c->names + first, n);
}

/* Four hexadecimal digits; -1 when they are not. */
static int hex4(const struct check *c, size_t at)
{
	int v = 0;

	if (c->len - at < 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		char d = c->text[i];

		if (is_digit(d))
			v = v * 16 + (d - '0');
		else if ((d >= 'a' && d <= 'f') || (d >= 'A' && d <= 'F'))
			v = v * 16 + ((d | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* at is behind "\u". A high surrogate must be followed by its low one. */
static bool unicode_escape(struct check *c)
{
	int first = hex4(c, c->at), second;

	if (first < 0)
		return wrong(c, "four hexadecimal digits expected");
	if (first == 0)
		return wrong(c, "U+0000 in a string");
	if (first >= 0xDC00 && first <= 0xDFFF)
		return wrong(c, "a lone surrogate");
	c->at += 4;
	if (first < 0xD800 || first > 0xDBFF)
		return true;
	if (c->len - c->at < 6 || c->text[c->at] != '\\' || c->text[c->at + 1] != 'u')
		return wrong(c, "a lone surrogate");
	second = hex4(c, c->at + 2);
	if (second < 0xDC00 || second > 0xDFFF)
		return wrong(c, "a lone surrogate");
	c->at += 6;
	return true;
}

/* at is on the backslash. */
static bool escape(struct check *c)
{
	char e = '\0';

	if (++c->at < c->len)
		e = c->text[c->at];
	if (!e || !strchr("\"\\/bfnrtu", e))
		return wrong(c, "unknown escape in a string");
	c->at++;
	return e == 'u' ? unicode_escape(c) : true;
}

static bool wrong_utf8(struct check *c, size_t from, size_t to)
{
	while (from < to) {
		unsigned char lead = (unsigned char)c->text[from];
		size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

		if (n > to - from || !utf8_valid((struct slice){ c->text + from, n }))
			break;
		from += n;
	}
	return wrong_at(c, from, "invalid UTF-8");
}

/* at is on the opening quote. raw_out: what stands between the quotes. */
static bool string(struct check *c, struct slice *raw_out, bool *escaped_out)
{
	size_t from = ++c->at;
	unsigned char high = 0;

	*escaped_out = false;
	while (c->at < c->len) {
		unsigned char b = (unsigned char)c->text[c->at];

		if (b == '"')
			break;
		if (b < 0x20)
			return wrong(c, "a control character in a string");
		if (b == '\\') {
			*escaped_out = true;
			if (!escape(c))
				return false;
			continue;
		}
		high |= b;
		c->at++;
	}
	if (c->at == c->len)
		return wrong(c, "a string without its closing quote");
	*raw_out = (struct slice){ c->text + from, c->at - from };
	if ((high & 0x80) && !utf8_valid(*raw_out))
		return wrong_utf8(c, from, c->at);
	c->at++;
	return true;
}

/* A member's name and its colon; the name goes on the stack. */
static bool member_name(struct check *c)
{
	size_t offset = c->at;
	struct slice raw;
	bool escaped;

	if (peek(c) != '"')
		return wrong(c, "a name in double quotes expected");
	if (!string(c, &raw, &escaped))
		return false;
	if (c->nnames == c->names_cap)
		c->names = grown(c->arena, c->names, c->nnames, &c->names_cap, sizeof(*c->names));
	c->names[c->nnames++] = (struct name){ escaped ? json_unescaped(c->arena, raw) : raw, offset };
	skip_blanks(c);
	if (peek(c) != ':')
		return wrong(c, "':' expected");
	c->at++;
	return true;
}

static bool digits(struct check *c)
{
	if (!is_digit(peek(c)))
		return wrong(c, "a digit expected");
	while (is_digit(peek(c)))
		c->at++;
	return true;
}

static bool number(struct check *c)
{
	size_t from = c->at;

	if (peek(c) == '-')
		c->at++;
	if (peek(c) == '0')
		c->at++;
	else if (!digits(c))
		return false;
	if (peek(c) == '.') {
		c->at++;
		if (!digits(c))
			return false;
	}
	if (peek(c) == 'e' || peek(c) == 'E') {
		c->at++;
		if (peek(c) == '+' || peek(c) == '-')
			c->at++;
		if (!digits(c))
			return false;
	}
	if (c->at - from > MAX_NUMBER)
		return wrong_at(c, from, "a number of more than 128 characters");
	return true;
}

static bool word(struct check *c, const char *expected)
{
	if (!slice_starts((struct slice){ c->text + c->at, c->len - c->at }, expected))
		return wrong(c, "a value expected");
	c->at += strlen(expected);
	return true;
}

/* One value, or the opening brackets of one down to its first value that is none or empty. */
static bool value(struct check *c)
{
	struct slice raw;
	bool escaped;

	for (;;) {
		skip_blanks(c);
		switch (peek(c)) {
		case '{':
			if (!open_bracket(c, true))
				return false;
			if (peek(c) == '}')
				return close_bracket(c);
			if (!member_name(c))
				return false;
			break;
		case '[':
			if (!open_bracket(c, false))
				return false;
			if (peek(c) == ']')
				return close_bracket(c);
			break;
		case '"':
			return string(c, &raw, &escaped);
		case 't':
			return word(c, "true");
		case 'f':
			return word(c, "false");
		case 'n':
			return word(c, "null");
		case '-':
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
			return number(c);
		default:
			return wrong(c, "a value expected");
		}
	}
}

/* at is behind a value inside the innermost bracket: the next one, or the end of the bracket. */
static bool next(struct check *c)
{
	bool object = c->frames[c->nframes - 1].object;

	skip_blanks(c);
	if (peek(c) == (object ? '}' : ']'))
		return close_bracket(c);
	if (peek(c) != ',')
		return wrong(c, object ? "',' or '}' expected" : "',' or ']' expected");
	c->at++;
	skip_blanks(c);
	return (!object || member_name(c)) && value(c);
}

bool json_check(struct arena *a, struct slice text, unsigned depth, struct json_fault *fault_out)
{
	struct check c = { .arena = a, .text = text.ptr, .len = text.len, .limit = depth, .fault = fault_out };

	if (text.len > UINT32_MAX)
		return wrong(&c, "longer than 4 GiB");
	if (!value(&c))
		return false;
	while (c.nframes)
		if (!next(&c))
			return false;
	skip_blanks(&c);
	return c.at == c.len || wrong(&c, "something behind the value");
}

char json_kind(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_blank(text.ptr[i]))
			return text.ptr[i];
	return '\0';
}
