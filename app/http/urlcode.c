/* Percent-encoding (RFC 3986 section 2). */
#include "http.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_encoded(struct slice s, bool plus)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '%' || (plus && s.ptr[i] == '+') || (unsigned char)s.ptr[i] >= 0x80 || !s.ptr[i])
			return true;
	return false;
}

static bool bad_escape(struct slice text, size_t at, struct error *err)
{
	error_set(err, ERR_PARSE, "invalid percent-encoding in the request URL");
	return error_details(err, "\"%.*s\" is no escape of two hexadecimal digits",
			     (int)(text.len - at < 3 ? text.len - at : 3), text.ptr + at);
}

bool http_url_decode(struct arena *a, struct slice text, bool plus, struct slice *out, struct error *err)
{
	char *to;
	size_t n = 0;

	if (!is_encoded(text, plus)) {
		*out = text;
		return true;
	}
	to = arena_alloc(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			if (i + 2 >= text.len || hex(text.ptr[i + 1]) < 0 || hex(text.ptr[i + 2]) < 0)
				return bad_escape(text, i, err);
			c = (char)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2]));
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (!c)
			return error_set(err, ERR_PARSE, "the request URL holds a NUL character");
		to[n++] = c;
	}
	*out = (struct slice){ to, n };
	if (!utf8_valid(*out))
		return error_set(err, ERR_PARSE, "the request URL is not valid UTF-8");
	return true;
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void http_url_encode(struct strbuf *b, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (unreserved(text.ptr[i])) {
			strbuf_addc(b, text.ptr[i]);
			continue;
		}
		strbuf_addc(b, '%');
		strbuf_addc(b, "0123456789ABCDEF"[c >> 4]);
		strbuf_addc(b, "0123456789ABCDEF"[c & 15]);
	}
}
