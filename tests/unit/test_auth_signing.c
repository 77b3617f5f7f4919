/* Keys of our own: made, active from a time, retired, read again; and tokens that are revoked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "token_maker.h"

static struct arena *arena;
static struct config config;
static struct error err;
static char folder[] = "/tmp/rowgate-signing-XXXXXX";

static int begin(void **state)
{
	(void)state;
	arena = arena_open();
	error_init(&err, arena);
	config = plain_config();
	config.auth_access_ttl = 900;
	config.auth_signing_keys = arena_printf(arena, "%s/keys.json", folder);
	unlink(config.auth_signing_keys);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(config.auth_signing_keys);
	arena_close(arena);
	return 0;
}

static struct auth *opened(void)
{
	struct auth *auth = auth_open(&config, &err);

	if (!auth)
		fail_msg("%s", err.message);
	return auth;
}

static struct slice claims_now(const char *more)
{
	return slice_of(arena_printf(arena, "{\"role\":\"clerk\",\"exp\":%lld%s}", (long long)time(NULL) + 100, more));
}

static struct slice signed_token(struct auth *auth, const char *more)
{
	struct slice token;

	if (!auth_sign(arena, auth, claims_now(more), &token, &err))
		fail_msg("%s", err.message);
	return token;
}

static bool believed(struct auth *auth, struct slice token)
{
	struct principal who;

	return auth_verify(arena, auth, token, time(NULL), &who, &err);
}

static void the_first_key_is_closed_and_stays(void **state)
{
	struct auth_key *list;
	struct stat st;
	struct slice first;
	size_t n;

	(void)state;
	assert_true(auth_key_first(&config, &err));
	assert_int_equal(stat(config.auth_signing_keys, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(auth_key_list(arena, &config, &list, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(list[0].alg, "ES256");
	first = list[0].kid;
	assert_true(auth_key_first(&config, &err));
	assert_true(auth_key_list(arena, &config, &list, &n, &err));
	assert_true(n == 1 && slice_eq(first, list[0].kid));
}

static void every_algorithm_signs_and_verifies(void **state)
{
	static const char *const algs[] = { "HS256", "HS384", "HS512", "ES256", "ES384",
					    "ES512", "RS256", "RS384", "RS512" };

	(void)state;
	for (size_t i = 0; i < sizeof(algs) / sizeof(*algs); i++) {
		struct slice kid, token, broken;
		struct auth *auth;
		struct strbuf jwks;

		assert_true(auth_key_new(arena, &config, algs[i], 0, &kid, &err));
		auth = opened();
		token = signed_token(auth, "");
		assert_true(believed(auth, token));
		broken = slice_copy(arena, token);
		((char *)(uintptr_t)broken.ptr)[token.len - 10] ^= 1;
		assert_false(believed(auth, broken));
		strbuf_init(&jwks, arena, 256);
		auth_jwks(arena, auth, time(NULL), &jwks);
		assert_int_equal(memmem(jwks.ptr, jwks.len, kid.ptr, kid.len) != NULL, algs[i][0] != 'H');
		assert_null(memmem(jwks.ptr, jwks.len, "\"d\"", 3));
		auth_close(auth);
	}
	assert_false(auth_key_new(arena, &config, "none", 0, &(struct slice){ "", 0 }, &err));
}

static void a_rotation_is_seen_without_a_reload(void **state)
{
	struct slice first, second, token;
	struct auth *one, *other;

	(void)state;
	assert_true(auth_key_new(arena, &config, "ES256", 0, &first, &err));
	one = opened();
	usleep(20000);
	assert_true(auth_key_new(arena, &config, "ES256", 0, &second, &err));
	other = opened();
	token = signed_token(other, "");
	assert_true(believed(one, token));
	/* Retired, it is believed; gone, it is not, although the token was in the cache. */
	usleep(20000);
	token = signed_token(one, "");
	assert_true(auth_key_new(arena, &config, "ES256", 0, &first, &err));
	assert_true(auth_key_retire(arena, &config, second, false, &err));
	assert_true(auth_refresh_keys(one));
	assert_false(auth_refresh_keys(one));
	assert_true(believed(one, token));
	usleep(20000);
	assert_true(auth_key_retire(arena, &config, second, true, &err));
	assert_true(auth_refresh_keys(one));
	assert_false(believed(one, token));
	auth_close(one);
	auth_close(other);
}

static void revocations(void **state)
{
	struct auth *auth;
	struct slice kid;
	int64_t now = time(NULL);
	struct slice by_id, by_session, by_subject, later, undated, other;

	(void)state;
	assert_true(auth_key_new(arena, &config, "HS256", 0, &kid, &err));
	auth = opened();
	by_id = signed_token(auth, ",\"jti\":\"one\"");
	by_session = signed_token(auth, ",\"session_id\":\"one\",\"jti\":\"two\"");
	by_subject = signed_token(auth, arena_printf(arena, ",\"sub\":\"one\",\"iat\":%lld", (long long)now - 10));
	later = signed_token(auth, arena_printf(arena, ",\"sub\":\"one\",\"iat\":%lld", (long long)now));
	undated = signed_token(auth, ",\"sub\":\"one\"");
	other = signed_token(auth, ",\"sub\":\"ones\",\"jti\":\"ones\"");
	assert_true(believed(auth, by_id) && believed(auth, by_session) && believed(auth, by_subject));
	auth_revoke(auth, REVOKE_TOKEN, SLICE("one"), INT64_MAX, now + 100);
	assert_false(believed(auth, by_id));
	assert_int_equal(err.code, ERR_JWT_REVOKED);
	assert_true(believed(auth, by_session) && believed(auth, by_subject));
	auth_revoke(auth, REVOKE_SESSION, SLICE("one"), INT64_MAX, now + 100);
	assert_false(believed(auth, by_session));
	auth_revoke(auth, REVOKE_SUBJECT, SLICE("one"), now - 5, now + 100);
	assert_false(believed(auth, by_subject) || believed(auth, undated));
	assert_true(believed(auth, later) && believed(auth, other));
	assert_int_equal(auth_issued_floor(auth, SLICE("one")), now - 5);
	/* Expired ones are not taken in; many do not push others out. */
	auth_revoke(auth, REVOKE_TOKEN, SLICE("ones"), INT64_MAX, now - 1);
	for (int i = 0; i < 5000; i++)
		auth_revoke(auth, REVOKE_TOKEN, slice_of(arena_printf(arena, "x%d", i)), INT64_MAX, now + 100);
	assert_true(believed(auth, other));
	assert_false(believed(auth, by_id));
	auth_revoke(auth, REVOKE_ALL, (struct slice){ "", 0 }, now - 1, INT64_MAX);
	assert_true(believed(auth, later));
	assert_false(believed(auth, other));
	auth_close(auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_key_is_closed_and_stays, begin, end),
		cmocka_unit_test_setup_teardown(every_algorithm_signs_and_verifies, begin, end),
		cmocka_unit_test_setup_teardown(a_rotation_is_seen_without_a_reload, begin, end),
		cmocka_unit_test_setup_teardown(revocations, begin, end),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
