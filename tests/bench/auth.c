/*
 * What a token costs, without HTTP and database: nanoseconds of CPU for auth_check of an anonymous request, of a token that
 * is known (by algorithm), of one that is not; and whether the time of a refusal tells where a forged signature is wrong.
 * Rounds of all cases are interleaved; medians are reported.
 *
 *   auth              the table
 *   auth CASE N       N times one case, for callgrind or perf: anonymous, hs256, rs256, es256, es256-new ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/token_maker.h"

#define CLAIMS                                                                                                               \
	"{\"aud\":\"authenticated\",\"exp\":1700003600,\"iat\":1700000000,\"sub\":\"9f1c6c1e-0000-4000-8000-1234567890ab\"," \
	"\"email\":\"somebody@example.com\",\"role\":\"authenticated\",\"session_id\":\"0a1b2c3d\"}"
#define ROUNDS 41

struct bench_case {
	const char *name;
	struct slice token; /* empty: none */
	bool known, good;
	int times; /* in a round */
};

static struct arena *lasting, *request;
static struct auth *warm, *cold;

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void once(const struct bench_case *c)
{
	struct http_header header = { SLICE("authorization"), c->token };
	struct http_request rq = { .headers = &header, .nheaders = c->token.len ? 1 : 0 };
	struct principal who;
	struct error err;

	error_init(&err, request);
	if (auth_check(request, c->known ? warm : cold, &rq, NOW, &who, &err) != c->good)
		abort();
	arena_reset(request);
}

static double run(const struct bench_case *c)
{
	double from = cpu_ns();

	for (int i = 0; i < c->times; i++)
		once(c);
	return (cpu_ns() - from) / c->times;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct auth *opened(uint64_t places, const char *jwks)
{
	struct config config = plain_config();
	struct error err;
	struct auth *auth;

	error_init(&err, lasting);
	config.jwt_secret = jwks;
	config.jwt_cache_max_entries = places;
	auth = auth_open(memcpy(arena_alloc(lasting, sizeof(config)), &config, sizeof(config)), &err);
	if (!auth)
		abort();
	return auth;
}

/* A signature that differs from the right one in one byte. */
static struct slice wrong_at(struct slice good, size_t from_end)
{
	char *copy = slice_cstr(lasting, good);
	char *at = copy + good.len - from_end;

	*at = *at == 'A' ? 'Q' : 'A';
	return (struct slice){ copy, good.len };
}

static size_t make_cases(struct bench_case *out)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	struct slice hs = hs_token(lasting, SLICE(HS256_HEADER), SLICE(CLAIMS), SLICE(SECRET), EVP_sha256());
	struct slice rs = pkey_token(lasting, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", CLAIMS, rsa, EVP_sha256(), 0);
	struct slice es = pkey_token(lasting, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", CLAIMS, ec, EVP_sha256(), 32);
	const char *jwks = arena_printf(lasting, "{\"keys\":[%s,%s,%s]}", oct_jwk(lasting, SLICE(SECRET), ""),
					rsa_jwk(lasting, rsa, ""), ec_jwk(lasting, ec, "P-256", 32, ""));
	const struct bench_case cases[] = {
		{ "anonymous", { "", 0 }, true, true, 20000 },
		{ "hs256", hs, true, true, 20000 },
		{ "rs256", rs, true, true, 20000 },
		{ "es256", es, true, true, 20000 },
		{ "hs256-new", hs, false, true, 500 },
		{ "rs256-new", rs, false, true, 200 },
		{ "es256-new", es, false, true, 200 },
		{ "forged-first", wrong_at(hs, 43), false, false, 500 },
		{ "forged-last", wrong_at(hs, 2), false, false, 500 },
		{ "forged-first-again", wrong_at(hs, 43), false, false, 500 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		out[i] = cases[i];
		if (cases[i].token.len)
			out[i].token =
				slice_of(arena_printf(lasting, "Bearer %s", slice_cstr(lasting, cases[i].token)));
	}
	warm = opened(256, jwks);
	cold = opened(0, jwks);
	return sizeof(cases) / sizeof(*cases);
}

static void table(const struct bench_case *cases, size_t n)
{
	static double took[16][ROUNDS];

	for (int round = -1; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++) {
			double ns = run(&cases[i]);

			if (round >= 0)
				took[i][round] = ns;
		}
	for (size_t i = 0; i < n; i++) {
		qsort(took[i], ROUNDS, sizeof(double), by_size);
		printf("| %s | %.0f | %.0f to %.0f |\n", cases[i].name, took[i][ROUNDS / 2], took[i][ROUNDS / 4],
		       took[i][ROUNDS * 3 / 4]);
	}
}

int main(int argc, char **argv)
{
	struct bench_case cases[16];
	size_t n;

	lasting = arena_open();
	request = arena_open();
	n = make_cases(cases);
	if (argc == 1)
		table(cases, n);
	for (size_t i = 0; argc == 3 && i < n; i++)
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].times = atoi(argv[2]);
			(void)run(&cases[i]);
		}
	return 0;
}
