/* rowgate check: configuration, keys, database and grants, for people at a terminal. */
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
	schema = schema_load(&s->state->config, s->state->db, conn, NULL, &s->err);
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

/* Without them a write with an Idempotency-Key is refused, and nothing else is amiss. */
static void check_idempotency(struct check *c, struct db_conn *conn)
{
	static const char *const routines[] = { "idempotency_find", "idempotency_store", "idempotency_expire" };
	struct session *s = c->s;
	struct texts t;
	struct strbuf b;

	/* Of routines the server shows those that the login may execute. */
	if (!read_texts(s, conn,
			SLICE("SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'rowgate' "
			      "AND ROUTINE_NAME LIKE 'idempotency%'"),
			NULL, 0, 1, &t)) {
		report(c, "routines of Idempotency-Key", false);
		return;
	}
	strbuf_init(&b, s->arena, 128);
	for (size_t i = 0; i < sizeof(routines) / sizeof(*routines); i++) {
		bool found = false;

		for (size_t k = 0; k < t.n; k++)
			found |= slice_is(t.rows[k][0], routines[i]);
		if (!found)
			strbuf_addf(&b, "%s%s", b.len ? ", " : "", routines[i]);
	}
	if (b.len)
		error_set(
			&s->err, ERR_DB_ROUTINE,
			"%s may not execute rowgate.%s: a write with an Idempotency-Key is refused (sql/deploy.sh deploy)",
			s->state->config.db_user, strbuf_cstr(&b));
	report(c, "writes with an Idempotency-Key can be kept", !b.len);
}

/* Reads go on without it, so nobody else says that it is gone. */
static void check_reader(struct check *c, struct slice role)
{
	struct session *s = c->s;
	struct db_conn *conn = NULL;
	int64_t beat;
	bool ok;

	if (!*s->state->config.db_reader_host)
		return;
	ok = db_acquire_reader(s->state->db, role, -1, &conn, &beat, &s->err);
	report(c, "db-reader-host lets in and shows how far it is", ok);
	db_release(s->state->db, conn);
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
	check_idempotency(c, conn);
	db_release(s->state->db, conn);
	check_reader(c, anon);
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
