/*
 * Passwords: libxcrypt's yescrypt, which takes time and memory on purpose. So that sign-ins cannot starve the pool, only
 * a share of its workers may hash at once; who finds no slot is asked to come again. A slot names the time when it is
 * taken to be lost, for a worker may die in the middle of a hash.
 */
#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "clock.h"
#include "internal.h"

#define SLOT_LOST_MS 10000
/* A slot may become free within a moment: that is shorter than a client's way back. */
#define WAIT_MS 50

static size_t slots(const struct identity_env *env)
{
	int64_t workers = atomic_load(&env->shared->workers);
	uint64_t n = (uint64_t)(workers > 0 ? workers : 1) * env->config->auth_hash_share / 100;

	return n < 1 ? 1 : n > SHARED_HASHERS ? SHARED_HASHERS : (size_t)n;
}

static bool take(const struct identity_env *env, size_t *slot_out)
{
	int64_t now = now_ms();

	for (size_t i = 0; i < slots(env); i++) {
		int64_t until = atomic_load(&env->shared->hashers[i]);

		/* Beyond the longest: the clock began anew with the machine. */
		if (until > now && until <= now + SLOT_LOST_MS)
			continue;
		if (atomic_compare_exchange_strong(&env->shared->hashers[i], &until, now + SLOT_LOST_MS)) {
			*slot_out = i;
			return true;
		}
	}
	return false;
}

bool hash_begin(const struct identity_env *env, size_t *slot_out, struct error *err)
{
	static const struct timespec moment = { 0, 2000000 };

	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; nanosleep(&moment, NULL))
		if (take(env, slot_out))
			return true;
	deny(err, 429, "over_request_rate_limit", "Too many passwords are being checked, try again in a moment");
	err->retry_after = 1;
	return false;
}

void hash_end(const struct identity_env *env, size_t slot)
{
	atomic_store(&env->shared->hashers[slot], 0);
}

/* crypt(3) of password under setting, into the arena; empty when it failed. */
static struct slice hashed(struct arena *a, struct slice password, const char *setting)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char *phrase = slice_cstr(a, password);
	struct slice out = { "", 0 };
	const char *made;

	if (!data)
		abort();
	made = crypt_rn(phrase, setting, data, sizeof(*data));
	if (made && made[0] != '*')
		out = slice_copy(a, slice_of(made));
	OPENSSL_cleanse(phrase, password.len);
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return out;
}

bool password_hash(const struct identity_env *env, struct slice password, struct slice *out, struct error *err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	size_t slot;

	if (!crypt_gensalt_rn("$y$", env->config->auth_hash_cost, NULL, 0, setting, sizeof(setting)))
		return error_set(err, ERR_INTERNAL, "no salt could be made");
	if (!hash_begin(env, &slot, err))
		return false;
	*out = hashed(env->arena, password, setting);
	hash_end(env, slot);
	return out->len || error_set(err, ERR_INTERNAL, "the password could not be hashed");
}

/* What nobody's password matches, of the same cost. */
static const char *nobody(const struct identity_env *env)
{
	static char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	static uint64_t cost;

	if (cost != env->config->auth_hash_cost) {
		cost = env->config->auth_hash_cost;
		if (!crypt_gensalt_rn("$y$", cost, NULL, 0, setting, sizeof(setting)))
			abort();
	}
	return setting;
}

bool password_matches(const struct identity_env *env, struct slice password, struct slice hash)
{
	struct slice made;

	if (memchr(password.ptr, '\0', password.len))
		hash.len = 0;
	made = hashed(env->arena, password, hash.len ? slice_cstr(env->arena, hash) : nobody(env));
	return hash.len && made.len == hash.len && CRYPTO_memcmp(made.ptr, hash.ptr, hash.len) == 0;
}

static size_t characters(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return n;
}

bool password_fit(const struct config *config, struct slice password, struct error *err)
{
	if (password.len > PASSWORD_MAX || memchr(password.ptr, '\0', password.len))
		return deny(err, 422, "validation_failed", "A password has at most %zu bytes", PASSWORD_MAX);
	if (characters(password) >= config->auth_password_min)
		return true;
	deny(err, 422, "weak_password", "Password should be at least %llu characters",
	     (unsigned long long)config->auth_password_min);
	err->details = "{\"reasons\":[\"length\"]}";
	return false;
}
