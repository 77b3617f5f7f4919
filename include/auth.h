#ifndef ROWGATE_AUTH_H
#define ROWGATE_AUTH_H

#include "config.h"
#include "http.h"

/* Who asks. */
struct principal {
	struct slice role;    /* database role the request runs as */
	bool anonymous;       /* role is db-anon-role, with or without a token: a refusal is 401 then, not 403 */
	struct slice subject; /* claim sub, or empty */
	struct slice claims;  /* the payload's JSON text with role in it; only the role without a token */
	int64_t expires;      /* claim exp in seconds since 1970; INT64_MAX when absent */
};

/*
 * The signing keys, what is asked of the claims, and the cache of verified tokens (bounded by
 * jwt-cache-max-entries, never past exp). One per process.
 */
struct auth;

/*
 * Reads the keys named by the configuration: text of at least 32 bytes, base64 of such, a PEM public key, a
 * JWK or a JWKS, inline or from a file. err says which key is refused and why.
 */
struct auth *auth_open(const struct config *config, struct error *err) MUST_CHECK;
void auth_close(struct auth *auth);

/*
 * Turns the Authorization header into a principal, whose texts live in a. Without a token it is the anonymous
 * role. Fails with ERR_JWT_INVALID, ERR_JWT_REQUIRED, ERR_JWT_CLAIMS or ERR_JWT_NO_SECRET, with err->challenge
 * set. now: seconds since 1970.
 */
bool auth_check(struct arena *a, struct auth *auth, const struct http_request *rq, int64_t now,
		struct principal *who_out, struct error *err) MUST_CHECK;

/* The same for a bare token. */
bool auth_verify(struct arena *a, struct auth *auth, struct slice token, int64_t now, struct principal *who_out,
		 struct error *err) MUST_CHECK;

/* Verified tokens found in the cache, and looked for, since auth_open. */
void auth_cache_counts(const struct auth *auth, uint64_t *hits_out, uint64_t *lookups_out);

/*
 * A token with these claims (JSON object text), signed by the first key that can sign (HMAC).
 * For `rowgate token issue`.
 */
bool auth_issue(struct arena *a, struct auth *auth, struct slice claims, struct slice *token_out,
		struct error *err) MUST_CHECK;

#endif
