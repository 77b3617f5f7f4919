/*
 * A small schema without a database, as MariaDB or as MySQL: employees with a manager among them, a division, salaries
 * (composite key), contracts that refer to one, a badge each, projects by way of a junction, countries with a text key,
 * and a table whose names hold every character that could end a quoted name.
 */
#ifndef SCHEMA_FIXTURE_H
#define SCHEMA_FIXTURE_H

#include "sql.h"

#include "../../app/schema/internal.h"

struct fixture_column {
	const char *name;
	const char *type; /* COLUMN_TYPE; its first word is DATA_TYPE; a '!' in front: NOT NULL */
};

struct fixture_table {
	const char *schema, *name;
	struct fixture_column columns[24];
	const char *primary; /* comma-separated, as are the others */
	const char *unique;
	const char *fulltext;
};

struct fixture_foreign_key {
	const char *name, *table, *columns, *target, *target_columns;
};

#define HOSTILE_TABLE "we`ird? 'ta\"ble"
#define HOSTILE_TICK "back`tick``s"
#define HOSTILE_QUOTE "quo\"te's \\"
#define HOSTILE_ASK "what?"
#define HOSTILE_SNOW "\xc3\x9cn\xc3\xaf \xe2\x98\x83"
#define HOSTILE_SQL "x` = 1; DROP TABLE t; -- x"

static const struct fixture_table fixture_tables[] = {
	{ "hr",
	  "employee",
	  { { "id", "!int(11)" },
	    { "name", "!varchar(40)" },
	    { "code", "!varchar(8) _bin" },
	    { "manager_id", "int(11)" },
	    { "division_id", "int(11)" },
	    { "born", "date" },
	    { "hired", "!datetime(6)" },
	    { "seen", "timestamp" },
	    { "shift", "time" },
	    { "joined", "year" },
	    { "active", "!tinyint(1)" },
	    { "flag", "bit(1)" },
	    { "bits", "bit(8)" },
	    { "pay", "decimal(10,2)" },
	    { "rate", "double" },
	    { "kind", "enum('staff','boss')" },
	    { "tags", "set('a','b','c')" },
	    { "data", "json" },
	    { "note", "text" },
	    { "photo", "blob" },
	    { "place", "point" } },
	  "id",
	  "code",
	  "note" },
	{ "hr",
	  "division",
	  { { "id", "!int(11)" }, { "name", "!varchar(40)" }, { "budget", "bigint(20) unsigned" } },
	  "id",
	  NULL,
	  NULL },
	{ "hr",
	  "salary",
	  { { "employee_id", "!int(11)" }, { "from_date", "!date" }, { "amount", "!decimal(10,2)" } },
	  "employee_id,from_date",
	  NULL,
	  NULL },
	{ "hr",
	  "contract",
	  { { "id", "!int(11)" }, { "employee_id", "int(11)" }, { "from_date", "date" }, { "text", "text" } },
	  "id",
	  NULL,
	  NULL },
	{ "hr", "badge", { { "employee_id", "!int(11)" }, { "colour", "varchar(10)" } }, "employee_id", NULL, NULL },
	{ "hr", "project", { { "id", "!int(11)" }, { "title", "varchar(40)" } }, "id", NULL, NULL },
	{ "hr",
	  "assignment",
	  { { "employee_id", "!int(11)" }, { "project_id", "!int(11)" }, { "hours", "int(11)" } },
	  "employee_id,project_id",
	  NULL,
	  NULL },
	{ "hr", "country", { { "code", "!varchar(2)" }, { "name", "varchar(40)" } }, "code", NULL, NULL },
	{ "hr", "city", { { "id", "!int(11)" }, { "country_code", "varchar(2)" } }, "id", NULL, NULL },
	{ "hr",
	  HOSTILE_TABLE,
	  { { HOSTILE_TICK, "!int(11)" },
	    { HOSTILE_QUOTE, "text" },
	    { HOSTILE_ASK, "int(11)" },
	    { HOSTILE_SNOW, "json" },
	    { HOSTILE_SQL, "text" },
	    { "with blank", "text" },
	    { "a.b", "text" },
	    { "select", "text" } },
	  HOSTILE_TICK,
	  NULL,
	  HOSTILE_QUOTE },
	{ "extra", "employee", { { "id", "!int(11)" } }, "id", NULL, NULL },
};

static const struct fixture_foreign_key fixture_keys[] = {
	{ "employee_manager", "employee", "manager_id", "employee", "id" },
	{ "employee_division", "employee", "division_id", "division", "id" },
	{ "salary_employee", "salary", "employee_id", "employee", "id" },
	{ "contract_salary", "contract", "employee_id,from_date", "salary", "employee_id,from_date" },
	{ "badge_employee", "badge", "employee_id", "employee", "id" },
	{ "assignment_employee", "assignment", "employee_id", "employee", "id" },
	{ "assignment_project", "assignment", "project_id", "project", "id" },
	{ "city_country", "city", "country_code", "country", "code" },
	{ "weird_employee", HOSTILE_TABLE, HOSTILE_ASK, "employee", "id" },
};

#define FIXTURE_COUNT(list) (sizeof(list) / sizeof(*(list)))

static inline struct slice fixture_quoted(struct arena *a, const char *name)
{
	struct strbuf b;

	strbuf_init(&b, a, strlen(name) + 4);
	strbuf_addc(&b, '`');
	for (const char *c = name; *c; c++) {
		strbuf_adds(&b, *c == '`' ? "`" : "");
		strbuf_addc(&b, *c);
	}
	strbuf_addc(&b, '`');
	return strbuf_slice(&b);
}

static inline struct key *fixture_key(struct arena *a, struct table *t, const char *name, const char *columns,
				      struct key *out)
{
	struct slice rest = slice_of(columns), part;
	const struct column **list = arena_array(a, const struct column *, strlen(columns) + 1);

	*out = (struct key){ .name = slice_of(name), .columns = list };
	while (slice_split(&rest, ',', &part))
		list[out->n++] = schema_find_column(t, part);
	return out;
}

static inline void fixture_column(struct arena *a, struct table *t, const struct fixture_column *f)
{
	struct column *c = &t->columns[t->ncolumns++];
	bool required = f->type[0] == '!';
	struct slice type = slice_of(f->type + required);
	size_t word = 0;

	while (word < type.len && type.ptr[word] != '(' && type.ptr[word] != ' ')
		word++;
	*c = (struct column){ .name = slice_of(f->name),
			      .quoted = fixture_quoted(a, f->name),
			      .type = schema_type(a, (struct slice){ type.ptr, word }, type),
			      .nullable = !required,
			      .binary_collation = strstr(f->type, "_bin") != NULL,
			      .table = t };
}

static inline void fixture_table(struct schema *s, const struct fixture_table *f)
{
	struct arena *a = s->arena;
	struct table *t = arena_new(a, struct table);
	size_t at;

	t->schema = slice_of(f->schema);
	t->name = slice_of(f->name);
	t->quoted = slice_of(arena_printf(a, "`%s`.%s", f->schema, slice_cstr(a, fixture_quoted(a, f->name))));
	t->columns = arena_array(a, struct column, FIXTURE_COUNT(f->columns));
	for (size_t i = 0; i < FIXTURE_COUNT(f->columns) && f->columns[i].name; i++)
		fixture_column(a, t, &f->columns[i]);
	t->unique = arena_array(a, struct key, 2);
	t->primary = fixture_key(a, t, "PRIMARY", f->primary, &t->unique[t->nunique++]);
	if (f->unique)
		fixture_key(a, t, f->unique, f->unique, &t->unique[t->nunique++]);
	if (f->fulltext)
		t->fulltext = fixture_key(a, t, "words", f->fulltext, &arena_array(a, struct key, 1)[t->nfulltext++]);
	at = schema_hash(t->schema, t->name) % s->nbuckets;
	t->next = s->buckets[at];
	s->buckets[at] = t;
	s->ntables++;
}

static inline struct foreign_key *fixture_foreign_key(struct schema *s, const struct fixture_foreign_key *f,
						      struct foreign_key *next)
{
	struct foreign_key *k = arena_new(s->arena, struct foreign_key);
	struct key from, to;

	k->next = next;
	k->name = slice_of(f->name);
	k->table = schema_find_table(s, slice_of("hr"), slice_of(f->table));
	k->target = schema_find_table(s, slice_of("hr"), slice_of(f->target));
	fixture_key(s->arena, k->table, "", f->columns, &from);
	fixture_key(s->arena, k->target, "", f->target_columns, &to);
	k->n = from.n;
	k->columns = from.columns;
	k->target_columns = to.columns;
	return k;
}

static inline struct schema *fixture_schema(const struct config_list *names, bool mariadb, unsigned version)
{
	struct arena *a = arena_open();
	struct schema *s = arena_new(a, struct schema);
	struct foreign_key *keys = NULL;

	*s = (struct schema){ .arena = a, .mariadb = mariadb, .version = version, .names = names, .nbuckets = 31 };
	s->buckets = arena_array(a, struct table *, s->nbuckets);
	for (size_t i = 0; i < FIXTURE_COUNT(fixture_tables); i++)
		fixture_table(s, &fixture_tables[i]);
	for (size_t i = FIXTURE_COUNT(fixture_keys); i-- > 0;)
		keys = fixture_foreign_key(s, &fixture_keys[i], keys);
	schema_relate(s, keys, NULL);
	return s;
}

static inline struct config fixture_config(void)
{
	static const char *names[] = { "hr", "extra" };

	return (struct config){ .db_schemas = { names, 2 },
				.db_aggregates_enabled = true,
				.max_embed_depth = 12,
				.max_url_length = 131072,
				.url_use_legacy_target_names = true };
}

/* '?' outside of quotes, and whether quotes and parentheses are paired; SIZE_MAX when they are not. */
static inline size_t fixture_markers(struct slice sql)
{
	size_t n = 0;
	char quote = '\0';
	int depth = 0;

	for (size_t i = 0; i < sql.len; i++) {
		char c = sql.ptr[i];

		if (quote) {
			/* Backslash escapes in texts, not in names; a doubled quote ends and begins anew. */
			if (c == '\\' && quote != '`')
				i++;
			else if (c == quote)
				quote = '\0';
		} else if (c == '`' || c == '\'' || c == '"') {
			quote = c;
		} else if (c == '(') {
			depth++;
		} else if (c == ')' && --depth < 0) {
			return SIZE_MAX;
		} else if (c == '?') {
			n++;
		}
	}
	return quote || depth ? SIZE_MAX : n;
}

/* The statement of a level, as it is asked for what it aggregates: there, or here. */
static inline void fixture_select(struct arena *a, const struct plan *plan, struct plan_node *node,
				  const struct sql_keys *keys, struct db_statement *out)
{
	struct sql_wanted *wanted = arena_array(a, struct sql_wanted, node->nitems + node->ngroup);
	size_t n = 0;

	if (!node->counted) {
		sql_select(a, plan, node, keys, out);
		return;
	}
	for (size_t i = 0; i < node->ngroup; i++)
		wanted[n++] = (struct sql_wanted){ .expr = node->group[i], .weighed = true };
	for (size_t i = 0; i < node->nitems; i++) {
		struct plan_expr e = node->items[i].expr;

		if (node->items[i].embed || !e.aggregate || !e.column)
			continue;
		e.aggregate = AGG_NONE;
		e.aggregate_cast = NULL;
		e.number = e.decimals = 0;
		e.type = e.operand;
		wanted[n++] = (struct sql_wanted){ .expr = e, .weighed = true };
	}
	sql_gather(a, plan, node, keys, wanted, n, out);
}

#endif
