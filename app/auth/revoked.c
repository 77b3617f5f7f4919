/*
 * Tokens that are no longer believed though their signature is good: by their id (jti), their session (session_id),
 * their subject (sub) or all of them, with or without a time before which they were issued. A set of keyed hashes, held
 * by each worker; who fills it knows the database, this file does not. A token without iat counts as issued long ago.
 */
#include <stdlib.h>

#include "hash.h"
#include "internal.h"

struct entry {
	uint64_t hash;  /* 0: free */
	int64_t before; /* INT64_MAX: whenever issued */
	int64_t expires;
};

struct revoked {
	struct entry *entries;
	size_t n, cap; /* cap: a power of two */
	int64_t all_before;
};

struct revoked *revoked_open(void)
{
	struct revoked *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->all_before = INT64_MIN;
	return r;
}

void revoked_close(struct revoked *r)
{
	if (!r)
		return;
	free(r->entries);
	free(r);
}

static uint64_t key_of(enum auth_revocation kind, struct slice value)
{
	char text[1 + REVOKED_VALUE_MAX];
	uint64_t hash;

	if (value.len > REVOKED_VALUE_MAX)
		value.len = REVOKED_VALUE_MAX;
	text[0] = (char)kind;
	memcpy(text + 1, value.ptr, value.len);
	hash = hash_text((struct slice){ text, value.len + 1 });
	return hash ? hash : 1;
}

static struct entry *place(const struct revoked *r, uint64_t hash)
{
	size_t i = hash & (r->cap - 1);

	while (r->entries[i].hash && r->entries[i].hash != hash)
		i = (i + 1) & (r->cap - 1);
	return &r->entries[i];
}

/* Doubles the room, and leaves out what has expired. */
static void grow(struct revoked *r, int64_t now)
{
	struct revoked more = { .cap = r->cap ? r->cap * 2 : 64, .all_before = r->all_before };

	more.entries = calloc(more.cap, sizeof(*more.entries));
	if (!more.entries)
		abort();
	for (size_t i = 0; i < r->cap; i++)
		if (r->entries[i].hash && r->entries[i].expires > now) {
			*place(&more, r->entries[i].hash) = r->entries[i];
			more.n++;
		}
	free(r->entries);
	*r = more;
}

void revoked_add(struct revoked *r, enum auth_revocation kind, struct slice value, int64_t before, int64_t expires,
		 int64_t now)
{
	struct entry *e;

	if (kind == REVOKE_ALL) {
		if (before > r->all_before)
			r->all_before = before;
		return;
	}
	if (expires <= now)
		return;
	if (r->n * 2 >= r->cap)
		grow(r, now);
	e = place(r, key_of(kind, value));
	if (!e->hash) {
		*e = (struct entry){ key_of(kind, value), before, expires };
		r->n++;
		return;
	}
	if (before > e->before)
		e->before = before;
	if (expires > e->expires)
		e->expires = expires;
}

static int64_t cut(const struct revoked *r, enum auth_revocation kind, struct slice value)
{
	const struct entry *e;

	if (!r->cap || !value.len)
		return INT64_MIN;
	e = place(r, key_of(kind, value));
	return e->hash ? e->before : INT64_MIN;
}

bool revoked_holds(const struct revoked *r, const struct identity *id)
{
	if (id->issued < r->all_before)
		return true;
	return r->n &&
	       (id->issued < cut(r, REVOKE_TOKEN, id->token) || id->issued < cut(r, REVOKE_SESSION, id->session) ||
		id->issued < cut(r, REVOKE_SUBJECT, id->subject));
}

int64_t revoked_floor(const struct revoked *r, struct slice subject)
{
	int64_t before = cut(r, REVOKE_SUBJECT, subject);

	return before == INT64_MAX || before < r->all_before ? r->all_before : before;
}
