/* rowgate key: the keys that sign what /auth/v1 gives out. */
#include <stdio.h>
#include <time.h>

#include "internal.h"

static const char usage[] =
	"usage: rowgate key new [--alg ES256] [--activate-in SECONDS]\n"
	"       rowgate key list\n"
	"       rowgate key retire KID [--now]\n"
	"each with [--json] [-c FILE]. A new key signs after SECONDS (0); until then it is published, so that other\n"
	"machines and whoever reads the JWKS know it. A retired one signs no more and is believed until its last token\n"
	"has expired; --now: not even that. Workers see a change of the file by themselves. --alg: HS, RS or ES 256, 384,\n"
	"512. Exit status: 0 done, 1 failed, 2 misused.\n";

static void print_time(const char *name, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf(" %s %s", name, text);
}

static void print_key(const struct cli *c, const struct auth_key *k)
{
	if (c->json) {
		printf("{\"kid\":\"%.*s\",\"alg\":\"%s\",\"state\":\"%s\",\"created\":%lld,\"active\":%lld",
		       (int)k->kid.len, k->kid.ptr, k->alg, k->state, (long long)k->created, (long long)k->active);
		if (k->until != INT64_MAX)
			printf(",\"until\":%lld", (long long)k->until);
		puts("}");
		return;
	}
	printf("%.*s %s %s", (int)k->kid.len, k->kid.ptr, k->alg, k->state);
	print_time("since", k->active);
	if (k->until != INT64_MAX)
		print_time("believed until", k->until);
	putchar('\n');
}

/* The key of that name; all of them without one. */
static bool print(struct cli *c, const struct config *config, const struct slice *kid)
{
	struct auth_key *list;
	size_t n;

	if (!auth_key_list(c->arena, config, &list, &n, &c->err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!kid || slice_eq(*kid, list[i].kid))
			print_key(c, &list[i]);
	return true;
}

static bool make(struct cli *c, const struct config *config, const char *alg, const char *delay)
{
	uint64_t seconds = 0;
	struct slice kid;

	if (delay && (!parse_u64(slice_of(delay), &seconds) || seconds > 366 * 86400))
		return error_set(&c->err, ERR_INTERNAL, "--activate-in is a number of seconds");
	return auth_key_new(c->arena, config, alg ? alg : "ES256", time(NULL) + (int64_t)seconds, &kid, &c->err) &&
	       print(c, config, &kid);
}

static bool retire(struct cli *c, const struct config *config, struct slice kid, bool at_once)
{
	return auth_key_retire(c->arena, config, kid, at_once, &c->err) && print(c, config, &kid);
}

/* Of the configuration only: a broken key file must not keep this command from mending it. */
int command_key(const char *config_path, int argc, char **argv)
{
	struct cli c = { .json = false };
	const char *alg = NULL, *delay = NULL;
	bool at_once = false, ok;
	const struct cli_option options[] = { { "--alg", &alg, NULL },
					      { "--activate-in", &delay, NULL },
					      { "--now", NULL, &at_once },
					      { "--json", NULL, &c.json } };
	struct config config;

	if (!cli_options(&argc, argv, options, sizeof(options) / sizeof(*options)))
		return CLI_MISUSED;
	if (!(argc == 1 && (strcmp(argv[0], "new") == 0 || strcmp(argv[0], "list") == 0)) &&
	    !(argc == 2 && strcmp(argv[0], "retire") == 0))
		return cli_usage(usage);
	c.arena = arena_open();
	arena_secret(c.arena);
	error_init(&c.err, c.arena);
	ok = config_load(c.arena, config_path, &config, &c.err);
	if (ok && strcmp(argv[0], "new") == 0)
		ok = make(&c, &config, alg, delay);
	else if (ok && strcmp(argv[0], "list") == 0)
		ok = print(&c, &config, NULL);
	else
		ok = ok && retire(&c, &config, slice_of(argv[1]), at_once);
	if (!ok)
		return cli_fail(&c);
	arena_close(c.arena);
	return CLI_OK;
}
