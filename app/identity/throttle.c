/*
 * Wrong passwords are slowed down, by leaky buckets in memory that the workers share: one for the account as tried from
 * this address, one for the account from anywhere, one for the address whatever the account. A right password gives
 * back what it took, so only wrong ones count. Nobody is locked out for good: every bucket leaks; who tries from one
 * address fills a quarter of the account's; and where the account has signed in before, the account's own bucket does
 * not count, so that an owner gets in while others try.
 *
 * A slot holds 24 bits of a bucket's keyed name and the time (ms, 40 bits) until which it is full of drops; names that
 * share a slot look a few places further and at last share it. The key is drawn by whoever comes first.
 */
#include <string.h>
#include <sys/random.h>

#include <openssl/sha.h>

#include "clock.h"
#include "internal.h"

#define MINUTE_MS 60000
#define WAYS 8
#define TIME_BITS 40
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

static uint64_t key_part(const struct identity_env *env, size_t i)
{
	uint64_t seen = atomic_load(&env->shared->limits_key[i]), drawn = 0;

	if (seen)
		return seen;
	if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn) || !drawn)
		drawn = 1;
	return atomic_compare_exchange_strong(&env->shared->limits_key[i], &seen, drawn) ? drawn : seen;
}

static uint64_t name_of(const struct identity_env *env, char kind, struct slice one, struct slice other)
{
	uint64_t key[2] = { key_part(env, 0), key_part(env, 1) }, name;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct strbuf b;

	strbuf_init(&b, env->arena, 64 + one.len + other.len);
	strbuf_add(&b, key, sizeof(key));
	strbuf_addc(&b, kind);
	strbuf_add_slice(&b, one);
	strbuf_addc(&b, '\0');
	strbuf_add_slice(&b, other);
	SHA256((const unsigned char *)b.ptr, b.len, digest);
	memcpy(&name, digest, sizeof(name));
	return name;
}

static uint64_t tag_of(uint64_t name)
{
	uint64_t tag = name >> TIME_BITS;

	return (tag ? tag : 1) << TIME_BITS;
}

/* The slot of that name: its own, else one that is free or dry, else the one that will be dry first. */
static _Atomic uint64_t *slot_of(const struct identity_env *env, uint64_t name, uint64_t now)
{
	_Atomic uint64_t *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < WAYS; i++) {
		_Atomic uint64_t *slot = &env->shared->limits[(name + i) % SHARED_LIMITS];
		uint64_t v = atomic_load(slot);

		if ((v & ~TIME_MASK) == tag_of(name))
			return slot;
		if ((v & TIME_MASK) <= now || (v & TIME_MASK) > now + UINT64_C(60) * MINUTE_MS)
			v &= ~TIME_MASK;
		if ((v & TIME_MASK) < least) {
			least = v & TIME_MASK;
			best = slot;
		}
	}
	return best;
}

/* What is left in the bucket, in milliseconds of leaking. */
static uint64_t level(uint64_t v, uint64_t name, uint64_t now)
{
	uint64_t until = v & TIME_MASK;

	return (v & ~TIME_MASK) == tag_of(name) && until > now && until < now + UINT64_C(60) * MINUTE_MS ? until - now
													 : 0;
}

/* Puts cost into a bucket of a minute. 0; or the milliseconds until there is room. */
static uint64_t pour(const struct identity_env *env, uint64_t name, uint64_t cost)
{
	uint64_t now = (uint64_t)now_ms() & TIME_MASK;
	_Atomic uint64_t *slot = slot_of(env, name, now);
	uint64_t v = atomic_load(slot), full;

	do {
		full = level(v, name, now);
		if (full + cost > MINUTE_MS)
			return full + cost - MINUTE_MS;
	} while (!atomic_compare_exchange_weak(slot, &v, tag_of(name) | (now + full + cost)));
	return 0;
}

static void give_back(const struct identity_env *env, uint64_t name, uint64_t cost)
{
	uint64_t now = (uint64_t)now_ms() & TIME_MASK;
	_Atomic uint64_t *slot = slot_of(env, name, now);
	uint64_t v = atomic_load(slot), full;

	do {
		full = level(v, name, now);
		if (!full)
			return;
	} while (!atomic_compare_exchange_weak(slot, &v, tag_of(name) | (now + (full > cost ? full - cost : 0))));
}

/* A network of IPv6 is one customer's: its first four groups count. */
static struct slice network(struct slice address)
{
	size_t groups = 0;

	if (!memchr(address.ptr, ':', address.len))
		return address;
	for (size_t i = 0; i < address.len; i++)
		if (address.ptr[i] == ':' && ++groups == 4)
			return (struct slice){ address.ptr, i };
	return address;
}

bool throttle_take(const struct identity_env *env, struct slice email, struct slice address, bool known,
		   struct attempt *out, struct error *err)
{
	uint64_t each = env->config->auth_login_attempts, wait = 0;
	struct slice nothing = { "", 0 }, from = network(address);

	*out = (struct attempt){ .n = 0 };
	if (!each)
		return true;
	each = MINUTE_MS / each;
	out->taken[0].key = name_of(env, 'p', email, from);
	out->taken[0].cost = each;
	out->taken[1].key = name_of(env, 'r', nothing, from);
	out->taken[1].cost = each / 6;
	out->taken[2].key = name_of(env, 'a', email, nothing);
	out->taken[2].cost = each / 4;
	while (!wait && out->n < (known ? 2 : 3)) {
		wait = pour(env, out->taken[out->n].key, out->taken[out->n].cost);
		out->n += !wait;
	}
	if (!wait)
		return true;
	throttle_give_back(env, out);
	atomic_fetch_add(&env->shared->logins_throttled, 1);
	deny(err, 429, "over_request_rate_limit", "Too many wrong passwords, try again later");
	err->retry_after = (unsigned)(wait / 1000 + 1);
	return false;
}

void throttle_give_back(const struct identity_env *env, const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->n; i++)
		give_back(env, attempt->taken[i].key, attempt->taken[i].cost);
}
