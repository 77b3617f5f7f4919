/* What JSON strings mean (RFC 8259, section 7). */
#include "json.h"

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

static void add_utf8(struct strbuf *b, unsigned code)
{
	if (code < 0x80) {
		strbuf_addc(b, (char)code);
	} else if (code < 0x800) {
		strbuf_addc(b, (char)(0xC0 | code >> 6));
		strbuf_addc(b, (char)(0x80 | (code & 0x3F)));
	} else if (code < 0x10000) {
		strbuf_addc(b, (char)(0xE0 | code >> 12));
		strbuf_addc(b, (char)(0x80 | (code >> 6 & 0x3F)));
		strbuf_addc(b, (char)(0x80 | (code & 0x3F)));
	} else {
		strbuf_addc(b, (char)(0xF0 | code >> 18));
		strbuf_addc(b, (char)(0x80 | (code >> 12 & 0x3F)));
		strbuf_addc(b, (char)(0x80 | (code >> 6 & 0x3F)));
		strbuf_addc(b, (char)(0x80 | (code & 0x3F)));
	}
}

/* at is behind "\u". Where it goes on. A server may hold half a surrogate pair: that is no character. */
static size_t add_code(struct strbuf *b, struct slice raw, size_t at)
{
	unsigned code = hex4(raw.ptr + at), low = 0;

	at += 4;
	if (code < 0xD800 || code > 0xDFFF) {
		add_utf8(b, code);
		return at;
	}
	if (code < 0xDC00 && raw.len - at >= 6 && raw.ptr[at] == '\\' && raw.ptr[at + 1] == 'u')
		low = hex4(raw.ptr + at + 2);
	if (low < 0xDC00 || low > 0xDFFF) {
		add_utf8(b, 0xFFFD);
		return at;
	}
	add_utf8(b, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
	return at + 6;
}

void json_unescape(struct strbuf *b, struct slice raw)
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	size_t at = 0;

	while (at < raw.len) {
		const char *backslash = memchr(raw.ptr + at, '\\', raw.len - at);
		size_t plain = backslash ? (size_t)(backslash - raw.ptr) - at : raw.len - at;
		const char *letter;

		strbuf_add(b, raw.ptr + at, plain);
		at += plain + 1;
		if (!backslash || at >= raw.len)
			return;
		if (raw.ptr[at] == 'u' && raw.len - at >= 5) {
			at = add_code(b, raw, at + 1);
			continue;
		}
		letter = strchr(letters, raw.ptr[at]);
		strbuf_addc(b, letter ? bytes[letter - letters] : raw.ptr[at]);
		at++;
	}
}

struct slice json_unescaped(struct arena *a, struct slice raw)
{
	struct strbuf b;

	if (!raw.len || !memchr(raw.ptr, '\\', raw.len))
		return raw;
	strbuf_init(&b, a, raw.len);
	json_unescape(&b, raw);
	return strbuf_slice(&b);
}

static bool at_odd_escape(struct slice s, size_t i)
{
	return s.ptr[i] == '\\' && i + 1 < s.len && !strchr("\"\\/bfnrtu", s.ptr[i + 1]);
}

static bool at_last_point(struct slice s, size_t i)
{
	return s.ptr[i] == '.' && (i + 1 == s.len || s.ptr[i + 1] < '0' || s.ptr[i + 1] > '9');
}

/* Most texts have no backslash, and digits behind their points. */
static bool is_plain(struct slice s)
{
	const char *at = s.ptr, *end = s.ptr + s.len;

	if (!s.len || memchr(s.ptr, '\\', s.len))
		return !s.len;
	while ((at = memchr(at, '.', (size_t)(end - at))) && !at_last_point(s, (size_t)(at - s.ptr)))
		at++;
	return !at;
}

void json_mend(struct strbuf *b, struct slice s)
{
	bool quoted = false;
	size_t from = 0;

	for (size_t i = 0; i < s.len && !(i == 0 && is_plain(s)); i++) {
		if (quoted ? at_odd_escape(s, i) : at_last_point(s, i)) {
			strbuf_add(b, s.ptr + from, i - from);
			from = i + 1;
		}
		/* What is behind a backslash ends nothing. */
		if (quoted && s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			quoted = !quoted;
	}
	strbuf_add(b, s.ptr + from, s.len - from);
}
