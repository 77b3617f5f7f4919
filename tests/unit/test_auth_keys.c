/* Which keys a configuration may hold, how many records each makes, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "token_maker.h"

#include "../../app/auth/internal.h"

static struct arena *arena;
static EVP_PKEY *rsa, *rsa_small, *ec256, *ec384;

/* The algorithms of the records in order, "HS256 HS384"; or the complaint. */
static const char *loaded(const struct config *config)
{
	struct keyring ring;
	struct error err;
	struct strbuf b;

	error_init(&err, arena);
	strbuf_init(&b, arena, 64);
	if (!keys_load(arena, config, &ring, &err)) {
		assert_int_equal(ring.n, 0);
		return err.message;
	}
	for (size_t i = 0; i < ring.n; i++) {
		strbuf_addf(&b, "%s%s", i ? " " : "", ring.keys[i].alg->name);
		if (ring.keys[i].kid.len)
			strbuf_addf(&b, ":%.*s", (int)ring.keys[i].kid.len, ring.keys[i].kid.ptr);
	}
	keys_wipe(&ring);
	assert_int_equal(ring.n, 0);
	return strbuf_cstr(&b);
}

static void gives(const char *secret, bool is_base64, const char *expected)
{
	struct config config = plain_config();
	const char *got;

	config.jwt_secret = secret;
	config.jwt_secret_is_base64 = is_base64;
	got = loaded(&config);
	if (strncmp(got, expected, strlen(expected)) != 0 || (expected[0] == 'H' && strcmp(got, expected) != 0))
		fail_msg("%s\ngives '%s', not '%s'", secret, got, expected);
}

static void text(void **state)
{
	(void)state;
	gives("", false, "");
	gives("0123456789012345678901234567890", false, "jwt-secret: a secret of 31 bytes is too short, at least 32");
	gives(SECRET, false, "HS256");
	gives(SECRET "0123456789abcde", false, "HS256");
	gives(SECRET "0123456789abcdef", false, "HS256 HS384");
	gives(SECRET SECRET, false, "HS256 HS384 HS512");
	gives("password", false, "jwt-secret: a secret of 8 bytes");
	gives("{this looks like JSON but is no JSON at all}", false, "jwt-secret: broken JSON at byte 1");
}

static void base64(void **state)
{
	(void)state;
	gives("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=", true, "HS256");
	gives("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY", true, "HS256");
	gives("_-8-Pz8_Pz8_Pz8_Pz8_Pz8_Pz8_Pz8_Pz8_Pz8_Pz8", true, "HS256");
	gives("/+8+Pz8/Pz8/Pz8/Pz8/Pz8/Pz8/Pz8/Pz8/Pz8/Pz8=", true, "HS256");
	gives("c2hvcnQ=", true, "jwt-secret: a secret of 5 bytes is too short");
	gives("not base64 at all, but long enough for a text", true, "jwt-secret: jwt-secret-is-base64 is set");
	gives("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY==", true, "jwt-secret: jwt-secret-is-base64 is set");
	/* Bytes that begin with a brace are a secret, well-formed JSON is a JWK. */
	gives(base64url(arena, SLICE("{0123456789012345678901234567890")).ptr, true, "HS256");
	gives(base64url(arena, slice_of(oct_jwk(arena, SLICE(SECRET64), ",\"alg\":\"HS512\""))).ptr, true, "HS512");
	gives(base64url(arena, slice_of(public_pem(arena, ec256))).ptr, true, "ES256");
}

static void pem(void **state)
{
	char *good = public_pem(arena, rsa);
	EVP_PKEY *k1 = EVP_EC_gen("secp256k1"), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *private;
	long len;

	(void)state;
	gives(good, false, "RS256");
	gives(public_pem(arena, ec384), false, "ES384");
	gives(arena_printf(arena, "%s%s\n%s", good, public_pem(arena, ec256), public_pem(arena, ec384)), false,
	      "RS256 ES256 ES384");
	gives(public_pem(arena, rsa_small), false, "jwt-secret: an RSA key of 1024 bits, needed are 2048");
	gives(public_pem(arena, k1), false, "jwt-secret: not a key for RS256");
	gives(public_pem(arena, ed), false, "jwt-secret: not a key for RS256");
	gives("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", false,
	      "jwt-secret: key 1 is no PEM public key");
	gives("-----BEGIN PUBLIC KEY-----", false, "jwt-secret: key 1 is no PEM public key");
	gives(arena_printf(arena, "%s-----BEGIN PUBLIC KEY-----\nAAAA", good), false,
	      "jwt-secret: key 2 is no PEM public key");
	PEM_write_bio_PrivateKey(bio, ec256, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &bytes);
	private = arena_strndup(arena, bytes, (size_t)len);
	BIO_free(bio);
	gives(private, false, "jwt-secret: a private key");
	EVP_PKEY_free(k1);
	EVP_PKEY_free(ed);
}

static void jwk(void **state)
{
	(void)state;
	gives(oct_jwk(arena, SLICE(SECRET64), ""), false, "HS256");
	gives(oct_jwk(arena, SLICE(SECRET64), ",\"alg\":\"HS384\""), false, "HS384");
	gives(oct_jwk(arena, SLICE(SECRET), ",\"alg\":\"HS512\""), false,
	      "jwt-secret: a secret of 32 bytes is too short, HS512 takes");
	gives(oct_jwk(arena, SLICE("short"), ""), false, "jwt-secret: a secret of 5 bytes is too short");
	gives(oct_jwk(arena, SLICE(SECRET), ",\"alg\":\"RS256\""), false, "jwt-secret: alg RS256 does not fit");
	gives(rsa_jwk(arena, rsa, ""), false, "RS256");
	gives(rsa_jwk(arena, rsa, ",\"alg\":\"RS512\",\"kid\":\"a-1\",\"use\":\"sig\",\"key_ops\":[\"verify\"]"), false,
	      "RS512:a-1");
	gives(rsa_jwk(arena, rsa, ",\"alg\":\"HS256\""), false, "jwt-secret: alg HS256 does not fit");
	gives(rsa_jwk(arena, rsa, ",\"alg\":\"ES256\""), false, "jwt-secret: alg ES256 does not fit");
	gives(rsa_jwk(arena, rsa, ",\"alg\":7"), false, "jwt-secret: 'alg' is no text");
	gives(rsa_jwk(arena, rsa_small, ""), false, "jwt-secret: an RSA key of 1024 bits");
	gives(ec_jwk(arena, ec256, "P-256", 32, ""), false, "ES256");
	gives(ec_jwk(arena, ec384, "P-384", 48, ",\"alg\":\"ES384\""), false, "ES384");
	gives(ec_jwk(arena, ec384, "P-384", 48, ",\"alg\":\"ES256\""), false, "jwt-secret: alg ES256 does not fit");
	gives(ec_jwk(arena, ec256, "P-384", 48, ""), false, "jwt-secret: 'x' and 'y' are no point of P-384");
	gives(ec_jwk(arena, ec256, "P-256", 33, ""), false, "jwt-secret: 'x' and 'y' must have 32 bytes");
	gives(ec_jwk(arena, ec256, "secp256k1", 32, ""), false, "jwt-secret: curve 'secp256k1' is not");
	gives("{\"kty\":\"RSA\",\"e\":\"AQAB\"}", false, "jwt-secret: member 'n' is missing");
	gives("{\"kty\":\"RSA\",\"n\":\"AA=\",\"e\":\"AQAB\"}", false, "jwt-secret: member 'n' is not base64url");
	gives("{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQ\"}", false, "jwt-secret: 'n' and 'e' are no RSA key");
	gives("{\"kty\":\"oct\",\"k\":\"\"}", false, "jwt-secret: member 'k' is missing");
	gives("{\"kty\":\"oct\"}", false, "jwt-secret: member 'k' is missing");
	gives("{\"k\":\"AA\"}", false, "jwt-secret: not a JWK");
	gives("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}", false, "jwt-secret: no key in it");
	gives(rsa_jwk(arena, rsa, ",\"use\":\"enc\""), false, "jwt-secret: no key in it");
	gives(rsa_jwk(arena, rsa, ",\"alg\":\"PS256\""), false, "jwt-secret: no key in it");
	gives(rsa_jwk(arena, rsa, ",\"key_ops\":[\"encrypt\"]"), false, "jwt-secret: no key in it");
	gives(rsa_jwk(arena, rsa, ",\"kid\":\"a b\""), false, "jwt-secret: 'kid' must be");
	gives(rsa_jwk(arena, rsa, ",\"kid\":\"\""), false, "jwt-secret: 'kid' must be");
	gives(rsa_jwk(arena, rsa, ",\"kid\":5"), false, "jwt-secret: 'kid' must be");
	gives(rsa_jwk(arena, rsa, ",\"kty\":\"oct\",\"k\":\"AA\""), false, "jwt-secret: broken JSON");
}

static void jwks(void **state)
{
	const char *r = rsa_jwk(arena, rsa, ",\"kid\":\"r\""), *e = ec_jwk(arena, ec256, "P-256", 32, ",\"kid\":\"e\"");
	const char *weak = rsa_jwk(arena, rsa_small, ",\"kid\":\"weak\""),
		   *enc = rsa_jwk(arena, rsa, ",\"use\":\"enc\"");
	struct strbuf b;

	(void)state;
	gives(arena_printf(arena, "{\"keys\":[%s,%s]}", r, e), false, "RS256:r ES256:e");
	gives(arena_printf(arena, " {\"keys\":[%s,%s]}\n", enc, e), false, "ES256:e");
	gives(arena_printf(arena, "{\"keys\":[%s,%s]}", e, weak), false,
	      "jwt-secret: key 2 (kid weak): an RSA key of 1024 bits, needed are");
	gives(arena_printf(arena, "{\"keys\":[%s,7]}", e), false, "jwt-secret: key 2: not a JWK");
	gives("{\"keys\":[]}", false, "jwt-secret: no key in it");
	gives("{\"keys\":{}}", false, "jwt-secret: 'keys' must be a list");
	gives("{\"keys\":[", false, "jwt-secret: broken JSON at byte 9");
	strbuf_init(&b, arena, 0);
	strbuf_adds(&b, "{\"keys\":[");
	for (int i = 0; i < 33; i++)
		strbuf_addf(&b, "%s%s", i ? "," : "", oct_jwk(arena, SLICE(SECRET), ""));
	strbuf_adds(&b, "]}");
	gives(strbuf_cstr(&b), false, "jwt-secret: key 33: more than 32 keys");
}

static char *file_with(const char *content, mode_t mode)
{
	char *path = arena_strndup(arena, "/tmp/rowgate-test-XXXXXX", 24);
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void files(void **state)
{
	static const struct {
		const char *content;
		mode_t mode;
		const char *expected;
	} cases[] = {
		{ SECRET "\n", 0600, "HS256" },
		{ SECRET "\r\n", 0600, "HS256" },
		{ SECRET SECRET "\n", 0400, "HS256 HS384 HS512" },
		{ SECRET SECRET, 0640, "HS256 HS384 HS512" },
		{ "0123456789012345678901234567890\n", 0600, "jwt-secret-file /tmp/rowgate-test" },
		{ "", 0600, "jwt-secret-file /tmp/rowgate-test" },
		{ "\n", 0600, "jwt-secret-file /tmp/rowgate-test" },
		{ SECRET, 0644, "jwt-secret-file: /tmp/rowgate-test" },
	};
	struct config config;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *path = file_with(cases[i].content, cases[i].mode);
		const char *expected = cases[i].expected;

		config = plain_config();
		config.jwt_secret_file = path;
		assert_memory_equal(loaded(&config), expected, strlen(expected) + (expected[0] == 'H'));
		config = plain_config();
		config.jwt_secret = arena_printf(arena, "@%s", path);
		assert_memory_equal(loaded(&config), expected, strlen(expected) + (expected[0] == 'H'));
		unlink(path);
	}
	config = plain_config();
	config.jwt_secret_file = "/tmp/rowgate-test-no-such-file";
	assert_string_equal(loaded(&config),
			    "jwt-secret-file: /tmp/rowgate-test-no-such-file: No such file or directory");
	config.jwt_secret = SECRET;
	assert_string_equal(loaded(&config), "jwt-secret and jwt-secret-file are both set: unset one");
}

/* The decoder takes one spelling of each text only. */
static void base64url_is_canonical(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
	} good[] = { { "", "" },        { "Zg", "f" },        { "Zm8", "fo" },
		     { "Zm9v", "foo" }, { "Zm9vYg", "foob" }, { "_-8", "\xff\xef" } };
	static const char *const bad[] = { "Z",   "Zh",     "Zm9", "Zm9vY", "Zg==",   "Zg=",
					   "Z g", "Zm9v\n", "+/8", "Zm9v.", "Zm\x80v" };
	struct slice out;
	struct strbuf b;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(base64url_decode(arena, slice_of(good[i].text), &out));
		assert_true(slice_is(out, good[i].bytes));
		strbuf_init(&b, arena, 8);
		base64url_encode(&b, out);
		assert_string_equal(strbuf_cstr(&b), good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (base64url_decode(arena, slice_of(bad[i]), &out))
			fail_msg("%s is taken", bad[i]);
}

static int make_keys(void **state)
{
	(void)state;
	arena = arena_open();
	rsa = EVP_RSA_gen(2048);
	rsa_small = EVP_RSA_gen(1024);
	ec256 = EVP_EC_gen("P-256");
	ec384 = EVP_EC_gen("P-384");
	return rsa && rsa_small && ec256 && ec384 ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa_small);
	EVP_PKEY_free(ec256);
	EVP_PKEY_free(ec384);
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(base64),
		cmocka_unit_test(pem),
		cmocka_unit_test(jwk),
		cmocka_unit_test(jwks),
		cmocka_unit_test(files),
		cmocka_unit_test(base64url_is_canonical),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
