/* What the session is told of the request before its statements, and asked after a failure. */
#include "internal.h"

/* Headers and cookies as JSON objects, for what the database's own code reads. */
static struct slice pairs_json(struct arena *a, const struct http_request *rq, bool cookies)
{
	struct strbuf b;
	const char *comma = "";

	strbuf_init(&b, a, 256);
	strbuf_addc(&b, '{');
	for (size_t i = 0; i < rq->nheaders; i++) {
		struct slice rest = rq->headers[i].value, part, name;

		if (!cookies) {
			strbuf_adds(&b, comma);
			json_string(&b, rq->headers[i].name);
			strbuf_addc(&b, ':');
			json_string(&b, rest);
			comma = ",";
			continue;
		}
		while (slice_is(rq->headers[i].name, "cookie") && slice_split(&rest, ';', &part)) {
			struct slice value = slice_trim(part);

			if (!slice_split(&value, '=', &name) || !value.ptr)
				continue;
			strbuf_adds(&b, comma);
			json_string(&b, name);
			strbuf_addc(&b, ':');
			json_string(&b, value);
			comma = ",";
		}
	}
	strbuf_addc(&b, '}');
	return strbuf_slice(&b);
}

static bool set_variables(struct exchange *x)
{
	struct arena *a = x->w->arena;
	struct sql_variable variables[] = {
		{ "jwt.claims", x->who.claims },
		{ "role", x->who.role },
		{ "method", x->rq->method_text },
		{ "path", x->rq->path },
		{ "headers", pairs_json(a, x->rq, false) },
		{ "cookies", pairs_json(a, x->rq, true) },
	};
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;

	sql_request_variables(a, variables, sizeof(variables) / sizeof(*variables), x->override.wanted, &statement);
	return db_query(a, x->conn, &statement, &rows, x->err) && db_next(rows, &cells, x->err) != DB_FAILED;
}

bool exchange_begin(struct exchange *x)
{
	bool writes = x->write || (x->call && x->call->writes);

	if (x->call && !writes && !db_read_only(x->conn, x->err))
		return false;
	return writes ? db_begin(x->conn, x->err) : db_begin_snapshot(x->conn, x->err);
}

/*
 * Code that may leave variables, temporary tables or locks in the session runs in it: the next request shall not find
 * them.
 */
static bool runs_code(const struct exchange *x)
{
	const struct schema *s = x->w->state->schema;

	return x->call || (s->other_variables && (x->write || *x->w->state->config.db_pre_request));
}

bool exchange_prepare(struct exchange *x)
{
	const struct config *c = &x->w->state->config;
	const struct schema *s = x->w->state->schema;
	struct strbuf call;

	x->override.wanted = s->response_variables;
	if (runs_code(x))
		db_renew(x->conn);
	if ((*c->db_pre_request || s->request_variables || s->response_variables) && !set_variables(x))
		return false;
	if (!*c->db_pre_request)
		return true;
	strbuf_init(&call, x->w->arena, 128);
	sql_call(slice_of(c->db_schemas.items[0]), slice_of(c->db_pre_request), &call);
	/* What it says of the answer must be known before a stream begins. */
	return exchange_begin(x) && db_call(x->conn, strbuf_cstr(&call), x->err) &&
	       (x->write || render_read_override(x->w->arena, x->conn, &x->override, x->err));
}

bool exchange_explained(struct exchange *x, bool ok)
{
	if (!ok && x->conn && !x->rs->sent)
		render_raised(x->w->arena, x->conn, &x->override, x->err);
	return ok;
}
