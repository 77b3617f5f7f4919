/* The subcommands beside serve: for people at a terminal, in plain text. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker.h"

/* A command's own worker: no server, nothing shared. */
struct session {
	struct arena *arena;
	struct state *state;
	struct error err;
};

static bool session_open(struct session *s, const char *config_path)
{
	s->arena = arena_open();
	s->state = NULL;
	error_init(&s->err, s->arena);
	return state_open(config_path, &s->state, &s->err);
}

static void session_close(struct session *s)
{
	state_close(s->state);
	arena_close(s->arena);
}

static int fail(struct session *s)
{
	fprintf(stderr, "rowgate: %s%s%s\n", s->err.message, s->err.log_detail ? ": " : "",
		s->err.log_detail ? s->err.log_detail : "");
	session_close(s);
	return 1;
}

/* --- texts from a query of two columns at most --- */

struct texts {
	struct slice (*rows)[2];
	size_t n;
};

static bool read_texts(struct session *s, struct db_conn *conn, struct slice text, const struct value *params,
		       size_t nparams, size_t ncolumns, struct texts *out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT };
	struct db_statement statement = {
		.text = text, .params = params, .nparams = nparams, .columns = fetch, .ncolumns = ncolumns
	};
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;
	size_t cap = 0;

	*out = (struct texts){ NULL, 0 };
	if (!db_query(s->arena, conn, &statement, &rows, &s->err))
		return false;
	while ((step = db_next(rows, &cells, &s->err)) == DB_ROW) {
		if (out->n == cap) {
			struct slice(*more)[2];

			cap = cap ? cap * 2 : 16;
			more = arena_alloc(s->arena, cap * sizeof(*more));
			if (out->n)
				memcpy(more, out->rows, out->n * sizeof(*more));
			out->rows = more;
		}
		for (size_t i = 0; i < ncolumns; i++)
			out->rows[out->n][i] = cells[i].kind == VALUE_TEXT ? slice_copy(s->arena, cells[i].s)
									   : (struct slice){ "", 0 };
		out->n++;
	}
	return step == DB_END;
}

static bool read_roles(struct session *s, struct db_conn *conn, struct texts *out)
{
	return read_texts(s, conn,
			  SLICE("SELECT DISTINCT ROLE_NAME FROM information_schema.APPLICABLE_ROLES ORDER BY 1"), NULL,
			  0, 1, out);
}

/* A connection as the authenticator, before any role: by way of the anonymous role, or the first there is. */
static bool login(struct session *s, struct slice role, struct db_conn **conn)
{
	return db_acquire(s->state->db, role, -1, conn, &s->err);
}

/* --- check --- */

struct check {
	struct session *s;
	unsigned problems;
};

static void report(struct check *c, const char *what, bool ok)
{
	const struct error *err = &c->s->err;

	if (ok) {
		printf("ok       %s\n", what);
		return;
	}
	c->problems++;
	printf("PROBLEM  %s: %s%s%s\n", what, err->message, err->log_detail ? ": " : "",
	       err->log_detail ? err->log_detail : "");
	error_init(&c->s->err, c->s->arena);
}

static void note(const char *text)
{
	printf("note     %s\n", text);
}

static void check_schemas(struct check *c, const struct schema *schema)
{
	const struct config_list *names = &c->s->state->config.db_schemas;

	for (size_t i = 0; i < names->n; i++) {
		size_t n = 0;

		for (const struct table *t = schema_next_table(schema, NULL); t; t = schema_next_table(schema, t))
			n += slice_is(t->schema, names->items[i]);
		if (!n)
			error_set(&c->s->err, ERR_DB_SCHEMA,
				  "no tables: does it exist, and may db-catalogue-user see it?");
		report(c, arena_printf(c->s->arena, "database %s publishes %zu tables and views", names->items[i], n),
		       n > 0);
	}
}

static void report_fault(void *context, const char *text)
{
	struct check *c = context;

	error_set(&c->s->err, ERR_POLICY, "%s", text);
	report(c, "row policies", false);
}

static void check_policies(struct check *c, const struct schema *schema)
{
	unsigned before = c->problems;

	if (!schema->has_policies) {
		note("rowgate.policy is not there: no table has row policies");
		return;
	}
	schema_policy_faults(c->s->arena, schema, report_fault, c);
	if (c->problems == before)
		report(c, "row policies can be applied", true);
}

static void check_catalogue(struct check *c)
{
	struct session *s = c->s;
	struct schema *schema = NULL;
	struct db_conn *conn;
	bool ok = db_catalogue(s->state->db, &conn, &s->err);

	report(c, "db-catalogue-user logs in", ok);
	if (!ok)
		return;
	schema = schema_load(&s->state->config, conn, &s->err);
	report(c, "definitions can be read", schema != NULL);
	if (schema) {
		check_schemas(c, schema);
		check_policies(c, schema);
	}
	schema_free(schema);
}

static void check_identity(struct check *c)
{
	struct session *s = c->s;
	struct arena *a = s->arena;
	struct identity_env env = {
		.arena = a, .config = &s->state->config, .auth = s->state->auth, .db = s->state->db, .client_fd = -1
	};
	struct db_conn *conn;
	uint64_t version = 0;

	if (!identity_offered(&s->state->config)) {
		note("db-identity-user is not set: /auth/v1 is not offered, and no token can be revoked");
		return;
	}
	report(c, "db-identity-user logs in", db_identity(s->state->db, -1, &conn, &s->err));
	report(c, "what is revoked can be read", identity_load_revocations(&env, &version, &s->err));
	if (!*s->state->config.auth_signing_keys)
		note("auth-signing-keys is not set: /auth/v1 signs with jwt-secret");
}

static void check_connections(struct check *c, struct db_conn *conn)
{
	struct texts t;

	if (!read_texts(c->s, conn, SLICE("SHOW GLOBAL VARIABLES LIKE 'max_connections'"), NULL, 0, 2, &t) || !t.n)
		return;
	note(arena_printf(c->s->arena,
			  "the server allows %.*s connections; each worker may open %llu and one for definitions",
			  (int)t.rows[0][1].len, t.rows[0][1].ptr,
			  (unsigned long long)c->s->state->config.db_connections_per_worker));
}

static void check_roles(struct check *c)
{
	struct session *s = c->s;
	const struct config *config = &s->state->config;
	struct slice anon = slice_of(config->db_anon_role);
	struct db_conn *conn = NULL;
	struct texts roles;
	bool ok;

	if (!anon.len) {
		note("db-anon-role is empty: every request needs a token");
		return;
	}
	ok = login(s, anon, &conn);
	report(c, arena_printf(s->arena, "%s logs in and may take the role %s", config->db_user, config->db_anon_role),
	       ok);
	if (!ok)
		return;
	if (read_roles(s, conn, &roles)) {
		struct strbuf b;

		strbuf_init(&b, s->arena, 256);
		for (size_t i = 0; i < roles.n; i++)
			strbuf_addf(&b, "%s%.*s", i ? ", " : "", (int)roles.rows[i][0].len, roles.rows[i][0].ptr);
		note(arena_printf(s->arena, "roles granted to %s: %s", config->db_user, strbuf_cstr(&b)));
	}
	check_connections(c, conn);
	db_release(s->state->db, conn);
}

static void check_transport(struct check *c)
{
	const struct config *config = &c->s->state->config;

	if (config->db_host.n && !*config->db_ca)
		note("db-ca is not set: the connection to db-host is not encrypted or not verified");
	if (!*config->jwt_secret && !*config->jwt_secret_file)
		note("no jwt-secret: every token is refused");
}

int command_check(const char *config_path)
{
	struct session s;
	struct check c = { &s, 0 };
	bool ok = session_open(&s, config_path);

	report(&c, arena_printf(s.arena, "configuration and keys (%s)", config_path), ok);
	if (ok) {
		check_transport(&c);
		check_catalogue(&c);
		check_identity(&c);
		check_roles(&c);
	}
	printf(c.problems ? "%u problem(s)\n" : "no problems\n", c.problems);
	session_close(&s);
	return c.problems ? 1 : 0;
}

/* --- schema --- */

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

static void print_table(const struct table *t)
{
	printf("%.*s.%.*s%s (", (int)t->schema.len, t->schema.ptr, (int)t->name.len, t->name.ptr,
	       t->is_view ? " [view]" : "");
	for (size_t i = 0; i < t->ncolumns; i++)
		printf("%s%.*s", i ? ", " : "", (int)t->columns[i].name.len, t->columns[i].name.ptr);
	puts(")");
	for (size_t i = 0; i < t->nrelations; i++) {
		static const char *const kinds[] = { "to-one", "one-to-one", "to-many", "many-to-many" };
		const struct relation *r = &t->relations[i];

		printf("    %s %.*s.%.*s by %.*s\n", kinds[r->cardinality], (int)r->to->schema.len, r->to->schema.ptr,
		       (int)r->to->name.len, r->to->name.ptr, (int)r->constraint.len, r->constraint.ptr);
	}
	print_policies(t);
}

static void print_routine(const struct routine *r)
{
	static const char *const modes[] = { "", "OUT ", "INOUT " };

	printf("%.*s.%.*s [%s] (", (int)r->schema.len, r->schema.ptr, (int)r->name.len, r->name.ptr,
	       r->is_function ? "function" : "procedure");
	for (size_t i = 0; i < r->nparameters; i++)
		printf("%s%s%.*s", i ? ", " : "", modes[r->parameters[i].mode], (int)r->parameters[i].column.name.len,
		       r->parameters[i].column.name.ptr);
	puts(")");
}

static void print_role(struct session *s, struct slice role)
{
	const struct config *c = &s->state->config;
	struct db_conn *conn = NULL;
	struct texts tables;

	printf("role %.*s:", (int)role.len, role.ptr);
	if (!login(s, role, &conn)) {
		printf(" %s\n", s->err.message);
		return;
	}
	for (size_t i = 0; i < c->db_schemas.n; i++) {
		struct value db = value_text(slice_of(c->db_schemas.items[i]));

		if (!read_texts(s, conn,
				SLICE("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE "
				      "TABLE_SCHEMA = ? ORDER BY 1, 2"),
				&db, 1, 2, &tables))
			continue;
		for (size_t k = 0; k < tables.n; k++)
			printf(" %.*s.%.*s", (int)tables.rows[k][0].len, tables.rows[k][0].ptr,
			       (int)tables.rows[k][1].len, tables.rows[k][1].ptr);
	}
	putchar('\n');
	db_release(s->state->db, conn);
}

static void print_roles(struct session *s)
{
	struct db_conn *conn = NULL;
	struct texts roles = { NULL, 0 };
	struct slice anon = slice_of(s->state->config.db_anon_role);

	if (!anon.len || !login(s, anon, &conn))
		return;
	if (!read_roles(s, conn, &roles))
		roles.n = 0;
	db_release(s->state->db, conn);
	for (size_t i = 0; i < roles.n; i++)
		print_role(s, roles.rows[i][0]);
}

int command_schema(const char *config_path)
{
	struct session s;
	struct schema *schema;
	struct db_conn *conn;

	if (!session_open(&s, config_path) || !db_catalogue(s.state->db, &conn, &s.err))
		return fail(&s);
	schema = schema_load(&s.state->config, conn, &s.err);
	if (!schema)
		return fail(&s);
	for (const struct table *t = schema_next_table(schema, NULL); t; t = schema_next_table(schema, t))
		print_table(t);
	for (const struct routine *r = schema->routines; r; r = r->next)
		print_routine(r);
	print_roles(&s);
	schema_free(schema);
	session_close(&s);
	return 0;
}
