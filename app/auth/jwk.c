/* A public key as others read it (RFC 7517, RFC 7518 section 6). */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "internal.h"

/* len 0: as short as it is. */
static void member(struct arena *a, const struct key *key, const char *name, const char *parameter, size_t len,
		   struct strbuf *out)
{
	BIGNUM *n = NULL;
	unsigned char *bytes;

	if (EVP_PKEY_get_bn_param(key->pubkey, parameter, &n) != 1)
		return;
	if (!len)
		len = (size_t)BN_num_bytes(n);
	bytes = arena_alloc(a, len);
	BN_bn2binpad(n, bytes, (int)len);
	BN_free(n);
	strbuf_addf(out, ",\"%s\":\"", name);
	base64url_encode(out, (struct slice){ (const char *)bytes, len });
	strbuf_addc(out, '"');
}

void key_jwk(struct arena *a, const struct key *key, struct strbuf *out)
{
	if (key->alg->family == FAMILY_HMAC)
		return;
	strbuf_addf(out, "{\"kty\":\"%s\",\"kid\":\"%.*s\",\"alg\":\"%s\",\"use\":\"sig\",\"key_ops\":[\"verify\"]",
		    key->alg->family == FAMILY_EC ? "EC" : "RSA", (int)key->kid.len, key->kid.ptr, key->alg->name);
	if (key->alg->family == FAMILY_EC) {
		strbuf_addf(out, ",\"crv\":\"%s\"", key->alg->crv);
		member(a, key, "x", OSSL_PKEY_PARAM_EC_PUB_X, key->alg->field_len, out);
		member(a, key, "y", OSSL_PKEY_PARAM_EC_PUB_Y, key->alg->field_len, out);
	} else {
		member(a, key, "n", OSSL_PKEY_PARAM_RSA_N, 0, out);
		member(a, key, "e", OSSL_PKEY_PARAM_RSA_E, 0, out);
	}
	strbuf_addc(out, '}');
}
