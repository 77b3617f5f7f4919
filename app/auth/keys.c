/* The keys of the configuration, read once at start: where they stand. */
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <unistd.h>

#include "json.h"
#include "keys.h"
#include "secret.h"

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
	return out->len ? true : keys_complain(s, "the file is empty");
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
		return keys_complain(s, "jwt-secret-is-base64 is set, but this is not base64");
	if (is_pem(bytes))
		return keys_add_pem(s, bytes);
	/* Random bytes may begin with a brace: only well-formed JSON is a JWK here. */
	if (json_kind(bytes) == '{' && json_check(s->arena, bytes, JWKS_DEPTH, &fault))
		good = keys_add_json(s, bytes);
	else
		good = keys_add_text(s, bytes);
	key_wipe(bytes);
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
	good = config_read_guarded(s->arena, path, &text, s->err) && keys_add_json(s, text);
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
		return errno == ENOENT || keys_complain(s, "%s: %s", path, strerror(errno));
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
	bool good = json_kind(text) == '{' ? keys_add_json(&s, text) : keys_complain(&s, "not a JWKS");

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
		good = base64url_decode(s->arena, k->key, &secret) && keys_add_secret(s, k->alg, k->kid, secret);
	} else {
		bio = BIO_new_mem_buf(k->key.ptr, (int)k->key.len);
		pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, key_no_passphrase, NULL) : NULL;
		BIO_free(bio);
		good = pkey && keys_add_public(s, pkey, k->alg, k->kid);
	}
	ERR_clear_error();
	if (!good)
		return s->err->code ? false : keys_complain(s, "it cannot be read");
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
		key_wipe(file.keys[i].key);
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
			good = keys_add_pem(&s, text);
		else if (json_kind(text) == '{')
			good = keys_add_json(&s, text);
		else
			good = keys_add_text(&s, text);
	}
	key_wipe(text);
	good = good && add_folder(&s, config) && add_signing(&s, config);
	if (!good)
		keys_wipe(out);
	return good;
}
