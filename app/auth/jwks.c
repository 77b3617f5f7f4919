/*
 * Keys written as JSON (RFC 7517). A JWK serves its alg; without one, oct is HS256, RSA is RS256, and a curve has only
 * one algorithm anyway. Keys a verifier has no use for (for encryption, of another type) are left out of a set, as
 * section 5 asks.
 */
#include <json-c/json.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "json.h"
#include "keys.h"

#define ISSUER_MAX ((size_t)1024)

/* A member of a JWK that holds bytes as base64url. */
static bool jwk_bytes(struct source *s, struct json_object *jwk, const char *name, struct slice *out)
{
	struct slice text;

	if (!object_text(jwk, name, &text) || !text.len)
		return keys_complain(s, "member '%s' is missing or no text", name);
	if (!base64url_decode(s->arena, text, out))
		return keys_complain(s, "member '%s' is not base64url", name);
	return true;
}

static EVP_PKEY *public_from(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pubkey = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pubkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pubkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return pubkey;
}

static bool add_rsa(struct source *s, struct json_object *jwk, const struct alg *named, struct slice kid)
{
	OSSL_PARAM_BLD *build;
	EVP_PKEY *pubkey = NULL;
	struct slice n = { "", 0 }, e = { "", 0 };
	BIGNUM *bn_n, *bn_e;

	if (!jwk_bytes(s, jwk, "n", &n) || !jwk_bytes(s, jwk, "e", &e))
		return false;
	if (n.len > RSA_MAX_BITS / 8 + 1 || e.len > 8)
		return keys_complain(s, "the RSA key is too large");
	build = OSSL_PARAM_BLD_new();
	bn_n = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
	bn_e = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
	if (build && bn_n && bn_e && BN_is_odd(bn_e) && !BN_is_one(bn_e) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		pubkey = public_from("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn_n);
	BN_free(bn_e);
	if (!pubkey)
		return keys_complain(s, "'n' and 'e' are no RSA key");
	return keys_add_public(s, pubkey, named, kid);
}

static const struct alg *alg_of_crv(struct slice crv)
{
	for (size_t i = 0; i < nalgs; i++)
		if (algs[i].crv && slice_is(crv, algs[i].crv))
			return &algs[i];
	return NULL;
}

static bool add_ec(struct source *s, struct json_object *jwk, const struct alg *named, struct slice kid)
{
	unsigned char point[1 + 2 * 66] = { 0x04 };
	const struct alg *curve;
	OSSL_PARAM_BLD *build;
	EVP_PKEY *pubkey = NULL;
	struct slice crv, x = { "", 0 }, y = { "", 0 };

	if (!object_text(jwk, "crv", &crv))
		return keys_complain(s, "member 'crv' is missing or no text");
	curve = alg_of_crv(crv);
	if (!curve)
		return keys_complain(s, "curve '%.*s' is not P-256, P-384 or P-521", (int)crv.len, crv.ptr);
	if (!jwk_bytes(s, jwk, "x", &x) || !jwk_bytes(s, jwk, "y", &y))
		return false;
	if (x.len != curve->field_len || y.len != curve->field_len)
		return keys_complain(s, "'x' and 'y' must have %zu bytes each", curve->field_len);
	memcpy(point + 1, x.ptr, x.len);
	memcpy(point + 1 + x.len, y.ptr, y.len);
	build = OSSL_PARAM_BLD_new();
	if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.len) == 1)
		pubkey = public_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	if (!pubkey)
		return keys_complain(s, "'x' and 'y' are no point of %s", curve->crv);
	return keys_add_public(s, pubkey, named, kid);
}

static bool add_oct(struct source *s, struct json_object *jwk, const struct alg *named, struct slice kid)
{
	struct slice secret = { "", 0 }, text;
	bool good;

	if (named && named->family != FAMILY_HMAC)
		return keys_complain(s, "alg %s does not fit the key", named->name);
	if (!jwk_bytes(s, jwk, "k", &secret))
		return false;
	good = keys_add_secret(s, named ? named : alg_find(SLICE("HS256")), kid, secret);
	key_wipe(secret);
	if (object_text(jwk, "k", &text))
		key_wipe(text);
	return good;
}

/* Is this key for checking signatures (RFC 7517 sections 4.2 and 4.3)? */
static bool jwk_signs(struct json_object *jwk)
{
	struct json_object *ops;
	struct slice use;

	if (object_has(jwk, "use") && (!object_text(jwk, "use", &use) || !slice_is(use, "sig")))
		return false;
	if (!json_object_object_get_ex(jwk, "key_ops", &ops))
		return true;
	if (!json_object_is_type(ops, json_type_array))
		return false;
	for (size_t i = 0; i < (size_t)json_object_array_length(ops); i++) {
		struct json_object *op = json_object_array_get_idx(ops, i);

		if (json_object_is_type(op, json_type_string) && (strcmp(json_object_get_string(op), "verify") == 0 ||
								  strcmp(json_object_get_string(op), "sign") == 0))
			return true;
	}
	return false;
}

/* By its kty. */
static bool add_kind(struct source *s, struct json_object *jwk, struct slice kty, const struct alg *named,
		     struct slice kid)
{
	if (slice_is(kty, "oct"))
		return s->only_public || add_oct(s, jwk, named, kid);
	if (slice_is(kty, "RSA"))
		return add_rsa(s, jwk, named, kid);
	if (slice_is(kty, "EC"))
		return add_ec(s, jwk, named, kid);
	return true;
}

/*
 * A JWK, or a set for all of its keys, may say "iss": only tokens of that issuer are then believed by it. What the
 * configuration says of a provider counts more than what the provider says of itself.
 */
static bool read_issuer(struct source *s, struct json_object *o)
{
	struct slice issuer;

	if (s->issuer.len || !object_has(o, "iss"))
		return true;
	if (!object_text(o, "iss", &issuer) || !issuer.len || issuer.len > ISSUER_MAX)
		return keys_complain(s, "'iss' must be a text of 1 to %zu bytes", ISSUER_MAX);
	s->issuer = slice_copy(s->arena, issuer);
	return true;
}

/* A key of no use to a verifier is left out without a word; the caller counts. */
static bool add_jwk(struct source *s, struct json_object *jwk)
{
	struct slice issuer = s->issuer;
	bool good;

	const struct alg *named = NULL;
	struct slice kty, alg, kid = { "", 0 };

	if (!json_object_is_type(jwk, json_type_object) || !object_text(jwk, "kty", &kty))
		return keys_complain(s, "not a JWK: an object with 'kty' is needed");
	if (object_has(jwk, "kid")) {
		if (!object_text(jwk, "kid", &kid) || !kid_valid(kid))
			return keys_complain(s, "'kid' must be 1 to %zu of A-Z a-z 0-9 . _ -", KID_MAX);
		s->name = arena_printf(s->arena, "%s (kid %.*s)", s->name, (int)kid.len, kid.ptr);
	}
	if (object_has(jwk, "alg")) {
		if (!object_text(jwk, "alg", &alg))
			return keys_complain(s, "'alg' is no text");
		named = alg_find(alg);
		if (!named)
			return true;
	}
	if (!jwk_signs(jwk))
		return true;
	good = read_issuer(s, jwk) && add_kind(s, jwk, kty, named, kid);
	s->issuer = issuer;
	return good;
}

static bool add_jwks(struct source *s, struct json_object *set)
{
	const char *whole = s->name;
	struct slice issuer = s->issuer;
	struct json_object *keys;

	if (!json_object_object_get_ex(set, "keys", &keys))
		return add_jwk(s, set);
	if (!json_object_is_type(keys, json_type_array))
		return keys_complain(s, "'keys' must be a list");
	if (!read_issuer(s, set))
		return false;
	for (size_t i = 0; i < (size_t)json_object_array_length(keys); i++) {
		s->name = arena_printf(s->arena, "%s: key %zu", whole, i + 1);
		if (!add_jwk(s, json_object_array_get_idx(keys, i)))
			return false;
	}
	s->name = whole;
	s->issuer = issuer;
	return true;
}

bool keys_add_json(struct source *s, struct slice text)
{
	struct json_object *set;
	struct json_fault fault;
	size_t before = s->ring->n;

	if (!json_check(s->arena, text, JWKS_DEPTH, &fault))
		return keys_complain(s, "broken JSON at byte %zu: %s", fault.offset, fault.reason);
	set = object_parse(s->arena, text, JWKS_DEPTH);
	if (!set)
		return keys_complain(s, "broken JSON");
	if (!add_jwks(s, set))
		return false;
	if (s->ring->n == before)
		return keys_complain(s, "no key in it can check signatures by HS, RS or ES 256, 384, 512");
	return true;
}
