/* Start-up, the accept loop, and the subcommands. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker.h"

#include "log.h"
#include "secret.h"

#define TICK_MS 1000

static const char usage[] =
	"usage: rowgate COMMAND [-c FILE]\n"
	"  serve                    a FastCGI worker on file descriptor 0 (started by spawn-fcgi and multiwatch)\n"
	"  check                    configuration, keys, database and grants; names every problem\n"
	"  schema [--json]          what is published, by which keys and policies, and who may do what\n"
	"  user add|list|show|passwd|ban|sessions|delete\n"
	"                           who may sign in by /auth/v1\n"
	"  token issue|revoke|inspect\n"
	"                           tokens without a sign-in, tokens taken back, what a token says\n"
	"  key new|list|retire      the keys that sign what /auth/v1 gives out\n"
	"  role add|list            database roles that tokens may name\n"
	"  policy list|check|add|delete\n"
	"                           which rows of a table a role meets\n"
	"  version\n"
	"The configuration is FILE, else $ROWGATE_CONFIG, else rowgate.conf.\n"
	"Each of user, token, key, role and policy says more when it is called alone.\n";

static void serve_loop(struct worker *w)
{
	struct http_request rq;
	struct http_response rs;

	for (;;) {
		switch (http_accept(w->server, w->arena, TICK_MS, &rq, &rs)) {
		case HTTP_REQUEST:
			handle(w, &rq, &rs);
			arena_reset(w->arena);
			break;
		case HTTP_TICK:
			break;
		case HTTP_RELOAD:
			(void)worker_reload(w);
			break;
		case HTTP_STOP:
			return;
		}
		worker_poll(w);
		worker_poll_identity(w);
		worker_follow_reload(w);
	}
}

/* Whoever supervises the worker tries again at once. */
static int cannot_start(const char *why)
{
	log_line(LOG_CRIT, "%s", why);
	sleep(1);
	return 1;
}

/* Buffers of large bodies and answers go back to the system: without this glibc would keep the next ones. */
#define LARGE_BUFFER (256 * 1024)

static int serve(const char *config_path)
{
	struct worker w = { .config_path = config_path, .arena = arena_open() };
	struct error err;

	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE_BUFFER);
	error_init(&err, w.arena);
	if (!state_open(config_path, &w.state, &err)) {
		cannot_start(err.message);
		arena_close(w.arena);
		return 1;
	}
	log_set_level((enum log_level)w.state->config.log_level);
	if (!auth_key_first(&w.state->config, &err))
		log_line(LOG_WARN, "no signing key could be made: %s", err.message);
	(void)auth_refresh_keys(w.state->auth);
	if (!secret_locked())
		log_line(LOG_WARN, "keys may be swapped out: the limit of locked memory (RLIMIT_MEMLOCK) is too low");
	w.shared = shared_open(w.state->config.shared_file, true);
	w.server = http_open();
	if (!w.shared || !w.server)
		return cannot_start("file descriptor 0 is no FastCGI socket: start me by spawn-fcgi");
	w.self = shared_join(w.shared);
	w.reloads_seen = atomic_load(&w.shared->reloads);
	if (w.self)
		atomic_store(&w.self->reloads, w.reloads_seen);
	worker_count_statements(&w);
	w.memory.batch = arena_open();
	if (!worker_schema(&w, &err))
		log_line(LOG_WARN, "started without the database; requests get 503 until it answers");
	arena_reset(w.arena);
	serve_loop(&w);
	shared_leave(w.self);
	http_close(w.server);
	state_close(w.state);
	arena_close(w.memory.batch);
	arena_close(w.arena);
	return 0;
}

static int misused(void)
{
	fputs(usage, stderr);
	return 2;
}

/* -c FILE anywhere behind the command; the rest is moved together. */
static const char *config_option(int *argc, char **argv)
{
	const char *path = getenv("ROWGATE_CONFIG");
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < *argc)
			path = argv[++i];
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	return path && *path ? path : "rowgate.conf";
}

static const struct {
	const char *name;
	int (*run)(const char *config_path, int argc, char **argv);
} families[] = { { "token", command_token }, { "user", command_user },     { "key", command_key },
		 { "role", command_role },   { "schema", command_schema }, { "policy", command_policy } };

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	const char *config;

	secret_process();
	argc -= 2;
	argv += 2;
	if (argc < 0)
		return misused();
	config = config_option(&argc, argv);
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (strcmp(command, families[i].name) == 0)
			return families[i].run(config, argc, argv);
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 0)
		return misused();
	if (strcmp(command, "serve") == 0)
		return serve(config);
	if (strcmp(command, "check") == 0)
		return command_check(config);
	if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0) {
		puts("rowgate " ROWGATE_VERSION);
		return 0;
	}
	return misused();
}
