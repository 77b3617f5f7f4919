/* rowgate user: who may sign in by /auth/v1. */
#include <stdio.h>

#include "internal.h"

static const char usage[] =
	"usage: rowgate user add EMAIL [--role NAME] [--password-file FILE | --no-password] [--if-absent]\n"
	"       rowgate user list [--page N] [--per-page N]\n"
	"       rowgate user show EMAIL|ID\n"
	"       rowgate user passwd EMAIL|ID [--password-file FILE]\n"
	"       rowgate user ban EMAIL|ID [--for 24h | --lift]\n"
	"       rowgate user sessions EMAIL|ID\n"
	"       rowgate user delete EMAIL|ID\n"
	"each with [--json] [-c FILE]. FILE is '-' for standard input; without one the password is asked for. A ban\n"
	"without --for is for a hundred years. Exit status: 0 done, 1 failed, 2 misused, 3 no such user.\n";

struct choices {
	const char *role, *password_file, *page, *per_page, *duration;
	bool no_password, if_absent, lift;
};

static void print_user(const struct cli *c, const struct identity_user *user)
{
	struct strbuf b;

	if (!c->json) {
		printf("%.*s  %-32.*s %-16.*s%s%s%.*s\n", (int)user->id.len, user->id.ptr, (int)user->email.len,
		       user->email.ptr, (int)user->role.len, user->role.ptr, user->banned ? " banned" : "",
		       user->last_sign_in_at.len ? " last signed in " : "", (int)user->last_sign_in_at.len,
		       user->last_sign_in_at.ptr);
		return;
	}
	strbuf_init(&b, c->arena, 512);
	identity_user_json(user, &b);
	printf("%s\n", strbuf_cstr(&b));
}

static bool add(struct cli *c, const struct choices *o, struct slice email)
{
	struct slice role = slice_of(o->role ? o->role : c->env.config->auth_default_role), password = { "", 0 };
	struct identity_user user;

	if (o->if_absent) {
		if (identity_user_find(&c->env, email, &user, &c->err)) {
			print_user(c, &user);
			return true;
		}
		if (c->err.status != 404)
			return false;
	}
	if (!o->no_password && !cli_secret(c, o->password_file, "Password", &password))
		return false;
	if (!o->no_password && !password.len)
		return error_set(&c->err, ERR_INTERNAL, "the password is empty");
	if (!identity_user_add(&c->env, email, password, role, SLICE("{}"), &user, &c->err))
		return false;
	print_user(c, &user);
	return true;
}

static bool list(struct cli *c, const struct choices *o)
{
	uint64_t page = 1, per_page = 100, total;
	struct identity_user *users;
	size_t n;

	if ((o->page && (!parse_u64(slice_of(o->page), &page) || !page)) ||
	    (o->per_page && (!parse_u64(slice_of(o->per_page), &per_page) || !per_page || per_page > 1000)))
		return error_set(&c->err, ERR_INTERNAL, "--page is 1 or more, --per-page 1 to 1000");
	if (!identity_user_list(&c->env, (page - 1) * per_page, per_page, &users, &n, &total, &c->err))
		return false;
	for (size_t i = 0; i < n; i++)
		print_user(c, &users[i]);
	if (!c->json)
		printf("%llu user(s)\n", (unsigned long long)total);
	return true;
}

static bool passwd(struct cli *c, const struct choices *o, const struct identity_user *user)
{
	struct slice password;

	return cli_secret(c, o->password_file, "New password", &password) &&
	       identity_user_password(&c->env, user, password, &c->err);
}

static bool ban(struct cli *c, const struct choices *o, struct identity_user *user)
{
	int64_t seconds = INT64_C(100) * 365 * 86400;

	if (o->duration && (!identity_duration(slice_of(o->duration), &seconds) || !seconds))
		return error_set(&c->err, ERR_INTERNAL, "--for is a duration such as 90m, 24h or 720h");
	return identity_user_ban(&c->env, user, o->lift ? 0 : seconds, &c->err) &&
	       identity_user_find(&c->env, user->id, user, &c->err);
}

static bool sessions(struct cli *c, const struct identity_user *user)
{
	struct identity_session *list_of;
	struct strbuf b;
	size_t n;

	if (!identity_user_sessions(&c->env, user, &list_of, &n, &c->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		strbuf_init(&b, c->arena, 256);
		if (c->json)
			identity_session_json(&list_of[i], &b);
		else
			strbuf_addf(&b, "%.*s  since %.*s, used %.*s, from %.*s: %.*s", (int)list_of[i].id.len,
				    list_of[i].id.ptr, (int)list_of[i].created_at.len, list_of[i].created_at.ptr,
				    (int)list_of[i].refreshed_at.len, list_of[i].refreshed_at.ptr,
				    (int)list_of[i].address.len, list_of[i].address.ptr, (int)list_of[i].user_agent.len,
				    list_of[i].user_agent.ptr);
		printf("%s\n", strbuf_cstr(&b));
	}
	return true;
}

/* The verbs about one user who is there. */
static bool about(struct cli *c, const struct choices *o, const char *verb, struct identity_user *user)
{
	if (strcmp(verb, "sessions") == 0)
		return sessions(c, user);
	if (strcmp(verb, "delete") == 0) {
		if (!identity_user_delete(&c->env, user, &c->err))
			return false;
	} else if (strcmp(verb, "passwd") == 0) {
		if (!passwd(c, o, user))
			return false;
	} else if (strcmp(verb, "ban") == 0) {
		if (!ban(c, o, user))
			return false;
	}
	print_user(c, user);
	return true;
}

static bool known(const char *verb)
{
	static const char *const verbs[] = { "add", "show", "passwd", "ban", "sessions", "delete" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verb, verbs[i]) == 0)
			return true;
	return false;
}

int command_user(const char *config_path, int argc, char **argv)
{
	struct choices o = { .role = NULL };
	struct cli c = { .json = false };
	const struct cli_option options[] = {
		{ "--role", &o.role, NULL },
		{ "--password-file", &o.password_file, NULL },
		{ "--no-password", NULL, &o.no_password },
		{ "--if-absent", NULL, &o.if_absent },
		{ "--page", &o.page, NULL },
		{ "--per-page", &o.per_page, NULL },
		{ "--for", &o.duration, NULL },
		{ "--lift", NULL, &o.lift },
		{ "--json", NULL, &c.json },
	};
	struct identity_user user;
	bool ok, lists;

	if (!cli_options(&argc, argv, options, sizeof(options) / sizeof(*options)))
		return CLI_MISUSED;
	lists = argc == 1 && strcmp(argv[0], "list") == 0;
	if (!lists && !(argc == 2 && known(argv[0])))
		return cli_usage(usage);
	if (!cli_open(&c, config_path))
		return cli_fail(&c);
	if (!identity_offered(c.env.config))
		ok = error_set(&c.err, ERR_INTERNAL, "db-identity-user is not set: there are no users here");
	else if (lists)
		ok = list(&c, &o);
	else if (strcmp(argv[0], "add") == 0)
		ok = add(&c, &o, slice_of(argv[1]));
	else
		ok = identity_user_find(&c.env, slice_of(argv[1]), &user, &c.err) && about(&c, &o, argv[0], &user);
	if (!ok)
		return cli_fail(&c);
	cli_close(&c);
	return CLI_OK;
}
