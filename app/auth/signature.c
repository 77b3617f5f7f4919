/*
 * Signatures by OpenSSL itself. Tokens are verified by libjwt (jwt.c) but for those of type at+jwt, which libjwt
 * 1.10 refuses to look at; the tests hold both verdicts against each other.
 */
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "internal.h"

static const EVP_MD *digest_of(const struct alg *alg)
{
	return alg->hash_len == 32 ? EVP_sha256() : alg->hash_len == 48 ? EVP_sha384() : EVP_sha512();
}

static bool hmac(const struct key *key, struct slice signing, unsigned char mac[EVP_MAX_MD_SIZE])
{
	unsigned len = 0;

	return HMAC(digest_of(key->alg), key->bytes, (int)key->len, (const unsigned char *)signing.ptr, signing.len,
		    mac, &len) &&
	       len == key->alg->hash_len;
}

static bool verify_public(const struct key *key, struct slice signing, const unsigned char *der, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, digest_of(key->alg), NULL, key->pubkey) == 1 &&
		    EVP_DigestVerify(ctx, der, len, (const unsigned char *)signing.ptr, signing.len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* A token carries r and s side by side (RFC 7518 section 3.4), OpenSSL wants them as DER. */
static bool verify_ec(const struct key *key, const struct token *token)
{
	const unsigned char *raw = (const unsigned char *)token->signature.ptr;
	int half = (int)key->alg->field_len, len;
	unsigned char der[160], *to = der;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, half, NULL), *s = BN_bin2bn(raw + half, half, NULL);
	bool good = false;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(sig, NULL);
		if (len > 0 && (size_t)len <= sizeof(der))
			good = verify_public(key, token->signing, der, (size_t)i2d_ECDSA_SIG(sig, &to));
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return good;
}

bool signature_verify(const struct key *key, const struct token *token)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	bool good = false;

	if (key->alg != token->alg || token->signature.len != key->signature_len)
		return false;
	switch (key->alg->family) {
	case FAMILY_HMAC:
		good = hmac(key, token->signing, mac) &&
		       CRYPTO_memcmp(mac, token->signature.ptr, key->signature_len) == 0;
		OPENSSL_cleanse(mac, sizeof(mac));
		break;
	case FAMILY_RSA:
		good = verify_public(key, token->signing, (const unsigned char *)token->signature.ptr,
				     token->signature.len);
		break;
	case FAMILY_EC:
		good = verify_ec(key, token);
		break;
	}
	ERR_clear_error();
	return good;
}

/* OpenSSL gives r and s as DER, a token carries them side by side. */
static bool raw_of_der(const struct alg *alg, const unsigned char *der, size_t len, unsigned char *raw)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int half = (int)alg->field_len;
	bool good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half) == half &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half) == half;

	ECDSA_SIG_free(sig);
	return good;
}

static bool sign_public(struct arena *a, const struct key *key, struct slice signing, struct slice *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = (size_t)EVP_PKEY_get_size(key->pubkey);
	unsigned char *sig = arena_alloc(a, len), *raw = arena_alloc(a, key->signature_len);
	bool good = ctx && EVP_DigestSignInit(ctx, NULL, digest_of(key->alg), NULL, key->pubkey) == 1 &&
		    EVP_DigestSign(ctx, sig, &len, (const unsigned char *)signing.ptr, signing.len) == 1;

	EVP_MD_CTX_free(ctx);
	if (good && key->alg->family == FAMILY_EC)
		good = raw_of_der(key->alg, sig, len, raw);
	else if (good && len == key->signature_len)
		memcpy(raw, sig, len);
	*out = (struct slice){ (const char *)raw, key->signature_len };
	return good;
}

bool signature_make(struct arena *a, const struct key *key, struct slice signing, struct slice *out)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	bool good;

	if (key->alg->family == FAMILY_HMAC) {
		good = hmac(key, signing, mac);
		*out = slice_copy(a, (struct slice){ (const char *)mac, key->alg->hash_len });
		return good;
	}
	good = key->own && sign_public(a, key, signing, out);
	ERR_clear_error();
	return good;
}
