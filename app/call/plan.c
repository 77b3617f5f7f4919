/* From a query to a call: the routine a name means, and who may call it how. */
#include "internal.h"

const char *call_allow(const struct routine *r)
{
	bool reads = r->reads || (r->is_function && r->is_deterministic && !r->writes);

	return reads ? "OPTIONS,GET,HEAD,POST" : "OPTIONS,POST";
}

const struct routine *call_routine(const struct config *config, const struct schema *schema, const struct query *query)
{
	struct arena *scratch = arena_open();
	const struct routine *found = NULL;
	struct error ignored;
	struct slice db;

	error_init(&ignored, scratch);
	if (plan_schema(config, query->profile, &db, &ignored))
		found = schema_routine(schema, db, query->name);
	arena_close(scratch);
	return found;
}

bool call_find(const struct config *config, const struct schema *schema, const struct query *query,
	       const struct routine **out, struct error *err)
{
	struct call call = { .config = config, .schema = schema };
	struct wanted w = { .how = WANTED_NAMES };

	if (!plan_schema(config, query->profile, &call.db, err))
		return false;
	*out = schema_routine(schema, call.db, query->name);
	return *out || call_not_found(&call, query->name, &w, err);
}

static bool reads_only(const struct query *query)
{
	return query->method == HTTP_GET || query->method == HTTP_HEAD;
}

static bool find(struct call *call, const struct query *query, struct error *err)
{
	struct wanted w = { .how = WANTED_NAMES };

	if (!plan_schema(call->config, query->profile, &call->db, err))
		return false;
	call->routine = schema_routine(call->schema, call->db, query->name);
	if (call->routine)
		return true;
	if (!reads_only(query))
		w.how = WANTED_BODY;
	for (size_t i = 0; i < query->narguments; i++)
		call_want(err->arena, &w, query->arguments[i].name);
	return call_not_found(call, query->name, &w, err);
}

bool call_plan(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
	       struct call **out, struct error *err)
{
	struct call *call = arena_new(a, struct call);

	call->config = config;
	call->schema = schema;
	if (!find(call, query, err))
		return false;
	if (reads_only(query) && call->routine->writes) {
		error_set(err, ERR_READ_ONLY, "cannot execute %.*s in a read-only transaction",
			  (int)call->routine->name.len, call->routine->name.ptr);
		error_details(err, "The routine says that it modifies SQL data.");
		return error_hint(err, "Call it with POST.");
	}
	call->writes = !reads_only(query) && !call->routine->reads;
	call->roll_back = write_rolls_back(config->db_tx_end, query->prefer.tx);
	*out = call;
	return !reads_only(query) || call_url(a, call, query, err);
}

/* A face for rows that are no table's. */
bool call_page(struct arena *a, const struct call *call, const struct query *query, struct column *columns,
	       size_t ncolumns, struct plan **out, struct error *err)
{
	struct table *t = arena_new(a, struct table);
	const struct table *of = call_relation(call);

	t->schema = call->db;
	t->name = call->routine->name;
	t->quoted = call->routine->quoted;
	t->columns = columns;
	t->ncolumns = ncolumns;
	for (size_t i = 0; i < ncolumns; i++)
		columns[i].table = t;
	if (of)
		call_take_relation(a, of, t);
	if (plan_given(a, call->config, call->schema, query, t, out, err))
		return plan_policies(a, *out, call->who, err);
	if (!of && err->code == ERR_NO_RELATION)
		error_hint(err, "Say whose rows they are in the comment of the procedure: @returns setof TABLE");
	return false;
}

bool call_is_plain(const struct plan *plan)
{
	const struct plan_node *root = plan->root;

	if (root->where || root->norder || root->aggregated || root->nkids)
		return false;
	for (size_t i = 0; i < root->nitems; i++) {
		const struct plan_expr *e = &root->items[i].expr;

		if (!e->column || e->path || e->cast || (e->type.class == TYPE_TIMESTAMP && plan->timezone.len))
			return false;
	}
	return true;
}
