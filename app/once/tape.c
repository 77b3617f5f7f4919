/* The body of a request that may have to be read twice. Large ones are not kept: they are read once. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define KEEP_MAX ((size_t)1 << 19)
#define KEEP_FIRST 4096

/* Bytes 4 to 7 of gzip are the time of packing (RFC 1952, section 2.3): the same body packed again has another. */
#define GZIP_TIME 4
#define GZIP_TIME_END 8

void tape_close(void *tape)
{
	struct tape *t = tape;

	free(t->kept);
	t->kept = NULL;
}

static void forget(struct tape *t)
{
	tape_close(t);
	t->lost = true;
	t->len = t->at = 0;
}

static void keep(struct tape *t, const char *bytes, size_t n)
{
	if (t->lost)
		return;
	if (t->len + n > KEEP_MAX) {
		forget(t);
		return;
	}
	if (t->len + n > t->cap) {
		size_t cap = t->cap ? t->cap : KEEP_FIRST;
		char *more;

		while (cap < t->len + n)
			cap *= 2;
		more = realloc(t->kept, cap);
		if (!more)
			abort();
		t->kept = more;
		t->cap = cap;
	}
	memcpy(t->kept + t->len, bytes, n);
	t->len += n;
	t->at = t->len;
}

static void hash(struct tape *t, const char *bytes, size_t n)
{
	static const char zeros[GZIP_TIME_END];

	while (t->gzip && n && t->taken < GZIP_TIME_END) {
		digest_bytes(t->hash, t->taken < GZIP_TIME ? bytes : zeros, 1);
		t->taken++;
		bytes++;
		n--;
	}
	digest_bytes(t->hash, bytes, n);
	t->taken += n;
}

int64_t tape_read(struct tape *t, char *to, size_t size)
{
	int64_t n;

	if (t->at < t->len) {
		size_t part = t->len - t->at < size ? t->len - t->at : size;

		memcpy(to, t->kept + t->at, part);
		t->at += part;
		return (int64_t)part;
	}
	if (t->ended || !size)
		return t->cut ? -1 : 0;
	n = t->read(t->context, to, size);
	if (n <= 0) {
		t->ended = true;
		t->cut = n < 0;
		return n;
	}
	if (t->hash)
		hash(t, to, (size_t)n);
	keep(t, to, (size_t)n);
	return n;
}

bool tape_drain(struct tape *t)
{
	char rest[8192];

	t->at = t->len;
	while (!t->ended)
		(void)tape_read(t, rest, sizeof(rest));
	return !t->cut;
}

bool tape_rewind(struct tape *t)
{
	t->at = 0;
	return !t->lost;
}
