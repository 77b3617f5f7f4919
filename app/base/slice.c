/* Pieces of text: comparing, splitting, numbers, UTF-8. */
#include "strbuf.h"

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool slice_ieq(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.ptr[i]) != fold(b.ptr[i]))
			return false;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice a)
{
	while (a.len && is_blank(a.ptr[0]))
		a = slice_from(a, 1);
	while (a.len && is_blank(a.ptr[a.len - 1]))
		a.len--;
	return a;
}

bool slice_split(struct slice *rest, char sep, struct slice *part_out)
{
	const char *end;

	if (!rest->ptr)
		return false;
	end = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
	if (!end) {
		*part_out = *rest;
		*rest = (struct slice){ NULL, 0 };
		return true;
	}
	*part_out = (struct slice){ rest->ptr, (size_t)(end - rest->ptr) };
	*rest = slice_from(*rest, part_out->len + 1);
	return true;
}

char *slice_cstr(struct arena *a, struct slice s)
{
	return arena_strndup(a, s.ptr, s.len);
}

struct slice slice_copy(struct arena *a, struct slice s)
{
	return (struct slice){ slice_cstr(a, s), s.len };
}

bool parse_u64(struct slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.ptr[i] - '0');

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool parse_i64(struct slice s, int64_t *out)
{
	bool minus = s.len && s.ptr[0] == '-';
	uint64_t v;

	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
		s = slice_from(s, 1);
	if (!parse_u64(s, &v) || v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* Length of the UTF-8 sequence at p (RFC 3629 section 4), 0 when it is not one. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (n < len)
		return 0;
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return len;
}

bool utf8_valid(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_sequence(p + i, s.len - i);

		if (!n)
			return false;
		i += n;
	}
	return true;
}
