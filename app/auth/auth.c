/*
 * From the Authorization header to a principal. A token is looked at strictly (token.c), its signature is proved
 * against the keys its alg and kid point at (keys.c, jwt.c), its claims are read (claims.c), and what came out is
 * kept (cache.c), so that the next request with the same token costs a hash and a comparison. The times in the
 * claims are looked at on every request.
 */
#include "auth.h"

#include <stdlib.h>

#include "internal.h"
#include "json.h"

struct auth {
	struct arena *arena;
	struct keyring ring;
	struct claim_rules rules;
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

struct auth *auth_open(const struct config *config, struct error *err)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	struct arena *scratch = arena_open();
	bool good;

	if (!auth)
		abort();
	auth->arena = arena_open();
	good = keys_load(scratch, config, &auth->ring, err) && claims_rules(auth->arena, config, &auth->rules, err);
	arena_close(scratch);
	if (!good) {
		auth_close(auth);
		return NULL;
	}
	auth->anonymous_claims = anonymous_claims(auth->arena, auth->rules.anonymous);
	auth->cache = cache_open(config->jwt_cache_max_entries);
	return auth;
}

void auth_close(struct auth *auth)
{
	if (!auth)
		return;
	cache_close(auth->cache);
	keys_wipe(&auth->ring);
	arena_close(auth->arena);
	free(auth);
}

void auth_cache_counts(const struct auth *auth, uint64_t *hits_out, uint64_t *lookups_out)
{
	cache_counts(auth->cache, hits_out, lookups_out);
}

/* By its kid a token names its key; without one it may be any of its algorithm. */
static bool signed_by_us(struct arena *a, const struct keyring *ring, const struct token *token)
{
	for (size_t i = 0; i < ring->n; i++) {
		const struct key *key = &ring->keys[i];

		if (key->alg != token->alg || (token->kid.len && !slice_eq(key->kid, token->kid)) ||
		    key->signature_len != token->signature.len)
			continue;
		if (token->access_type ? signature_verify(key, token) : jwt_signature(a, key, token))
			return true;
	}
	return false;
}

static bool verify(struct arena *a, struct auth *auth, struct slice text, struct identity *out, struct error *err)
{
	struct token token;

	if (!token_parse(a, text, &token, err))
		return false;
	if (!signed_by_us(a, &auth->ring, &token))
		return refuse(err, ERR_JWT_INVALID, "No suitable key or wrong key type");
	return claims_read(a, &auth->rules, token.payload, out, err);
}

/* The texts of id go to the arena in one piece. */
static void principal_of(struct arena *a, const struct auth *auth, const struct identity *id, struct principal *out)
{
	char *to = arena_alloc(a, id->role.len + id->subject.len + id->claims.len + 1);

	out->role = (struct slice){ to, id->role.len };
	memcpy(to, id->role.ptr, id->role.len);
	to += id->role.len;
	out->subject = (struct slice){ to, id->subject.len };
	memcpy(to, id->subject.ptr, id->subject.len);
	to += id->subject.len;
	out->claims = (struct slice){ to, id->claims.len };
	memcpy(to, id->claims.ptr, id->claims.len);
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
	if (!known && !verify(a, auth, token, &fresh, err))
		return false;
	if (!claims_current(&auth->rules, known ? known : &fresh, now, err))
		return false;
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

static const struct key *signing_key(const struct keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->keys[i].alg->family == FAMILY_HMAC)
			return &ring->keys[i];
	return NULL;
}

bool auth_issue(struct arena *a, struct auth *auth, struct slice claims, struct slice *token_out, struct error *err)
{
	const struct key *key = signing_key(&auth->ring);
	struct slice signature;
	struct strbuf header, b;

	if (!key)
		return error_set(err, ERR_INTERNAL, "no HMAC key to sign with: set jwt-secret or jwt-secret-file");
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
