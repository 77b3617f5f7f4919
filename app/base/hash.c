/* The keyed hash behind every table whose keys a client may choose (Aumasson and Bernstein, SipHash). */
#include "hash.h"

#include <stdlib.h>
#include <sys/random.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static const uint64_t *process_key(void)
{
	static uint64_t key[2];
	static bool drawn;

	if (!drawn) {
		if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
			abort();
		drawn = true;
	}
	return key;
}

uint64_t hash_text(struct slice s)
{
	const uint64_t *key = process_key();
	struct sip sip = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
			   key[1] ^ 0x7465646279746573u };
	uint64_t last = (uint64_t)s.len << 56, word;
	size_t whole = s.len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&word, s.ptr + i, 8);
		sip_word(&sip, word);
	}
	for (size_t i = whole; i < s.len; i++)
		last |= (uint64_t)(unsigned char)s.ptr[i] << 8 * (i - whole);
	sip_word(&sip, last);
	sip.v2 ^= 0xff;
	sip_round(&sip);
	sip_round(&sip);
	sip_round(&sip);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
