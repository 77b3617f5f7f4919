#ifndef ROWGATE_CLI_INTERNAL_H
#define ROWGATE_CLI_INTERNAL_H

#include "identity.h"
#include "../worker.h"

/* A command's own worker: no server, nothing shared but what shared-file holds. */
struct cli {
	struct arena *arena;
	struct state *state;
	struct identity_env env;
	struct error err;
	bool json;
};

/* Exit statuses of the commands. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_MISUSED = 2, CLI_NOT_FOUND = 3 };

bool cli_open(struct cli *c, const char *config_path) MUST_CHECK;
void cli_close(struct cli *c);
/* Says why, closes, and gives the exit status. */
int cli_fail(struct cli *c);

/*
 * Options of a command: "--name VALUE", or "--name" alone where value is NULL; what follows "--" is a word. Fills value
 * or flag; the words left are moved to the front and counted in *argc. False, with a line on stderr, for an option not
 * in the list.
 */
struct cli_option {
	const char *name;
	const char **value;
	bool *flag;
};

bool cli_options(int *argc, char **argv, const struct cli_option *options, size_t n) MUST_CHECK;

/* The definitions; free with schema_free. */
bool cli_schema(struct cli *c, struct schema **out) MUST_CHECK;
/* A role by which the login is asked what it may. */
struct slice cli_role(const struct config *config);

/* Prints usage to stderr. CLI_MISUSED. */
int cli_usage(const char *usage);

/* A secret from a file ("-": standard input), else from the terminal, twice, unseen. */
bool cli_secret(struct cli *c, const char *path, const char *prompt, struct slice *out) MUST_CHECK;
/* The same without a second time and without a check of the file's owner. */
bool cli_text(struct cli *c, const char *path, struct slice *out) MUST_CHECK;

#endif
