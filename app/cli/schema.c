/* rowgate schema: what is published: tables with their keys, policies and who may do what with them, and routines. */
#include <stdio.h>
#include <stdlib.h>

#include "grants.h"
#include "internal.h"

static const char usage[] =
	"usage: rowgate schema [--json] [-c FILE]\n"
	"What is published: tables, keys, relations, row policies, and each right with its roles. With --json one\n"
	"line with {\"tables\",\"routines\",\"roles\"}. Exit status: 0 done, 1 failed, 2 misused.\n";

/* What one role may do. */
struct role {
	struct slice name;
	struct grant *grants;
	size_t ngrants;
};

struct listing {
	struct cli *c;
	const struct schema *schema;
	struct role *roles;
	size_t nroles;
};

static const struct {
	unsigned right;
	const char *name;
} rights[] = { { MAY_SELECT, "select" }, { MAY_INSERT, "insert" }, { MAY_UPDATE, "update" }, { MAY_DELETE, "delete" } };

#define NRIGHTS (sizeof(rights) / sizeof(*rights))

/* --- who may what --- */

static bool read_role(struct cli *c, struct slice name, struct role *out)
{
	struct db_conn *conn = NULL;
	struct slice *lines;
	size_t n;
	bool ok =
		db_acquire(c->state->db, name, -1, &conn, &c->err) && grants_lines(c->arena, conn, &lines, &n, &c->err);

	db_release(c->state->db, conn);
	if (!ok)
		return false;
	*out = (struct role){ .name = name, .grants = arena_array(c->arena, struct grant, n + 1) };
	for (size_t i = 0; i < n; i++)
		out->ngrants += grants_read(c->arena, lines[i], &out->grants[out->ngrants]);
	return true;
}

/* The role by which the login is asked for all of them. */
struct slice cli_role(const struct config *config)
{
	return slice_of(*config->db_anon_role ? config->db_anon_role : config->auth_admin_role);
}

static bool read_roles(struct listing *l)
{
	struct slice *names;
	size_t n;

	if (!identity_roles(&l->c->env, cli_role(&l->c->state->config), &names, &n, &l->c->err))
		return false;
	l->roles = arena_array(l->c->arena, struct role, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!read_role(l->c, names[i], &l->roles[l->nroles++]))
			return false;
	return true;
}

/* Letters behind a role: some columns alone. */
static void print_rights(const struct listing *l, const struct table *t)
{
	for (size_t i = 0; i < NRIGHTS; i++) {
		const char *comma = "";

		for (size_t k = 0; k < l->nroles; k++) {
			struct rights r;

			grants_table_rights(l->c->arena, l->roles[k].grants, l->roles[k].ngrants, t, &r);
			if (!(r.any & rights[i].right))
				continue;
			if (!*comma)
				printf("    %s:", rights[i].name);
			printf("%s %.*s%s", comma, (int)l->roles[k].name.len, l->roles[k].name.ptr,
			       r.whole & rights[i].right ? "" : " (some columns)");
			comma = ",";
		}
		if (*comma)
			putchar('\n');
	}
}

static void print_callers(const struct listing *l, const struct routine *routine)
{
	const char *comma = "";

	for (size_t k = 0; k < l->nroles; k++) {
		if (!grants_may_call(l->roles[k].grants, l->roles[k].ngrants, routine))
			continue;
		printf("%s %.*s", *comma ? comma : "    execute:", (int)l->roles[k].name.len, l->roles[k].name.ptr);
		comma = ",";
	}
	if (*comma)
		putchar('\n');
}

/* --- as text --- */

static void print_key(const char *what, const struct key *k)
{
	printf("    %s (", what);
	for (size_t i = 0; i < k->n; i++)
		printf("%s%.*s", i ? ", " : "", (int)k->columns[i]->name.len, k->columns[i]->name.ptr);
	puts(")");
}

static void print_policies(const struct table *t)
{
	static const char *const verbs[] = { "select", "insert", "update", "delete" };

	if (t->reads_policed.len)
		printf("    closed: reads %.*s, which has policies\n", (int)t->reads_policed.len, t->reads_policed.ptr);
	for (const struct policy *p = t->policies; p; p = p->next) {
		printf("    policy \"%.*s\" for %.*s:", (int)p->name.len, p->name.ptr, (int)p->role.len, p->role.ptr);
		for (unsigned i = 0; i < 4; i++)
			if (p->verbs & 1u << i)
				printf(" %s", verbs[i]);
		if (p->using)
			printf(" using (%.*s)", (int)p->using->source.len, p->using->source.ptr);
		if (p->check)
			printf(" check (%.*s)", (int)p->check->source.len, p->check->source.ptr);
		printf("%s%s\n", p->fault ? " REFUSED: " : "", p->fault ? p->fault : "");
	}
}

static void print_table(const struct listing *l, const struct table *t)
{
	printf("%.*s.%.*s%s (", (int)t->schema.len, t->schema.ptr, (int)t->name.len, t->name.ptr,
	       t->is_view ? " [view]" : "");
	for (size_t i = 0; i < t->ncolumns; i++)
		printf("%s%.*s", i ? ", " : "", (int)t->columns[i].name.len, t->columns[i].name.ptr);
	puts(")");
	for (size_t i = 0; i < t->nunique; i++)
		print_key(&t->unique[i] == t->primary ? "key" : "unique", &t->unique[i]);
	for (size_t i = 0; i < t->nrelations; i++) {
		static const char *const kinds[] = { "to-one", "one-to-one", "to-many", "many-to-many" };
		const struct relation *r = &t->relations[i];

		printf("    %s %.*s.%.*s by %.*s\n", kinds[r->cardinality], (int)r->to->schema.len, r->to->schema.ptr,
		       (int)r->to->name.len, r->to->name.ptr, (int)r->constraint.len, r->constraint.ptr);
	}
	print_policies(t);
	print_rights(l, t);
}

static void print_routine(const struct listing *l, const struct routine *r)
{
	static const char *const modes[] = { "", "OUT ", "INOUT " };

	printf("%.*s.%.*s [%s] (", (int)r->schema.len, r->schema.ptr, (int)r->name.len, r->name.ptr,
	       r->is_function ? "function" : "procedure");
	for (size_t i = 0; i < r->nparameters; i++)
		printf("%s%s%.*s", i ? ", " : "", modes[r->parameters[i].mode], (int)r->parameters[i].column.name.len,
		       r->parameters[i].column.name.ptr);
	puts(")");
	print_callers(l, r);
}

/* --- as JSON --- */

static void member(struct strbuf *b, const char *before, const char *name, struct slice value)
{
	strbuf_addf(b, "%s\"%s\":", before, name);
	json_string(b, value);
}

static void names(struct strbuf *b, const struct column *const *columns, size_t n)
{
	strbuf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		json_string(b, columns[i]->name);
	}
	strbuf_addc(b, ']');
}

static void add_columns(const struct table *t, struct strbuf *b)
{
	strbuf_lit(b, ",\"columns\":[");
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];

		member(b, i ? ",{" : "{", "name", c->name);
		member(b, ",", "type", c->db_type);
		strbuf_addf(b, ",\"nullable\":%s,\"has_default\":%s,\"generated\":%s}", c->nullable ? "true" : "false",
			    c->has_default ? "true" : "false", c->generated ? "true" : "false");
	}
	strbuf_addc(b, ']');
}

static void add_keys(const struct table *t, struct strbuf *b)
{
	const char *comma = "";

	strbuf_lit(b, ",\"primary_key\":");
	if (t->primary)
		names(b, t->primary->columns, t->primary->n);
	else
		strbuf_lit(b, "null");
	strbuf_lit(b, ",\"unique_keys\":[");
	for (size_t i = 0; i < t->nunique; i++) {
		if (&t->unique[i] == t->primary)
			continue;
		strbuf_adds(b, comma);
		comma = ",";
		names(b, t->unique[i].columns, t->unique[i].n);
	}
	strbuf_addc(b, ']');
}

static void add_relations(const struct table *t, struct strbuf *b)
{
	static const char *const kinds[] = { "to-one", "one-to-one", "to-many", "many-to-many" };

	strbuf_lit(b, ",\"relations\":[");
	for (size_t i = 0; i < t->nrelations; i++) {
		const struct relation *r = &t->relations[i];

		member(b, i ? ",{" : "{", "kind", slice_of(kinds[r->cardinality]));
		member(b, ",", "schema", r->to->schema);
		member(b, ",", "table", r->to->name);
		member(b, ",", "constraint", r->constraint);
		strbuf_lit(b, ",\"columns\":");
		names(b, r->from_columns, r->n);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void add_policies(const struct table *t, struct strbuf *b)
{
	if (t->reads_policed.len)
		member(b, ",", "closed_by", t->reads_policed);
	strbuf_lit(b, ",\"policies\":[");
	for (const struct policy *p = t->policies; p; p = p->next) {
		if (p != t->policies)
			strbuf_addc(b, ',');
		identity_policy_json(p, b);
	}
	strbuf_addc(b, ']');
}

static void add_table(const struct table *t, struct strbuf *b)
{
	member(b, "{", "schema", t->schema);
	member(b, ",", "table", t->name);
	strbuf_addf(b, ",\"view\":%s", t->is_view ? "true" : "false");
	add_columns(t, b);
	add_keys(t, b);
	add_relations(t, b);
	add_policies(t, b);
	strbuf_addc(b, '}');
}

static void add_routine(const struct routine *r, struct strbuf *b)
{
	static const char *const modes[] = { "in", "out", "inout" };

	member(b, "{", "schema", r->schema);
	member(b, ",", "name", r->name);
	strbuf_addf(b, ",\"kind\":\"%s\",\"parameters\":[", r->is_function ? "function" : "procedure");
	for (size_t i = 0; i < r->nparameters; i++) {
		member(b, i ? ",{" : "{", "name", r->parameters[i].column.name);
		strbuf_addf(b, ",\"mode\":\"%s\"}", modes[r->parameters[i].mode]);
	}
	strbuf_lit(b, "]}");
}

static bool print_json(const struct listing *l, const struct table *const *tables, size_t n)
{
	struct strbuf b;

	strbuf_init(&b, l->c->arena, 65536);
	strbuf_lit(&b, "{\"tables\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&b, ',');
		add_table(tables[i], &b);
	}
	strbuf_lit(&b, "],\"routines\":[");
	for (const struct routine *r = l->schema->routines; r; r = r->next) {
		if (r != l->schema->routines)
			strbuf_addc(&b, ',');
		add_routine(r, &b);
	}
	strbuf_lit(&b, "],\"roles\":[");
	for (size_t i = 0; i < l->nroles; i++) {
		if (i)
			strbuf_addc(&b, ',');
		if (!identity_role_json(&l->c->env, l->schema, l->roles[i].name, &b, &l->c->err))
			return false;
	}
	strbuf_lit(&b, "]}");
	return puts(strbuf_cstr(&b)) >= 0;
}

static bool list(struct listing *l)
{
	const struct table **tables;
	size_t n = identity_tables(l->c->arena, l->schema, &tables);

	if (!read_roles(l))
		return false;
	if (l->c->json)
		return print_json(l, tables, n);
	for (size_t i = 0; i < n; i++)
		print_table(l, tables[i]);
	for (const struct routine *r = l->schema->routines; r; r = r->next)
		print_routine(l, r);
	return true;
}

bool cli_schema(struct cli *c, struct schema **out)
{
	struct db_conn *conn;

	*out = NULL;
	if (!db_catalogue(c->state->db, &conn, &c->err))
		return false;
	*out = schema_load(&c->state->config, c->state->db, conn, NULL, &c->err);
	return *out != NULL;
}

int command_schema(const char *config_path, int argc, char **argv)
{
	struct cli c = { .json = false };
	const struct cli_option options[] = { { "--json", NULL, &c.json } };
	struct listing l = { .c = &c };
	struct schema *schema = NULL;
	bool ok;

	if (!cli_options(&argc, argv, options, sizeof(options) / sizeof(*options)))
		return CLI_MISUSED;
	if (argc)
		return cli_usage(usage);
	ok = cli_open(&c, config_path) && cli_schema(&c, &schema);
	l.schema = schema;
	ok = ok && list(&l);
	schema_free(schema);
	if (!ok)
		return cli_fail(&c);
	cli_close(&c);
	return CLI_OK;
}
