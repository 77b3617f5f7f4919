/*
 * Any bytes -> verdict on a token. The first byte says how the rest is meant:
 *
 *   'r'  the token as it is
 *   's'  header and payload with a NUL between, signed here with the right secret (HS256)
 *   'e'  the signature of an ES256 token
 *
 * What is accepted must be a token by other judges too: the HMAC computed here is the one it carries, libjwt reads
 * the same role from it, and its exp is not over. libjwt and OpenSSL must agree on every signature.
 */
#include <jwt.h>
#include <stdlib.h>

#include "../unit/token_maker.h"

#include "../../app/auth/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena *arena, *lasting;
static struct auth *auth;
static struct keyring hmac_ring, ec_ring;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void set_up(void)
{
	struct config config = plain_config();
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	struct error err;

	arena = arena_open();
	lasting = arena_open();
	error_init(&err, lasting);
	config.jwt_secret = SECRET;
	auth = auth_open(&config, &err);
	require(auth && keys_load(lasting, &config, &hmac_ring, &err));
	config.jwt_secret = public_pem(lasting, ec);
	require(keys_load(lasting, &config, &ec_ring, &err));
	EVP_PKEY_free(ec);
}

/* The signature is the HMAC of what stands before it, in its one spelling. */
static void judge_signature(struct slice text)
{
	const char *dot = memrchr(text.ptr, '.', text.len);
	struct slice signing = { text.ptr, (size_t)(dot - text.ptr) }, ours;

	ours = base64url(arena, hmac_over(arena, signing, SLICE(SECRET), EVP_sha256()));
	require(slice_eq(slice_from(text, signing.len + 1), ours));
}

static void judge_claims(struct slice text, const struct principal *who)
{
	jwt_t *jwt = NULL;
	const char *role;
	long expires;

	if (jwt_decode(&jwt, slice_cstr(arena, text), (const unsigned char *)SECRET, (int)strlen(SECRET)))
		return; /* typ is at+jwt, which this libjwt does not read */
	role = jwt_get_grant(jwt, "role");
	expires = jwt_get_grant_int(jwt, "exp");
	require(slice_is(who->role, role ? role : "anon"));
	require(expires == who->expires && expires >= NOW - 30);
	jwt_free(jwt);
}

static void judge(struct slice text)
{
	struct principal who;
	struct error err;
	bool good;

	error_init(&err, arena);
	good = auth_verify(arena, auth, text, NOW, &who, &err);
	if (!good) {
		require(err.status == 401 && err.message && !err.details);
		return;
	}
	judge_signature(text);
	judge_claims(text, &who);
	require(auth_verify(arena, auth, text, NOW, &who, &err));
}

/* Only by accident could such a signature be right: both judges say no, or both yes. */
static void judge_ec(struct slice signature)
{
	struct slice text = unsigned_token(arena, SLICE("{\"alg\":\"ES256\"}"), SLICE(GOOD_CLAIMS));
	struct token token;
	struct error err;

	error_init(&err, arena);
	if (!token_parse(arena, join(arena, text, base64url(arena, signature)), &token, &err))
		return;
	require(signature_verify(&ec_ring.keys[0], &token) == jwt_signature(arena, &ec_ring.keys[0], &token));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 1, size - 1 };
	const char *nul;

	if (!arena)
		set_up();
	if (!size)
		return 0;
	switch (data[0]) {
	case 'r':
		judge(rest);
		break;
	case 's':
		nul = memchr(rest.ptr, '\0', rest.len);
		if (nul) {
			struct slice header = { rest.ptr, (size_t)(nul - rest.ptr) };

			judge(hs_token(arena, header, slice_from(rest, header.len + 1), SLICE(SECRET), EVP_sha256()));
		}
		break;
	case 'e':
		judge_ec(rest);
		break;
	default:
		break;
	}
	arena_reset(arena);
	return 0;
}
