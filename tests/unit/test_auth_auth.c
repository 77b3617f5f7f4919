/* The Authorization header, the cache of verified tokens as a client feels it, and tokens of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "token_maker.h"

static struct arena *arena;

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

static struct auth *opened_with_secret(void)
{
	struct config config = plain_config();

	config.jwt_secret = SECRET;
	return opened(&config);
}

/* The role; or the code and the message. */
static const char *asked(struct auth *auth, const struct http_header *headers, size_t n)
{
	struct http_header copy[4];
	struct http_request rq = {
		.method = HTTP_GET, .headers = copy, .nheaders = n, .query = SLICE("access_token=x&apikey=y&jwt=z")
	};
	struct principal who;
	struct error err;

	memcpy(copy, headers, n * sizeof(*copy));
	error_init(&err, arena);
	if (auth_check(arena, auth, &rq, NOW, &who, &err))
		return arena_printf(arena, "%.*s%s", (int)who.role.len, who.role.ptr,
				    who.anonymous ? " (anonymous)" : "");
	return arena_printf(arena, "%d %s %s", err.status, err.sqlstate, err.message);
}

static struct http_header authorization(const char *before, struct slice token, const char *after)
{
	return (struct http_header){ SLICE("authorization"), slice_of(arena_printf(arena, "%s%.*s%s", before,
										   (int)token.len, token.ptr, after)) };
}

static void reads_the_header(void **state)
{
	struct slice good = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	static const char scheme[] = "401 PGRST301 Unsupported authorization scheme; expected Bearer";
	static const char broken[] = "401 PGRST301 JWT cryptographic operation failed";
	static const char empty[] = "401 PGRST301 Empty JWT is sent in Authorization header";
	const struct {
		struct http_header header;
		const char *expected;
	} rows[] = {
		{ authorization("Bearer ", good, ""), "clerk" },
		{ authorization("bearer ", good, ""), "clerk" },
		{ authorization("BEARER ", good, ""), "clerk" },
		{ authorization("Bearer  ", good, ""), broken }, /* J37 */
		{ authorization("Bearer\t", good, ""), scheme },
		{ authorization("Bearer ", good, " "), broken },
		{ authorization("Bearer ", good, ","), broken },
		{ authorization("Bearer ", good, ", Bearer x"), broken },
		{ authorization(" Bearer ", good, ""), scheme },
		{ authorization("Bearer=", good, ""), scheme },
		{ authorization("", good, ""), scheme },
		{ authorization("Basic ", good, ""), scheme },
		{ authorization("Basic dXNlcjpwYXNz", SLICE(""), ""), scheme },
		{ authorization("Token ", good, ""), scheme },
		{ authorization("Digest username=\"x\"", SLICE(""), ""), scheme },
		{ authorization("Bearer ", SLICE(""), ""), empty },
		{ authorization("Bearer", SLICE(""), ""), empty },
		{ authorization("", SLICE(""), ""), "anon (anonymous)" },
		{ { SLICE("apikey"), good }, "clerk" },
		{ { SLICE("apikey"), SLICE("x") }, "401 PGRST301 Expected 3 parts in JWT; got 1" },
		{ { SLICE("apikey"), SLICE("") }, "anon (anonymous)" },
		{ { SLICE("cookie"), slice_of(arena_printf(arena, "token=%.*s", (int)good.len, good.ptr)) },
		  "anon (anonymous)" },
		{ { SLICE("x-authorization"), good }, "anon (anonymous)" },
		{ authorization("Bearer ", token_of(arena, HS256_HEADER, "{\"role\":\"anon\",\"exp\":1700000100}"), ""),
		  "anon (anonymous)" },
	};
	struct auth *auth = opened_with_secret();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *got = asked(auth, &rows[i].header, 1);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("%.*s\ngives '%s', not '%s'", (int)rows[i].header.value.len, rows[i].header.value.ptr,
				 got, rows[i].expected);
	}
	auth_close(auth);
}

static void reads_two_headers(void **state)
{
	struct slice clerk = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	struct slice chief = token_of(arena, HS256_HEADER, "{\"role\":\"chief\",\"exp\":1700000100}");
	const struct http_header bearer = authorization("Bearer ", clerk, ""), key = { SLICE("apikey"), chief };
	const struct http_header both[] = { key, bearer }, twice[] = { bearer, bearer }, keys[] = { key, key };
	const struct http_header hidden[] = { authorization("", SLICE(""), ""), bearer };
	const struct http_header bad[] = { authorization("Bearer ", SLICE("x"), ""), key };
	struct auth *auth = opened_with_secret();

	(void)state;
	assert_string_equal(asked(auth, both, 2), "clerk");
	assert_string_equal(asked(auth, twice, 2), "401 PGRST301 More than one Authorization header");
	assert_string_equal(asked(auth, hidden, 2), "401 PGRST301 More than one Authorization header");
	assert_string_equal(asked(auth, keys, 2), "401 PGRST301 More than one apikey header");
	assert_string_equal(asked(auth, bad, 2), "401 PGRST301 Expected 3 parts in JWT; got 1");
	auth_close(auth);
}

static void without_secret_or_anonymous_role(void **state)
{
	struct slice good = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	const struct http_header bearer = authorization("Bearer ", good, "");
	struct config config = plain_config();
	struct auth *auth = opened(&config);

	(void)state;
	assert_string_equal(asked(auth, &bearer, 0), "anon (anonymous)");
	assert_string_equal(asked(auth, &bearer, 1), "500 PGRST300 Server lacks JWT secret");
	auth_close(auth);
	config.db_anon_role = "";
	config.jwt_secret = SECRET;
	auth = opened(&config);
	assert_string_equal(asked(auth, &bearer, 0), "401 PGRST302 Anonymous access is disabled");
	assert_string_equal(asked(auth, &bearer, 1), "clerk");
	auth_close(auth);
}

static bool verified(struct auth *auth, struct slice token, int64_t now, const char **message_out)
{
	struct principal who;
	struct error err;
	bool good;

	error_init(&err, arena);
	good = auth_verify(arena, auth, token, now, &who, &err);
	*message_out = good ? slice_cstr(arena, who.role) : err.message;
	return good;
}

static uint64_t hits(const struct auth *auth)
{
	uint64_t n, lookups;

	auth_cache_counts(auth, &n, &lookups);
	return n;
}

/* A hit looks at the times again: exp, nbf and iat, with the clock stepping either way. */
static void hits_still_expire(void **state)
{
	struct slice token = token_of(arena, HS256_HEADER,
				      "{\"role\":\"clerk\",\"exp\":1700000100,\"nbf\":1699999900,\"iat\":1699999950}");
	struct auth *auth = opened_with_secret();
	const char *message;

	(void)state;
	assert_true(verified(auth, token, NOW, &message));
	assert_int_equal(hits(auth), 0);
	assert_true(verified(auth, token, NOW + 129, &message));
	assert_int_equal(hits(auth), 1);
	assert_false(verified(auth, token, NOW + 131, &message));
	assert_string_equal(message, "JWT expired");
	assert_false(verified(auth, token, NOW + 3600, &message));
	assert_false(verified(auth, token, NOW - 131, &message));
	assert_string_equal(message, "JWT not yet valid");
	assert_false(verified(auth, token, NOW - 100, &message));
	assert_string_equal(message, "JWT issued at future");
	assert_true(verified(auth, token, NOW, &message));
	auth_close(auth);
}

/* J43: after a good token is cached, nothing like it hits. */
static void look_alikes_do_not_hit(void **state)
{
	struct slice good = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	struct auth *auth = opened_with_secret();
	const char *message;

	(void)state;
	assert_true(verified(auth, good, NOW, &message));
	for (size_t i = 0; i < good.len; i++) {
		char *text = slice_cstr(arena, good);

		text[i] = text[i] == 'A' ? 'B' : 'A';
		assert_false(verified(auth, (struct slice){ text, good.len }, NOW, &message));
		assert_false(verified(auth, (struct slice){ good.ptr, i }, NOW, &message));
	}
	assert_false(verified(auth, (struct slice){ good.ptr, good.len + 1 }, NOW, &message));
	assert_int_equal(hits(auth), 0);
	assert_true(verified(auth, good, NOW, &message));
	assert_int_equal(hits(auth), 1);
	auth_close(auth);
}

static void refused_and_long_tokens_are_not_kept(void **state)
{
	struct slice expired = token_of(arena, HS256_HEADER, "{\"role\":\"clerk\",\"exp\":1}");
	char *pad = arena_alloc(arena, 2001);
	struct auth *auth = opened_with_secret();
	const char *message;
	struct slice big;

	(void)state;
	memset(pad, 'x', 2000);
	big = token_of(arena, HS256_HEADER,
		       arena_printf(arena, "{\"role\":\"clerk\",\"exp\":1700000100,\"pad\":\"%s\"}", pad));
	for (int i = 0; i < 2; i++) {
		assert_false(verified(auth, expired, NOW, &message));
		assert_true(verified(auth, big, NOW, &message));
	}
	assert_int_equal(hits(auth), 0);
	auth_close(auth);
}

static struct slice numbered(int i)
{
	return token_of(arena, HS256_HEADER, arena_printf(arena, "{\"role\":\"clerk%d\",\"exp\":1700000100}", i));
}

/* Sixteen places: the token that was used last stays, the one not used longest leaves. */
static void the_least_recently_used_leaves(void **state)
{
	struct auth *auth = opened_with_secret();
	const char *message;
	uint64_t before;

	(void)state;
	for (int i = 0; i < 16; i++)
		assert_true(verified(auth, numbered(i), NOW, &message));
	assert_true(verified(auth, numbered(0), NOW, &message));
	assert_int_equal(hits(auth), 1);
	for (int i = 16; i < 31; i++)
		assert_true(verified(auth, numbered(i), NOW, &message));
	before = hits(auth);
	assert_true(verified(auth, numbered(0), NOW, &message));
	assert_string_equal(message, "clerk0");
	assert_true(verified(auth, numbered(30), NOW, &message));
	assert_true(verified(auth, numbered(16), NOW, &message));
	assert_int_equal(hits(auth), before + 3);
	for (int i = 1; i < 16; i++)
		assert_true(verified(auth, numbered(i), NOW, &message));
	assert_int_equal(hits(auth), before + 3);
	auth_close(auth);
}

static void a_cache_of_none_and_of_one(void **state)
{
	struct config config = plain_config();
	const char *message;

	(void)state;
	config.jwt_secret = SECRET;
	for (uint64_t places = 0; places < 2; places++) {
		struct auth *auth;

		config.jwt_cache_max_entries = places;
		auth = opened(&config);
		for (int i = 0; i < 6; i++) {
			assert_true(verified(auth, numbered(i / 2), NOW, &message));
			assert_string_equal(message, arena_printf(arena, "clerk%d", i / 2));
		}
		assert_int_equal(hits(auth), places * 3);
		auth_close(auth);
	}
}

/* J43: with one place there is one bucket, and every token is in it. */
static void twins_do_not_hit(void **state)
{
	struct config config = plain_config();
	struct slice token = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	const char *message;
	struct auth *auth;

	(void)state;
	config.jwt_secret = SECRET;
	config.jwt_cache_max_entries = 1;
	auth = opened(&config);
	assert_true(verified(auth, token, NOW, &message));
	assert_true(verified(auth, token, NOW, &message));
	assert_int_equal(hits(auth), 1);
	for (size_t i = 0; i < token.len; i++) {
		char *twin = slice_cstr(arena, token);

		twin[i] = twin[i] == 'A' ? 'B' : 'A';
		assert_false(verified(auth, (struct slice){ twin, token.len }, NOW, &message));
	}
	assert_false(verified(auth, (struct slice){ token.ptr, token.len - 1 }, NOW, &message));
	assert_int_equal(hits(auth), 1);
	assert_true(verified(auth, token, NOW, &message));
	assert_int_equal(hits(auth), 2);
	auth_close(auth);
}

/* The hot path: no more than a hash, a comparison and a copy. */
static void a_hit_is_cheap(void **state)
{
	struct slice token =
		token_of(arena, HS256_HEADER,
			 "{\"aud\":\"authenticated\",\"exp\":1700003600,\"iat\":1700000000,\"sub\":\"9f1c6c1e-0000-"
			 "4000-8000-1234567890ab\","
			 "\"email\":\"somebody@example.com\",\"role\":\"authenticated\",\"session_id\":\"0a1b2c3d\"}");
	struct auth *auth = opened_with_secret();
	struct arena *request = arena_open();
	struct timespec from, to;
	const int rounds = 200000;
	struct principal who;
	struct error err;
	double ns;

	(void)state;
	error_init(&err, request);
	assert_true(auth_verify(request, auth, token, NOW, &who, &err));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int i = 0; i < rounds; i++) {
		arena_reset(request);
		if (!auth_verify(request, auth, token, NOW, &who, &err))
			fail();
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ns = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / rounds;
	print_message("a hit costs %.0f ns\n", ns);
	assert_true(arena_used(request) < 1024);
	assert_true(ns < 20000); /* the promise is 1000; the sanitizers and a busy machine are slower */
	arena_close(request);
	auth_close(auth);
}

static void issues_tokens(void **state)
{
	static const struct {
		const char *secret, *header;
	} rows[] = {
		{ SECRET, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}" },
		{ "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k.1\",\"alg\":\"HS384\",\"k\":"
		  "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVm\"}]}",
		  "{\"alg\":\"HS384\",\"typ\":\"JWT\",\"kid\":\"k.1\"}" },
	};
	struct config config = plain_config();
	struct slice token, first;
	const char *message;
	struct auth *auth;
	struct error err;

	(void)state;
	error_init(&err, arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		config.jwt_secret = rows[i].secret;
		auth = opened(&config);
		assert_true(auth_issue(arena, auth, SLICE(GOOD_CLAIMS), &token, &err));
		assert_true(verified(auth, token, NOW, &message));
		assert_string_equal(message, "clerk");
		assert_true(slice_split(&token, '.', &first));
		assert_true(slice_eq(first, base64url(arena, slice_of(rows[i].header))));
		assert_false(auth_issue(arena, auth, SLICE("[]"), &token, &err));
		assert_false(auth_issue(arena, auth, SLICE("{\"a\":1,\"a\":2}"), &token, &err));
		auth_close(auth);
	}
	config.jwt_secret = SECRET;
	auth = opened(&config);
	assert_true(auth_issue(arena, auth, SLICE(GOOD_CLAIMS), &token, &err));
	first = token_of(arena, HS256_HEADER, GOOD_CLAIMS);
	assert_true(slice_eq(token, first));
	auth_close(auth);
	config.jwt_secret = "";
	auth = opened(&config);
	assert_false(auth_issue(arena, auth, SLICE(GOOD_CLAIMS), &token, &err));
	auth_close(auth);
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
		cmocka_unit_test(reads_the_header),
		cmocka_unit_test(reads_two_headers),
		cmocka_unit_test(without_secret_or_anonymous_role),
		cmocka_unit_test(hits_still_expire),
		cmocka_unit_test(look_alikes_do_not_hit),
		cmocka_unit_test(refused_and_long_tokens_are_not_kept),
		cmocka_unit_test(the_least_recently_used_leaves),
		cmocka_unit_test(a_cache_of_none_and_of_one),
		cmocka_unit_test(twins_do_not_hit),
		cmocka_unit_test(a_hit_is_cheap),
		cmocka_unit_test(issues_tokens),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
