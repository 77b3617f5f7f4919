/* What nobody can guess, and names for rows. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "internal.h"

static void draw(unsigned char *to, size_t n)
{
	/* Fewer than 256 bytes never come in part once the pool is ready. */
	if (getrandom(to, n, 0) != (ssize_t)n)
		abort();
}

/* RFC 9562 version 4. */
struct slice uuid_new(struct arena *a)
{
	unsigned char b[16];

	draw(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	return slice_of(arena_printf(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
				     b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
				     b[14], b[15]));
}

/* As it is written here: lower case. */
bool uuid_valid(struct slice text)
{
	if (text.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		char c = text.ptr[i];
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

struct slice random_text(struct arena *a, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[128];
	char *text = arena_alloc(a, n + 1);

	if (n > sizeof(bytes))
		n = sizeof(bytes);
	draw(bytes, n);
	for (size_t i = 0; i < n; i++)
		text[i] = letters[bytes[i] & 63];
	return (struct slice){ text, n };
}

void sha256(struct slice text, unsigned char out[32])
{
	SHA256((const unsigned char *)text.ptr, text.len, out);
}
