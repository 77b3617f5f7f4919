#ifndef ROWGATE_AUTH_INTERNAL_H
#define ROWGATE_AUTH_INTERNAL_H

#include "auth.h"

struct json_object;
struct evp_pkey_st;

#define TOKEN_MAX ((size_t)8192)        /* bytes of a token that is looked at */
#define TOKEN_CACHED_MAX ((size_t)2048) /* bytes of a token that may be cached */
#define KEYS_MAX ((size_t)32)
#define KID_MAX ((size_t)128)

/* base64.c: RFC 4648. Only the one canonical spelling is taken: left-over bits must be zero. */
bool base64url_decode(struct arena *a, struct slice text, struct slice *out) MUST_CHECK;
/* For secrets in the configuration: both alphabets, with or without padding. */
bool base64_decode_any(struct arena *a, struct slice text, struct slice *out) MUST_CHECK;
void base64url_encode(struct strbuf *b, struct slice bytes);

/* alg.c: the nine algorithms. */
enum family { FAMILY_HMAC, FAMILY_RSA, FAMILY_EC };

struct alg {
	const char *name;
	enum family family;
	size_t hash_len;   /* of its SHA-2; for HMAC also the signature and the shortest key */
	const char *crv;   /* EC: JWK's name of the curve */
	const char *group; /* EC: OpenSSL's name of the curve */
	size_t field_len;  /* EC: bytes of a coordinate; the signature is two of them */
};

extern const struct alg algs[];
extern const size_t nalgs;

const struct alg *alg_find(struct slice name);

/* The text as a JSON object that passed json_check; it ends with a. NULL when it is none. */
struct json_object *object_parse(struct arena *a, struct slice text, unsigned depth);
/* A member's text. False when it is absent or no string. */
bool object_text(struct json_object *o, const char *name, struct slice *out);
bool object_has(struct json_object *o, const char *name);

/* keys.c: the keys, each for exactly one algorithm. */
struct key {
	struct slice kid;    /* empty: none */
	struct slice issuer; /* empty: jwt-issuer says whose tokens it signs */
	const struct alg *alg;
	unsigned char *bytes; /* the secret, or a public key as PEM; locked in memory */
	size_t len;
	bool borrowed; /* bytes belong to another record */
	size_t signature_len;
	struct evp_pkey_st *pubkey; /* RSA and EC; of our own keys the private half is in it */
	bool own;                   /* one of auth-signing-keys */
	bool foreign;               /* of jwt-jwks-folder: another provider's */
	int64_t active;             /* own: seconds since 1970 from which it signs; INT64_MAX: it does not */
	int64_t until;              /* seconds since 1970: not believed from then on */
};

struct keyring {
	struct key keys[KEYS_MAX];
	size_t n;
};

/* Reads what the configuration names. No secret at all is a keyring without keys. Scratch memory is in a. */
bool keys_load(struct arena *a, const struct config *config, struct keyring *out, struct error *err) MUST_CHECK;
void keys_wipe(struct keyring *ring);

/* signing.c: the file behind auth-signing-keys. */
#define SIGNING_MAX 16

struct signing_key {
	struct slice kid;
	const struct alg *alg;
	struct slice key;                 /* PEM of a private key; HMAC: base64url of the secret */
	int64_t created, active, retired; /* seconds since 1970; retired 0: not */
};

struct signing_file {
	struct signing_key keys[SIGNING_MAX];
	size_t n;
};

/* No such file is no key. */
bool signing_read(struct arena *a, const char *path, struct signing_file *out, struct error *err) MUST_CHECK;
/* When the last token it signed has expired; INT64_MAX when it is not retired. */
int64_t signing_until(const struct config *config, const struct signing_key *key);

/* A public key as JWK, or nothing for a secret. */
void key_jwk(struct arena *a, const struct key *key, struct strbuf *out);

/* True for 1 to KID_MAX bytes of [A-Za-z0-9._-]. */
bool kid_valid(struct slice kid);

/* token.c: the strict look at a token before anything believes it. */
struct token {
	struct slice text;
	struct slice signing; /* header and payload, as signed */
	const struct alg *alg;
	struct slice kid;     /* empty: none */
	bool access_type;     /* typ is at+jwt (RFC 9068) */
	struct slice payload; /* JSON text of an object */
	struct slice signature;
};

bool token_parse(struct arena *a, struct slice text, struct token *out, struct error *err) MUST_CHECK;

/* jwt.c: libjwt's verdict on the signature, for a token that token_parse let pass. */
bool jwt_signature(struct arena *a, const struct key *key, const struct token *token) MUST_CHECK;

/* signature.c: the same by OpenSSL, and how to sign. */
bool signature_verify(const struct key *key, const struct token *token) MUST_CHECK;
bool signature_make(struct arena *a, const struct key *key, struct slice signing, struct slice *out) MUST_CHECK;

/* claims.c: what the payload says. */
enum step_kind { STEP_KEY, STEP_INDEX, STEP_EQUAL, STEP_DIFFERENT, STEP_PREFIX, STEP_SUFFIX, STEP_PART };

struct path_step {
	enum step_kind kind;
	struct slice text; /* all but STEP_INDEX */
	size_t index;
};

struct claim_rules {
	struct slice audience;  /* empty: any */
	struct slice issuer;    /* empty: any */
	struct slice anonymous; /* role of a token without role; empty: refused */
	struct slice required;  /* comma separated */
	struct path_step *path; /* to the role */
	size_t nsteps;
	int64_t leeway;
	bool own; /* the role is the claim role, whatever the path says */
};

struct identity {
	struct slice role;
	struct slice subject;
	struct slice token;   /* claim jti, or empty */
	struct slice session; /* claim session_id, or empty */
	struct slice claims;
	bool foreign;       /* of another provider's key */
	int64_t expires;    /* INT64_MAX: never */
	int64_t not_before; /* INT64_MIN: always */
	int64_t issued;     /* INT64_MIN: always */
};

/* Texts of the rules live in a. */
bool claims_rules(struct arena *a, const struct config *config, struct claim_rules *out, struct error *err) MUST_CHECK;
/* All that does not depend on the time of day. */
bool claims_read(struct arena *a, const struct claim_rules *rules, struct slice payload, struct identity *out,
		 struct error *err) MUST_CHECK;
/* The rest. */
bool claims_current(const struct claim_rules *rules, const struct identity *id, int64_t now,
		    struct error *err) MUST_CHECK;

/* Refuses a token: fills err and its challenge with the same text. */
bool refuse(struct error *err, enum error_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* revoked.c: what auth_revoke was told. */
#define REVOKED_VALUE_MAX ((size_t)1024)

struct revoked;

struct revoked *revoked_open(void);
void revoked_close(struct revoked *r);
void revoked_add(struct revoked *r, enum auth_revocation kind, struct slice value, int64_t before, int64_t expires,
		 int64_t now);
bool revoked_holds(const struct revoked *r, const struct identity *id);
/* The least iat that a new token of this subject may have. */
int64_t revoked_floor(const struct revoked *r, struct slice subject);

/* cache.c: verified tokens and what they said. */
struct cache;

struct cache *cache_open(size_t max_entries);
void cache_close(struct cache *c);
void cache_clear(struct cache *c);
/* NULL when this very token is not there. The answer lives until the next cache_add. */
const struct identity *cache_find(struct cache *c, struct slice token);
void cache_add(struct cache *c, struct slice token, const struct identity *id);
void cache_counts(const struct cache *c, uint64_t *hits_out, uint64_t *lookups_out);

#endif
