/* Claims, one table row each: what the payload says, how the configuration reads it, the role or the refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "token_maker.h"

static struct arena *arena;

struct row {
	const char *claims;
	const char *expected; /* the role; or the message, with its code in front */
};

static const char *verdict(struct auth *auth, const char *claims, int64_t now)
{
	struct principal who;
	struct error err;

	error_init(&err, arena);
	if (auth_verify(arena, auth, token_of(arena, HS256_HEADER, claims), now, &who, &err))
		return slice_cstr(arena, who.role);
	assert_int_equal(err.status, 401);
	if (err.code != ERR_JWT_REQUIRED)
		assert_string_equal(err.challenge, err.message);
	else
		assert_null(err.challenge);
	return arena_printf(arena, "%s %s", err.sqlstate, err.message);
}

static void holds(struct config config, const struct row *rows, size_t n)
{
	struct auth *auth;
	struct error err;

	error_init(&err, arena);
	config.jwt_secret = SECRET;
	auth = auth_open(&config, &err);
	assert_non_null(auth);
	for (size_t i = 0; i < n; i++) {
		const char *got = verdict(auth, rows[i].claims, NOW);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("%s\ngives '%s', not '%s'", rows[i].claims, got, rows[i].expected);
	}
	auth_close(auth);
}

#define HOLDS(config, rows) holds(config, rows, sizeof(rows) / sizeof(*rows))
#define E "\"exp\":1700000100"
#define R "{\"role\":\"clerk\"," E
#define NUMBER(name) "PGRST303 The JWT '" name "' claim must be a number"
#define WHOLE(name) NUMBER(name) " of whole seconds since 1970"

static void exp_nbf_iat(void **state)
{
	static const struct row rows[] = {
		{ "{\"role\":\"clerk\",\"exp\":1700000000}", "clerk" },
		{ "{\"role\":\"clerk\",\"exp\":1699999999}", "clerk" }, /* J29: within the leeway */
		{ "{\"role\":\"clerk\",\"exp\":1699999971}", "clerk" },
		{ "{\"role\":\"clerk\",\"exp\":1699999970}", "PGRST303 JWT expired" },
		{ "{\"role\":\"clerk\",\"exp\":1}", "PGRST303 JWT expired" },
		{ "{\"role\":\"clerk\",\"exp\":0}", "PGRST303 JWT expired" },
		{ "{\"role\":\"clerk\",\"exp\":253402300799}", "clerk" },
		{ "{\"role\":\"clerk\",\"exp\":253402300800}", WHOLE("exp") },
		{ "{\"role\":\"clerk\"}", "PGRST303 The JWT 'exp' claim is required" }, /* J28 */
		{ "{\"role\":\"clerk\",\"exp\":null}", "PGRST303 The JWT 'exp' claim is required" },
		{ "{\"role\":\"clerk\",\"exp\":\"1700000100\"}", NUMBER("exp") },
		{ "{\"role\":\"clerk\",\"exp\":true}", NUMBER("exp") },
		{ "{\"role\":\"clerk\",\"exp\":[1700000100]}", NUMBER("exp") },
		{ "{\"role\":\"clerk\",\"exp\":{}}", NUMBER("exp") },
		{ "{\"role\":\"clerk\",\"exp\":1700000100.5}", WHOLE("exp") },
		{ "{\"role\":\"clerk\",\"exp\":1700000100.0}", WHOLE("exp") },
		{ "{\"role\":\"clerk\",\"exp\":-1}", WHOLE("exp") },
		{ "{\"role\":\"clerk\",\"exp\":-1700000100}", WHOLE("exp") },
		{ "{\"role\":\"clerk\",\"exp\":1e300}", WHOLE("exp") },
		{ "{\"role\":\"clerk\",\"exp\":1e10}", WHOLE("exp") },
		{ "{\"role\":\"clerk\",\"exp\":9223372036854775807}", WHOLE("exp") },
		{ R ",\"nbf\":1700000030}", "clerk" },
		{ R ",\"nbf\":1700000031}", "PGRST303 JWT not yet valid" },
		{ R ",\"nbf\":\"x\"}", NUMBER("nbf") },
		{ R ",\"nbf\":null}", NUMBER("nbf") },
		{ R ",\"nbf\":0.5}", WHOLE("nbf") },
		{ R ",\"iat\":1700000030}", "clerk" },
		{ R ",\"iat\":1700000031}", "PGRST303 JWT issued at future" },
		{ R ",\"iat\":false}", NUMBER("iat") },
		{ R ",\"iat\":-5}", WHOLE("iat") },
		{ R ",\"exp\":1700000100}", "PGRST303 Parsing claims failed" }, /* J32 */
		{ R ",\"\\u0065xp\":1700000100}", "PGRST303 Parsing claims failed" },
	};
	static const char *const beyond[] = { "9223372036854775808", "18446744073709551616", "1e400" };

	(void)state;
	HOLDS(plain_config(), rows);
	/* Numbers jansson does not read are refused with the signature: the code is another, the status is not. */
	for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
		const char *claims = arena_printf(arena, "{\"role\":\"clerk\",\"exp\":%s}", beyond[i]);
		struct config config = plain_config();
		struct auth *auth;
		struct error err;

		error_init(&err, arena);
		config.jwt_secret = SECRET;
		auth = auth_open(&config, &err);
		assert_memory_equal(verdict(auth, claims, NOW), "PGRST30", 7);
		auth_close(auth);
	}
}

static void required(void **state)
{
	static const struct row none[] = {
		{ "{\"role\":\"clerk\"}", "clerk" },
		{ "{}", "anon" },
		{ "{\"role\":\"clerk\",\"exp\":1}", "PGRST303 JWT expired" },
		{ "{\"role\":\"clerk\",\"exp\":null}", NUMBER("exp") },
	};
	static const struct row many[] = {
		{ R ",\"iss\":\"a\",\"jti\":\"b\"}", "clerk" },
		{ R ",\"iss\":\"a\"}", "PGRST303 The JWT 'jti' claim is required" },
		{ R ",\"iss\":null,\"jti\":\"b\"}", "PGRST303 The JWT 'iss' claim is required" },
		{ "{\"role\":\"clerk\",\"iss\":\"a\",\"jti\":\"b\"}", "PGRST303 The JWT 'exp' claim is required" },
	};
	struct config config = plain_config();

	(void)state;
	config.jwt_required_claims = "none";
	HOLDS(config, none);
	config.jwt_required_claims = "exp, iss ,jti";
	HOLDS(config, many);
}

static void audience(void **state)
{
	static const char wrong[] = "PGRST303 JWT not in audience";
	static const char type[] = "PGRST303 The JWT 'aud' claim must be a string or an array of strings";
	const struct row ours[] = {
		/* J25 */
		{ R ",\"aud\":\"api\"}", "clerk" },
		{ R ",\"aud\":[\"x\",\"api\"]}", "clerk" },
		{ R "}", wrong },
		{ R ",\"aud\":null}", wrong },
		{ R ",\"aud\":[]}", wrong },
		{ R ",\"aud\":\"\"}", wrong },
		{ R ",\"aud\":\"API\"}", wrong },
		{ R ",\"aud\":\"api2\"}", wrong },
		{ R ",\"aud\":\"ap\"}", wrong },
		{ R ",\"aud\":[\"x\"]}", wrong },
		{ R ",\"aud\":[[\"api\"]]}", type },
		{ R ",\"aud\":{\"api\":1}}", type },
		{ R ",\"aud\":[\"api\",7]}", type },
		{ R ",\"aud\":[\"api\",null]}", type },
		{ R ",\"aud\":7}", type },
		{ R ",\"aud\":true}", type },
	};
	const struct row any[] = {
		{ R ",\"aud\":\"x\"}", "clerk" }, { R "}", "clerk" },        { R ",\"aud\":null}", "clerk" },
		{ R ",\"aud\":[]}", "clerk" },    { R ",\"aud\":7}", type }, { R ",\"aud\":[{}]}", type },
	};
	struct config config = plain_config();

	(void)state;
	HOLDS(config, any);
	config.jwt_aud = "api";
	HOLDS(config, ours);
}

static void issuer(void **state)
{
	static const char wrong[] = "PGRST303 JWT not from the expected issuer";
	const struct row rows[] = {
		/* J22 */
		{ R ",\"iss\":\"https://a.example\"}", "clerk" },
		{ R "}", wrong },
		{ R ",\"iss\":\"https://a.example.evil\"}", wrong },
		{ R ",\"iss\":\"https://a.exampl\"}", wrong },
		{ R ",\"iss\":\"https://A.example\"}", wrong },
		{ R ",\"iss\":[\"https://a.example\"]}", wrong },
		{ R ",\"iss\":null}", wrong },
		{ R ",\"iss\":7}", wrong },
	};
	struct config config = plain_config();

	(void)state;
	config.jwt_issuer = "https://a.example";
	HOLDS(config, rows);
}

static const char *repeated(char c, size_t n)
{
	char *s = arena_alloc(arena, n + 1);

	memset(s, c, n);
	return s;
}

static void subject_and_role(void **state)
{
	static const char role[] = "PGRST303 The JWT role claim must be a string of 1 to 128 bytes";
	const struct row rows[] = {
		{ R ",\"sub\":\"\"}", "clerk" },
		{ arena_printf(arena, R ",\"sub\":\"%s\"}", repeated('s', 1024)), "clerk" },
		{ arena_printf(arena, R ",\"sub\":\"%s\"}", repeated('s', 1025)),
		  "PGRST303 The JWT 'sub' claim is longer than 1024 bytes" }, /* J23 */
		{ R ",\"sub\":7}", "PGRST303 The JWT 'sub' claim must be a string" },
		{ R ",\"sub\":null}", "PGRST303 The JWT 'sub' claim must be a string" },
		{ R ",\"sub\":\"a\",\"sub\":\"b\"}", "PGRST303 Parsing claims failed" },
		{ R ",\"sub\":\"a\\u0000b\"}", "PGRST303 Parsing claims failed" }, /* J33 */
		{ "{" E "}", "anon" },                                             /* J24 */
		{ "{\"role\":[\"clerk\"]," E "}", role },
		{ "{\"role\":\"\"," E "}", role },
		{ "{\"role\":7," E "}", role },
		{ "{\"role\":{\"role\":\"clerk\"}," E "}", role },
		{ "{\"role\":true," E "}", role },
		{ "{\"role\":\"a\\nb\"," E "}", role },
		{ "{\"role\":\"a\\u007fb\"," E "}", role },
		{ arena_printf(arena, "{\"role\":\"%s\"," E "}", repeated('r', 129)), role },
		{ arena_printf(arena, "{\"role\":\"%s\"," E "}", repeated('r', 128)), repeated('r', 128) },
		{ "{\"role\":\"clerk'; DROP TABLE x; --\"," E "}", "clerk'; DROP TABLE x; --" }, /* quoted by db */
		{ "{\"role\":\"B\xc3\xbcro\"," E "}", "B\xc3\xbcro" },
		{ "{\"role\":\"clerk\",\"role\":\"chief\"," E "}", "PGRST303 Parsing claims failed" },
		{ "{\"role\":\"clerk\",\"\\u0072ole\":\"chief\"," E "}", "PGRST303 Parsing claims failed" },
		{ "{\"role\\u0000\":\"clerk\"," E "}", "PGRST303 Parsing claims failed" },
		{ "[\"role\"]", "PGRST303 Parsing claims failed" }, /* J36 */
		{ "\"role\"", "PGRST303 Parsing claims failed" },
		{ "7", "PGRST303 Parsing claims failed" },
		{ "null", "PGRST303 Parsing claims failed" },
		{ " ", "PGRST303 Parsing claims failed" },
		{ R "} x", "PGRST303 Parsing claims failed" },
		{ "\xef\xbb\xbf" R "}", "PGRST303 Parsing claims failed" },
		{ R ",\"x\":NaN}", "PGRST303 Parsing claims failed" },
		{ R ",\"x\":\"\xc0\xaf\"}", "PGRST303 Parsing claims failed" },
		{ arena_printf(arena, R ",\"x\":%s%s}", repeated('[', 31), repeated(']', 31)), "clerk" }, /* J34 */
		{ arena_printf(arena, R ",\"x\":%s%s}", repeated('[', 32), repeated(']', 32)),
		  "PGRST303 Parsing claims failed" },
		{ arena_printf(arena, R ",\"x\":%s}", repeated('9', 129)), "PGRST303 Parsing claims failed" },
	};

	(void)state;
	HOLDS(plain_config(), rows);
}

static void no_anonymous_role(void **state)
{
	static const struct row rows[] = {
		{ "{" E "}", "PGRST302 Anonymous access is disabled" },
		{ R "}", "clerk" },
	};
	struct config config = plain_config();

	(void)state;
	config.db_anon_role = "";
	HOLDS(config, rows);
}

static void role_paths(void **state)
{
	static const struct {
		const char *path, *claims, *expected;
	} rows[] = {
		{ ".role", R "}", "clerk" },
		{ "$.role", R "}", "clerk" },
		{ "", R "}", "clerk" },
		{ ".a.b", "{" E ",\"a\":{\"b\":\"deep\"}}", "deep" },
		{ ".a.b", "{" E ",\"a\":{\"c\":\"deep\"},\"role\":\"no\"}", "anon" },
		{ ".a.b", "{" E ",\"a\":\"b\"}", "anon" },
		{ ".a.b[1]", "{" E ",\"a\":{\"b\":[\"x\",\"y\"]}}", "y" },
		{ ".a[2]", "{" E ",\"a\":[\"x\",\"y\"]}", "anon" },
		{ ".a[0].b", "{" E ",\"a\":[{\"b\":\"z\"}]}", "z" },
		{ ".a[0]", "{" E ",\"a\":{\"0\":\"z\"}}", "anon" },
		{ ".\"https://x.example/role\"", "{" E ",\"https://x.example/role\":\"q\"}", "q" },
		{ "$.\"quoted key\".in", "{" E ",\"quoted key\":{\"in\":\"q\"}}", "q" },
		{ ".$a@_1", "{" E ",\"$a@_1\":\"q\"}", "q" },
		{ ".a", "{" E ",\"a\":[\"q\"]}", "PGRST303 The JWT role claim must be a string of 1 to 128 bytes" },
		{ ".r[?(@ == \"b\")]", "{" E ",\"r\":[\"a\",\"b\"]}", "b" },
		{ ".r[?(@ == \"c\")]", "{" E ",\"r\":[\"a\",\"b\"]}", "anon" },
		{ ".r[?(@ != \"a\")]", "{" E ",\"r\":[\"a\",7,\"b\"]}", "b" },
		{ ".r[?(@ ^== \"pg_\")]", "{" E ",\"r\":[\"a\",\"pg_x\"]}", "pg_x" },
		{ ".r[?(@ ==^ \"_x\")]", "{" E ",\"r\":[\"a\",\"pg_x\"]}", "pg_x" },
		{ ".r[?(@ *== \"g_\")]", "{" E ",\"r\":[\"a\",\"pg_x\"]}", "pg_x" },
	};
	static const char *const bad[] = { "role",
					   ".",
					   "$",
					   ".a.",
					   ".a[",
					   ".a[x]",
					   ".a[-1]",
					   ".a[0",
					   ".\"a",
					   "..a",
					   ".a b",
					   ".a-b",
					   ".a[?(@ == \"b\")].c",
					   ".a[?(@ ~ \"b\")]",
					   ".a[?(@ == b)]",
					   ".a[99999999999999999999]" };
	struct config config = plain_config();
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row row = { rows[i].claims, rows[i].expected };

		config.jwt_role_claim_key = rows[i].path;
		holds(config, &row, 1);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		error_init(&err, arena);
		config.jwt_role_claim_key = bad[i];
		if (auth_open(&config, &err))
			fail_msg("path %s is taken", bad[i]);
		assert_non_null(strstr(err.message, "jwt-role-claim-key"));
	}
}

/* What a session variable shows of the claims: the payload as it came, with the role that counts. */
static void claims_text(void **state)
{
	static const struct {
		const char *path, *claims, *expected;
	} rows[] = {
		{ ".role", "{ \"role\":\"clerk\", " E ",\"n\":1.50}", "{ \"role\":\"clerk\", " E ",\"n\":1.50}" },
		{ ".role", " { " E "}", "{\"role\":\"anon\", " E "}" },
		{ ".a", "{" E ",\"a\":\"x\\\"y\"}", "{\"role\":\"x\\\"y\"," E ",\"a\":\"x\\\"y\"}" },
		{ ".a", "{\"role\":\"no\",\"a\":\"b/c\"," E "}", "{\"role\":\"b/c\",\"a\":\"b/c\"," E "}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config config = plain_config();
		struct principal who;
		struct auth *auth;
		struct error err;

		error_init(&err, arena);
		config.jwt_secret = SECRET;
		config.jwt_role_claim_key = rows[i].path;
		auth = auth_open(&config, &err);
		assert_non_null(auth);
		/* Once verified, once from the cache. */
		for (int k = 0; k < 2; k++) {
			assert_true(auth_verify(arena, auth, token_of(arena, HS256_HEADER, rows[i].claims), NOW, &who,
						&err));
			assert_string_equal(slice_cstr(arena, who.claims), rows[i].expected);
			assert_int_equal(who.expires, 1700000100);
		}
		auth_close(auth);
	}
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exp_nbf_iat), cmocka_unit_test(required),         cmocka_unit_test(audience),
		cmocka_unit_test(issuer),      cmocka_unit_test(subject_and_role), cmocka_unit_test(no_anonymous_role),
		cmocka_unit_test(role_paths),  cmocka_unit_test(claims_text),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
