/* rowgate policy: which rows a role meets. What is written is tried before, as the endpoint admin/policies does. */
#include <stdio.h>

#include "internal.h"

static const char usage[] =
	"usage: rowgate policy list [SCHEMA.TABLE]\n"
	"       rowgate policy check|add SCHEMA.TABLE ROLE NAME [--using SQL] [--check SQL] [--verbs select,insert,...]\n"
	"                                [--comment TEXT]\n"
	"       rowgate policy delete SCHEMA.TABLE ROLE NAME\n"
	"each with [--json] [-c FILE]. ROLE may be '*'. An expression that cannot be applied is refused, and nothing is\n"
	"changed; check only says so. list ends with 1 when some policy cannot be applied. In force within db-schema-poll\n"
	"seconds. Exit status: 0 done (check: it would do), 1 not, 2 misused, 3 there is no such policy.\n";

struct choices {
	const char *using, *check, *verbs, *comment;
};

/* A name may have dots: the first one that makes two names ends the schema's. */
static bool table_name(struct slice text, struct policy_texts *out)
{
	struct slice rest = text;

	return slice_split(&rest, '.', &out->schema) && rest.ptr && out->schema.len && (out->table = rest).len;
}

static void print(const struct cli *c, const struct policy *p)
{
	struct strbuf b;

	strbuf_init(&b, c->arena, 512);
	if (c->json) {
		identity_policy_json(p, &b);
		puts(strbuf_cstr(&b));
		return;
	}
	identity_verbs_json(p->verbs, &b);
	printf("%.*s.%.*s %.*s \"%.*s\" %s", (int)p->schema.len, p->schema.ptr, (int)p->table.len, p->table.ptr,
	       (int)p->role.len, p->role.ptr, (int)p->name.len, p->name.ptr, strbuf_cstr(&b));
	if (p->using)
		printf(" using (%.*s)", (int)p->using->source.len, p->using->source.ptr);
	if (p->check)
		printf(" check (%.*s)", (int)p->check->source.len, p->check->source.ptr);
	printf("%s%s\n", p->fault ? " REFUSED: " : "", p->fault ? p->fault : "");
}

/* The status of the command: a policy that cannot be applied is a failure to whoever looks. */
static int list(struct cli *c, const struct schema *schema, const struct policy_texts *only)
{
	const struct table **tables;
	size_t n = identity_tables(c->arena, schema, &tables);
	int status = CLI_OK;

	for (size_t i = 0; i <= n; i++)
		for (const struct policy *p = i < n ? tables[i]->policies : schema->stray_policies; p; p = p->next) {
			if (only->table.len && (!slice_eq(p->schema, only->schema) || !slice_eq(p->table, only->table)))
				continue;
			print(c, p);
			status = p->fault ? CLI_FAILED : status;
		}
	return status;
}

static bool verbs_fit(struct cli *c, struct slice verbs)
{
	struct slice part;

	while (slice_split(&verbs, ',', &part))
		if (!slice_is(part, "select") && !slice_is(part, "insert") && !slice_is(part, "update") &&
		    !slice_is(part, "delete"))
			return error_set(&c->err, ERR_INTERNAL, "--verbs is a list of select, insert, update, delete");
	return true;
}

static bool about_one(struct cli *c, const struct schema *schema, const char *verb, const struct policy_texts *texts)
{
	struct slice as = cli_role(&c->state->config);
	struct policy policy;

	if (strcmp(verb, "delete") == 0) {
		if (!identity_policy_delete(&c->env, texts, &c->err))
			return false;
		puts(c->json ? "{}" : "deleted");
		return true;
	}
	if (!verbs_fit(c, texts->verbs))
		return false;
	if (strcmp(verb, "add") == 0) {
		if (!identity_policy_add(&c->env, schema, as, texts, &policy, &c->err))
			return false;
		print(c, &policy);
		return true;
	}
	if (!identity_policy_check(&c->env, schema, as, texts, &policy, &c->err))
		return false;
	print(c, &policy);
	return !policy.fault || error_set(&c->err, ERR_INTERNAL, "it would not do");
}

static bool known(const char *verb, int argc)
{
	if (strcmp(verb, "list") == 0)
		return argc <= 2;
	return argc == 4 && (strcmp(verb, "check") == 0 || strcmp(verb, "add") == 0 || strcmp(verb, "delete") == 0);
}

static int run(struct cli *c, int argc, char **argv, const struct choices *o)
{
	struct policy_texts texts = { .verbs = slice_of(o->verbs ? o->verbs : "select,insert,update,delete"),
				      .using = slice_of(o->using),
				      .check = slice_of(o->check),
				      .comment = slice_of(o->comment ? o->comment : "") };
	struct schema *schema = NULL;
	int status = CLI_OK;
	bool ok = argc < 2 || table_name(slice_of(argv[1]), &texts) ||
		  error_set(&c->err, ERR_INTERNAL, "a table is named SCHEMA.TABLE");

	if (argc == 4) {
		texts.role = slice_of(argv[2]);
		texts.name = slice_of(argv[3]);
		ok = ok &&
		     (identity_offered(c->env.config) ||
		      error_set(&c->err, ERR_INTERNAL, "db-identity-user is not set: write rowgate.policy by SQL"));
	}
	ok = ok && cli_schema(c, &schema);
	if (ok && argc < 4)
		status = list(c, schema, &texts);
	else
		ok = ok && about_one(c, schema, argv[0], &texts);
	schema_free(schema);
	if (!ok)
		return cli_fail(c);
	cli_close(c);
	return status;
}

int command_policy(const char *config_path, int argc, char **argv)
{
	struct choices o = { .using = NULL };
	struct cli c = { .json = false };
	const struct cli_option options[] = {
		{ "--using", &o.using, NULL },     { "--check", &o.check, NULL }, { "--verbs", &o.verbs, NULL },
		{ "--comment", &o.comment, NULL }, { "--json", NULL, &c.json },
	};

	if (!cli_options(&argc, argv, options, sizeof(options) / sizeof(*options)))
		return CLI_MISUSED;
	if (!argc || !known(argv[0], argc))
		return cli_usage(usage);
	if (!cli_open(&c, config_path))
		return cli_fail(&c);
	return run(&c, argc, argv, &o);
}
