/* admin/roles: what each role that tokens may name can do in the published databases. */
#include <stdlib.h>

#include "grants.h"
#include "internal.h"

static const struct {
	unsigned right;
	enum policy_verb verb;
	const char *name;
} rights[] = {
	{ MAY_SELECT, POLICY_SELECT, "select" },
	{ MAY_INSERT, POLICY_INSERT, "insert" },
	{ MAY_UPDATE, POLICY_UPDATE, "update" },
	{ MAY_DELETE, POLICY_DELETE, "delete" },
};

#define NRIGHTS (sizeof(rights) / sizeof(*rights))

/* Commas between what is written one after the other. */
struct listing {
	struct strbuf *out;
	bool more;
};

static void next(struct listing *l)
{
	if (l->more)
		strbuf_addc(l->out, ',');
	l->more = true;
}

static void named(struct strbuf *out, const char *name, struct slice value)
{
	strbuf_addf(out, "\"%s\":", name);
	json_string(out, value);
}

/* Every row that there is: some policy of the verb says TRUE. */
static bool all_rows(const struct table *t, struct slice role, enum policy_verb verb)
{
	for (const struct policy *p = t->policies; p; p = p->next) {
		const struct policy_expression *e =
			verb == POLICY_INSERT || !p->using ? (p->check ? p->check : p->using) : p->using;

		if (!p->fault && (p->verbs & verb) && (slice_is(p->role, "*") || slice_eq(p->role, role)) && e &&
		    e->always)
			return true;
	}
	return !t->policed;
}

static void add_rights(const struct table *t, const struct rights *r, struct slice role, struct strbuf *out)
{
	struct listing verbs = { out, false }, limited = { out, false };

	strbuf_lit(out, ",\"rights\":[");
	for (size_t i = 0; i < NRIGHTS; i++)
		if (r->any & rights[i].right) {
			next(&verbs);
			json_string(out, slice_of(rights[i].name));
		}
	strbuf_addc(out, ']');
	if (!t->policed)
		return;
	strbuf_lit(out, ",\"policies\":[");
	for (size_t i = 0; i < NRIGHTS; i++)
		if ((r->any & rights[i].right) && !all_rows(t, role, rights[i].verb)) {
			next(&limited);
			json_string(out, slice_of(rights[i].name));
		}
	strbuf_addc(out, ']');
}

/* Only where a right is not one to the whole table. */
static void add_columns(const struct table *t, const struct rights *r, struct strbuf *out)
{
	struct listing verbs = { out, false };

	if (!(r->any & ~r->whole))
		return;
	strbuf_lit(out, ",\"columns\":{");
	for (size_t i = 0; i < NRIGHTS; i++) {
		struct listing columns = { out, false };

		if (!(r->any & ~r->whole & rights[i].right))
			continue;
		next(&verbs);
		strbuf_addf(out, "\"%s\":[", rights[i].name);
		for (size_t c = 0; c < t->ncolumns; c++)
			if (r->columns[c] & rights[i].right) {
				next(&columns);
				json_string(out, t->columns[c].name);
			}
		strbuf_addc(out, ']');
	}
	strbuf_addc(out, '}');
}

static int by_name(struct slice a, struct slice b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int tables_by_name(const void *x, const void *y)
{
	const struct table *a = *(const struct table *const *)x, *b = *(const struct table *const *)y;
	int order = by_name(a->schema, b->schema);

	return order ? order : by_name(a->name, b->name);
}

size_t identity_tables(struct arena *a, const struct schema *schema, const struct table ***out)
{
	const struct table **list = arena_array(a, const struct table *, schema->ntables + 1);
	size_t n = 0;

	for (const struct table *t = schema_next_table(schema, NULL); t; t = schema_next_table(schema, t))
		list[n++] = t;
	qsort(list, n, sizeof(const struct table *), tables_by_name);
	*out = list;
	return n;
}

static void add_tables(struct arena *a, const struct schema *schema, struct slice role, const struct grant *grants,
		       size_t n, struct strbuf *out)
{
	struct listing l = { out, false };
	const struct table **tables;
	size_t ntables = identity_tables(a, schema, &tables);

	strbuf_lit(out, ",\"tables\":[");
	for (size_t i = 0; i < ntables; i++) {
		const struct table *t = tables[i];
		struct rights r;

		grants_table_rights(a, grants, n, t, &r);
		if (!r.any)
			continue;
		next(&l);
		strbuf_addc(out, '{');
		named(out, "schema", t->schema);
		strbuf_addc(out, ',');
		named(out, "table", t->name);
		strbuf_addf(out, ",\"view\":%s", t->is_view ? "true" : "false");
		add_rights(t, &r, role, out);
		add_columns(t, &r, out);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

static void add_routines(const struct schema *schema, const struct grant *grants, size_t n, struct strbuf *out)
{
	struct listing l = { out, false };

	strbuf_lit(out, ",\"routines\":[");
	for (const struct routine *r = schema->routines; r; r = r->next) {
		if (!grants_may_call(grants, n, r))
			continue;
		next(&l);
		strbuf_addc(out, '{');
		named(out, "schema", r->schema);
		strbuf_addc(out, ',');
		named(out, "name", r->name);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

bool identity_role_json(const struct identity_env *env, const struct schema *schema, struct slice role,
			struct strbuf *out, struct error *err)
{
	struct arena *a = env->arena;
	struct db_conn *conn = NULL;
	struct grant *grants;
	struct slice *lines;
	size_t nlines, n = 0;
	bool ok = db_acquire(env->db, role, env->client_fd, &conn, err) && grants_lines(a, conn, &lines, &nlines, err);

	db_release(env->db, conn);
	if (!ok)
		return false;
	grants = arena_array(a, struct grant, nlines + 1);
	for (size_t i = 0; i < nlines; i++)
		n += grants_read(a, lines[i], &grants[n]);
	strbuf_addc(out, '{');
	named(out, "name", role);
	strbuf_addf(out, ",\"anonymous\":%s,\"admin\":%s", slice_is(role, env->config->db_anon_role) ? "true" : "false",
		    slice_is(role, env->config->auth_admin_role) ? "true" : "false");
	add_tables(a, schema, role, grants, n, out);
	add_routines(schema, grants, n, out);
	strbuf_addc(out, '}');
	return true;
}

/* One that was taken away in this moment is left out. */
bool serve_roles(struct call *c)
{
	const struct schema *schema = c->env->definitions(c->env->worker, false, c->err);
	struct listing l = { &c->rs->body, false };
	struct slice *roles;
	size_t n;

	if (!schema || !identity_roles(c->env, c->who.role, &roles, &n, c->err))
		return false;
	strbuf_lit(&c->rs->body, "{\"roles\":[");
	for (size_t i = 0; i < n; i++) {
		struct strbuf one;

		strbuf_init(&one, c->env->arena, 1024);
		if (identity_role_json(c->env, schema, roles[i], &one, c->err)) {
			next(&l);
			strbuf_add_slice(&c->rs->body, strbuf_slice(&one));
		} else if (c->err->code != ERR_UNKNOWN_ROLE) {
			return false;
		}
	}
	error_init(c->err, c->err->arena);
	strbuf_lit(&c->rs->body, "]}");
	return true;
}

/* --- a new one --- */

bool identity_role_name(struct slice name)
{
	static const char *const words[] = { "none", "default", "all", "public", "current_role" };
	bool ok = name.len >= 1 && name.len <= 32;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		ok = ok && !slice_ieq(name, slice_of(words[i]));
	for (size_t i = 0; ok && i < name.len; i++)
		ok = name.ptr[i] &&
		     strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.", name.ptr[i]);
	return ok;
}

static bool not_possible(struct call *c, struct slice name)
{
	deny(c->err, 409, "not_possible_here", "The database does not let db-identity-user make roles");
	return error_hint(c->err, "rowgate role add %.*s --db-user ADMIN --db-password-file FILE", (int)name.len,
			  name.ptr);
}

/* By a routine that makes new and empty ones alone: one that is there already may do anything. */
static bool make_role(struct call *c, struct slice name)
{
	struct value param = value_text(name);
	struct error *err = c->err;

	if (!slice_is(slice_of(c->env->config->db_user), "authenticator"))
		return not_possible(c, name);
	if (!store_open(&c->q, c->env, err))
		return false;
	if (store_run(&c->q, SLICE("CALL rowgate.role_add(?)"), &param, 1, NULL))
		return true;
	if (err->code == ERR_DUPLICATE)
		return deny(err, 409, "role_exists", "There is a role or an account of that name");
	if (err->code == ERR_DENIED || err->code == ERR_DB_ROUTINE || err->code == ERR_DB_SCHEMA)
		return not_possible(c, name);
	return err->status >= 500 && err->code != ERR_DB_OTHER
		       ? false
		       : deny(err, 400, "validation_failed", "The database takes no role of that name");
}

bool serve_role_add(struct call *c)
{
	static const char *const members[] = { "name", NULL };
	const struct schema *schema = c->env->definitions(c->env->worker, false, c->err);
	struct slice name;

	if (!schema || !only_members(c, members) || !text_member(c, "name", &name))
		return false;
	if (!identity_role_name(name))
		return deny(c->err, 400, "validation_failed", "A role is named by 1 to 32 of A-Z a-z 0-9 _ - .");
	return make_role(c, name) && identity_role_json(c->env, schema, name, &c->rs->body, c->err);
}
