/*
 * Rowgate's verdict on many tokens: on standard input each as its length (4 bytes, little-endian) and its bytes; on
 * standard output a '1' or a '0' for each. For verdicts.test.mjs.
 *
 *   verdict JWKS-FILE NOW
 */
#include <stdio.h>
#include <stdlib.h>

#include "auth.h"

#define TOKEN_MAX_READ 65536

static bool next(char *to, size_t *len_out)
{
	unsigned char n[4];

	if (fread(n, 1, 4, stdin) != 4)
		return false;
	*len_out = (size_t)n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16 | (size_t)n[3] << 24;
	return *len_out <= TOKEN_MAX_READ && fread(to, 1, *len_out, stdin) == *len_out;
}

int main(int argc, char **argv)
{
	static char token[TOKEN_MAX_READ];
	struct config config = { .db_anon_role = "anon",
				 .jwt_secret = "",
				 .auth_signing_keys = "",
				 .jwt_jwks_folder = "",
				 .jwt_aud = "",
				 .jwt_issuer = "",
				 .jwt_role_claim_key = ".role",
				 .jwt_required_claims = "exp",
				 .jwt_leeway = 30,
				 .jwt_cache_max_entries = 16 };
	struct arena *a = arena_open();
	struct principal who;
	struct error err;
	struct auth *auth;
	size_t len;

	if (argc != 3)
		return 2;
	config.jwt_secret_file = argv[1];
	error_init(&err, a);
	auth = auth_open(&config, &err);
	if (!auth) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	for (struct arena *one = arena_open(); next(token, &len); arena_reset(one)) {
		error_init(&err, one);
		putchar(auth_verify(one, auth, (struct slice){ token, len }, atoll(argv[2]), &who, &err) ? '1' : '0');
	}
	auth_close(auth);
	arena_close(a);
	return 0;
}
