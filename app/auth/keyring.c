/*
 * Keys become records of the keyring.
 *
 * Every record is for exactly one algorithm, so that a token's header can only pick among records and never
 * decide how a key is used. A secret given as text serves HS256, HS384 and HS512 as PostgREST's does, as three
 * records, each only when the secret is as long as the hash. RSA and EC keys are turned into PEM, which is what
 * libjwt takes. A key that is weak or broken is refused by name: a service that starts with fewer keys than it
 * was given fails later, and for somebody else.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdlib.h>

#include "keys.h"
#include "secret.h"

#define SECRET_MIN ((size_t)32)
#define SECRET_MAX ((size_t)4096)
#define RSA_MIN_BITS 2048

bool keys_complain(struct source *s, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(s->err, ERR_INTERNAL, "%s: %s", s->name, text);
}

void key_wipe(struct slice s)
{
	if (s.len)
		OPENSSL_cleanse((void *)(uintptr_t)s.ptr, s.len);
}

void keys_wipe(struct keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++) {
		struct key *key = &ring->keys[i];

		if (!key->borrowed)
			secret_free(key->bytes);
		if (key->kid.len)
			OPENSSL_free((void *)(uintptr_t)key->kid.ptr);
		if (key->issuer.len)
			OPENSSL_free((void *)(uintptr_t)key->issuer.ptr);
		EVP_PKEY_free(key->pubkey);
	}
	*ring = (struct keyring){ .n = 0 };
}

static struct key *add_key(struct source *s, const struct alg *alg, struct slice kid)
{
	struct key *key;

	if (s->ring->n == KEYS_MAX) {
		keys_complain(s, "more than %zu keys", KEYS_MAX);
		return NULL;
	}
	key = &s->ring->keys[s->ring->n++];
	*key = (struct key){ .kid = { "", 0 },
			     .issuer = { "", 0 },
			     .alg = alg,
			     .borrowed = true,
			     .foreign = s->only_public,
			     .active = INT64_MAX,
			     .until = INT64_MAX };
	if (kid.len)
		key->kid = (struct slice){ OPENSSL_strndup(kid.ptr, kid.len), kid.len };
	if (s->issuer.len)
		key->issuer = (struct slice){ OPENSSL_strndup(s->issuer.ptr, s->issuer.len), s->issuer.len };
	return key;
}

bool keys_add_secret(struct source *s, const struct alg *alg, struct slice kid, struct slice secret)
{
	struct key *key;

	if (secret.len < alg->hash_len)
		return keys_complain(s, "a secret of %zu bytes is too short, %s takes at least %zu", secret.len,
				     alg->name, alg->hash_len);
	if (secret.len > SECRET_MAX)
		return keys_complain(s, "a secret of more than %zu bytes", SECRET_MAX);
	key = add_key(s, alg, kid);
	if (!key)
		return false;
	key->bytes = secret_copy(secret.ptr, secret.len);
	key->len = secret.len;
	key->borrowed = false;
	key->signature_len = alg->hash_len;
	return true;
}

/* A bare secret: HS256 and, when it is long enough, HS384 and HS512. */
bool keys_add_text(struct source *s, struct slice secret)
{
	const struct key *first;

	if (secret.len < SECRET_MIN)
		return keys_complain(
			s, "a secret of %zu bytes is too short, at least %zu are needed (openssl rand -base64 48)",
			secret.len, SECRET_MIN);
	if (!keys_add_secret(s, alg_find(SLICE("HS256")), (struct slice){ "", 0 }, secret))
		return false;
	first = &s->ring->keys[s->ring->n - 1];
	for (size_t i = 0; i < nalgs; i++) {
		struct key *key;

		if (algs[i].family != FAMILY_HMAC || &algs[i] == first->alg || secret.len < algs[i].hash_len)
			continue;
		key = add_key(s, &algs[i], (struct slice){ "", 0 });
		if (!key)
			return false;
		key->bytes = first->bytes;
		key->len = first->len;
		key->signature_len = algs[i].hash_len;
	}
	return true;
}

static const struct alg *alg_of_curve(const char *group)
{
	for (size_t i = 0; i < nalgs; i++)
		if (algs[i].group && strcmp(algs[i].group, group) == 0)
			return &algs[i];
	return NULL;
}

/* The algorithm of a public key when nothing else names one; NULL, with a complaint, when it is unfit. */
static const struct alg *alg_of_public(struct source *s, EVP_PKEY *pubkey)
{
	char group[64];

	if (EVP_PKEY_is_a(pubkey, "RSA")) {
		int bits = EVP_PKEY_get_bits(pubkey);

		if (bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS)
			return alg_find(SLICE("RS256"));
		keys_complain(s, "an RSA key of %d bits, needed are %d to %d", bits, RSA_MIN_BITS, RSA_MAX_BITS);
		return NULL;
	}
	if (EVP_PKEY_is_a(pubkey, "EC") && EVP_PKEY_get_group_name(pubkey, group, sizeof(group), NULL) == 1 &&
	    alg_of_curve(group))
		return alg_of_curve(group);
	keys_complain(s, "not a key for RS256, RS384, RS512 or for ES256, ES384, ES512 (P-256, P-384, P-521)");
	return NULL;
}

static bool well_formed(EVP_PKEY *pubkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pubkey, NULL);
	bool good = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

bool keys_add_public(struct source *s, EVP_PKEY *pubkey, const struct alg *named, struct slice kid)
{
	const struct alg *natural = alg_of_public(s, pubkey);
	BIO *bio = BIO_new(BIO_s_mem());
	struct key *key = NULL;
	char *pem;
	long len;
	bool good = natural != NULL;

	if (good && named && (named->family != natural->family || (named->group && named != natural)))
		good = keys_complain(s, "alg %s does not fit the key", named->name);
	if (good && !well_formed(pubkey))
		good = keys_complain(s, "the numbers of the key are not a valid public key");
	if (good && (!bio || PEM_write_bio_PUBKEY(bio, pubkey) != 1))
		good = keys_complain(s, "the key cannot be written as PEM");
	if (good)
		key = add_key(s, named ? named : natural, kid);
	if (!key) {
		BIO_free(bio);
		EVP_PKEY_free(pubkey);
		ERR_clear_error();
		return false;
	}
	len = BIO_get_mem_data(bio, &pem);
	key->bytes = secret_copy(pem, (size_t)len);
	key->len = (size_t)len;
	key->borrowed = false;
	key->pubkey = pubkey;
	key->signature_len =
		key->alg->family == FAMILY_EC ? 2 * key->alg->field_len : (size_t)EVP_PKEY_get_size(pubkey);
	BIO_free(bio);
	return true;
}

int key_no_passphrase(char *buf, int size, int writing, void *context)
{
	(void)buf, (void)size, (void)writing, (void)context;
	return -1;
}

static size_t count_of(struct slice text, const char *what)
{
	const char *at = text.ptr, *end = text.ptr + text.len;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), what, strlen(what))) != NULL) {
		at += strlen(what);
		n++;
	}
	return n;
}

/* One public key or several behind one another. */
bool keys_add_pem(struct source *s, struct slice text)
{
	size_t expected = count_of(text, "-----BEGIN ");
	BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
	bool good = bio != NULL;

	if (count_of(text, "PRIVATE KEY-----"))
		good = keys_complain(s, "a private key; only the public one belongs here (openssl pkey -pubout)");
	for (size_t i = 0; good && i < expected; i++) {
		EVP_PKEY *pubkey = PEM_read_bio_PUBKEY(bio, NULL, key_no_passphrase, NULL);

		if (pubkey)
			good = keys_add_public(s, pubkey, NULL, (struct slice){ "", 0 });
		else
			good = keys_complain(s, "key %zu is no PEM public key ('BEGIN PUBLIC KEY')", i + 1);
	}
	ERR_clear_error();
	BIO_free(bio);
	return good;
}
