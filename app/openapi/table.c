/*
 * The schemas of a table: NAME is a row as it is read and, without its readOnly properties, as it is written;
 * NAME.insert adds what a new row must have. What JSON Schema has no words for - keys, relations, rights - stands in
 * x- members, so that nobody needs to read prose; PostgREST's notes are in the descriptions for those who do.
 */
#include "internal.h"

const struct entry *openapi_entry(const struct document *d, const struct table *table)
{
	size_t low = 0, high = d->nall;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (d->all[middle].table == table)
			return &d->all[middle];
		if ((uintptr_t)d->all[middle].table < (uintptr_t)table)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool openapi_may_see(const struct document *d, const struct table *table)
{
	const struct entry *e = openapi_entry(d, table);

	return e && (e->rights.any & MAY_SELECT);
}

static bool may_see_columns(const struct document *d, const struct table *table, const struct column *const *columns,
			    size_t n)
{
	const struct entry *e = openapi_entry(d, table);

	for (size_t i = 0; e && i < n; i++)
		if (!(e->rights.columns[columns[i] - table->columns] & MAY_SELECT))
			return false;
	return e != NULL;
}

static bool may_embed(const struct document *d, const struct relation *r)
{
	return may_see_columns(d, r->from, r->from_columns, r->n) &&
	       may_see_columns(d, r->to, r->to_columns, r->junction ? r->njunction_to : r->n) &&
	       (!r->junction || (may_see_columns(d, r->junction, r->junction_from, r->n) &&
				 may_see_columns(d, r->junction, r->junction_to, r->njunction_to)));
}

static bool has(const struct column *const *columns, size_t n, const struct column *c)
{
	for (size_t i = 0; i < n; i++)
		if (columns[i] == c)
			return true;
	return false;
}

/* The foreign key a column belongs to; that of a base table before one by way of a view. */
static const struct relation *foreign_key(const struct document *d, const struct column *c, size_t *place)
{
	for (size_t i = 0; i < c->table->nrelations; i++) {
		const struct relation *r = &c->table->relations[i];

		if (!r->at_from || !has(r->from_columns, r->n, c) || !may_embed(d, r))
			continue;
		for (*place = 0; r->from_columns[*place] != c;)
			(*place)++;
		return r;
	}
	return NULL;
}

/* An index of words of this column alone. */
static bool has_fulltext(const struct column *c)
{
	for (size_t i = 0; i < c->table->nfulltext; i++)
		if (c->table->fulltext[i].n == 1 && c->table->fulltext[i].columns[0] == c)
			return true;
	return false;
}

static bool in_primary(const struct column *c)
{
	const struct key *k = c->table->primary;

	return k && has(k->columns, k->n, c);
}

/* ,"schema":...,"table":... of the other end: schema only where it is another one. */
static void other_end(struct strbuf *b, const struct relation *r)
{
	if (!slice_eq(r->to->schema, r->from->schema))
		openapi_text(b, "schema", r->to->schema);
	openapi_text(b, "table", r->to->name);
}

static void add_foreign_key(struct document *d, const struct relation *r, size_t place)
{
	struct strbuf *b = d->b;

	strbuf_lit(b, ",\"x-foreign-key\":{\"constraint\":");
	json_string(b, r->constraint);
	other_end(b, r);
	openapi_text(b, "column", r->to_columns[place]->name);
	strbuf_lit(b, ",\"columns\":");
	openapi_names(b, r->from_columns, r->n);
	strbuf_lit(b, ",\"target_columns\":");
	openapi_names(b, r->to_columns, r->n);
	openapi_text(b, "embed", plan_relation_name(d->a, d->rq->config, r));
	strbuf_addc(b, '}');
}

/* A name within quotes of XML. */
static void xml_name(struct strbuf *b, struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		switch (name.ptr[i]) {
		case '&':
			strbuf_lit(b, "&amp;");
			break;
		case '<':
			strbuf_lit(b, "&lt;");
			break;
		case '\'':
			strbuf_lit(b, "&#39;");
			break;
		default:
			strbuf_addc(b, name.ptr[i]);
		}
}

/* PostgREST's words, which its clients look for. */
static void add_notes(struct strbuf *text, const struct column *c, const struct relation *fk, size_t place)
{
	if (!in_primary(c) && !fk)
		return;
	strbuf_adds(text, text->len ? "\n\nNote:" : "Note:");
	if (in_primary(c))
		strbuf_lit(text, "\nThis is a Primary Key.<pk/>");
	if (!fk)
		return;
	strbuf_lit(text, "\nThis is a Foreign Key to `");
	strbuf_add_slice(text, fk->to->name);
	strbuf_addc(text, '.');
	strbuf_add_slice(text, fk->to_columns[place]->name);
	strbuf_lit(text, "`.<fk table='");
	xml_name(text, fk->to->name);
	strbuf_lit(text, "' column='");
	xml_name(text, fk->to_columns[place]->name);
	strbuf_lit(text, "'/>");
}

/* ,"examples":[...]: those of the comment that are of the type, else one for types that need it. */
static void add_examples(struct strbuf *b, const struct type *t, const struct slice *examples, size_t n)
{
	size_t start = b->len, kept = 0;
	bool any = false;

	strbuf_lit(b, ",\"examples\":[");
	for (size_t i = 0; i < n; i++) {
		size_t before = b->len;

		if (any)
			strbuf_addc(b, ',');
		if (openapi_value(b, t, examples[i])) {
			any = true;
			kept = b->len;
		} else {
			b->len = before;
		}
	}
	if (!any && openapi_sample(b, t)) {
		any = true;
		kept = b->len;
	}
	b->len = any ? kept : start;
	if (any)
		strbuf_addc(b, ']');
}

static void add_default(struct strbuf *b, const struct column *c)
{
	size_t before = b->len;

	if (!c->default_text.ptr)
		return;
	if (!c->default_is_code) {
		strbuf_lit(b, ",\"default\":");
		if (openapi_value(b, &c->type, c->default_text))
			return;
		b->len = before;
	}
	openapi_text(b, "x-default", c->default_text);
}

/* What the role may not do with this column though it may with others. */
static void add_column_rights(struct strbuf *b, const struct rights *r, unsigned mine)
{
	static const struct {
		unsigned right;
		const char *key;
	} flags[] = { { MAY_SELECT, "x-selectable" }, { MAY_INSERT, "x-insertable" }, { MAY_UPDATE, "x-updatable" } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if ((r->any & flags[i].right) && !(mine & flags[i].right))
			openapi_flag(b, flags[i].key, false);
}

static void add_property(struct document *d, const struct entry *e, size_t i)
{
	const struct column *c = &e->table->columns[i];
	unsigned mine = e->rights.columns[i];
	struct strbuf *b = d->b, text;
	struct slice *examples = NULL;
	size_t nexamples, place = 0;
	const struct relation *fk = foreign_key(d, c, &place);

	json_string(b, c->name);
	strbuf_lit(b, ":{");
	openapi_type(b, &c->type, c->db_type, c->nullable);
	strbuf_adds(b, c->type.class == TYPE_JSON ? "\"x-db-type\":" : ",\"x-db-type\":");
	json_string(b, c->db_type);
	if (c->type.class == TYPE_JSON)
		openapi_flag(b, "x-json", true);
	if (c->type.class == TYPE_JSON)
		openapi_flag(b, "x-nullable", c->nullable);
	strbuf_init(&text, d->a, c->comment.len + 160);
	strbuf_add_slice(&text, openapi_examples(d->a, c->comment, &examples, &nexamples));
	add_notes(&text, c, fk, place);
	if (text.len)
		openapi_text(b, "description", strbuf_slice(&text));
	add_default(b, c);
	add_examples(b, &c->type, examples, nexamples);
	if (in_primary(c))
		openapi_flag(b, "x-primary-key", true);
	if (fk)
		add_foreign_key(d, fk, place);
	if (c->generated)
		openapi_flag(b, "x-generated", true);
	if (c->auto_increment)
		openapi_flag(b, "x-auto-increment", true);
	if (has_fulltext(c))
		openapi_flag(b, "x-fulltext", true);
	if (c->generated || !(mine & (MAY_INSERT | MAY_UPDATE)))
		openapi_flag(b, "readOnly", true);
	else if (!(mine & MAY_SELECT))
		openapi_flag(b, "writeOnly", true);
	add_column_rights(b, &e->rights, mine);
	strbuf_addc(b, '}');
}

bool openapi_required(const struct entry *e, size_t i)
{
	const struct column *c = &e->table->columns[i];

	return !c->nullable && !c->has_default && (e->rights.columns[i] & MAY_INSERT);
}

static void add_required(struct strbuf *b, const struct entry *e)
{
	const char *comma = "";

	for (size_t i = 0; i < e->table->ncolumns; i++) {
		if (!openapi_required(e, i))
			continue;
		strbuf_adds(b, comma);
		json_string(b, e->table->columns[i].name);
		comma = ",";
	}
}

static void add_keys(struct strbuf *b, const struct table *t)
{
	strbuf_lit(b, ",\"x-primary-key\":");
	if (t->primary)
		openapi_names(b, t->primary->columns, t->primary->n);
	else
		strbuf_lit(b, "[]");
	strbuf_lit(b, ",\"x-unique-keys\":[");
	for (size_t i = 0; i < t->nunique; i++) {
		strbuf_adds(b, i ? ",{\"name\":" : "{\"name\":");
		json_string(b, t->unique[i].name);
		strbuf_lit(b, ",\"columns\":");
		openapi_names(b, t->unique[i].columns, t->unique[i].n);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static bool is_label(const struct entry *e, const struct column *c)
{
	return c->type.class == TYPE_TEXT && (e->rights.columns[c - e->table->columns] & MAY_SELECT);
}

static bool says_label(struct slice comment)
{
	for (size_t i = 0; i < comment.len; i++)
		if (slice_starts(slice_from(comment, i), "@label"))
			return true;
	return false;
}

/*
 * The column that tells people which row it is: the one whose comment says @label, a text that is a unique key of its
 * own, one with a usual name; NULL: none.
 */
static const struct column *label_column(const struct entry *e)
{
	static const char *const usual[] = {
		"name", "title", "label", "full_name", "display_name", "username", "email"
	};
	const struct table *t = e->table;

	for (size_t i = 0; i < t->ncolumns; i++)
		if (says_label(t->columns[i].comment))
			return &t->columns[i];
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		for (size_t k = 0; k < t->ncolumns; k++)
			if (slice_ieq(t->columns[k].name, slice_of(usual[i])) && is_label(e, &t->columns[k]))
				return &t->columns[k];
	for (size_t i = 0; i < t->nunique; i++)
		if (&t->unique[i] != t->primary && t->unique[i].n == 1 && is_label(e, t->unique[i].columns[0]))
			return t->unique[i].columns[0];
	return NULL;
}

static void add_junction(struct strbuf *b, const struct relation *r)
{
	strbuf_lit(b, ",\"junction\":{\"table\":");
	json_string(b, r->junction->name);
	if (!slice_eq(r->junction->schema, r->from->schema))
		openapi_text(b, "schema", r->junction->schema);
	openapi_text(b, "constraint", r->constraint);
	strbuf_lit(b, ",\"columns\":");
	openapi_names(b, r->junction_from, r->n);
	openapi_text(b, "target_constraint", r->constraint_to);
	strbuf_lit(b, ",\"target_columns\":");
	openapi_names(b, r->junction_to, r->njunction_to);
	strbuf_addc(b, '}');
}

/* Relations that select can name, for the columns that the role may read at both ends. */
static void add_relations(struct document *d, const struct table *t)
{
	struct strbuf *b = d->b;
	const char *comma = "";

	strbuf_lit(b, ",\"x-relationships\":[");
	for (size_t i = 0; i < t->nrelations; i++) {
		const struct relation *r = &t->relations[i];
		struct slice embed =
			may_embed(d, r) ? plan_relation_name(d->a, d->rq->config, r) : (struct slice){ NULL, 0 };

		if (!embed.len)
			continue;
		strbuf_addf(b, "%s{\"cardinality\":\"%s\"", comma, schema_cardinality(r));
		other_end(b, r);
		openapi_text(b, "embed", embed);
		if (!r->junction)
			openapi_text(b, "constraint", r->constraint);
		openapi_flag(b, "foreign_key_here", r->at_from);
		strbuf_lit(b, ",\"columns\":");
		openapi_names(b, r->from_columns, r->n);
		strbuf_lit(b, ",\"target_columns\":");
		openapi_names(b, r->to_columns, r->junction ? r->njunction_to : r->n);
		if (r->junction)
			add_junction(b, r);
		strbuf_addc(b, '}');
		comma = ",";
	}
	strbuf_addc(b, ']');
}

static void add_face(struct document *d, const struct entry *e)
{
	const struct table *t = e->table;
	const struct column *label = label_column(e);
	struct strbuf *b = d->b;
	unsigned any = e->rights.any;

	strbuf_lit(b, "{\"type\":\"object\"");
	if (t->comment.len)
		openapi_text(b, "description", t->comment);
	openapi_text(b, "x-schema", t->schema);
	openapi_text(b, "x-table", t->name);
	openapi_flag(b, "x-view", t->is_view);
	openapi_flag(b, "x-selectable", any & MAY_SELECT);
	openapi_flag(b, "x-insertable", any & MAY_INSERT);
	openapi_flag(b, "x-updatable", any & MAY_UPDATE);
	openapi_flag(b, "x-deletable", any & MAY_DELETE);
	add_keys(b, t);
	if (label)
		openapi_text(b, "x-label-column", label->name);
	add_relations(d, t);
}

void openapi_table_schemas(struct document *d, const struct entry *e)
{
	struct strbuf *b = d->b;
	const char *comma = "";

	strbuf_addc(b, '"');
	openapi_key(b, e->table->name);
	strbuf_lit(b, "\":");
	add_face(d, e);
	strbuf_lit(b, ",\"properties\":{");
	for (size_t i = 0; i < e->table->ncolumns; i++) {
		if (!(e->rights.columns[i] & (MAY_SELECT | MAY_INSERT | MAY_UPDATE)))
			continue;
		strbuf_adds(b, comma);
		add_property(d, e, i);
		comma = ",";
	}
	strbuf_lit(b, "}}");
	if (!(e->rights.any & MAY_INSERT))
		return;
	strbuf_lit(b, ",\"");
	openapi_key(b, e->table->name);
	strbuf_lit(b, ".insert\":{\"allOf\":[");
	openapi_ref(b, "schemas", "", e->table->name);
	strbuf_lit(b, "],\"required\":[");
	add_required(b, e);
	strbuf_lit(b, "]}");
}
