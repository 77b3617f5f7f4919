/*
 * rowgate.policy: which rows of a table a role meets. Every expression is tried against its table when it is loaded; one
 * that cannot be applied closes the table to those it concerns, and never opens it.
 */
#include "internal.h"

/* As the server has them: a SET as its names with commas. */
static unsigned verbs(struct slice text)
{
	static const struct {
		const char *name;
		enum policy_verb verb;
	} names[] = { { "select", POLICY_SELECT },
		      { "insert", POLICY_INSERT },
		      { "update", POLICY_UPDATE },
		      { "delete", POLICY_DELETE } };
	struct slice part;
	unsigned all = 0;

	while (slice_split(&text, ',', &part))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			all |= slice_is(part, names[i].name) ? names[i].verb : 0;
	return all;
}

static const struct policy_expression *expression(struct loader *l, struct policy *p, const char *which,
						  struct slice source)
{
	struct policy_expression *e;
	const char *fault;

	if (!source.len)
		return NULL;
	e = arena_new(l->schema->arena, struct policy_expression);
	fault = schema_policy_parse(l->schema->arena, slice_copy(l->schema->arena, source), e);
	if (fault && !p->fault)
		p->fault = arena_printf(l->schema->arena, "%s: %s", which, fault);
	return e;
}

static void judge(struct policy *p)
{
	if (p->fault)
		return;
	if (!p->verbs)
		p->fault = "it names no verb";
	else if ((p->verbs & ~(unsigned)POLICY_INSERT) && !p->using)
		p->fault = "select, update and delete need using_expression";
	else if (!p->using && !p->check)
		p->fault = "insert needs check_expression or using_expression";
}

/* f: db, table, role, name, verbs, using, check, comment. */
static void read_policy(struct loader *l, const struct slice *f, bool has_table, struct policy *p)
{
	struct arena *a = l->schema->arena;

	*p = (struct policy){ .verbs = 0 };
	p->schema = slice_copy(a, f[0]);
	p->table = slice_copy(a, f[1]);
	p->role = slice_copy(a, f[2]);
	p->name = slice_copy(a, f[3]);
	p->verbs = verbs(f[4]);
	p->using = expression(l, p, "using_expression", f[5]);
	p->check = expression(l, p, "check_expression", f[6]);
	p->comment = slice_copy(a, f[7]);
	if (!has_table)
		p->fault = "there is no such table or view";
	judge(p);
}

/* Rows come with the last name first. */
static void add_policy(struct loader *l, const struct slice *f)
{
	struct table *t = schema_find_table(l->schema, f[0], f[1]);
	struct policy *p = arena_new(l->schema->arena, struct policy);
	struct policy **list = t ? &t->policies : &l->schema->stray_policies;

	read_policy(l, f, t != NULL, p);
	if (t)
		t->policed = true;
	p->next = *list;
	*list = p;
}

/* --- policies that are to be --- */

void schema_policy_read(struct arena *a, const struct schema *schema, const struct policy_texts *texts,
			struct policy *out)
{
	struct schema scratch = { .arena = a };
	struct loader l = { .schema = &scratch };
	const struct slice f[] = { texts->schema, texts->table, texts->role,  texts->name,
				   texts->verbs,  texts->using, texts->check, texts->comment };

	read_policy(&l, f, schema_table(schema, texts->schema, texts->table) != NULL, out);
}

bool schema_policy_try(struct arena *a, const struct schema *schema, struct db *db, const struct slice *roles, size_t n,
		       struct policy *policy, struct error *err)
{
	struct schema scratch = { .arena = a };
	struct loader l = {
		.schema = &scratch, .scratch = a, .db = db, .roles = roles, .nroles = n, .to_be = true, .err = err
	};
	const struct table *t = schema_table(schema, policy->schema, policy->table);
	bool ok = !t || (db_catalogue(db, &l.conn, err) && schema_try_policy(&l, t, policy));

	schema_end_tries(&l);
	return ok;
}

/* --- views --- */

static bool mentions(struct slice text, struct slice name)
{
	for (size_t i = 0; i + name.len <= text.len; i++)
		if (memcmp(text.ptr + i, name.ptr, name.len) == 0)
			return true;
	return false;
}

static const struct table *policed_base(const struct schema *s, const struct view *v)
{
	for (const struct table *t = schema_next_table(s, NULL); t; t = schema_next_table(s, t))
		if (t->policed && t != v->table && (!v->text.len || mentions(v->text, t->quoted)))
			return t;
	return NULL;
}

/*
 * Policies do not act through views, most of which run with their definer's rights. So a view of a table with policies is
 * closed until it has policies of its own; and so are the views of it.
 */
static void close_views(struct loader *l)
{
	bool more = true;

	while (more) {
		more = false;
		for (const struct view *v = l->views; v; v = v->next) {
			const struct table *base = v->table->policed ? NULL : policed_base(l->schema, v);

			if (!base)
				continue;
			v->table->policed = true;
			v->table->reads_policed = base->quoted;
			more = true;
		}
	}
}

/* --- */

static void note_policies(struct loader *l, const struct slice *f)
{
	l->schema->has_policies = slice_is(f[0], "policy");
}

#define POLICIES                                                                                          \
	"SELECT schema_name, table_name, role, name, verbs, using_expression, check_expression, comment " \
	"FROM rowgate.policy "

/* A table that is there and cannot be read is no reason to do without it: then the definitions are not loaded. */
bool schema_load_policies(struct loader *l)
{
	struct schema *s = l->schema;
	bool any = false;

	if (!schema_each_row(l,
			     "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'rowgate' AND "
			     "TABLE_NAME = 'policy'",
			     1, note_policies))
		return false;
	if (!s->has_policies)
		return true;
	if (!schema_each_row(l,
			     POLICIES "WHERE schema_name IN (?) ORDER BY schema_name DESC, table_name DESC, role DESC, "
				      "name DESC",
			     8, add_policy))
		return false;
	for (size_t b = 0; b < s->nbuckets; b++)
		for (struct table *t = s->buckets[b]; t; t = t->next)
			for (struct policy *p = t->policies; p; p = p->next) {
				any = true;
				if (!schema_try_policy(l, t, p))
					return false;
			}
	if (any)
		close_views(l);
	return true;
}

bool schema_policy_hash(struct arena *a, struct db_conn *catalogue, uint64_t *out, struct error *err)
{
	enum db_fetch fetch[8];
	struct db_statement st = { .text = SLICE(POLICIES "ORDER BY schema_name, table_name, role, name"),
				   .columns = fetch,
				   .ncolumns = 8 };
	struct schema sum = { .digest = 14695981039346656037u };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	for (size_t i = 0; i < 8; i++)
		fetch[i] = FETCH_TEXT;
	if (!db_query(a, catalogue, &st, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		for (size_t i = 0; i < 8; i++)
			schema_digest(&sum, cells[i].kind == VALUE_TEXT ? cells[i].s : SLICE(""));
	*out = sum.digest;
	return step == DB_END;
}

static void tell(struct arena *a, const struct policy *p, schema_fault_fn *fn, void *context)
{
	if (p->fault)
		fn(context, arena_printf(a, "policy \"%.*s\" of %.*s.%.*s for %.*s: %s", (int)p->name.len, p->name.ptr,
					 (int)p->schema.len, p->schema.ptr, (int)p->table.len, p->table.ptr,
					 (int)p->role.len, p->role.ptr, p->fault));
}

void schema_policy_faults(struct arena *a, const struct schema *schema, schema_fault_fn *fn, void *context)
{
	for (const struct table *t = schema_next_table(schema, NULL); t; t = schema_next_table(schema, t)) {
		for (const struct policy *p = t->policies; p; p = p->next)
			tell(a, p, fn, context);
		if (t->reads_policed.len)
			fn(context, arena_printf(a,
						 "view %.*s.%.*s reads %.*s, which has policies, and has none of its "
						 "own: nobody sees its rows",
						 (int)t->schema.len, t->schema.ptr, (int)t->name.len, t->name.ptr,
						 (int)t->reads_policed.len, t->reads_policed.ptr));
	}
	for (const struct policy *p = schema->stray_policies; p; p = p->next)
		tell(a, p, fn, context);
}
