/* rowgate token: tokens made, taken back, and looked into. Tokens are secrets: they come by file or standard input. */
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "internal.h"

static const char usage[] =
	"usage: rowgate token issue --role NAME [--sub TEXT] [--ttl SECONDS]\n"
	"       rowgate token revoke --jti ID | --token-file FILE | --session ID | --sub TEXT | --all\n"
	"                            [--issued-before SECONDS-SINCE-1970]\n"
	"       rowgate token inspect [FILE]\n"
	"each with [--json] [-c FILE]. issue signs with jwt-secret, or the newest signing key where that is no text. revoke\n"
	"by subject, session or --all means tokens issued until now unless told otherwise; it is in force within 5 seconds.\n"
	"FILE is '-' for standard input. Exit status: 0 done (inspect: the token is good), 1 not, 2 misused.\n";

struct choices {
	const char *role, *subject, *ttl, *jti, *session, *token_file, *before;
	bool all;
};

static bool issue(struct cli *c, const struct choices *o)
{
	uint64_t ttl = 3600;
	time_t now = time(NULL);
	struct strbuf claims;
	struct slice token;

	if (o->ttl && !parse_u64(slice_of(o->ttl), &ttl))
		return error_set(&c->err, ERR_INTERNAL, "--ttl is a number of seconds");
	strbuf_init(&claims, c->arena, 256);
	strbuf_lit(&claims, "{\"role\":");
	json_string(&claims, slice_of(o->role));
	if (o->subject) {
		strbuf_lit(&claims, ",\"sub\":");
		json_string(&claims, slice_of(o->subject));
	}
	strbuf_lit(&claims, ",\"jti\":");
	json_string(&claims, identity_token_id(c->arena));
	strbuf_addf(&claims, ",\"iat\":%lld,\"exp\":%lld}", (long long)now, (long long)now + (long long)ttl);
	if (!auth_issue(c->arena, c->state->auth, strbuf_slice(&claims), &token, &c->err))
		return false;
	printf(c->json ? "{\"token\":\"%.*s\"}\n" : "%.*s\n", (int)token.len, token.ptr);
	return true;
}

/* A member of the claims; the object ends with the arena's command. */
static struct json_object *claims_of(struct cli *c, struct slice claims)
{
	return json_tokener_parse(slice_cstr(c->arena, claims));
}

/* The jti of a token that is good, and when it expires. */
static bool jti_of(struct cli *c, const char *path, struct slice *jti_out, int64_t *expires_out)
{
	struct json_object *claims, *jti;
	struct principal who;
	struct slice token;
	bool has;

	if (!cli_text(c, path, &token) || !auth_verify(c->arena, c->state->auth, token, time(NULL), &who, &c->err))
		return false;
	claims = claims_of(c, who.claims);
	has = json_object_object_get_ex(claims, "jti", &jti) && json_object_is_type(jti, json_type_string);
	if (has)
		*jti_out = slice_of(arena_printf(c->arena, "%s", json_object_get_string(jti)));
	json_object_put(claims);
	*expires_out = who.expires == INT64_MAX ? 0 : who.expires + (int64_t)c->env.config->jwt_leeway + 1;
	return has || error_set(&c->err, ERR_INTERNAL, "the token has no jti: revoke it by --sub or --all");
}

static bool revoke(struct cli *c, const struct choices *o)
{
	enum auth_revocation kind = o->all ? REVOKE_ALL : o->subject ? REVOKE_SUBJECT : REVOKE_TOKEN;
	struct slice value = slice_of(o->subject ? o->subject : o->jti ? o->jti : "");
	int64_t before = o->all || o->subject ? time(NULL) + 1 : INT64_MAX, expires = 0;

	if (o->session) {
		kind = REVOKE_SESSION;
		value = slice_of(o->session);
		before = INT64_MAX;
	}
	if (o->token_file && !jti_of(c, o->token_file, &value, &expires))
		return false;
	if (o->before && (!parse_i64(slice_of(o->before), &before) || before < 0))
		return error_set(&c->err, ERR_INTERNAL, "--issued-before is a number of seconds since 1970");
	if (!identity_offered(c->env.config))
		return error_set(&c->err, ERR_INTERNAL, "db-identity-user is not set: nothing can be revoked");
	if (!identity_revoke(&c->env, kind, value, before, expires, &c->err))
		return false;
	puts(c->json ? "{\"revoked\":true}" : "revoked");
	return true;
}

static bool inspect(struct cli *c, const char *path)
{
	uint64_t version = 0;
	struct principal who;
	struct slice token;

	if (!cli_text(c, path, &token))
		return false;
	if (identity_offered(c->env.config) && !identity_load_revocations(&c->env, &version, &c->err))
		return false;
	if (!auth_verify(c->arena, c->state->auth, token, time(NULL), &who, &c->err))
		return false;
	if (c->json)
		printf("{\"valid\":true,\"claims\":%.*s}\n", (int)who.claims.len, who.claims.ptr);
	else
		printf("good: role %.*s\n%.*s\n", (int)who.role.len, who.role.ptr, (int)who.claims.len, who.claims.ptr);
	return true;
}

/* Exactly one of those that say what is meant. */
static bool one_target(const struct choices *o)
{
	return (o->jti != NULL) + (o->session != NULL) + (o->token_file != NULL) + (o->subject != NULL) + o->all == 1;
}

int command_token(const char *config_path, int argc, char **argv)
{
	struct choices o = { .role = NULL };
	struct cli c = { .json = false };
	const struct cli_option options[] = {
		{ "--role", &o.role, NULL },       { "--sub", &o.subject, NULL },
		{ "--ttl", &o.ttl, NULL },         { "--jti", &o.jti, NULL },
		{ "--session", &o.session, NULL }, { "--token-file", &o.token_file, NULL },
		{ "--all", NULL, &o.all },         { "--issued-before", &o.before, NULL },
		{ "--json", NULL, &c.json },
	};
	bool issues, revokes, ok;

	if (!cli_options(&argc, argv, options, sizeof(options) / sizeof(*options)))
		return cli_usage(usage);
	issues = argc == 1 && strcmp(argv[0], "issue") == 0 && o.role;
	revokes = argc == 1 && strcmp(argv[0], "revoke") == 0 && one_target(&o);
	if (!issues && !revokes && !((argc == 1 || argc == 2) && strcmp(argv[0], "inspect") == 0))
		return cli_usage(usage);
	if (!cli_open(&c, config_path))
		return cli_fail(&c);
	ok = issues ? issue(&c, &o) : revokes ? revoke(&c, &o) : inspect(&c, argc == 2 ? argv[1] : "-");
	if (!ok)
		return cli_fail(&c);
	cli_close(&c);
	return CLI_OK;
}
