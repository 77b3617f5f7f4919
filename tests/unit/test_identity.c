/* What of /auth/v1 needs no database: durations, ids, metadata, addresses, passwords, and the throttle's buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../app/identity/internal.h"

static struct arena *arena;
static struct config config = {
	.auth_hash_cost = 1, .auth_hash_share = 50, .auth_password_min = 8, .auth_login_attempts = 5
};
static struct shared shared;
static struct identity_env env;
static struct error err;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	error_init(&err, arena);
	memset(&shared, 0, sizeof(shared));
	env = (struct identity_env){ .arena = arena, .config = &config, .shared = &shared, .client_fd = -1 };
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} rows[] = {
		{ "none", 0 },
		{ "24h", 86400 },
		{ "1h30m", 5400 },
		{ "90s", 90 },
		{ "1500ms", 2 },
		{ "1ns", 0 },
		{ "1us", 1 },
		{ "0h", 0 },
		{ "", -1 },
		{ "h", -1 },
		{ "24", -1 },
		{ "-1h", -1 },
		{ "1d", -1 },
		{ "1h ", -1 },
		{ "876000h", 3153600000 },
		{ "876001h", -1 },
		{ "1.5h", -1 },
		{ "9999999999999999999h", -1 },
		{ "NONE", -1 },
		{ "876000h876000h", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t seconds = -1;

		if (!identity_duration(slice_of(rows[i].text), &seconds))
			seconds = -1;
		if (seconds != rows[i].seconds)
			fail_msg("%s: %lld", rows[i].text, (long long)seconds);
	}
}

static void ids(void **state)
{
	struct slice one = uuid_new(arena), other = uuid_new(arena);

	(void)state;
	assert_true(uuid_valid(one) && uuid_valid(other) && !slice_eq(one, other));
	assert_int_equal(one.ptr[14], '4');
	assert_non_null(strchr("89ab", one.ptr[19]));
	assert_false(uuid_valid(SLICE("9AFA5949-ce68-4ce6-be6b-7357a018956f")));
	assert_false(uuid_valid(SLICE("9afa5949-ce68-4ce6-be6b-7357a018956")));
	assert_false(uuid_valid(SLICE("9afa5949ace68-4ce6-be6b-7357a018956f")));
	assert_false(uuid_valid((struct slice){ "", 0 }));
	assert_int_equal(random_text(arena, 40).len, 40);
	assert_false(slice_eq(random_text(arena, 40), random_text(arena, 40)));
}

static void addresses(void **state)
{
	static const char *const good[][2] = { { "A@B.c", "a@b.c" }, { "x+y@sub.example.com", "x+y@sub.example.com" } };
	static const char *const bad[] = { "",      "a",     "@b",           "a@",    "a@b@c",
					   "a b@c", "a@b\n", "\303\251@b.c", "a@b,c", "<a@b>" };
	struct slice out;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(email_normal(arena, slice_of(good[i][0]), &out, &err));
		assert_true(slice_is(out, good[i][1]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(email_normal(arena, slice_of(bad[i]), &out, &err));
	assert_false(email_normal(arena, (struct slice){ "a\0@b.c", 6 }, &out, &err));
}

static void metadata(void **state)
{
	struct json_object *changes = json_read(arena, SLICE("{\"a\":null,\"b\":{\"x\":1},\"c\":[1,2]}"));

	(void)state;
	assert_non_null(changes);
	assert_true(slice_is(json_merged(arena, SLICE("{\"a\":1,\"b\":{\"y\":2},\"d\":\"e/\"}"), changes),
			     "{\"b\":{\"x\":1},\"d\":\"e/\",\"c\":[1,2]}"));
	assert_null(json_read(arena, SLICE("[]")));
	assert_null(json_read(arena, SLICE("{\"a\":1,\"\\u0061\":2}")));
	assert_null(json_read(arena, SLICE("{\"a\":1}x")));
	assert_null(json_read(arena, SLICE("{\"a\":\"\\u0000\"}")));
}

static void passwords(void **state)
{
	struct slice hash, again;

	(void)state;
	assert_true(password_hash(&env, SLICE("correct horse"), &hash, &err));
	assert_true(password_hash(&env, SLICE("correct horse"), &again, &err));
	assert_true(slice_starts(hash, "$y$") && !slice_eq(hash, again));
	assert_true(password_matches(&env, SLICE("correct horse"), hash));
	assert_false(password_matches(&env, SLICE("correct horsE"), hash));
	assert_false(password_matches(&env, SLICE(""), hash));
	assert_false(password_matches(&env, (struct slice){ "correct horse\0x", 15 }, hash));
	assert_false(password_matches(&env, SLICE("x"), (struct slice){ "", 0 }));
	assert_false(password_matches(&env, SLICE("x"), SLICE("*")));
	assert_false(password_matches(&env, SLICE("x"), SLICE("*0")));
	assert_true(
		password_fit(&config, SLICE("\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251"), &err));
	assert_false(password_fit(&config, SLICE("\303\251\303\251\303\251\303\251"), &err));
	assert_string_equal(err.sqlstate, "weak_password");
}

static void hashing_is_bounded(void **state)
{
	size_t one = 0, other = 0, third = 0;

	(void)state;
	atomic_store(&shared.workers, 4);
	assert_true(hash_begin(&env, &one, &err) && hash_begin(&env, &other, &err));
	assert_false(hash_begin(&env, &third, &err));
	assert_int_equal(err.status, 429);
	hash_end(&env, one);
	assert_true(hash_begin(&env, &third, &err));
	/* Beyond what any clock says: taken before the machine started anew. */
	atomic_store(&shared.hashers[other], INT64_MAX);
	assert_true(hash_begin(&env, &one, &err));
}

static size_t until_refused(const char *email, const char *address, bool known)
{
	struct attempt attempt;
	size_t n = 0;

	while (n < 1000 && throttle_take(&env, slice_of(email), slice_of(address), known, &attempt, &err))
		n++;
	return n;
}

static void throttle(void **state)
{
	struct attempt attempt;

	(void)state;
	assert_int_equal(until_refused("a@b.c", "192.0.2.1", false), 5);
	assert_int_equal(err.status, 429);
	assert_in_range(err.retry_after, 11, 13);
	/* The same account from elsewhere; three more addresses fill it for all strangers. */
	assert_int_equal(until_refused("a@b.c", "192.0.2.2", false), 5);
	assert_int_equal(until_refused("a@b.c", "192.0.2.3", false), 5);
	assert_int_equal(until_refused("a@b.c", "192.0.2.4", false), 5);
	assert_int_equal(until_refused("a@b.c", "192.0.2.5", false), 0);
	/* But not for the owner, where they have signed in before. */
	assert_int_equal(until_refused("a@b.c", "192.0.2.6", true), 5);
	/* Another account from an address that has had five. */
	assert_int_equal(until_refused("d@e.f", "192.0.2.1", false), 5);
	/* What was right is given back. */
	for (size_t i = 0; i < 100; i++) {
		assert_true(throttle_take(&env, SLICE("g@h.i"), SLICE("192.0.2.9"), false, &attempt, &err));
		throttle_give_back(&env, &attempt);
	}
	assert_int_equal(until_refused("g@h.i", "192.0.2.9", false), 5);
	/* Of IPv6 the network counts. */
	assert_int_equal(until_refused("j@k.l", "2001:db8:1:2:3:4:5:6", false), 5);
	assert_int_equal(until_refused("j@k.l", "2001:db8:1:2:ffff::1", false), 0);
	assert_int_equal(until_refused("j@k.l", "2001:db8:1:3::1", false), 5);
}

static void many_addresses_for_one_account(void **state)
{
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		n += until_refused("a@b.c", arena_printf(arena, "198.51.100.%d", i), false);
	assert_in_range(n, 20, 21);
}

static void one_address_for_many_accounts(void **state)
{
	struct attempt attempt;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		n += throttle_take(&env, slice_of(arena_printf(arena, "u%d@b.c", i)), SLICE("192.0.2.1"), false,
				   &attempt, &err);
	assert_in_range(n, 29, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(durations, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(ids, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(addresses, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(metadata, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(passwords, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(hashing_is_bounded, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(throttle, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(many_addresses_for_one_account, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(one_address_for_many_accounts, open_arena, close_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
