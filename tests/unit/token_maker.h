/*
 * Makes tokens, good and bad, and the keys for them. It shares no code with app/auth, so that a mistake there
 * is not made here as well.
 */
#ifndef TOKEN_MAKER_H
#define TOKEN_MAKER_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "auth.h"

#define NOW INT64_C(1700000000)
#define SECRET "0123456789abcdef0123456789ABCDEF"
#define SECRET64 SECRET SECRET
#define GOOD_CLAIMS "{\"role\":\"clerk\",\"exp\":1700000100}"

static inline struct config plain_config(void)
{
	return (struct config){ .db_anon_role = "anon",
				.jwt_secret = "",
				.jwt_secret_file = "",
				.auth_signing_keys = "",
				.jwt_jwks_folder = "",
				.jwt_aud = "",
				.jwt_issuer = "",
				.jwt_role_claim_key = ".role",
				.jwt_required_claims = "exp",
				.jwt_leeway = 30,
				.jwt_cache_max_entries = 16 };
}

static inline struct slice base64url(struct arena *a, struct slice bytes)
{
	char *text = arena_alloc(a, bytes.len / 3 * 4 + 8);
	int len = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len);

	while (len && text[len - 1] == '=')
		text[--len] = '\0';
	for (int i = 0; i < len; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return (struct slice){ text, (size_t)len };
}

static inline struct slice join(struct arena *a, struct slice x, struct slice y)
{
	return slice_of(arena_printf(a, "%.*s.%.*s", (int)x.len, x.ptr, (int)y.len, y.ptr));
}

static inline struct slice unsigned_token(struct arena *a, struct slice header, struct slice claims)
{
	return join(a, base64url(a, header), base64url(a, claims));
}

static inline struct slice hmac_over(struct arena *a, struct slice text, struct slice key, const EVP_MD *md)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	HMAC(md, key.ptr, (int)key.len, (const unsigned char *)text.ptr, text.len, mac, &len);
	return slice_copy(a, (struct slice){ (const char *)mac, len });
}

static inline struct slice hs_token(struct arena *a, struct slice header, struct slice claims, struct slice key,
				    const EVP_MD *md)
{
	struct slice text = unsigned_token(a, header, claims);

	return join(a, text, base64url(a, hmac_over(a, text, key, md)));
}

/* HS256 with SECRET. */
static inline struct slice token_of(struct arena *a, const char *header, const char *claims)
{
	return hs_token(a, slice_of(header), slice_of(claims), SLICE(SECRET), EVP_sha256());
}

#define HS256_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

/* As OpenSSL gives it: PKCS#1 for RSA, DER for EC. */
static inline struct slice pkey_signature(struct arena *a, struct slice text, EVP_PKEY *pkey, const EVP_MD *md)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char bytes[1024];
	size_t len = sizeof(bytes);

	if (EVP_DigestSignInit(ctx, NULL, md, NULL, pkey) != 1 ||
	    EVP_DigestSign(ctx, bytes, &len, (const unsigned char *)text.ptr, text.len) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	return slice_copy(a, (struct slice){ (const char *)bytes, len });
}

/* r and s side by side, half bytes each. */
static inline struct slice raw_signature(struct arena *a, struct slice der, int half)
{
	const unsigned char *from = (const unsigned char *)der.ptr;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &from, (long)der.len);
	unsigned char raw[2 * 66];

	if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half) < 0)
		abort();
	ECDSA_SIG_free(sig);
	return slice_copy(a, (struct slice){ (const char *)raw, 2 * (size_t)half });
}

/* half: bytes of a coordinate, 0 for RSA. */
static inline struct slice pkey_token(struct arena *a, const char *header, const char *claims, EVP_PKEY *pkey,
				      const EVP_MD *md, int half)
{
	struct slice text = unsigned_token(a, slice_of(header), slice_of(claims));
	struct slice signature = pkey_signature(a, text, pkey, md);

	return join(a, text, base64url(a, half ? raw_signature(a, signature, half) : signature));
}

static inline char *public_pem(struct arena *a, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long len;

	PEM_write_bio_PUBKEY(bio, pkey);
	len = BIO_get_mem_data(bio, &bytes);
	pem = arena_strndup(a, bytes, (size_t)len);
	BIO_free(bio);
	return pem;
}

static inline struct slice public_der(struct arena *a, EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);
	struct slice copy = slice_copy(a, (struct slice){ (const char *)der, (size_t)len });

	OPENSSL_free(der);
	return copy;
}

static inline const char *number_member(struct arena *a, EVP_PKEY *pkey, const char *name, int len)
{
	unsigned char bytes[1024];
	BIGNUM *n = NULL;
	struct slice text;

	EVP_PKEY_get_bn_param(pkey, name, &n);
	len = BN_bn2binpad(n, bytes, len ? len : BN_num_bytes(n));
	BN_free(n);
	text = base64url(a, (struct slice){ (const char *)bytes, (size_t)len });
	return text.ptr;
}

/* more: further members, with a comma in front. */
static inline char *rsa_jwk(struct arena *a, EVP_PKEY *pkey, const char *more)
{
	return arena_printf(a, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
			    number_member(a, pkey, OSSL_PKEY_PARAM_RSA_N, 0),
			    number_member(a, pkey, OSSL_PKEY_PARAM_RSA_E, 0), more);
}

static inline char *ec_jwk(struct arena *a, EVP_PKEY *pkey, const char *crv, int half, const char *more)
{
	return arena_printf(a, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}", crv,
			    number_member(a, pkey, OSSL_PKEY_PARAM_EC_PUB_X, half),
			    number_member(a, pkey, OSSL_PKEY_PARAM_EC_PUB_Y, half), more);
}

static inline char *oct_jwk(struct arena *a, struct slice secret, const char *more)
{
	return arena_printf(a, "{\"kty\":\"oct\",\"k\":\"%s\"%s}", base64url(a, secret).ptr, more);
}

#endif
