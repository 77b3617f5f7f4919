/*
 * libjwt, as a primitive for one question: is this signature of this key? The algorithm was compared with the
 * key's before, and is compared again with what libjwt made of it. libjwt 1.x compares an HMAC in constant time.
 */
#include <jwt.h>
#include <assert.h>
#include <openssl/err.h>

#include "internal.h"

static const struct {
	const char *name;
	jwt_alg_t number;
} numbers[] = {
	{ "HS256", JWT_ALG_HS256 }, { "HS384", JWT_ALG_HS384 }, { "HS512", JWT_ALG_HS512 },
	{ "RS256", JWT_ALG_RS256 }, { "RS384", JWT_ALG_RS384 }, { "RS512", JWT_ALG_RS512 },
	{ "ES256", JWT_ALG_ES256 }, { "ES384", JWT_ALG_ES384 }, { "ES512", JWT_ALG_ES512 },
};

static jwt_alg_t number_of(const struct alg *alg)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strcmp(alg->name, numbers[i].name) == 0)
			return numbers[i].number;
	return JWT_ALG_NONE;
}

bool jwt_signature(struct arena *a, const struct key *key, const struct token *token)
{
	jwt_t *jwt = NULL;
	bool good;

	assert(key->bytes && key->len >= 32 && key->alg == token->alg && number_of(key->alg) != JWT_ALG_NONE);
	good = jwt_decode(&jwt, slice_cstr(a, token->text), key->bytes, (int)key->len) == 0 && jwt &&
	       jwt_get_alg(jwt) == number_of(key->alg);
	jwt_free(jwt);
	ERR_clear_error();
	return good;
}
