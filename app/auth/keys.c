/*
 * The keys of the configuration, read once at start.
 *
 * Every record is for exactly one algorithm, so that a token's header can only pick among records and never
 * decide how a key is used. A secret given as text serves HS256, HS384 and HS512 as PostgREST's does, as three
 * records, each only when the secret is as long as the hash. A JWK serves its alg; without one, oct is HS256,
 * RSA is RS256, and a curve has only one algorithm anyway. RSA and EC keys are turned into PEM, which is what
 * libjwt takes. A key that is weak or broken is refused by name: a service that starts with fewer keys than it
 * was given fails later, and for somebody else. Keys a verifier has no use for (for encryption, of another type)
 * are left out of a set, as RFC 7517 section 5 asks.
 */
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"
#include "json.h"
#include "secret.h"

#define SECRET_MIN ((size_t)32)
#define SECRET_MAX ((size_t)4096)
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 16384
#define JWKS_DEPTH 8
#define ISSUER_MAX ((size_t)1024)

struct source {
	struct arena *arena;
	struct keyring *ring;
	struct error *err;
	const char *name;    /* where the key comes from, for messages */
	struct slice issuer; /* the configuration's word on whose keys these are; empty: none */
	bool only_public;    /* a secret in it is known to whoever can read it: left out */
};

static bool complain(struct source *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool complain(struct source *s, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(s->err, ERR_INTERNAL, "%s: %s", s->name, text);
}

static void wipe(struct slice s)
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
		complain(s, "more than %zu keys", KEYS_MAX);
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

static bool add_secret(struct source *s, const struct alg *alg, struct slice kid, struct slice secret)
{
	struct key *key;

	if (secret.len < alg->hash_len)
		return complain(s, "a secret of %zu bytes is too short, %s takes at least %zu", secret.len, alg->name,
				alg->hash_len);
	if (secret.len > SECRET_MAX)
		return complain(s, "a secret of more than %zu bytes", SECRET_MAX);
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
static bool add_text(struct source *s, struct slice secret)
{
	const struct key *first;

	if (secret.len < SECRET_MIN)
		return complain(s,
				"a secret of %zu bytes is too short, at least %zu are needed (openssl rand -base64 48)",
				secret.len, SECRET_MIN);
	if (!add_secret(s, alg_find(SLICE("HS256")), (struct slice){ "", 0 }, secret))
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
		complain(s, "an RSA key of %d bits, needed are %d to %d", bits, RSA_MIN_BITS, RSA_MAX_BITS);
		return NULL;
	}
	if (EVP_PKEY_is_a(pubkey, "EC") && EVP_PKEY_get_group_name(pubkey, group, sizeof(group), NULL) == 1 &&
	    alg_of_curve(group))
		return alg_of_curve(group);
	complain(s, "not a key for RS256, RS384, RS512 or for ES256, ES384, ES512 (P-256, P-384, P-521)");
	return NULL;
}

static bool well_formed(EVP_PKEY *pubkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pubkey, NULL);
	bool good = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* Takes pubkey over. named: the algorithm its JWK names, or NULL. */
static bool add_public(struct source *s, EVP_PKEY *pubkey, const struct alg *named, struct slice kid)
{
	const struct alg *natural = alg_of_public(s, pubkey);
	BIO *bio = BIO_new(BIO_s_mem());
	struct key *key = NULL;
	char *pem;
	long len;
	bool good = natural != NULL;

	if (good && named && (named->family != natural->family || (named->group && named != natural)))
		good = complain(s, "alg %s does not fit the key", named->name);
	if (good && !well_formed(pubkey))
		good = complain(s, "the numbers of the key are not a valid public key");
	if (good && (!bio || PEM_write_bio_PUBKEY(bio, pubkey) != 1))
		good = complain(s, "the key cannot be written as PEM");
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

static int no_passphrase(char *buf, int size, int writing, void *context)
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
static bool add_pem(struct source *s, struct slice text)
{
	size_t expected = count_of(text, "-----BEGIN ");
	BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
	bool good = bio != NULL;

	if (count_of(text, "PRIVATE KEY-----"))
		good = complain(s, "a private key; only the public one belongs here (openssl pkey -pubout)");
	for (size_t i = 0; good && i < expected; i++) {
		EVP_PKEY *pubkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);

		if (pubkey)
			good = add_public(s, pubkey, NULL, (struct slice){ "", 0 });
		else
			good = complain(s, "key %zu is no PEM public key ('BEGIN PUBLIC KEY')", i + 1);
	}
	ERR_clear_error();
	BIO_free(bio);
	return good;
}

/* A member of a JWK that holds bytes as base64url. */
static bool jwk_bytes(struct source *s, struct json_object *jwk, const char *name, struct slice *out)
{
	struct slice text;

	if (!object_text(jwk, name, &text) || !text.len)
		return complain(s, "member '%s' is missing or no text", name);
	if (!base64url_decode(s->arena, text, out))
		return complain(s, "member '%s' is not base64url", name);
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
		return complain(s, "the RSA key is too large");
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
		return complain(s, "'n' and 'e' are no RSA key");
	return add_public(s, pubkey, named, kid);
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
		return complain(s, "member 'crv' is missing or no text");
	curve = alg_of_crv(crv);
	if (!curve)
		return complain(s, "curve '%.*s' is not P-256, P-384 or P-521", (int)crv.len, crv.ptr);
	if (!jwk_bytes(s, jwk, "x", &x) || !jwk_bytes(s, jwk, "y", &y))
		return false;
	if (x.len != curve->field_len || y.len != curve->field_len)
		return complain(s, "'x' and 'y' must have %zu bytes each", curve->field_len);
	memcpy(point + 1, x.ptr, x.len);
	memcpy(point + 1 + x.len, y.ptr, y.len);
	build = OSSL_PARAM_BLD_new();
	if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.len) == 1)
		pubkey = public_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	if (!pubkey)
		return complain(s, "'x' and 'y' are no point of %s", curve->crv);
	return add_public(s, pubkey, named, kid);
}

static bool add_oct(struct source *s, struct json_object *jwk, const struct alg *named, struct slice kid)
{
	struct slice secret, text;
	bool good;

	if (named && named->family != FAMILY_HMAC)
		return complain(s, "alg %s does not fit the key", named->name);
	if (!jwk_bytes(s, jwk, "k", &secret))
		return false;
	good = add_secret(s, named ? named : alg_find(SLICE("HS256")), kid, secret);
	wipe(secret);
	if (object_text(jwk, "k", &text))
		wipe(text);
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
		return complain(s, "'iss' must be a text of 1 to %zu bytes", ISSUER_MAX);
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
		return complain(s, "not a JWK: an object with 'kty' is needed");
	if (object_has(jwk, "kid")) {
		if (!object_text(jwk, "kid", &kid) || !kid_valid(kid))
			return complain(s, "'kid' must be 1 to %zu of A-Z a-z 0-9 . _ -", KID_MAX);
		s->name = arena_printf(s->arena, "%s (kid %.*s)", s->name, (int)kid.len, kid.ptr);
	}
	if (object_has(jwk, "alg")) {
		if (!object_text(jwk, "alg", &alg))
			return complain(s, "'alg' is no text");
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
		return complain(s, "'keys' must be a list");
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

static bool add_json(struct source *s, struct slice text)
{
	struct json_object *set;
	struct json_fault fault;
	size_t before = s->ring->n;

	if (!json_check(s->arena, text, JWKS_DEPTH, &fault))
		return complain(s, "broken JSON at byte %zu: %s", fault.offset, fault.reason);
	set = object_parse(s->arena, text, JWKS_DEPTH);
	if (!set)
		return complain(s, "broken JSON");
	if (!add_jwks(s, set))
		return false;
	if (s->ring->n == before)
		return complain(s, "no key in it can check signatures by HS, RS or ES 256, 384, 512");
	return true;
}

/* jwt-secret, or what the file says that jwt-secret-file or '@FILE' (PostgREST's way) names. */
static bool read_source(struct source *s, const struct config *config, struct slice *out)
{
	const char *path = config->jwt_secret_file;

	if (*path && *config->jwt_secret)
		return error_set(s->err, ERR_INTERNAL, "jwt-secret and jwt-secret-file are both set: unset one");
	if (config->jwt_secret[0] == '@')
		path = config->jwt_secret + 1;
	s->name = "jwt-secret";
	*out = slice_copy(s->arena, slice_of(config->jwt_secret));
	if (!*path)
		return true;
	s->name = arena_printf(s->arena, "jwt-secret-file %s", path);
	if (!config_read_secret(s->arena, path, out, s->err))
		return error_set(s->err, ERR_INTERNAL, "jwt-secret-file: %s", s->err->message);
	if (out->len && out->ptr[out->len - 1] == '\r')
		out->len--;
	return out->len ? true : complain(s, "the file is empty");
}

static bool is_pem(struct slice text)
{
	return slice_starts(text, "-----BEGIN ");
}

static bool add_base64(struct source *s, struct slice text)
{
	struct json_fault fault;
	struct slice bytes;
	bool good;

	if (!base64_decode_any(s->arena, text, &bytes))
		return complain(s, "jwt-secret-is-base64 is set, but this is not base64");
	if (is_pem(bytes))
		return add_pem(s, bytes);
	/* Random bytes may begin with a brace: only well-formed JSON is a JWK here. */
	if (json_kind(bytes) == '{' && json_check(s->arena, bytes, JWKS_DEPTH, &fault))
		good = add_json(s, bytes);
	else
		good = add_text(s, bytes);
	wipe(bytes);
	return good;
}

static int is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

/* A name that holds nothing of the URL: it may be longer than a name, and hold anything. */
static const char *file_of(struct arena *a, const struct config *config, const char *url)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct strbuf b;

	SHA256((const unsigned char *)url, strlen(url), digest);
	strbuf_init(&b, a, 128);
	strbuf_addf(&b, "%s/", config->jwt_jwks_folder);
	for (size_t i = 0; i < 8; i++)
		strbuf_addf(&b, "%02x", digest[i]);
	strbuf_lit(&b, ".json");
	return strbuf_cstr(&b);
}

void auth_provider(struct arena *a, const struct config *config, size_t i, struct auth_provider *out)
{
	struct slice rest = slice_of(config->jwt_jwks_urls.items[i]), word;

	slice_split(&rest, ' ', &word);
	*out = (struct auth_provider){ .url = slice_cstr(a, word), .issuer = { "", 0 } };
	while (slice_split(&rest, ' ', &word))
		if (slice_starts(word, "issuer="))
			out->issuer = slice_from(word, 7);
	out->file = file_of(a, config, out->url);
}

static struct slice issuer_of(struct arena *a, const struct config *config, const char *file)
{
	struct auth_provider p;

	for (size_t i = 0; i < config->jwt_jwks_urls.n; i++) {
		auth_provider(a, config, i, &p);
		if (strcmp(p.file, file) == 0)
			return p.issuer;
	}
	return (struct slice){ "", 0 };
}

static bool add_file(struct source *s, const struct config *config, const char *name)
{
	const char *path = arena_printf(s->arena, "%s/%s", config->jwt_jwks_folder, name);
	struct slice text;
	bool good;

	s->name = arena_printf(s->arena, "jwt-jwks-folder: %s", name);
	s->issuer = issuer_of(s->arena, config, path);
	good = config_read_guarded(s->arena, path, &text, s->err) && add_json(s, text);
	s->issuer.len = 0;
	return good;
}

/* What rowgate-jwks has fetched: a JWKS in each file. */
static bool add_folder(struct source *s, const struct config *config)
{
	const char *path = config->jwt_jwks_folder;
	struct dirent **names;
	bool good = true;
	int n;

	if (!path || !*path)
		return true;
	s->name = "jwt-jwks-folder";
	n = scandir(path, &names, is_json, alphasort);
	if (n < 0)
		return errno == ENOENT || complain(s, "%s: %s", path, strerror(errno));
	s->only_public = true;
	for (int i = 0; i < n; i++) {
		good = good && add_file(s, config, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	s->only_public = false;
	return good;
}

bool auth_jwks_usable(struct arena *a, struct slice text, struct error *err)
{
	struct keyring ring = { .n = 0 };
	struct source s = {
		.arena = a, .ring = &ring, .err = err, .name = "the answer", .issuer = { "", 0 }, .only_public = true
	};
	bool good = json_kind(text) == '{' ? add_json(&s, text) : complain(&s, "not a JWKS");

	keys_wipe(&ring);
	return good;
}

/* One of our own keys: it verifies like any other, and signs. */
static bool add_own(struct source *s, const struct config *config, const struct signing_key *k)
{
	struct slice secret;
	EVP_PKEY *pkey;
	struct key *key;
	BIO *bio;
	bool good;

	s->name = arena_printf(s->arena, "auth-signing-keys: key %.*s", (int)k->kid.len, k->kid.ptr);
	if (k->alg->family == FAMILY_HMAC) {
		good = base64url_decode(s->arena, k->key, &secret) && add_secret(s, k->alg, k->kid, secret);
	} else {
		bio = BIO_new_mem_buf(k->key.ptr, (int)k->key.len);
		pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
		BIO_free(bio);
		good = pkey && add_public(s, pkey, k->alg, k->kid);
	}
	ERR_clear_error();
	if (!good)
		return s->err->code ? false : complain(s, "it cannot be read");
	key = &s->ring->keys[s->ring->n - 1];
	key->own = true;
	key->active = k->retired ? INT64_MAX : k->active;
	key->until = signing_until(config, k);
	return true;
}

static bool add_signing(struct source *s, const struct config *config)
{
	struct signing_file file;
	bool good = true;

	if (!config->auth_signing_keys || !*config->auth_signing_keys)
		return true;
	if (!signing_read(s->arena, config->auth_signing_keys, &file, s->err))
		return false;
	for (size_t i = 0; i < file.n; i++) {
		good = good && add_own(s, config, &file.keys[i]);
		wipe(file.keys[i].key);
	}
	return good;
}

bool keys_load(struct arena *a, const struct config *config, struct keyring *out, struct error *err)
{
	struct source s = { .arena = a, .ring = out, .err = err, .name = "", .issuer = { "", 0 } };
	struct slice text = { "", 0 };
	bool good;

	*out = (struct keyring){ .n = 0 };
	good = read_source(&s, config, &text);
	if (good && text.len) {
		if (config->jwt_secret_is_base64)
			good = add_base64(&s, text);
		else if (is_pem(text))
			good = add_pem(&s, text);
		else if (json_kind(text) == '{')
			good = add_json(&s, text);
		else
			good = add_text(&s, text);
	}
	wipe(text);
	good = good && add_folder(&s, config) && add_signing(&s, config);
	if (!good)
		keys_wipe(out);
	return good;
}
