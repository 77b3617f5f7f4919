/* A growing buffer on an arena or on its own, and the JSON string escaper. */
#include "strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void strbuf_init(struct strbuf *b, struct arena *a, size_t cap)
{
	*b = (struct strbuf){ .arena = a };
	if (cap)
		strbuf_grow(b, cap);
}

void strbuf_open(struct strbuf *b, size_t cap)
{
	strbuf_init(b, NULL, cap);
}

void strbuf_close(struct strbuf *b)
{
	if (!b->arena)
		free(b->ptr);
	*b = (struct strbuf){ .arena = b->arena };
}

char *strbuf_grow(struct strbuf *b, size_t n)
{
	size_t cap = b->cap ? b->cap * 2 : 64;
	char *ptr;

	if (b->cap - b->len >= n)
		return b->ptr + b->len;
	if (n > SIZE_MAX - b->len)
		abort();
	if (cap < b->len + n)
		cap = b->len + n;
	if (b->arena) {
		ptr = arena_alloc_raw(b->arena, cap);
		if (b->len)
			memcpy(ptr, b->ptr, b->len);
	} else {
		ptr = realloc(b->ptr, cap);
		if (!ptr)
			abort();
	}
	b->ptr = ptr;
	b->cap = cap;
	return ptr + b->len;
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		char *to = strbuf_room(b, (size_t)n + 1);

		vsnprintf(to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

/* Two digits at a time: numbers are most of what many answers hold. */
void strbuf_add_u64(struct strbuf *b, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char digits[20];
	size_t n = sizeof(digits);

	for (; v >= 100; v /= 100) {
		n -= 2;
		memcpy(digits + n, pairs + v % 100 * 2, 2);
	}
	if (v >= 10) {
		n -= 2;
		memcpy(digits + n, pairs + v * 2, 2);
	} else {
		digits[--n] = (char)('0' + v);
	}
	strbuf_add(b, digits + n, sizeof(digits) - n);
}

void strbuf_add_i64(struct strbuf *b, int64_t v)
{
	if (v < 0)
		strbuf_addc(b, '-');
	strbuf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

char *strbuf_cstr(struct strbuf *b)
{
	*strbuf_room(b, 1) = '\0';
	return b->ptr;
}

/* What a byte needs in a JSON string: 0 nothing, 'u' \u00XX, else the letter behind the backslash. */
static const char json_escape[256] = { [0 ... 7] = 'u', [11] = 'u',   [14 ... 31] = 'u', ['\b'] = 'b', ['\f'] = 'f',
				       ['\n'] = 'n',    ['\r'] = 'r', ['\t'] = 't',      ['"'] = '"',  ['\\'] = '\\' };

static void json_escaped(struct strbuf *b, unsigned char c)
{
	char *to = strbuf_room(b, 6);

	to[0] = '\\';
	to[1] = json_escape[c];
	b->len += 2;
	if (to[1] == 'u') {
		to[2] = to[3] = '0';
		to[4] = "0123456789abcdef"[c >> 4];
		to[5] = "0123456789abcdef"[c & 15];
		b->len += 4;
	}
}

void json_string(struct strbuf *b, struct slice s)
{
	size_t from = 0;
	char *to = strbuf_room(b, s.len + 2);

	*to = '"';
	b->len++;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (__builtin_expect(json_escape[c] != 0, 0)) {
			strbuf_add(b, s.ptr + from, i - from);
			json_escaped(b, c);
			from = i + 1;
		}
	}
	if (from < s.len)
		strbuf_add(b, s.ptr + from, s.len - from);
	strbuf_addc(b, '"');
}
