/*
 * Verified tokens: what their signature proved once need not be proved again. The whole token is the key, every
 * byte of it, behind a keyed hash of its end, where the signature is: long signatures cost no more than short ones, and
 * since only verified tokens enter, nobody chooses who shares a bucket. What is
 * kept does not depend on the time of day; the caller looks at exp and nbf on every hit. Bounded: the least
 * recently used leaves; tokens longer than TOKEN_CACHED_MAX do not enter.
 */
#include <stdlib.h>

#include "hash.h"
#include "internal.h"

struct entry {
	uint64_t hash;
	struct entry *chain; /* next of the same bucket */
	struct entry *newer, *older;
	struct slice token;
	struct identity identity;
	size_t size;  /* of this block */
	char bytes[]; /* the texts */
};

struct cache {
	size_t max;
	size_t n;
	size_t mask;
	struct entry *newest, *oldest;
	uint64_t hits, lookups;
	struct entry *buckets[];
};

struct cache *cache_open(size_t max_entries)
{
	size_t nbuckets = 1;
	struct cache *c;

	while (nbuckets < max_entries)
		nbuckets *= 2;
	c = calloc(1, sizeof(*c) + nbuckets * sizeof(*c->buckets));
	if (!c)
		abort();
	c->max = max_entries;
	c->mask = nbuckets - 1;
	return c;
}

static void unlink_age(struct cache *c, const struct entry *e)
{
	*(e->newer ? &e->newer->older : &c->newest) = e->older;
	*(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

static void drop(struct cache *c, struct entry *e)
{
	struct entry **at = &c->buckets[e->hash & c->mask];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_age(c, e);
	c->n--;
	explicit_bzero(e, e->size);
	free(e);
}

void cache_clear(struct cache *c)
{
	while (c->oldest)
		drop(c, c->oldest);
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	cache_clear(c);
	free(c);
}

#define HASHED_END ((size_t)64)

static uint64_t hash_of(struct slice token)
{
	return hash_text(token.len > HASHED_END ? slice_from(token, token.len - HASHED_END) : token);
}

static struct entry *find(const struct cache *c, struct slice token, uint64_t hash)
{
	for (struct entry *e = c->buckets[hash & c->mask]; e; e = e->chain)
		if (e->hash == hash && slice_eq(e->token, token))
			return e;
	return NULL;
}

const struct identity *cache_find(struct cache *c, struct slice token)
{
	struct entry *e;

	c->lookups++;
	if (!c->n || token.len > TOKEN_CACHED_MAX)
		return NULL;
	e = find(c, token, hash_of(token));
	if (!e)
		return NULL;
	c->hits++;
	if (e != c->newest) {
		unlink_age(c, e);
		link_newest(c, e);
	}
	return &e->identity;
}

/* A copy of s at *to, which moves behind it. */
static struct slice put(char **to, struct slice s)
{
	struct slice copy = { *to, s.len };

	if (s.len)
		memcpy(*to, s.ptr, s.len);
	*to += s.len;
	return copy;
}

void cache_add(struct cache *c, struct slice token, const struct identity *id)
{
	uint64_t hash = hash_of(token);
	struct entry *e;
	size_t size;
	char *to;

	if (!c->max || token.len > TOKEN_CACHED_MAX || find(c, token, hash))
		return;
	if (c->n == c->max)
		drop(c, c->oldest);
	size = sizeof(*e) + token.len + id->role.len + id->subject.len + id->token.len + id->session.len +
	       id->claims.len;
	e = malloc(size);
	if (!e)
		abort();
	to = e->bytes;
	e->size = size;
	e->hash = hash;
	e->token = put(&to, token);
	e->identity = *id;
	e->identity.role = put(&to, id->role);
	e->identity.subject = put(&to, id->subject);
	e->identity.token = put(&to, id->token);
	e->identity.session = put(&to, id->session);
	e->identity.claims = put(&to, id->claims);
	e->chain = c->buckets[hash & c->mask];
	c->buckets[hash & c->mask] = e;
	link_newest(c, e);
	c->n++;
}

void cache_counts(const struct cache *c, uint64_t *hits_out, uint64_t *lookups_out)
{
	*hits_out = c->hits;
	*lookups_out = c->lookups;
}
