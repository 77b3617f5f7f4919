#ifndef ROWGATE_AUTH_H
#define ROWGATE_AUTH_H

#include "config.h"
#include "http.h"

/* Who asks. */
struct principal {
	struct slice role;    /* database role the request runs as */
	bool anonymous;       /* role is db-anon-role, with or without a token: a refusal is 401 then, not 403 */
	struct slice subject; /* claim sub, or empty */
	struct slice session; /* claim session_id, or empty */
	bool foreign;         /* the token is another provider's (jwt-jwks-folder): its subjects are not our users */
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
 * A token with these claims (JSON object text), signed by the first key of jwt-secret that can sign (HMAC), else as
 * auth_sign does. For `rowgate token issue`.
 */
bool auth_issue(struct arena *a, struct auth *auth, struct slice claims, struct slice *token_out,
		struct error *err) MUST_CHECK;

/* The same, signed by the newest active key of auth-signing-keys; without such a key by that of jwt-secret. */
bool auth_sign(struct arena *a, struct auth *auth, struct slice claims, struct slice *token_out,
	       struct error *err) MUST_CHECK;

/* The public keys of auth-signing-keys that are believed now, as a JWKS. */
void auth_jwks(struct arena *a, const struct auth *auth, int64_t now, struct strbuf *out);

/*
 * The i-th of jwt-jwks-urls, "URL" or "URL issuer=ISSUER": where it is fetched, whose tokens its keys may sign (empty: not
 * said), and its file in jwt-jwks-folder.
 */
struct auth_provider {
	const char *url;
	struct slice issuer;
	const char *file;
};

void auth_provider(struct arena *a, const struct config *config, size_t i, struct auth_provider *out);

/* Is text a JWKS with at least one public key that tokens may be checked by? For rowgate-jwks. */
bool auth_jwks_usable(struct arena *a, struct slice text, struct error *err) MUST_CHECK;

/*
 * Reads auth-signing-keys, and jwt-jwks-folder with it, again when one is another than before; a broken file leaves the
 * keys as they were and is logged. For between requests; an unknown key in a token does the same. True when the keys
 * have changed.
 */
bool auth_refresh_keys(struct auth *auth);

/* --- tokens that are no longer believed --- */

enum auth_revocation { REVOKE_TOKEN, REVOKE_SESSION, REVOKE_SUBJECT, REVOKE_ALL };

/*
 * From now on tokens with this jti, session_id or sub, or all, are refused when they were issued before a time (seconds
 * since 1970; INT64_MAX: whenever). It may be forgotten at expires.
 */
void auth_revoke(struct auth *auth, enum auth_revocation kind, struct slice value, int64_t before, int64_t expires);

/* The least iat of a token for this subject that is not refused. */
int64_t auth_issued_floor(const struct auth *auth, struct slice subject);

/* --- the file auth-signing-keys, for `rowgate key`; keys are for HS, RS or ES 256, 384 or 512 --- */

struct auth_key {
	struct slice kid;
	const char *alg;
	const char *state; /* waiting, active, retired, gone */
	int64_t created;   /* seconds since 1970 */
	int64_t active;    /* when it begins to sign */
	int64_t until;     /* believed until then; INT64_MAX: not retired */
};

/* Makes the file with one ES256 key when there is none. */
bool auth_key_first(const struct config *config, struct error *err) MUST_CHECK;
bool auth_key_new(struct arena *a, const struct config *config, const char *alg, int64_t active, struct slice *kid_out,
		  struct error *err) MUST_CHECK;
/* It signs no more, and is believed until its last token has expired; at_once: not even that. */
bool auth_key_retire(struct arena *a, const struct config *config, struct slice kid, bool at_once,
		     struct error *err) MUST_CHECK;
/* May this process replace the file? */
bool auth_key_writable(struct arena *a, const struct config *config);
bool auth_key_list(struct arena *a, const struct config *config, struct auth_key **list_out, size_t *n_out,
		   struct error *err) MUST_CHECK;

#endif
