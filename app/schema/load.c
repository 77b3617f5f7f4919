/*
 * Reads the definitions of the exposed databases from information_schema, over the catalogue account: that view
 * of the catalogue does not depend on any request's role. Every text read goes into a digest, which tells whether
 * definitions have really changed.
 */
#include "internal.h"

#define MAX_FIELDS 12
#define VIEW_FIELDS 4

static struct slice keep(struct loader *l, struct slice s)
{
	return slice_copy(l->schema->arena, s);
}

struct slice schema_quoted(struct arena *a, struct slice name)
{
	struct strbuf b;

	strbuf_init(&b, a, name.len + 3);
	strbuf_addc(&b, '`');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '`')
			strbuf_addc(&b, '`');
		strbuf_addc(&b, name.ptr[i]);
	}
	strbuf_addc(&b, '`');
	return strbuf_slice(&b);
}

void schema_digest(struct schema *s, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		s->digest = (s->digest ^ (unsigned char)text.ptr[i]) * 1099511628211u;
	s->digest = (s->digest ^ 0xff) * 1099511628211u;
}

/* To fn as nfields texts: NULL is an empty slice with a NULL ptr. */
static void take_row(struct loader *l, const struct value *cells, size_t nfields, row_fn *fn)
{
	struct slice fields[MAX_FIELDS];

	for (size_t i = 0; i < nfields; i++) {
		fields[i] = cells[i].kind == VALUE_NULL ? (struct slice){ NULL, 0 } : cells[i].s;
		schema_digest(l->schema, fields[i]);
	}
	fn(l, fields);
}

/* Runs text with each ? widened to the n values, and hands every row to fn. */
bool schema_each_row_of(struct loader *l, const struct value *values, size_t n, const char *text, size_t nfields,
			row_fn *fn)
{
	struct strbuf sql;
	struct db_rows *rows;
	const struct value *cells;
	enum db_fetch columns[MAX_FIELDS];
	struct value *params = arena_array(l->scratch, struct value, n * 4);
	struct db_statement statement = { .params = params, .columns = columns, .ncolumns = nfields };
	enum db_step step;

	strbuf_init(&sql, l->scratch, strlen(text) + 64);
	for (const char *c = text; *c; c++) {
		if (*c != '?') {
			strbuf_addc(&sql, *c);
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			strbuf_adds(&sql, i ? ",?" : "?");
			params[statement.nparams++] = values[i];
		}
	}
	for (size_t i = 0; i < nfields; i++)
		columns[i] = FETCH_TEXT;
	statement.text = strbuf_slice(&sql);
	if (!db_query(l->scratch, l->conn, &statement, &rows, l->err))
		return false;
	l->table = NULL;
	while ((step = db_next(rows, &cells, l->err)) == DB_ROW)
		take_row(l, cells, nfields, fn);
	return step == DB_END;
}

/* The same of the exposed databases. */
bool schema_each_row(struct loader *l, const char *text, size_t nfields, row_fn *fn)
{
	return schema_each_row_of(l, l->databases, l->ndatabases, text, nfields, fn);
}

static struct table *table_of(struct loader *l, struct slice db, struct slice name)
{
	if (!l->table || !slice_eq(l->table->name, name) || !slice_eq(l->table->schema, db))
		l->table = schema_find_table(l->schema, db, name);
	return l->table;
}

static void add_table(struct loader *l, const struct slice *f)
{
	struct table *t = arena_new(l->schema->arena, struct table);
	struct strbuf b;
	struct slice name;

	t->schema = keep(l, f[0]);
	t->name = keep(l, f[1]);
	t->is_view = slice_is(f[2], "VIEW") || slice_is(f[2], "SYSTEM VIEW");
	t->updatable = !t->is_view;
	t->comment = t->is_view && slice_is(f[3], "VIEW") ? (struct slice){ "", 0 } : keep(l, f[3]);
	strbuf_init(&b, l->schema->arena, f[0].len + f[1].len + 8);
	strbuf_add_slice(&b, schema_quoted(l->scratch, f[0]));
	strbuf_addc(&b, '.');
	name = schema_quoted(l->scratch, f[1]);
	strbuf_add_slice(&b, name);
	t->quoted = strbuf_slice(&b);
	/* Chained into one list first; bucketed when their number is known. */
	t->next = l->schema->buckets[0];
	l->schema->buckets[0] = t;
	l->schema->ntables++;
}

static void build_buckets(struct schema *s)
{
	struct table *all = s->buckets[0], *next;

	s->nbuckets = s->ntables * 2 + 1;
	s->buckets = arena_array(s->arena, struct table *, s->nbuckets);
	for (; all; all = next) {
		size_t at = schema_hash(all->schema, all->name) % s->nbuckets;

		next = all->next;
		all->next = s->buckets[at];
		s->buckets[at] = all;
	}
}

static bool contains(struct slice text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.len; i++)
		if (slice_ieq((struct slice){ text.ptr + i, n }, slice_of(word)))
			return true;
	return false;
}

static bool ends_with(struct slice text, const char *end)
{
	size_t n = strlen(end);

	return text.len >= n && memcmp(text.ptr + text.len - n, end, n) == 0;
}

/* By the name of a collation. Of the many other sets ASCII is common ground. */
static enum charset charset(struct slice collation)
{
	if (!collation.len || slice_starts(collation, "utf8mb4") || slice_starts(collation, "uca1400"))
		return CHARSET_ALL;
	if (slice_starts(collation, "utf8"))
		return CHARSET_BMP;
	return slice_starts(collation, "latin1") ? CHARSET_LATIN1 : CHARSET_ASCII;
}

/* Quotes in expressions are shown with a backslash before them. */
static struct slice unescaped(struct arena *a, struct slice text)
{
	struct strbuf b;

	strbuf_init(&b, a, text.len);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\\' || i + 1 == text.len || text.ptr[i + 1] != '\'')
			strbuf_addc(&b, text.ptr[i]);
	return strbuf_slice(&b);
}

/* 'it''s' without its quotes. */
static struct slice unquoted(struct arena *a, struct slice text)
{
	struct strbuf b;

	strbuf_init(&b, a, text.len);
	for (size_t i = 1; i + 1 < text.len; i++) {
		if ((text.ptr[i] == '\'' || text.ptr[i] == '\\') && i + 2 < text.len)
			i++;
		strbuf_addc(&b, text.ptr[i]);
	}
	return strbuf_slice(&b);
}

/* MariaDB writes defaults as SQL; MySQL writes constants as they are and says which ones are expressions. */
static void read_default(struct loader *l, struct column *c, struct slice text, struct slice extra)
{
	struct arena *a = l->schema->arena;

	if (!text.ptr || c->generated || (l->schema->mariadb && slice_is(text, "NULL")))
		return;
	c->default_is_code = contains(extra, "DEFAULT_GENERATED");
	if (!l->schema->mariadb)
		c->default_text = c->default_is_code ? unescaped(a, text) : keep(l, text);
	else if (text.len > 1 && text.ptr[0] == '\'')
		c->default_text = unquoted(a, text);
	else
		c->default_text = keep(l, text);
	if (l->schema->mariadb)
		c->default_is_code = text.len && !strchr("'-+.0123456789", text.ptr[0]) && !slice_starts(text, "b'");
}

static void add_column(struct loader *l, const struct slice *f)
{
	struct table *t = table_of(l, f[0], f[1]);
	struct column *c;

	if (!t)
		return;
	/* Room doubles at powers of two; nothing points into columns yet. */
	if ((t->ncolumns & (t->ncolumns - 1)) == 0) {
		struct column *more = arena_array(l->schema->arena, struct column, t->ncolumns ? t->ncolumns * 2 : 1);

		if (t->ncolumns)
			memcpy(more, t->columns, t->ncolumns * sizeof(*more));
		t->columns = more;
	}
	c = &t->columns[t->ncolumns++];
	c->table = t;
	c->name = keep(l, f[2]);
	c->quoted = schema_quoted(l->schema->arena, f[2]);
	c->type = schema_type(l->schema->arena, f[3], f[4]);
	c->nullable = slice_is(f[5], "YES");
	c->collation = keep(l, f[6]);
	c->binary_collation = ends_with(f[6], "_bin") || slice_is(f[6], "binary");
	c->charset = charset(f[6]);
	c->generated = contains(f[7], "GENERATED") && !contains(f[7], "DEFAULT_GENERATED");
	c->auto_increment = contains(f[7], "auto_increment");
	c->invisible = contains(f[7], "INVISIBLE");
	c->has_default = f[8].ptr || c->generated || c->auto_increment;
	c->comment = keep(l, f[9]);
	c->db_type = keep(l, f[4]);
	read_default(l, c, f[8], f[7]);
	if (contains(f[7], "DEFAULT_GENERATED") && f[8].ptr && !memchr(f[8].ptr, '`', f[8].len))
		c->default_expression = unescaped(l->schema->arena, f[8]);
}

/* MariaDB keeps JSON as LONGTEXT with a CHECK: json_valid(`name`). */
static void mark_json(struct loader *l, const struct slice *f)
{
	struct table *t = table_of(l, f[0], f[1]);

	for (size_t i = 0; t && i < t->ncolumns; i++) {
		struct column *c = &t->columns[i];
		struct slice want =
			slice_of(arena_printf(l->scratch, "json_valid(%.*s)", (int)c->quoted.len, c->quoted.ptr));

		if (c->type.class == TYPE_TEXT && slice_ieq(f[2], want))
			c->type.class = TYPE_JSON;
	}
}

static struct key *key_of(struct loader *l, struct key **list, size_t *n, struct slice name)
{
	struct key *more;

	if (*n && slice_eq((*list)[*n - 1].name, name))
		return &(*list)[*n - 1];
	more = arena_array(l->schema->arena, struct key, *n + 1);
	if (*n)
		memcpy(more, *list, *n * sizeof(*more));
	*list = more;
	more[*n].name = keep(l, name);
	return &more[(*n)++];
}

static void key_add(struct loader *l, struct key *key, const struct column *c)
{
	const struct column **more = arena_array(l->schema->arena, const struct column *, key->n + 1);

	if (key->n)
		memcpy(more, key->columns, key->n * sizeof(*more));
	more[key->n++] = c;
	key->columns = more;
}

/*
 * f: db, table, index, NON_UNIQUE, column, SUB_PART, INDEX_TYPE. A key of expressions gets a NULL column; what is unique
 * by its first characters is unique as a whole.
 */
static void add_index(struct loader *l, const struct slice *f)
{
	struct table *t = table_of(l, f[0], f[1]);
	struct column *c = t && f[4].ptr ? schema_find_column(t, f[4]) : NULL;
	struct key *key;

	if (!t)
		return;
	if (slice_is(f[6], "FULLTEXT"))
		key_add(l, key_of(l, &t->fulltext, &t->nfulltext, f[2]), c);
	if (slice_is(f[6], "FULLTEXT") || !slice_is(f[3], "0"))
		return;
	key = key_of(l, &t->unique, &t->nunique, f[2]);
	key->partly |= f[5].ptr != NULL;
	key_add(l, key, c);
}

static bool key_whole(const struct key *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (!k->columns[i])
			return false;
	return true;
}

static size_t drop_broken(struct key *keys, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (key_whole(&keys[i]))
			keys[kept++] = keys[i];
	return kept;
}

static void finish_keys(struct schema *s)
{
	for (size_t b = 0; b < s->nbuckets; b++)
		for (struct table *t = s->buckets[b]; t; t = t->next) {
			t->nunique = drop_broken(t->unique, t->nunique);
			t->nfulltext = drop_broken(t->fulltext, t->nfulltext);
			for (size_t i = 0; i < t->nunique; i++)
				if (slice_is(t->unique[i].name, "PRIMARY"))
					t->primary = &t->unique[i];
		}
}

/* f: db, table, constraint, column, referenced db, referenced table, referenced column; ordered by constraint. */
static void add_foreign_key(struct loader *l, const struct slice *f)
{
	struct table *t = table_of(l, f[0], f[1]);
	struct table *target = schema_find_table(l->schema, f[4], f[5]);
	const struct column *c = t ? schema_find_column(t, f[3]) : NULL;
	const struct column *to = target ? schema_find_column(target, f[6]) : NULL;
	struct foreign_key *k = l->keys;
	struct key columns, targets;

	if (!c || !to)
		return;
	if (!k || k->table != t || !slice_eq(k->name, f[2])) {
		k = arena_new(l->schema->arena, struct foreign_key);
		*k = (struct foreign_key){ .next = l->keys, .name = keep(l, f[2]), .table = t, .target = target };
		l->keys = k;
	}
	columns = (struct key){ .columns = k->columns, .n = k->n };
	targets = (struct key){ .columns = k->target_columns, .n = k->n };
	key_add(l, &columns, c);
	key_add(l, &targets, to);
	k->columns = columns.columns;
	k->target_columns = targets.columns;
	k->n++;
}

struct view_context {
	struct loader *loader;
	struct view *view;
};

static void set_origin(void *context, size_t position, struct slice db, struct slice table, struct slice column)
{
	struct view_context *vc = context;
	struct table *base = schema_find_table(vc->loader->schema, db, table);

	if (base && position < vc->view->table->ncolumns)
		vc->view->origins[position].base = schema_find_column(base, column);
}

static void add_view(struct loader *l, const struct slice *f)
{
	struct table *t = table_of(l, f[0], f[1]);
	struct view_context vc = { l, NULL };
	struct view *v;

	if (!t)
		return;
	t->updatable = slice_is(f[3], "YES");
	v = arena_new(l->schema->arena, struct view);
	*v = (struct view){ .next = l->views, .table = t };
	v->origins = arena_array(l->schema->arena, struct origin, t->ncolumns);
	vc.view = v;
	v->nbases = schema_view_lineage(l->scratch, f[2], set_origin, &vc);
	t->joins = v->nbases > 1;
	v->text = slice_copy(l->scratch, f[2]);
	l->views = v;
	l->schema->request_variables |= contains(f[2], "@`request.") || contains(f[2], "@request.");
}

/* A view of a view shows the base column of what it shows. MariaDB's JSON columns are JSON in views as well. */
static void finish_views(struct loader *l)
{
	for (unsigned pass = 0; pass < 8; pass++)
		for (struct view *v = l->views; v; v = v->next)
			for (size_t c = 0; c < v->table->ncolumns; c++) {
				const struct column *base = v->origins[c].base;

				for (struct view *w = l->views; base && base->table->is_view && w; w = w->next)
					if (w->table == base->table) {
						const struct column *below = w->origins[base - w->table->columns].base;

						v->origins[c].base = below ? below : base;
					}
				base = v->origins[c].base;
				if (base && base->type.class == TYPE_JSON)
					v->table->columns[c].type.class = TYPE_JSON;
			}
}

/* sql/core may not be deployed, or its functions not granted: then views show less. */
bool schema_without_function(struct loader *l)
{
	if (l->err->code != ERR_DB_ROUTINE && l->err->code != ERR_DENIED && l->err->code != ERR_DB_SCHEMA)
		return false;
	error_init(l->err, l->err->arena);
	l->no_function = true;
	return true;
}

static bool call_view_definitions(struct loader *l, const struct value *database)
{
	const struct db_statement call = { .text = SLICE("CALL rowgate.view_definitions(?)"),
					   .params = database,
					   .nparams = 1 };
	const struct value *cells;
	struct db_rows *rows;
	struct db_set set;
	enum db_step step;

	if (!db_call_open(l->scratch, l->conn, &call, &rows, l->err))
		return false;
	l->table = NULL;
	while ((step = db_next_set(l->scratch, rows, &set, l->err)) == DB_ROW) {
		while ((step = db_next(rows, &cells, l->err)) == DB_ROW)
			take_row(l, cells, VIEW_FIELDS, add_view);
		if (step == DB_FAILED)
			return false;
	}
	return step == DB_END;
}

/*
 * The servers show the text of a view only to those who may read its rows; sql/core has a procedure that shows it to the
 * catalogue account. Where that is not installed, views simply have no relations.
 */
static bool load_views(struct loader *l)
{
	size_t done = 0;

	while (done < l->ndatabases && call_view_definitions(l, &l->databases[done]))
		done++;
	return done == l->ndatabases ||
	       (schema_without_function(l) &&
		schema_each_row(
			l,
			"SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION, IS_UPDATABLE FROM information_schema.VIEWS "
			"WHERE TABLE_SCHEMA IN (?) ORDER BY TABLE_SCHEMA, TABLE_NAME",
			VIEW_FIELDS, add_view));
}

/*
 * MariaDB shows the columns of a view that calls a function only to those who may execute it; sql/core shows them, in their
 * order. An ORDER BY would call the function again for the sorted rows, and a MariaDB that is told to end in between crashes.
 */
static bool load_hidden_columns(struct loader *l, const struct table *t)
{
	const struct value names[] = { value_text(t->schema), value_text(t->name) };

	return schema_each_row_of(
		       l, names, 2,
		       "SELECT s, t, n, d, c, nullable, collation, extra, standard, comment FROM "
		       "JSON_TABLE(rowgate.view_columns(?), '$[*]' COLUMNS (s TEXT PATH '$[1]', "
		       "t TEXT PATH '$[2]', n TEXT PATH '$[3]', d TEXT PATH '$[4]', "
		       "c LONGTEXT PATH '$[5]', nullable TEXT PATH '$[6]', collation TEXT PATH '$[7]', "
		       "extra TEXT PATH '$[8]', standard TEXT PATH '$[9]', comment TEXT PATH '$[10]')) AS found",
		       10, add_column) ||
	       schema_without_function(l);
}

static bool load_columns(struct loader *l)
{
	struct schema *s = l->schema;

	if (!schema_each_row(
		    l,
		    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLLATION_NAME, "
		    "EXTRA, COLUMN_DEFAULT, COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN (?) "
		    "ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
		    10, add_column))
		return false;
	for (size_t b = 0; s->mariadb && b < s->nbuckets; b++)
		for (struct table *t = s->buckets[b]; t && !l->no_function; t = t->next)
			if (t->is_view && !t->ncolumns && !load_hidden_columns(l, t))
				return false;
	return true;
}

static void add_comment(struct loader *l, const struct slice *f)
{
	for (size_t i = 0; i < l->schema->names->n; i++)
		if (slice_is(f[0], l->schema->names->items[i]))
			l->schema->comments[i] = keep(l, f[1]);
}

static bool load_comments(struct loader *l)
{
	struct schema *s = l->schema;

	s->comments = arena_array(s->arena, struct slice, s->names->n);
	return !s->mariadb || schema_each_row(l,
					      "SELECT SCHEMA_NAME, SCHEMA_COMMENT FROM information_schema.SCHEMATA "
					      "WHERE SCHEMA_NAME IN (?) ORDER BY SCHEMA_NAME",
					      2, add_comment);
}

static bool load_all(struct loader *l)
{
	struct schema *s = l->schema;

	if (!load_comments(l) ||
	    !schema_each_row(
		    l,
		    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES "
		    "WHERE TABLE_SCHEMA IN (?) AND TABLE_TYPE <> 'SEQUENCE' ORDER BY TABLE_SCHEMA, TABLE_NAME",
		    4, add_table))
		return false;
	build_buckets(s);
	if (!load_columns(l))
		return false;
	if (s->mariadb && !schema_each_row(l,
					   "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CHECK_CLAUSE FROM "
					   "information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA IN (?) "
					   "ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME",
					   3, mark_json))
		return false;
	if (!schema_each_row(
		    l,
		    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE FROM "
		    "information_schema.STATISTICS WHERE TABLE_SCHEMA IN (?) "
		    "ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
		    7, add_index))
		return false;
	finish_keys(s);
	if (!schema_each_row(l,
			     "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, "
			     "REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE "
			     "WHERE TABLE_SCHEMA IN (?) AND REFERENCED_TABLE_NAME IS NOT NULL "
			     "ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
			     7, add_foreign_key))
		return false;
	if (!load_views(l))
		return false;
	finish_views(l);
	schema_relate(s, l->keys, l->views);
	return schema_load_routines(l) && schema_load_policies(l);
}

struct schema *schema_load(const struct config *config, struct db *db, struct db_conn *catalogue,
			   const struct schema *before, struct error *err)
{
	struct arena *arena = arena_open();
	struct schema *s = arena_new(arena, struct schema);
	const struct slice roles[] = { slice_of(config->db_anon_role), slice_of(config->auth_default_role),
				       slice_of(config->auth_admin_role) };
	struct loader l = { .schema = s,
			    .scratch = arena_open(),
			    .db = db,
			    .conn = catalogue,
			    .before = before,
			    .roles = roles,
			    .nroles = sizeof(roles) / sizeof(*roles),
			    .err = err };
	bool ok;

	s->arena = arena;
	s->names = &config->db_schemas;
	s->mariadb = db_is_mariadb(catalogue);
	s->version = db_version(catalogue);
	s->digest = 14695981039346656037u;
	s->buckets = arena_array(arena, struct table *, 1);
	s->nbuckets = 1;
	l.ndatabases = config->db_schemas.n;
	l.databases = arena_array(l.scratch, struct value, l.ndatabases);
	for (size_t i = 0; i < l.ndatabases; i++)
		l.databases[i] = value_text(slice_of(config->db_schemas.items[i]));
	ok = load_all(&l);
	schema_end_tries(&l);
	arena_close(l.scratch);
	if (ok)
		return s;
	schema_free(s);
	return NULL;
}
