/*
 * Tokens against auth_verify: those of every kind of key are accepted, and the attacks of security.md section 2
 * are refused, with PostgREST's code and message. Keys are made at the start; nothing is stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "token_maker.h"

#include "../../app/auth/internal.h"

static struct arena *arena;
static EVP_PKEY *rsa, *rsa_other, *ec256, *ec256_other, *ec384, *ec521;

static struct auth *opened(const struct config *config)
{
	struct auth *auth;
	struct error err;

	error_init(&err, arena);
	auth = auth_open(config, &err);
	if (!auth)
		fail_msg("auth_open: %s", err.message);
	return auth;
}

static struct auth *opened_with(const char *secret)
{
	struct config config = plain_config();

	config.jwt_secret = secret;
	return opened(&config);
}

static void accepts(struct auth *auth, const char *what, struct slice token)
{
	struct principal who;
	struct error err;

	error_init(&err, arena);
	if (!auth_verify(arena, auth, token, NOW, &who, &err))
		fail_msg("%s: refused: %s", what, err.message);
	assert_string_equal(slice_cstr(arena, who.role), "clerk");
}

/* code: the code that goes out; message: what it must begin with, or NULL. */
static void refuses(struct auth *auth, const char *what, struct slice token, const char *code, const char *message)
{
	struct principal who;
	struct error err;

	error_init(&err, arena);
	if (auth_verify(arena, auth, token, NOW, &who, &err))
		fail_msg("%s: accepted", what);
	if (err.status != 401 || strcmp(err.sqlstate, code) != 0 || !err.challenge ||
	    strcmp(err.challenge, err.message) != 0 || (message && strncmp(err.message, message, strlen(message)) != 0))
		fail_msg("%s: %d %s '%s'", what, err.status, err.sqlstate, err.message);
	assert_null(err.details);
	assert_null(err.hint);
	assert_null(strpbrk(err.message, "\"\\"));
}

#define BROKEN "JWT cryptographic operation failed"
#define NO_KEY "No suitable key or wrong key type"
#define WRONG_ALG "Wrong or unsupported encoding algorithm"
#define WRONG_TYPE "Unsupported token type"

static void accepts_all_algorithms(void **state)
{
	static const char *const hs[] = { "HS256", "HS384", "HS512" };
	const EVP_MD *md[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	struct {
		EVP_PKEY *key;
		const char *crv;
		int half;
	} ec[] = { { ec256, "P-256", 32 }, { ec384, "P-384", 48 }, { ec521, "P-521", 66 } };

	(void)state;
	for (int i = 0; i < 3; i++) {
		char *header = arena_printf(arena, "{\"alg\":\"%s\"}", hs[i]);
		struct auth *auth = opened_with(SECRET64);

		accepts(auth, hs[i], hs_token(arena, slice_of(header), SLICE(GOOD_CLAIMS), SLICE(SECRET64), md[i]));
		auth_close(auth);
		header = arena_printf(arena, "{\"alg\":\"RS%s\",\"typ\":\"jwt\"}", hs[i] + 2);
		auth = opened_with(
			rsa_jwk(arena, rsa, arena_printf(arena, ",\"alg\":\"RS%s\",\"use\":\"sig\"", hs[i] + 2)));
		accepts(auth, header, pkey_token(arena, header, GOOD_CLAIMS, rsa, md[i], 0));
		header = arena_printf(arena, "{\"alg\":\"RS%s\",\"typ\":\"AT+jwt\"}", hs[i] + 2);
		accepts(auth, header, pkey_token(arena, header, GOOD_CLAIMS, rsa, md[i], 0));
		auth_close(auth);
		auth = opened_with(public_pem(arena, ec[i].key));
		header = arena_printf(arena, "{\"alg\":\"ES%s\",\"typ\":\"JWT\"}", hs[i] + 2);
		accepts(auth, header, pkey_token(arena, header, GOOD_CLAIMS, ec[i].key, md[i], ec[i].half));
		auth_close(auth);
		auth = opened_with(ec_jwk(arena, ec[i].key, ec[i].crv, ec[i].half, ""));
		accepts(auth, header, pkey_token(arena, header, GOOD_CLAIMS, ec[i].key, md[i], ec[i].half));
		header = arena_printf(arena, "{\"alg\":\"ES%s\",\"typ\":\"at+jwt\"}", hs[i] + 2);
		accepts(auth, header, pkey_token(arena, header, GOOD_CLAIMS, ec[i].key, md[i], ec[i].half));
		auth_close(auth);
	}
}

static void accepts_headers(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"HS256\"}",
		HS256_HEADER,
		"{\"typ\":\"jWt\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"HS256\",\"x5t\":\"abc\",\"cty\":\"x\",\"n\":[1,{\"a\":null}]}",
		" {\"alg\":\"HS256\"}\n",
		"{\"alg\":\"\\u0048S256\"}"
	};
	struct auth *auth = opened_with(SECRET);

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		accepts(auth, headers[i], token_of(arena, headers[i], GOOD_CLAIMS));
	auth_close(auth);
}

/* Signed with the right secret, yet refused for what the header says. */
static void refuses_headers(void **state)
{
	static const struct {
		const char *header, *message;
	} cases[] = {
		{ "{\"alg\":\"none\"}", WRONG_ALG }, /* J01 to J03 */
		{ "{\"alg\":\"None\"}", WRONG_ALG },
		{ "{\"alg\":\"nOnE\"}", WRONG_ALG },
		{ "{\"alg\":\"NONE\"}", WRONG_ALG },
		{ "{\"alg\":\"\"}", WRONG_ALG },
		{ "{\"alg\":\"hs256\"}", WRONG_ALG },
		{ "{\"alg\":\" HS256\"}", WRONG_ALG },
		{ "{\"alg\":\"HS256 \"}", WRONG_ALG },
		{ "{\"alg\":\"HS257\"}", WRONG_ALG },
		{ "{\"alg\":\"PS256\"}", WRONG_ALG },
		{ "{\"alg\":\"EdDSA\"}", WRONG_ALG },
		{ "{\"alg\":256}", WRONG_ALG }, /* J12 */
		{ "{\"alg\":null}", WRONG_ALG },
		{ "{\"alg\":[\"HS256\"]}", WRONG_ALG },
		{ "{\"alg\":{\"HS256\":1}}", WRONG_ALG },
		{ "{\"alg\":true}", WRONG_ALG },
		{ "{}", WRONG_ALG },
		{ "{\"ALG\":\"HS256\"}", WRONG_ALG },
		{ "{\"alg\":\"HS512\"}", BROKEN }, /* J08: signature of the wrong length */
		{ "{\"alg\":\"RS256\"}", BROKEN },
		{ "{\"alg\":\"ES256\"}", BROKEN },
		{ "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", NO_KEY }, /* J15 */
		{ "{\"alg\":\"HS256\",\"kid\":\"' OR 1=1 -- \"}", NO_KEY },
		{ "{\"alg\":\"HS256\",\"kid\":\"\"}", NO_KEY },
		{ "{\"alg\":\"HS256\",\"kid\":\"key-1\"}", NO_KEY }, /* J19 */
		{ "{\"alg\":\"HS256\",\"kid\":[\"a\"]}", NO_KEY },
		{ "{\"alg\":\"HS256\",\"kid\":7}", NO_KEY },
		{ "{\"alg\":\"HS256\",\"kid\":null}", NO_KEY },
		{ "{\"alg\":\"HS256\",\"kid\":\"a\\u0000b\"}", BROKEN },
		{ "{\"alg\":\"HS256\",\"zip\":\"DEF\"}", WRONG_TYPE }, /* J20 */
		{ "{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"crit\":[\"http://x\"]}", WRONG_TYPE }, /* J21 */
		{ "{\"alg\":\"HS256\",\"crit\":[]}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"crit\":null}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"b64\":false}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"b64\":true}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"\\u0063rit\":[]}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"typ\":\"id_token\"}", WRONG_TYPE }, /* J26 */
		{ "{\"alg\":\"HS256\",\"typ\":\"\"}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"typ\":null}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"typ\":[\"JWT\"]}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"typ\":\"JWT \"}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1/\"}", WRONG_TYPE }, /* J41 */
		{ "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"x5u\":\"http://127.0.0.1/\"}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"x5c\":[]}", WRONG_TYPE },
		{ "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", BROKEN }, /* J32 */
		{ "{\"alg\":\"none\",\"alg\":\"HS256\"}", BROKEN },
		{ "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}", BROKEN },
		{ "{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"b\"}", BROKEN },
		{ "{\"alg\":\"HS256\"", BROKEN },
		{ "{\"alg\":\"HS256\"}x", BROKEN },
		{ "{\"alg\":\"HS256\",}", BROKEN },
		{ "{'alg':'HS256'}", BROKEN },
		{ "[\"HS256\"]", BROKEN },
		{ "\"HS256\"", BROKEN },
		{ "null", BROKEN },
		{ " ", BROKEN },
		{ "\xef\xbb\xbf{\"alg\":\"HS256\"}", BROKEN }, /* J31 */
		{ "{\"alg\":\"HS256\",\"x\":\"\xff\"}", BROKEN },
		{ "{\"alg\":\"HS256\",\"x\":[[[[1]]]]}", BROKEN }, /* J34 */
	};
	struct auth *auth = opened_with(SECRET);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refuses(auth, cases[i].header, token_of(arena, cases[i].header, GOOD_CLAIMS), "PGRST301",
			cases[i].message);
	refuses(auth, "NUL behind the header",
		hs_token(arena, SLICE("{\"alg\":\"HS256\"}\0"), SLICE(GOOD_CLAIMS), SLICE(SECRET), EVP_sha256()),
		"PGRST301", BROKEN);
	auth_close(auth);
}

static struct slice kid_token(size_t len)
{
	char *kid = arena_alloc(arena, len + 1);

	memset(kid, 'k', len);
	return token_of(arena, arena_printf(arena, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kid), GOOD_CLAIMS);
}

static void bounds_kid(void **state)
{
	char kid[129];
	struct auth *auth;

	(void)state;
	memset(kid, 'k', 128);
	kid[128] = '\0';
	auth = opened_with(oct_jwk(arena, SLICE(SECRET), arena_printf(arena, ",\"kid\":\"%s\"", kid)));
	accepts(auth, "128 bytes of kid", kid_token(128));
	accepts(auth, "no kid", token_of(arena, HS256_HEADER, GOOD_CLAIMS));
	refuses(auth, "127 bytes of kid", kid_token(127), "PGRST301", NO_KEY);
	refuses(auth, "129 bytes of kid", kid_token(129), "PGRST301", NO_KEY);
	refuses(auth, "5000 bytes of kid", kid_token(5000), "PGRST301", NO_KEY);
	refuses(auth, "64 KiB of kid", kid_token(65536), "PGRST301", NULL); /* J17 */
	auth_close(auth);
}

/* The token with its part (0 header, 1 payload, 2 signature) replaced. */
static struct slice with_part(struct slice token, int part, const char *text)
{
	struct slice rest = token, parts[3];

	for (int i = 0; i < 3; i++)
		assert_true(slice_split(&rest, '.', &parts[i]));
	parts[part] = slice_of(text);
	return join(arena, parts[0], join(arena, parts[1], parts[2]));
}

static struct slice changed(struct slice token, size_t at, char to)
{
	char *text = slice_cstr(arena, token);

	text[at] = to;
	return (struct slice){ text, token.len };
}

static void refuses_segments(void **state)
{
	struct slice good = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	struct auth *auth = opened_with(SECRET);
	const char *g = good.ptr;
	const struct {
		const char *token, *message;
	} cases[] = {
		{ "", "Empty JWT is sent in Authorization header" },
		{ "x", "Expected 3 parts in JWT; got 1" }, /* J35 */
		{ "a.b", "Expected 3 parts in JWT; got 2" },
		{ "..", BROKEN },
		{ "...", "Expected 3 parts in JWT; got 4" },
		{ ".", "Expected 3 parts in JWT; got 2" },
		{ arena_printf(arena, ".%s", g), "Expected 3 parts in JWT; got 4" },
		{ arena_printf(arena, "%s.", g), "Expected 3 parts in JWT; got 4" },
		{ arena_printf(arena, "%s.x.y", g), "Expected 3 parts in JWT; got 5" },
		{ arena_printf(arena, "%s ", g), BROKEN },
		{ arena_printf(arena, " %s", g), BROKEN },
		{ arena_printf(arena, "%s\n", g), BROKEN },
		{ arena_printf(arena, "%s=", g), BROKEN },
		{ arena_printf(arena, "%s==", g), BROKEN },
		{ arena_printf(arena, "%sA", g), BROKEN },
		{ arena_printf(arena, "\xef\xbb\xbf%s", g), BROKEN },
		{ with_part(good, 0, "").ptr, BROKEN },
		{ with_part(good, 1, "").ptr, BROKEN },
		{ with_part(good, 2, "").ptr, BROKEN }, /* J04 */
		{ with_part(good, 2, "AAAA").ptr, BROKEN },
		{ with_part(good, 0, "eyJhbGciOiJub25lIn0").ptr, WRONG_ALG },
		{ with_part(good, 0, "e30").ptr, WRONG_ALG },
		{ "eyJhbGciOiJub25lIn0.e30.", WRONG_ALG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refuses(auth, cases[i].token, slice_of(cases[i].token), "PGRST301", cases[i].message);
	refuses(auth, "NUL inside", changed(good, 3, '\0'), "PGRST301", BROKEN);
	refuses(auth, "a NUL behind", (struct slice){ good.ptr, good.len + 1 }, "PGRST301", BROKEN);
	refuses(auth, "one less", (struct slice){ good.ptr, good.len - 1 }, "PGRST301", BROKEN);
	refuses(auth, "no signature", (struct slice){ good.ptr, good.len - 43 }, "PGRST301", BROKEN);
	auth_close(auth);
}

/* Every single byte matters: whatever one of them is changed to, the token is refused. */
static void refuses_every_change(void **state)
{
	static const char with[] = "Ab0-_+/=. \x80";
	struct slice good = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	struct auth *auth = opened_with(SECRET);

	(void)state;
	accepts(auth, "the token itself", good);
	for (size_t i = 0; i < good.len; i++)
		for (size_t k = 0; k < sizeof(with) - 1; k++) {
			struct principal who;
			struct error err;

			error_init(&err, arena);
			if (good.ptr[i] != with[k] &&
			    auth_verify(arena, auth, changed(good, i, with[k]), NOW, &who, &err))
				fail_msg("byte %zu as '%c' accepted", i, with[k]);
		}
	auth_close(auth);
}

/* 43 letters hold 258 bits, 256 of them signature: the other two must be zero. */
static void refuses_left_over_bits(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct slice good = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	const char *last = strchr(letters, good.ptr[good.len - 1]);
	struct auth *auth = opened_with(SECRET);

	(void)state;
	for (int bits = 1; bits < 4; bits++)
		refuses(auth, "left-over bits", changed(good, good.len - 1, letters[(last - letters) + bits]),
			"PGRST301", BROKEN);
	auth_close(auth);
}

static struct slice sized_token(size_t size)
{
	size_t pad = size / 4 * 3;
	struct slice token;

	for (;; pad--) {
		char *fill = arena_alloc(arena, pad + 1);

		memset(fill, 'x', pad);
		token = token_of(arena, HS256_HEADER,
				 arena_printf(arena, "{\"role\":\"clerk\",\"exp\":%lld,\"pad\":\"%s\"}",
					      (long long)NOW + 100, fill));
		if (token.len <= size)
			return token;
	}
}

static void bounds_size(void **state)
{
	struct auth *auth = opened_with(SECRET);
	struct slice token = sized_token(8192);
	char *dots = arena_alloc(arena, 9000001);

	(void)state;
	assert_int_equal(token.len, 8192);
	accepts(auth, "8192 bytes", token);
	token = sized_token(8194);
	assert_in_range(token.len, 8193, 8194);
	refuses(auth, "8193 bytes", token, "PGRST301", "JWT is longer than 8192 bytes");
	memset(dots, 'A', 9000000);
	refuses(auth, "64 KiB", (struct slice){ dots, 65536 }, "PGRST301", NULL); /* J30 */
	refuses(auth, "9 MB", (struct slice){ dots, 9000000 }, "PGRST301", NULL);
	memset(dots, '.', 9000000);
	refuses(auth, "9 MB of dots", (struct slice){ dots, 9000000 }, "PGRST301", NULL);
	auth_close(auth);
}

/* A public key is no secret: J05, J06. */
static void refuses_public_key_as_secret(void **state)
{
	struct {
		EVP_PKEY *key;
		char *jwk;
	} keys[] = { { rsa, rsa_jwk(arena, rsa, "") }, { ec256, ec_jwk(arena, ec256, "P-256", 32, "") } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *pem = public_pem(arena, keys[i].key);
		const struct slice secrets[] = {
			slice_of(pem), { pem, strlen(pem) - 1 }, public_der(arena, keys[i].key), slice_of(keys[i].jwk)
		};
		const char *configured[] = { pem, keys[i].jwk, arena_printf(arena, "{\"keys\":[%s]}", keys[i].jwk) };

		for (int c = 0; c < 3; c++) {
			struct auth *auth = opened_with(configured[c]);

			for (int s = 0; s < 4; s++)
				refuses(auth, "public key as secret",
					hs_token(arena, SLICE(HS256_HEADER), SLICE(GOOD_CLAIMS), secrets[s],
						 EVP_sha256()),
					"PGRST301", NO_KEY);
			auth_close(auth);
		}
	}
}

/* J07, J08, J27 */
static void refuses_other_secrets(void **state)
{
	struct auth *auth = opened_with(SECRET), *exact;
	const struct slice secrets[] = { SLICE(""),          SLICE("\0"),     SLICE("0123456789abcdef0123456789ABCDEE"),
					 SLICE(SECRET "\n"), SLICE(SECRET64), SLICE("secret") };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		refuses(auth, "other secret",
			hs_token(arena, SLICE(HS256_HEADER), SLICE(GOOD_CLAIMS), secrets[i], EVP_sha256()), "PGRST301",
			NO_KEY);
	refuses(auth, "HS512 with a secret of 32 bytes",
		hs_token(arena, SLICE("{\"alg\":\"HS512\"}"), SLICE(GOOD_CLAIMS), SLICE(SECRET), EVP_sha512()),
		"PGRST301", NO_KEY);
	auth_close(auth);
	exact = opened_with(oct_jwk(arena, SLICE(SECRET64), ",\"alg\":\"HS256\""));
	refuses(exact, "HS512 for an HS256 key",
		hs_token(arena, SLICE("{\"alg\":\"HS512\"}"), SLICE(GOOD_CLAIMS), SLICE(SECRET64), EVP_sha512()),
		"PGRST301", NO_KEY);
	auth_close(exact);
	exact = opened_with(oct_jwk(arena, SLICE(SECRET64), ""));
	accepts(exact, "HS256 for an oct key without alg",
		hs_token(arena, SLICE("{\"alg\":\"HS256\"}"), SLICE(GOOD_CLAIMS), SLICE(SECRET64), EVP_sha256()));
	refuses(exact, "HS512 for an oct key without alg",
		hs_token(arena, SLICE("{\"alg\":\"HS512\"}"), SLICE(GOOD_CLAIMS), SLICE(SECRET64), EVP_sha512()),
		"PGRST301", NO_KEY);
	auth_close(exact);
}

/* J09 to J11, J27 */
static void refuses_other_algorithms(void **state)
{
	struct auth *auth = opened_with(arena_printf(arena, "{\"keys\":[%s,%s]}", rsa_jwk(arena, rsa, ",\"kid\":\"r\""),
						     ec_jwk(arena, ec256, "P-256", 32, ",\"kid\":\"e\"")));

	(void)state;
	accepts(auth, "RS256", pkey_token(arena, "{\"alg\":\"RS256\"}", GOOD_CLAIMS, rsa, EVP_sha256(), 0));
	accepts(auth, "RS256 by kid",
		pkey_token(arena, "{\"alg\":\"RS256\",\"kid\":\"r\"}", GOOD_CLAIMS, rsa, EVP_sha256(), 0));
	accepts(auth, "ES256 by kid",
		pkey_token(arena, "{\"alg\":\"ES256\",\"kid\":\"e\"}", GOOD_CLAIMS, ec256, EVP_sha256(), 32));
	refuses(auth, "kid of another key",
		pkey_token(arena, "{\"alg\":\"RS256\",\"kid\":\"e\"}", GOOD_CLAIMS, rsa, EVP_sha256(), 0), "PGRST301",
		NO_KEY);
	refuses(auth, "RS512", pkey_token(arena, "{\"alg\":\"RS512\"}", GOOD_CLAIMS, rsa, EVP_sha512(), 0), "PGRST301",
		NO_KEY);
	refuses(auth, "RS384",
		pkey_token(arena, "{\"alg\":\"RS384\",\"kid\":\"r\"}", GOOD_CLAIMS, rsa, EVP_sha384(), 0), "PGRST301",
		NO_KEY);
	refuses(auth, "PS256", pkey_token(arena, "{\"alg\":\"PS256\"}", GOOD_CLAIMS, rsa, EVP_sha256(), 0), "PGRST301",
		WRONG_ALG);
	refuses(auth, "ES384", pkey_token(arena, "{\"alg\":\"ES384\"}", GOOD_CLAIMS, ec384, EVP_sha384(), 48),
		"PGRST301", NO_KEY);
	refuses(auth, "ES384 with a key for ES256",
		pkey_token(arena, "{\"alg\":\"ES384\"}", GOOD_CLAIMS, ec256, EVP_sha384(), 32), "PGRST301", BROKEN);
	refuses(auth, "another RSA key",
		pkey_token(arena, "{\"alg\":\"RS256\"}", GOOD_CLAIMS, rsa_other, EVP_sha256(), 0), "PGRST301", NO_KEY);
	refuses(auth, "another EC key",
		pkey_token(arena, "{\"alg\":\"ES256\"}", GOOD_CLAIMS, ec256_other, EVP_sha256(), 32), "PGRST301",
		NO_KEY);
	auth_close(auth);
}

/* J39: while both keys are configured, tokens of both are good; afterwards only the new one's. */
static void rotates(void **state)
{
	struct slice old = token_of(arena, "{\"alg\":\"HS256\",\"kid\":\"old\"}", GOOD_CLAIMS);
	struct slice fresh = hs_token(arena, SLICE("{\"alg\":\"HS256\",\"kid\":\"new\"}"), SLICE(GOOD_CLAIMS),
				      SLICE(SECRET64), EVP_sha256());
	const char *old_key = oct_jwk(arena, SLICE(SECRET), ",\"kid\":\"old\"");
	const char *new_key = oct_jwk(arena, SLICE(SECRET64), ",\"kid\":\"new\"");
	struct auth *auth = opened_with(arena_printf(arena, "{\"keys\":[%s,%s]}", old_key, new_key));

	(void)state;
	accepts(auth, "old", old);
	accepts(auth, "new", fresh);
	accepts(auth, "without kid", token_of(arena, HS256_HEADER, GOOD_CLAIMS));
	auth_close(auth);
	auth = opened_with(arena_printf(arena, "{\"keys\":[%s]}", new_key));
	refuses(auth, "retired", old, "PGRST301", NO_KEY);
	accepts(auth, "new", fresh);
	auth_close(auth);
}

static struct slice es_token_with(const char *alg, struct slice signature)
{
	char *header = arena_printf(arena, "{\"alg\":\"%s\"}", alg);

	return join(arena, unsigned_token(arena, slice_of(header), SLICE(GOOD_CLAIMS)), base64url(arena, signature));
}

/* r and s as given, made into half bytes each. */
static struct slice numbers(const BIGNUM *r, const BIGNUM *s, int half)
{
	unsigned char raw[2 * 66];

	BN_bn2binpad(r, raw, half);
	BN_bn2binpad(s, raw + half, half);
	return slice_copy(arena, (struct slice){ (const char *)raw, 2 * (size_t)half });
}

/* J13, J14 */
static void refuses_ec_signatures(void **state)
{
	struct slice text = unsigned_token(arena, SLICE("{\"alg\":\"ES256\"}"), SLICE(GOOD_CLAIMS));
	struct slice der = pkey_signature(arena, text, ec256, EVP_sha256()), raw = raw_signature(arena, der, 32);
	struct auth *auth = opened_with(public_pem(arena, ec256));
	BIGNUM *order = NULL, *one = BN_new(), *zero = BN_new(),
	       *s = BN_bin2bn((const unsigned char *)raw.ptr + 32, 32, NULL);
	BIGNUM *r = BN_bin2bn((const unsigned char *)raw.ptr, 32, NULL);

	(void)state;
	EVP_PKEY_get_bn_param(ec256, OSSL_PKEY_PARAM_EC_ORDER, &order);
	BN_one(one);
	BN_zero(zero);
	accepts(auth, "raw", es_token_with("ES256", raw));
	refuses(auth, "DER", es_token_with("ES256", der), "PGRST301", BROKEN);
	refuses(auth, "zeros", es_token_with("ES256", numbers(zero, zero, 32)), "PGRST301", NO_KEY);
	refuses(auth, "r=0", es_token_with("ES256", numbers(zero, s, 32)), "PGRST301", NO_KEY);
	refuses(auth, "s=0", es_token_with("ES256", numbers(r, zero, 32)), "PGRST301", NO_KEY);
	refuses(auth, "s=n", es_token_with("ES256", numbers(r, order, 32)), "PGRST301", NO_KEY);
	refuses(auth, "r=s=n", es_token_with("ES256", numbers(order, order, 32)), "PGRST301", NO_KEY);
	refuses(auth, "r=s=1", es_token_with("ES256", numbers(one, one, 32)), "PGRST301", NO_KEY);
	refuses(auth, "swapped", es_token_with("ES256", numbers(s, r, 32)), "PGRST301", NO_KEY);
	refuses(auth, "63 bytes", es_token_with("ES256", (struct slice){ raw.ptr, 63 }), "PGRST301", BROKEN);
	refuses(auth, "96 bytes", es_token_with("ES256", numbers(r, s, 48)), "PGRST301", BROKEN);
	BN_add(s, s, order); /* the same number modulo n, when it still fits */
	if (BN_num_bytes(s) <= 32)
		refuses(auth, "s+n", es_token_with("ES256", numbers(r, s, 32)), "PGRST301", NO_KEY);
	BN_free(order);
	BN_free(one);
	BN_free(zero);
	BN_free(r);
	BN_free(s);
	auth_close(auth);
}

static void refuses_rsa_signatures(void **state)
{
	struct slice good = pkey_token(arena, "{\"alg\":\"RS256\"}", GOOD_CLAIMS, rsa, EVP_sha256(), 0);
	struct auth *auth = opened_with(public_pem(arena, rsa));
	unsigned char zeros[512] = { 0 }, ones[256];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	accepts(auth, "good", good);
	refuses(auth, "zeros", with_part(good, 2, base64url(arena, (struct slice){ (char *)zeros, 256 }).ptr),
		"PGRST301", NO_KEY);
	refuses(auth, "ones", with_part(good, 2, base64url(arena, (struct slice){ (char *)ones, 256 }).ptr), "PGRST301",
		NO_KEY);
	refuses(auth, "512 bytes", with_part(good, 2, base64url(arena, (struct slice){ (char *)zeros, 512 }).ptr),
		"PGRST301", NO_KEY);
	refuses(auth, "255 bytes", with_part(good, 2, base64url(arena, (struct slice){ (char *)zeros, 255 }).ptr),
		"PGRST301", BROKEN);
	auth_close(auth);
}

/* What libjwt says and what OpenSSL says is the same. */
static void verdicts_agree(void **state)
{
	struct {
		const char *header;
		EVP_PKEY *key;
		int half;
		const EVP_MD *md;
		const char *secret;
	} cases[] = {
		{ "{\"alg\":\"RS256\"}", rsa, 0, EVP_sha256(), public_pem(arena, rsa) },
		{ "{\"alg\":\"ES256\"}", ec256, 32, EVP_sha256(), public_pem(arena, ec256) },
		{ "{\"alg\":\"ES512\"}", ec521, 66, EVP_sha512(), public_pem(arena, ec521) },
		{ "{\"alg\":\"HS256\"}", NULL, 0, EVP_sha256(), SECRET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice good = cases[i].key ? pkey_token(arena, cases[i].header, GOOD_CLAIMS, cases[i].key,
							      cases[i].md, cases[i].half)
						 : token_of(arena, cases[i].header, GOOD_CLAIMS);
		struct config config = plain_config();
		struct keyring ring;
		struct token token;
		struct error err;

		error_init(&err, arena);
		config.jwt_secret = cases[i].secret;
		assert_true(keys_load(arena, &config, &ring, &err));
		assert_true(token_parse(arena, good, &token, &err));
		assert_true(signature_verify(&ring.keys[0], &token));
		assert_true(jwt_signature(arena, &ring.keys[0], &token));
		for (size_t at = token.signing.len + 1; at < good.len - 1; at += 5) {
			assert_true(
				token_parse(arena, changed(good, at, good.ptr[at] == 'A' ? 'B' : 'A'), &token, &err));
			assert_false(signature_verify(&ring.keys[0], &token));
			assert_false(jwt_signature(arena, &ring.keys[0], &token));
		}
		keys_wipe(&ring);
	}
}

static int make_keys(void **state)
{
	(void)state;
	arena = arena_open();
	rsa = EVP_RSA_gen(2048);
	rsa_other = EVP_RSA_gen(2048);
	ec256 = EVP_EC_gen("P-256");
	ec256_other = EVP_EC_gen("P-256");
	ec384 = EVP_EC_gen("P-384");
	ec521 = EVP_EC_gen("P-521");
	return rsa && rsa_other && ec256 && ec256_other && ec384 && ec521 ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa_other);
	EVP_PKEY_free(ec256);
	EVP_PKEY_free(ec256_other);
	EVP_PKEY_free(ec384);
	EVP_PKEY_free(ec521);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_all_algorithms),
		cmocka_unit_test(accepts_headers),
		cmocka_unit_test(refuses_headers),
		cmocka_unit_test(bounds_kid),
		cmocka_unit_test(refuses_segments),
		cmocka_unit_test(refuses_every_change),
		cmocka_unit_test(refuses_left_over_bits),
		cmocka_unit_test(bounds_size),
		cmocka_unit_test(refuses_public_key_as_secret),
		cmocka_unit_test(refuses_other_secrets),
		cmocka_unit_test(refuses_other_algorithms),
		cmocka_unit_test(rotates),
		cmocka_unit_test(refuses_ec_signatures),
		cmocka_unit_test(refuses_rsa_signatures),
		cmocka_unit_test(verdicts_agree),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
