/*
 * From the Authorization header to a principal. A token is looked at strictly (token.c), its signature is proved
 * against the keys its alg and kid point at (keys.c, jwt.c), its claims are read (claims.c), and what came out is
 * kept (cache.c), so that the next request with the same token costs a hash and a comparison. The times in the
 * claims are looked at on every request.
 */
#include "auth.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "internal.h"
#include "json.h"
#include "log.h"

/* Which file of signing keys was read. */
struct seen_file {
	dev_t device;
	ino_t inode;
	struct timespec changed;
};

struct auth {
	const struct config *config;
	const char *signing_path; /* empty: no keys of our own */
	const char *jwks_path;    /* a folder; empty: none */
	struct arena *arena;
	struct keyring ring;
	struct claim_rules rules;
	struct claim_rules own_rules; /* for tokens of auth-signing-keys */
	struct seen_file seen, seen_jwks;
	struct revoked *revoked;
	struct slice anonymous_claims;
	struct cache *cache;
};

static struct slice anonymous_claims(struct arena *a, struct slice role)
{
	struct strbuf b;

	strbuf_init(&b, a, 0);
	strbuf_lit(&b, "{\"role\":");
	json_string(&b, role);
	strbuf_addc(&b, '}');
	return strbuf_slice(&b);
}

/* All zero when there is none. */
static struct seen_file look_at(const char *path)
{
	struct stat st;

	if (!*path || stat(path, &st) < 0)
		return (struct seen_file){ .device = 0 };
	return (struct seen_file){ st.st_dev, st.st_ino, st.st_mtim };
}

static bool same_file(struct seen_file a, struct seen_file b)
{
	return a.inode == b.inode && a.device == b.device && a.changed.tv_sec == b.changed.tv_sec &&
	       a.changed.tv_nsec == b.changed.tv_nsec;
}

static const char *own_copy(struct arena *a, const char *path)
{
	return path ? arena_printf(a, "%s", path) : "";
}

struct auth *auth_open(const struct config *config, struct error *err)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	struct arena *scratch = arena_open();
	bool good;

	if (!auth)
		abort();
	arena_secret(scratch);
	auth->arena = arena_open();
	auth->config = config;
	auth->revoked = revoked_open();
	auth->signing_path = own_copy(auth->arena, config->auth_signing_keys);
	auth->jwks_path = own_copy(auth->arena, config->jwt_jwks_folder);
	auth->seen = look_at(auth->signing_path);
	auth->seen_jwks = look_at(auth->jwks_path);
	good = keys_load(scratch, config, &auth->ring, err) && claims_rules(auth->arena, config, &auth->rules, err);
	arena_close(scratch);
	if (!good) {
		auth_close(auth);
		return NULL;
	}
	auth->own_rules = auth->rules;
	auth->own_rules.own = true;
	auth->own_rules.required = SLICE("exp");
	auth->anonymous_claims = anonymous_claims(auth->arena, auth->rules.anonymous);
	auth->cache = cache_open(config->jwt_cache_max_entries);
	return auth;
}

void auth_close(struct auth *auth)
{
	if (!auth)
		return;
	cache_close(auth->cache);
	revoked_close(auth->revoked);
	keys_wipe(&auth->ring);
	arena_close(auth->arena);
	free(auth);
}

void auth_cache_counts(const struct auth *auth, uint64_t *hits_out, uint64_t *lookups_out)
{
	cache_counts(auth->cache, hits_out, lookups_out);
}

bool auth_refresh_keys(struct auth *auth)
{
	struct seen_file now = look_at(auth->signing_path), jwks = look_at(auth->jwks_path);
	struct keyring fresh;
	struct arena *a;
	struct error err;
	bool good;

	if (same_file(now, auth->seen) && same_file(jwks, auth->seen_jwks))
		return false;
	auth->seen = now;
	auth->seen_jwks = jwks;
	a = arena_open();
	arena_secret(a);
	error_init(&err, a);
	good = keys_load(a, auth->config, &fresh, &err);
	if (good) {
		keys_wipe(&auth->ring);
		auth->ring = fresh;
		cache_clear(auth->cache);
		log_line(LOG_INFO, "keys read again");
	} else {
		log_line(LOG_ERROR, "the keys stay as they were: %s", err.message);
	}
	arena_close(a);
	return good;
}

static bool proves(struct arena *a, const struct key *key, const struct token *token)
{
	return token->access_type ? signature_verify(key, token) : jwt_signature(a, key, token);
}

/*
 * By its kid a token names its key; without one it may be any of its algorithm. A name that no key has costs what a
 * wrong signature does: the time of a refusal does not tell which names there are.
 */
static const struct key *key_of(struct arena *a, const struct keyring *ring, const struct token *token, int64_t now)
{
	const struct key *in_vain = NULL;
	bool tried = false;

	for (size_t i = 0; i < ring->n; i++) {
		const struct key *key = &ring->keys[i];

		if (key->alg != token->alg || key->signature_len != token->signature.len)
			continue;
		if ((token->kid.len && !slice_eq(key->kid, token->kid)) || key->until <= now) {
			in_vain = key;
			continue;
		}
		tried = true;
		if (proves(a, key, token))
			return key;
	}
	if (!tried && in_vain)
		(void)proves(a, in_vain, token);
	return NULL;
}

static bool verify(struct arena *a, struct auth *auth, struct slice text, int64_t now, struct identity *out,
		   struct error *err)
{
	struct claim_rules rules;
	const struct key *key;
	struct token token;

	if (!token_parse(a, text, &token, err))
		return false;
	key = key_of(a, &auth->ring, &token, now);
	/* It may be of a key that was made a moment ago. */
	if (!key && token.kid.len && auth_refresh_keys(auth))
		key = key_of(a, &auth->ring, &token, now);
	if (!key)
		return refuse(err, ERR_JWT_INVALID, "No suitable key or wrong key type");
	rules = key->own ? auth->own_rules : auth->rules;
	if (key->issuer.len)
		rules.issuer = key->issuer;
	if (!claims_read(a, &rules, token.payload, out, err))
		return false;
	out->foreign = key->foreign;
	return true;
}

/* The texts of id go to the arena in one piece. */
static void principal_of(struct arena *a, const struct auth *auth, const struct identity *id, struct principal *out)
{
	char *to = arena_alloc(a, id->role.len + id->subject.len + id->session.len + id->claims.len + 1);

	out->role = (struct slice){ to, id->role.len };
	memcpy(to, id->role.ptr, id->role.len);
	to += id->role.len;
	out->subject = (struct slice){ to, id->subject.len };
	memcpy(to, id->subject.ptr, id->subject.len);
	to += id->subject.len;
	out->session = (struct slice){ to, id->session.len };
	memcpy(to, id->session.ptr, id->session.len);
	to += id->session.len;
	out->claims = (struct slice){ to, id->claims.len };
	memcpy(to, id->claims.ptr, id->claims.len);
	out->foreign = id->foreign;
	out->expires = id->expires;
	out->anonymous = slice_eq(id->role, auth->rules.anonymous);
}

bool auth_verify(struct arena *a, struct auth *auth, struct slice token, int64_t now, struct principal *who_out,
		 struct error *err)
{
	const struct identity *known;
	struct identity fresh;

	if (!auth->ring.n)
		return error_set(err, ERR_JWT_NO_SECRET, "Server lacks JWT secret");
	known = cache_find(auth->cache, token);
	if (!known && !verify(a, auth, token, now, &fresh, err))
		return false;
	if (!claims_current(&auth->rules, known ? known : &fresh, now, err))
		return false;
	if (revoked_holds(auth->revoked, known ? known : &fresh))
		return refuse(err, ERR_JWT_REVOKED, "JWT revoked");
	principal_of(a, auth, known ? known : &fresh, who_out);
	if (!known)
		cache_add(auth->cache, token, &fresh);
	return true;
}

static bool anonymous(const struct auth *auth, struct principal *who_out, struct error *err)
{
	if (!auth->rules.anonymous.len)
		return error_set(err, ERR_JWT_REQUIRED, "Anonymous access is disabled");
	*who_out = (struct principal){ .role = auth->rules.anonymous,
				       .anonymous = true,
				       .subject = { "", 0 },
				       .session = { "", 0 },
				       .claims = auth->anonymous_claims,
				       .expires = INT64_MAX };
	return true;
}

/* "Bearer", one blank, the token (RFC 6750 section 2.1). */
static bool bearer(struct slice value, struct slice *token_out, struct error *err)
{
	struct slice scheme = value;
	const char *blank = memchr(value.ptr, ' ', value.len);

	if (blank)
		scheme.len = (size_t)(blank - value.ptr);
	if (!slice_ieq(scheme, SLICE("Bearer")))
		return refuse(err, ERR_JWT_INVALID, "Unsupported authorization scheme; expected Bearer");
	*token_out = blank ? slice_from(value, scheme.len + 1) : (struct slice){ "", 0 };
	return true;
}

bool auth_check(struct arena *a, struct auth *auth, const struct http_request *rq, int64_t now,
		struct principal *who_out, struct error *err)
{
	struct slice token;

	if (http_header_count(rq, "authorization") > 1)
		return refuse(err, ERR_JWT_INVALID, "More than one Authorization header");
	if (http_header(rq, "authorization", &token) && token.len)
		return bearer(token, &token, err) && auth_verify(a, auth, token, now, who_out, err);
	/* supabase-js sends its key in apikey too, and alone where there is no session. */
	if (http_header_count(rq, "apikey") > 1)
		return refuse(err, ERR_JWT_INVALID, "More than one apikey header");
	if (http_header(rq, "apikey", &token) && token.len)
		return auth_verify(a, auth, token, now, who_out, err);
	return anonymous(auth, who_out, err);
}

/* --- signing --- */

static const struct key *secret_key(const struct keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->keys[i].alg->family == FAMILY_HMAC && !ring->keys[i].own)
			return &ring->keys[i];
	return NULL;
}

static const struct key *newest_key(const struct keyring *ring, int64_t now)
{
	const struct key *newest = NULL;

	for (size_t i = 0; i < ring->n; i++) {
		const struct key *key = &ring->keys[i];

		if (key->own && key->active <= now && key->until > now && (!newest || key->active >= newest->active))
			newest = key;
	}
	return newest;
}

static bool sign(struct arena *a, const struct key *key, struct slice claims, struct slice *token_out,
		 struct error *err)
{
	struct slice signature;
	struct strbuf header, b;

	if (!key)
		return error_set(err, ERR_INTERNAL,
				 "no key to sign with: set auth-signing-keys, or a jwt-secret that is a text");
	if (!object_parse(a, claims, 32))
		return error_set(err, ERR_INTERNAL, "the claims are no JSON object");
	strbuf_init(&header, a, 0);
	strbuf_addf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"", key->alg->name);
	if (key->kid.len)
		strbuf_addf(&header, ",\"kid\":\"%.*s\"", (int)key->kid.len, key->kid.ptr);
	strbuf_addc(&header, '}');
	strbuf_init(&b, a, 0);
	base64url_encode(&b, strbuf_slice(&header));
	strbuf_addc(&b, '.');
	base64url_encode(&b, claims);
	if (!signature_make(a, key, slice_copy(a, strbuf_slice(&b)), &signature))
		return error_set(err, ERR_INTERNAL, "signing failed");
	strbuf_addc(&b, '.');
	base64url_encode(&b, signature);
	if (b.len > TOKEN_MAX)
		return error_set(err, ERR_INTERNAL, "the claims make a token of more than %zu bytes", TOKEN_MAX);
	*token_out = strbuf_slice(&b);
	return true;
}

bool auth_issue(struct arena *a, struct auth *auth, struct slice claims, struct slice *token_out, struct error *err)
{
	const struct key *key = secret_key(&auth->ring);

	return sign(a, key ? key : newest_key(&auth->ring, time(NULL)), claims, token_out, err);
}

bool auth_sign(struct arena *a, struct auth *auth, struct slice claims, struct slice *token_out, struct error *err)
{
	const struct key *key = newest_key(&auth->ring, time(NULL));

	return sign(a, key ? key : secret_key(&auth->ring), claims, token_out, err);
}

void auth_jwks(struct arena *a, const struct auth *auth, int64_t now, struct strbuf *out)
{
	bool first = true;

	strbuf_lit(out, "{\"keys\":[");
	for (size_t i = 0; i < auth->ring.n; i++) {
		const struct key *key = &auth->ring.keys[i];

		if (!key->own || key->alg->family == FAMILY_HMAC || key->until <= now)
			continue;
		if (!first)
			strbuf_addc(out, ',');
		first = false;
		key_jwk(a, key, out);
	}
	strbuf_lit(out, "]}");
}

/* --- revocation --- */

void auth_revoke(struct auth *auth, enum auth_revocation kind, struct slice value, int64_t before, int64_t expires)
{
	revoked_add(auth->revoked, kind, value, before, expires, time(NULL));
}

int64_t auth_issued_floor(const struct auth *auth, struct slice subject)
{
	return revoked_floor(auth->revoked, subject);
}
