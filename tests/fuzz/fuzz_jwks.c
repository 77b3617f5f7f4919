/*
 * Any text -> keys. As jwt-secret, and as what rowgate-jwks fetched. What is judged:
 *
 *   - every key that is taken is for one algorithm, long enough, on its curve, with a name a token can carry;
 *   - what rowgate-jwks would keep holds a public key, and the workers load it;
 *   - a public key, written as we publish it, is read as the same key;
 *   - a refusal says why, in UTF-8.
 *
 * OpenSSL's check of an RSA modulus draws lots: one with a middling factor passes now and then. So of RSA keys only what
 * was taken is judged, not that it is taken again.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <openssl/evp.h>

#include "../unit/token_maker.h"

#include "../../app/auth/internal.h"

#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena *arena;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void judge_key(const struct key *key)
{
	char group[64];

	require(key->alg && (!key->kid.len || kid_valid(key->kid)) && key->signature_len);
	switch (key->alg->family) {
	case FAMILY_HMAC:
		require(!key->pubkey && key->len >= key->alg->hash_len);
		break;
	case FAMILY_RSA:
		require(EVP_PKEY_is_a(key->pubkey, "RSA") && EVP_PKEY_get_bits(key->pubkey) >= 2048);
		break;
	case FAMILY_EC:
		require(EVP_PKEY_is_a(key->pubkey, "EC") &&
			EVP_PKEY_get_group_name(key->pubkey, group, sizeof(group), NULL) == 1 &&
			strcmp(group, key->alg->group) == 0 && key->signature_len == 2 * key->alg->field_len);
		break;
	}
}

static bool load(const char *text, struct keyring *ring, struct error *err)
{
	struct config config = plain_config();

	config.jwt_secret = text;
	error_init(err, arena);
	return keys_load(arena, &config, ring, err);
}

static void judge_published(const struct key *key)
{
	struct keyring again;
	struct error err;
	struct strbuf b;

	strbuf_init(&b, arena, 1024);
	key_jwk(arena, key, &b);
	if (!load(strbuf_cstr(&b), &again, &err)) {
		require(key->alg->family == FAMILY_RSA);
		return;
	}
	require(again.n == 1 && again.keys[0].alg == key->alg && slice_eq(again.keys[0].kid, key->kid) &&
		EVP_PKEY_eq(again.keys[0].pubkey, key->pubkey) == 1);
	keys_wipe(&again);
}

static void judge_refusal(const struct error *err)
{
	require(err->message && utf8_valid(slice_of(err->message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct keyring ring;
	struct error err;
	bool usable, loaded;
	size_t public_keys = 0;
	char *copy;

	if (!arena)
		arena = arena_open();
	/* A setting ends at a NUL: it would be another text than what was fetched. */
	if (memchr(data, 0, size))
		return 0;
	copy = slice_cstr(arena, text);
	error_init(&err, arena);
	usable = auth_jwks_usable(arena, text, &err);
	if (!usable)
		judge_refusal(&err);
	loaded = *copy != '@' && load(copy, &ring, &err);
	if (!loaded && *copy != '@')
		judge_refusal(&err);
	for (size_t i = 0; loaded && i < ring.n; i++) {
		judge_key(&ring.keys[i]);
		if (ring.keys[i].pubkey) {
			public_keys++;
			if (!ring.keys[i].kid.len)
				continue; /* ours have a name */
			judge_published(&ring.keys[i]);
		}
	}
	if (!memmem(data, size, "RSA", 3) && !memmem(data, size, "\\u", 2)) {
		/* A secret in a set is nobody's business there; it may be a broken one. */
		require(!usable || (loaded ? public_keys > 0 : memmem(data, size, "oct", 3) != NULL));
		require(usable || !loaded || !public_keys || json_kind(text) != '{');
	}
	if (loaded)
		keys_wipe(&ring);
	arena_reset(arena);
	return 0;
}
