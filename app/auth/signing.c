/*
 * The keys that Rowgate itself signs with: one file of JSON, each key for exactly one algorithm, the newest active one
 * signs. A retired key signs no more but is believed until the last token it signed has expired, so that a rotation
 * refuses nobody. The file is replaced whole (a new one beside it, fsync, rename), never changed in place, and whoever
 * changes it holds a lock on its folder meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define FILE_DEPTH 4
#define RSA_BITS 3072
/* A retired key is believed for this long beyond the life of a token and the leeway: clocks, and workers that lag. */
#define GRACE_S 60

static bool number(struct json_object *o, const char *name, int64_t *out)
{
	struct json_object *member;

	*out = 0;
	if (!json_object_object_get_ex(o, name, &member))
		return true;
	*out = json_object_get_int64(member);
	return json_object_is_type(member, json_type_int) && *out >= 0;
}

static bool read_record(struct arena *a, struct json_object *o, struct signing_key *out)
{
	struct slice alg, key;

	if (!object_text(o, "kid", &out->kid) || !kid_valid(out->kid) || !object_text(o, "alg", &alg) ||
	    !object_text(o, "key", &key) || !number(o, "created", &out->created) ||
	    !number(o, "active", &out->active) || !number(o, "retired", &out->retired))
		return false;
	out->kid = slice_copy(a, out->kid);
	out->alg = alg_find(alg);
	out->key = slice_copy(a, key);
	return out->alg != NULL;
}

bool signing_read(struct arena *a, const char *path, struct signing_file *out, struct error *err)
{
	struct json_object *whole, *keys;
	struct slice text;
	struct stat st;

	*out = (struct signing_file){ .n = 0 };
	if (stat(path, &st) < 0 && errno == ENOENT)
		return true;
	if (!config_read_secret(a, path, &text, err))
		return error_set(err, ERR_INTERNAL, "auth-signing-keys: %s", err->message);
	whole = object_parse(a, text, FILE_DEPTH);
	OPENSSL_cleanse((void *)(uintptr_t)text.ptr, text.len);
	if (!whole || !json_object_object_get_ex(whole, "keys", &keys) || !json_object_is_type(keys, json_type_array) ||
	    json_object_array_length(keys) > SIGNING_MAX)
		return error_set(err, ERR_INTERNAL, "auth-signing-keys %s: not a file that rowgate key has made", path);
	for (size_t i = 0; i < (size_t)json_object_array_length(keys); i++)
		if (!read_record(a, json_object_array_get_idx(keys, i), &out->keys[out->n++]))
			return error_set(err, ERR_INTERNAL, "auth-signing-keys %s: key %zu is broken", path, i + 1);
	return true;
}

int64_t signing_until(const struct config *config, const struct signing_key *key)
{
	return key->retired ? key->retired + (int64_t)(config->auth_access_ttl + config->jwt_leeway) + GRACE_S
			    : INT64_MAX;
}

static void as_json(const struct signing_file *file, struct strbuf *b)
{
	strbuf_lit(b, "{\"keys\":[");
	for (size_t i = 0; i < file->n; i++) {
		const struct signing_key *k = &file->keys[i];

		strbuf_addf(b, "%s\n{\"kid\":\"%.*s\",\"alg\":\"%s\",\"created\":%lld,\"active\":%lld", i ? "," : "",
			    (int)k->kid.len, k->kid.ptr, k->alg->name, (long long)k->created, (long long)k->active);
		if (k->retired)
			strbuf_addf(b, ",\"retired\":%lld", (long long)k->retired);
		strbuf_lit(b, ",\"key\":");
		json_string(b, k->key);
		strbuf_addc(b, '}');
	}
	strbuf_lit(b, "\n]}\n");
}

static bool write_all(int fd, struct slice text)
{
	while (text.len) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = slice_from(text, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* With the owner and mode of the file it replaces; else for this user alone. */
static bool write_beside(const char *path, const char *temporary, struct slice text)
{
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat old;
	bool ok = fd >= 0;

	if (ok && stat(path, &old) == 0)
		ok = (fchown(fd, old.st_uid, old.st_gid) == 0 || old.st_uid == geteuid()) &&
		     fchmod(fd, old.st_mode & 0640) == 0;
	ok = ok && write_all(fd, text);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* first: only when there is no such file yet, of whoever comes first. */
static bool replace(struct arena *a, const char *path, const struct signing_file *file, bool first, struct error *err)
{
	char *temporary = arena_printf(a, "%s.%ld.new", path, (long)getpid());
	struct strbuf b;
	bool ok;

	strbuf_init(&b, a, 4096);
	as_json(file, &b);
	ok = write_beside(path, temporary, strbuf_slice(&b)) &&
	     (first ? link(temporary, path) == 0 || errno == EEXIST : rename(temporary, path) == 0);
	if (!ok)
		error_set(err, ERR_INTERNAL, "auth-signing-keys %s: %s", path, strerror(errno));
	unlink(temporary);
	OPENSSL_cleanse(b.ptr, b.len);
	return ok;
}

static struct slice pem_of(struct arena *a, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	struct slice pem = { "", 0 };
	char *text;
	long len;

	if (bio && pkey && PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1) {
		len = BIO_get_mem_data(bio, &text);
		pem = slice_copy(a, (struct slice){ text, (size_t)len });
	}
	BIO_free(bio);
	ERR_clear_error();
	return pem;
}

static bool random_bytes(unsigned char *to, size_t len)
{
	return getrandom(to, len, 0) == (ssize_t)len;
}

static bool generate(struct arena *a, const struct alg *alg, struct slice *key_out)
{
	unsigned char secret[64];
	struct strbuf b;
	EVP_PKEY *pkey;

	if (alg->family == FAMILY_HMAC) {
		if (!random_bytes(secret, sizeof(secret)))
			return false;
		strbuf_init(&b, a, 128);
		base64url_encode(&b, (struct slice){ (const char *)secret, sizeof(secret) });
		OPENSSL_cleanse(secret, sizeof(secret));
		*key_out = strbuf_slice(&b);
		return true;
	}
	pkey = alg->family == FAMILY_RSA ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen(alg->group);
	*key_out = pem_of(a, pkey);
	EVP_PKEY_free(pkey);
	return key_out->len > 0;
}

static bool make(struct arena *a, const char *alg, int64_t active, struct signing_key *out, struct error *err)
{
	unsigned char bytes[12];
	char kid[2 * sizeof(bytes) + 1];

	*out = (struct signing_key){ .alg = alg_find(slice_of(alg)), .created = time(NULL) };
	if (!out->alg)
		return error_set(err, ERR_INTERNAL, "no algorithm '%s': one of HS, RS or ES 256, 384, 512", alg);
	out->active = active > out->created ? active : out->created;
	if (!random_bytes(bytes, sizeof(bytes)) || !generate(a, out->alg, &out->key))
		return error_set(err, ERR_INTERNAL, "no key could be made");
	/* Not base64url: a kid is typed after `rowgate key retire`, where a word that begins with "--" is an option. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(kid + 2 * i, 3, "%02x", bytes[i]);
	out->kid = slice_of(arena_strndup(a, kid, 2 * sizeof(bytes)));
	return true;
}

static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(a, path, (size_t)(slash - path) + 1) : ".";
}

static int lock_folder(struct arena *a, const char *path)
{
	int fd = open(folder_of(a, path), O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

static bool configured(const struct config *config, struct error *err)
{
	return *config->auth_signing_keys || error_set(err, ERR_INTERNAL, "auth-signing-keys is not set");
}

bool auth_key_first(const struct config *config, struct error *err)
{
	const char *path = config->auth_signing_keys;
	struct arena *a;
	struct signing_file file = { .n = 1 };
	struct stat st;
	bool ok;

	if (!*path || stat(path, &st) == 0)
		return true;
	a = arena_open();
	arena_secret(a);
	ok = make(a, "ES256", 0, &file.keys[0], err) && replace(a, path, &file, true, err);
	arena_close(a);
	return ok;
}

static void forget_dead(const struct config *config, struct signing_file *file)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->n; i++)
		if (signing_until(config, &file->keys[i]) > time(NULL))
			file->keys[kept++] = file->keys[i];
	file->n = kept;
}

bool auth_key_new(struct arena *a, const struct config *config, const char *alg, int64_t active, struct slice *kid_out,
		  struct error *err)
{
	struct signing_file file;
	bool ok;
	int lock;

	if (!configured(config, err))
		return false;
	lock = lock_folder(a, config->auth_signing_keys);
	ok = signing_read(a, config->auth_signing_keys, &file, err);
	if (ok) {
		forget_dead(config, &file);
		if (file.n == SIGNING_MAX)
			ok = error_set(err, ERR_INTERNAL, "there are %d keys already: retire some", SIGNING_MAX);
	}
	ok = ok && make(a, alg, active, &file.keys[file.n], err);
	if (ok) {
		*kid_out = file.keys[file.n++].kid;
		ok = replace(a, config->auth_signing_keys, &file, false, err);
	}
	if (lock >= 0)
		close(lock);
	return ok;
}

static bool another_signs(const struct signing_file *file, size_t but)
{
	for (size_t i = 0; i < file->n; i++)
		if (i != but && !file->keys[i].retired && file->keys[i].active <= time(NULL))
			return true;
	return false;
}

static bool retire(struct signing_file *file, struct slice kid, bool at_once, struct error *err)
{
	size_t i = 0;

	while (i < file->n && !slice_eq(file->keys[i].kid, kid))
		i++;
	if (i == file->n)
		return error_set(err, ERR_INTERNAL, "no key '%.*s'", (int)kid.len, kid.ptr);
	if (!another_signs(file, i))
		return error_set(err, ERR_INTERNAL, "no other key signs now: make one first (rowgate key new)");
	if (!at_once) {
		if (!file->keys[i].retired)
			file->keys[i].retired = time(NULL);
		return true;
	}
	file->n--;
	memmove(&file->keys[i], &file->keys[i + 1], (file->n - i) * sizeof(file->keys[0]));
	return true;
}

bool auth_key_retire(struct arena *a, const struct config *config, struct slice kid, bool at_once, struct error *err)
{
	struct signing_file file;
	int lock;
	bool ok;

	if (!configured(config, err))
		return false;
	lock = lock_folder(a, config->auth_signing_keys);
	ok = signing_read(a, config->auth_signing_keys, &file, err) && retire(&file, kid, at_once, err);
	if (ok) {
		forget_dead(config, &file);
		ok = replace(a, config->auth_signing_keys, &file, false, err);
	}
	if (lock >= 0)
		close(lock);
	return ok;
}

/* One of another owner's cannot be given back to them. */
bool auth_key_writable(struct arena *a, const struct config *config)
{
	const char *path = config->auth_signing_keys;
	struct stat st;

	return *path && faccessat(AT_FDCWD, folder_of(a, path), W_OK | X_OK, AT_EACCESS) == 0 &&
	       (stat(path, &st) < 0 || st.st_uid == geteuid());
}

bool auth_key_list(struct arena *a, const struct config *config, struct auth_key **list_out, size_t *n_out,
		   struct error *err)
{
	struct signing_file file;
	struct auth_key *list;
	int64_t now = time(NULL);

	if (!configured(config, err) || !signing_read(a, config->auth_signing_keys, &file, err))
		return false;
	list = arena_array(a, struct auth_key, file.n);
	for (size_t i = 0; i < file.n; i++) {
		const struct signing_key *k = &file.keys[i];
		int64_t until = signing_until(config, k);

		list[i] = (struct auth_key){ .kid = k->kid,
					     .alg = k->alg->name,
					     .created = k->created,
					     .active = k->active,
					     .until = until,
					     .state = until <= now      ? "gone"
						      : k->retired      ? "retired"
						      : k->active > now ? "waiting"
									: "active" };
	}
	for (size_t i = 0; i < file.n; i++)
		OPENSSL_cleanse((void *)(uintptr_t)file.keys[i].key.ptr, file.keys[i].key.len);
	*list_out = list;
	*n_out = file.n;
	return true;
}
