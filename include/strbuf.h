#ifndef ROWGATE_STRBUF_H
#define ROWGATE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"

/* A piece of text or bytes that somebody else owns. It may hold NUL and has none at its end. */
struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

static inline struct slice slice_of(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_of(s));
}

/* Equal but for the case of ASCII letters. */
bool slice_ieq(struct slice a, struct slice b);

static inline bool slice_starts(struct slice a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && memcmp(a.ptr, prefix, n) == 0;
}

/* a without its first n bytes (n at most a.len). */
static inline struct slice slice_from(struct slice a, size_t n)
{
	return (struct slice){ a.ptr + n, a.len - n };
}

/* Without blanks and tabs at both ends. */
struct slice slice_trim(struct slice a);

/*
 * The part of *rest before the next sep; *rest goes on behind it. False when *rest is used up
 * (its ptr is NULL then). "a,b" gives "a" and "b"; "a," gives "a" and "".
 */
bool slice_split(struct slice *rest, char sep, struct slice *part_out);

/* A copy in the arena, with a NUL behind it. */
struct slice slice_copy(struct arena *a, struct slice s);
char *slice_cstr(struct arena *a, struct slice s);

/* Decimal digits only, whole text. False when empty, ill-formed or out of range. */
bool parse_u64(struct slice s, uint64_t *out);
/* The same with an optional sign (+ or -). */
bool parse_i64(struct slice s, int64_t *out);

/* Is s valid UTF-8 (RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF)? */
bool utf8_valid(struct slice s);

/*
 * A growing buffer. With an arena its memory ends with the arena; without one (strbuf_open) it lives
 * until strbuf_close and is reused. ptr is not NUL terminated unless strbuf_cstr was called.
 */
struct strbuf {
	char *ptr;
	size_t len;
	size_t cap;
	struct arena *arena; /* NULL: malloc */
};

void strbuf_init(struct strbuf *b, struct arena *a, size_t cap);
void strbuf_open(struct strbuf *b, size_t cap);
void strbuf_close(struct strbuf *b);

/* Room for n more bytes; the place to write them. The caller adds to len. */
char *strbuf_grow(struct strbuf *b, size_t n);

static inline char *strbuf_room(struct strbuf *b, size_t n)
{
	return b->cap - b->len >= n ? b->ptr + b->len : strbuf_grow(b, n);
}

static inline void strbuf_add(struct strbuf *b, const void *ptr, size_t len)
{
	if (!len)
		return;
	memcpy(strbuf_room(b, len), ptr, len);
	b->len += len;
}

static inline void strbuf_addc(struct strbuf *b, char c)
{
	*strbuf_room(b, 1) = c;
	b->len++;
}

static inline void strbuf_adds(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

static inline void strbuf_add_slice(struct strbuf *b, struct slice s)
{
	strbuf_add(b, s.ptr, s.len);
}

#define strbuf_lit(b, literal) strbuf_add((b), "" literal, sizeof(literal) - 1)

void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_add_u64(struct strbuf *b, uint64_t v);
void strbuf_add_i64(struct strbuf *b, int64_t v);

/* The text so far with a NUL behind it (not counted in len). */
char *strbuf_cstr(struct strbuf *b);

static inline struct slice strbuf_slice(const struct strbuf *b)
{
	return (struct slice){ b->ptr, b->len };
}

/* s as a JSON string with its quotes (RFC 8259 section 7). Bytes from 0x80 on pass as they are. */
void json_string(struct strbuf *b, struct slice s);

#endif
