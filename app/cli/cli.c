/* What the commands about identity share: opening, options, secrets from files and terminals. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "internal.h"

#define SECRET_MAX 1100
#define TEXT_MAX 65536

bool cli_open(struct cli *c, const char *config_path)
{
	bool json = c->json;

	*c = (struct cli){ .arena = arena_open(), .json = json };
	arena_secret(c->arena);
	error_init(&c->err, c->arena);
	if (!state_open(config_path, &c->state, &c->err))
		return false;
	c->env = (struct identity_env){ .arena = c->arena,
					.config = &c->state->config,
					.auth = c->state->auth,
					.db = c->state->db,
					.shared = shared_open(c->state->config.shared_file, false),
					.client_fd = -1 };
	return c->env.shared || error_set(&c->err, ERR_INTERNAL, "no memory");
}

void cli_close(struct cli *c)
{
	state_close(c->state);
	arena_close(c->arena);
}

int cli_fail(struct cli *c)
{
	int status = c->err.code == ERR_AUTH && c->err.status == 404 ? CLI_NOT_FOUND : CLI_FAILED;

	fprintf(stderr, "rowgate: %s%s%s\n", c->err.message, c->err.log_detail ? ": " : "",
		c->err.log_detail ? c->err.log_detail : "");
	if (c->err.hint)
		fprintf(stderr, "%s\n", c->err.hint);
	cli_close(c);
	return status;
}

static const struct cli_option *find(const char *word, const struct cli_option *options, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(options[i].name, word) == 0)
			return &options[i];
	return NULL;
}

bool cli_options(int *argc, char **argv, const struct cli_option *options, size_t n)
{
	int kept = 0;
	bool ended = false;

	for (int i = 0; i < *argc; i++) {
		const struct cli_option *o;

		if (!ended && strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		if (ended || strncmp(argv[i], "--", 2) != 0) {
			argv[kept++] = argv[i];
			continue;
		}
		o = find(argv[i], options, n);
		if (!o || (o->value && i + 1 == *argc)) {
			fprintf(stderr, "rowgate: %s %s\n", argv[i], o ? "needs a value" : "is no option here");
			return false;
		}
		if (o->value)
			*o->value = argv[++i];
		else
			*o->flag = true;
	}
	*argc = kept;
	return true;
}

int cli_usage(const char *usage)
{
	fputs(usage, stderr);
	return CLI_MISUSED;
}

/* One line from the terminal, not shown. */
static bool ask(struct cli *c, const char *prompt, struct slice *out)
{
	struct termios old, quiet;
	char *line = arena_alloc(c->arena, SECRET_MAX);
	FILE *tty = fopen("/dev/tty", "r+e");
	bool ok;

	if (!tty)
		return error_set(&c->err, ERR_INTERNAL, "no terminal to ask at: name a file that holds the password");
	fprintf(tty, "%s: ", prompt);
	fflush(tty);
	tcgetattr(fileno(tty), &old);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	ok = fgets(line, SECRET_MAX, tty) != NULL;
	tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fputc('\n', tty);
	fclose(tty);
	*out = (struct slice){ line, strcspn(line, "\r\n") };
	return ok || error_set(&c->err, ERR_INTERNAL, "nothing was typed");
}

static bool read_input(struct cli *c, size_t max, struct slice *out)
{
	char *text = arena_alloc(c->arena, max + 1);
	size_t len = fread(text, 1, max + 1, stdin);

	if (len > max)
		return error_set(&c->err, ERR_INTERNAL, "standard input holds more than %zu bytes", max);
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	*out = (struct slice){ text, len };
	return true;
}

bool cli_secret(struct cli *c, const char *path, const char *prompt, struct slice *out)
{
	struct slice again;

	if (path && strcmp(path, "-") == 0)
		return read_input(c, SECRET_MAX, out);
	if (path)
		return config_read_secret(c->arena, path, out, &c->err);
	if (!ask(c, prompt, out) || !ask(c, "Once more", &again))
		return false;
	return slice_eq(*out, again) || error_set(&c->err, ERR_INTERNAL, "the two are not the same");
}

bool cli_text(struct cli *c, const char *path, struct slice *out)
{
	if (!path || strcmp(path, "-") == 0)
		return read_input(c, TEXT_MAX, out);
	if (!config_read_file(c->arena, path, out, &c->err))
		return false;
	*out = slice_trim(*out);
	return true;
}
