/*
 * Rows of rowgate.policy, for the administrator's endpoints and for `rowgate policy`: looked at before they are written, as
 * they are whenever definitions are read (app/schema/policy_try.c).
 */
#include "grants.h"
#include "internal.h"

#define NAME_MAX_LEN 64
#define ROLE_MAX_LEN 80
#define EXPRESSION_MAX 60000
#define COMMENT_MAX 1024

/* --- is it one? --- */

static bool characters(struct slice s, size_t min, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n >= min && n <= max && utf8_valid(s) && !memchr(s.ptr, 0, s.len);
}

static bool fits(struct slice s, size_t min, size_t max, const char *what, struct error *err)
{
	return (!s.len && !min) || characters(s, min, max) ||
	       deny(err, 400, "validation_failed", "%s is a text of %zu to %zu characters", what, min, max);
}

static bool texts_fit(const struct policy_texts *p, struct error *err)
{
	return fits(p->schema, 1, NAME_MAX_LEN, "schema", err) && fits(p->table, 1, NAME_MAX_LEN, "table", err) &&
	       fits(p->role, 1, ROLE_MAX_LEN, "role", err) && fits(p->name, 1, NAME_MAX_LEN, "name", err) &&
	       fits(p->using, 0, EXPRESSION_MAX, "using", err) && fits(p->check, 0, EXPRESSION_MAX, "check", err) &&
	       fits(p->comment, 0, COMMENT_MAX, "comment", err);
}

/* --- would it do? --- */

/* What the server says of an expression, as long as nothing but the expression's own words can be in it. */
const char *policy_fault(const struct policy *p)
{
	static const char *const harmless[] = {
		"Unknown column",   "You have an error in your SQL",
		"Table '",          "FUNCTION ",
		"Column '",         "Operand should contain",
		"Invalid use",      "Incorrect parameter",
		"Illegal mix of",   "Illegal parameter",
		"Unknown table",    "Unknown database",
		"Incorrect argume", "Not unique table",
		"Every derived",    "Misplaced",
		"SELECT command",   "execute command",
		"Unknown charac",   "permission denied",
	};

	if (!p->fault || !p->servers_fault)
		return p->fault;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (slice_starts(slice_of(p->fault), harmless[i]))
			return p->fault;
	return "the database refuses it (rowgate check says how)";
}

bool identity_roles(const struct identity_env *env, struct slice role, struct slice **list_out, size_t *n_out,
		    struct error *err)
{
	struct db_conn *conn = NULL;
	bool ok = db_acquire(env->db, role, env->client_fd, &conn, err) &&
		  grants_roles(env->arena, conn, list_out, n_out, err);

	db_release(env->db, conn);
	return ok;
}

static bool has(const struct slice *list, size_t n, struct slice what)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(list[i], what))
			return true;
	return false;
}

bool identity_policy_check(const struct identity_env *env, const struct schema *schema, struct slice as,
			   const struct policy_texts *texts, struct policy *out, struct error *err)
{
	struct slice *roles;
	size_t n;

	if (!texts_fit(texts, err) || !identity_roles(env, as, &roles, &n, err))
		return false;
	schema_policy_read(env->arena, schema, texts, out);
	if (!out->fault && !slice_is(texts->role, "*") && !has(roles, n, texts->role))
		out->fault = "there is no such role that tokens may name";
	return out->fault || schema_policy_try(env->arena, schema, env->db, roles, n, out, err);
}

/* --- writing --- */

static bool not_allowed(struct error *err)
{
	if (err->code != ERR_DENIED && err->code != ERR_DB_TABLE && err->code != ERR_DB_SCHEMA)
		return false;
	deny(err, 409, "not_possible_here", "db-identity-user may not write rowgate.policy");
	return error_hint(
		err, "sql/deploy.sh deploy gives it the right; else write there as an administrator of the database.");
}

static bool good(const struct identity_env *env, const struct schema *schema, struct slice as,
		 const struct policy_texts *texts, struct policy *out, struct error *err)
{
	return identity_policy_check(env, schema, as, texts, out, err) &&
	       (!out->fault || deny(err, 400, "policy_invalid", "%s", policy_fault(out)));
}

#define KEY "schema_name = ? AND table_name = ? AND role = ? AND name = ?"

static struct value text_or_null(struct slice s)
{
	struct value v = value_text(s);

	if (!s.len)
		v.kind = VALUE_NULL;
	return v;
}

/* One statement, and how many rows it met. */
static bool write_row(const struct identity_env *env, struct slice text, const struct value *params, size_t n,
		      uint64_t *met_out, struct error *err)
{
	struct store q;
	bool ok;

	*met_out = 0;
	if (!store_open(&q, env, err))
		return false;
	ok = db_begin(q.conn, err) && store_run(&q, text, params, n, met_out) && db_commit(q.conn, err);
	store_close(&q);
	if (!ok && err->code == ERR_DUPLICATE)
		return deny(err, 409, "policy_exists", "There is a policy of that name for the role and the table");
	return ok || not_allowed(err);
}

bool identity_policy_add(const struct identity_env *env, const struct schema *schema, struct slice as,
			 const struct policy_texts *p, struct policy *out, struct error *err)
{
	const struct value params[] = { value_text(p->schema),  value_text(p->table),  value_text(p->role),
					value_text(p->name),    value_text(p->verbs),  text_or_null(p->using),
					text_or_null(p->check), value_text(p->comment) };
	uint64_t met;

	return good(env, schema, as, p, out, err) &&
	       write_row(env,
			 SLICE("INSERT INTO rowgate.policy (schema_name, table_name, role, name, verbs, "
			       "using_expression, check_expression, comment) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
			 params, 8, &met, err);
}

static bool not_found(struct error *err)
{
	return deny(err, 404, "policy_not_found", "There is no such policy");
}

bool identity_policy_find(const struct identity_env *env, struct policy_texts *p, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT, FETCH_TEXT, FETCH_TEXT };
	const struct value params[] = { value_text(p->schema), value_text(p->table), value_text(p->role),
					value_text(p->name) };
	struct value **rows;
	struct store q;
	size_t n;
	bool ok;

	if (!store_open(&q, env, err))
		return false;
	ok = store_rows(
		&q,
		SLICE("SELECT verbs, COALESCE(using_expression, ''), COALESCE(check_expression, ''), comment FROM "
		      "rowgate.policy WHERE " KEY),
		params, 4, fetch, 4, &rows, &n);
	store_close(&q);
	if (!ok)
		return not_allowed(err);
	if (!n)
		return not_found(err);
	p->verbs = rows[0][0].s;
	p->using = rows[0][1].s;
	p->check = rows[0][2].s;
	p->comment = rows[0][3].s;
	return true;
}

bool identity_policy_change(const struct identity_env *env, const struct schema *schema, struct slice as,
			    const struct policy_texts *p, struct policy *out, struct error *err)
{
	const struct value params[] = { value_text(p->verbs),   text_or_null(p->using), text_or_null(p->check),
					value_text(p->comment), value_text(p->schema),  value_text(p->table),
					value_text(p->role),    value_text(p->name) };
	uint64_t met;

	return good(env, schema, as, p, out, err) &&
	       write_row(env,
			 SLICE("UPDATE rowgate.policy SET verbs = ?, using_expression = ?, check_expression = ?, "
			       "comment = ? WHERE " KEY),
			 params, 8, &met, err) &&
	       (met || not_found(err));
}

bool identity_policy_delete(const struct identity_env *env, const struct policy_texts *p, struct error *err)
{
	const struct value params[] = { value_text(p->schema), value_text(p->table), value_text(p->role),
					value_text(p->name) };
	uint64_t met;

	return write_row(env, SLICE("DELETE FROM rowgate.policy WHERE " KEY), params, 4, &met, err) &&
	       (met || not_found(err));
}

/* --- as JSON --- */

static void text_or_null_json(struct strbuf *out, const char *name, struct slice s)
{
	strbuf_addf(out, ",\"%s\":", name);
	if (s.len)
		json_string(out, s);
	else
		strbuf_lit(out, "null");
}

void identity_verbs_json(unsigned verbs, struct strbuf *out)
{
	static const char *const names[] = { "select", "insert", "update", "delete" };
	const char *comma = "";

	strbuf_addc(out, '[');
	for (unsigned i = 0; i < 4; i++)
		if (verbs & 1u << i) {
			strbuf_addf(out, "%s\"%s\"", comma, names[i]);
			comma = ",";
		}
	strbuf_addc(out, ']');
}

void identity_policy_json(const struct policy *p, struct strbuf *out)
{
	strbuf_lit(out, "{\"schema\":");
	json_string(out, p->schema);
	strbuf_lit(out, ",\"table\":");
	json_string(out, p->table);
	strbuf_lit(out, ",\"role\":");
	json_string(out, p->role);
	strbuf_lit(out, ",\"name\":");
	json_string(out, p->name);
	strbuf_lit(out, ",\"verbs\":");
	identity_verbs_json(p->verbs, out);
	text_or_null_json(out, "using", p->using ? p->using->source : SLICE(""));
	text_or_null_json(out, "check", p->check ? p->check->source : SLICE(""));
	strbuf_lit(out, ",\"comment\":");
	json_string(out, p->comment);
	strbuf_addf(out, ",\"valid\":%s", p->fault ? "false" : "true");
	if (p->fault) {
		strbuf_lit(out, ",\"fault\":");
		json_string(out, slice_of(policy_fault(p)));
	}
	strbuf_addc(out, '}');
}
