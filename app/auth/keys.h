#ifndef ROWGATE_AUTH_KEYS_H
#define ROWGATE_AUTH_KEYS_H

#include <openssl/types.h>

#include "internal.h"

#define RSA_MAX_BITS 16384
#define JWKS_DEPTH 8

/* Where keys are being read from, and into. */
struct source {
	struct arena *arena;
	struct keyring *ring;
	struct error *err;
	const char *name;    /* where the key comes from, for messages */
	struct slice issuer; /* the configuration's word on whose keys these are; empty: none */
	bool only_public;    /* a secret in it is known to whoever can read it: left out */
};

/* app/auth/keyring.c: each is false with s->err when the key is refused, by its name. */

/* Always false. */
bool keys_complain(struct source *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool keys_add_secret(struct source *s, const struct alg *alg, struct slice kid, struct slice secret);
/* A secret for HS256, HS384 and HS512, as far as it is long enough for each. */
bool keys_add_text(struct source *s, struct slice secret);
/* Takes pubkey over. named: the algorithm its JWK names, or NULL. */
bool keys_add_public(struct source *s, EVP_PKEY *pubkey, const struct alg *named, struct slice kid);
/* One PEM block or several. */
bool keys_add_pem(struct source *s, struct slice text);
/* pem_password_cb of OpenSSL: a key that asks for a passphrase is refused. */
int key_no_passphrase(char *buf, int size, int writing, void *context);
/* Overwrites a secret. */
void key_wipe(struct slice s);

/* app/auth/jwks.c: a JWK or a set of them. */
bool keys_add_json(struct source *s, struct slice text);

#endif
