/*
 * Which relation an embed means. It comes from a foreign key in the schema cache and is never guessed from column
 * names. A name may be that of the other table, of the foreign key, or of its column; a hint narrows it by the
 * foreign key, one of its columns, or the junction. More than one left is the client's to decide (PGRST201).
 */
#include "internal.h"

struct candidates {
	const struct relation **items;
	size_t n;
};

static bool is_self(const struct relation *r)
{
	return r->to == r->from || r->to == r->from->rows_of;
}

/* The single foreign key column of the relation, wherever it stands; NULL when there are several. */
static const struct column *key_column(const struct relation *r)
{
	if (r->n != 1 || r->junction)
		return NULL;
	return r->at_from ? r->from_columns[0] : r->to_columns[0];
}

static const struct column *referenced_column(const struct relation *r)
{
	if (r->n != 1 || r->junction)
		return NULL;
	return r->at_from ? r->to_columns[0] : r->from_columns[0];
}

static bool named(const struct column *c, struct slice name)
{
	return c && slice_eq(c->name, name);
}

static bool hinted(const struct relation *r, struct slice hint)
{
	if (r->junction)
		return slice_eq(r->junction->name, hint);
	return slice_eq(r->constraint, hint) || named(key_column(r), hint) ||
	       (named(referenced_column(r), hint) && !is_self(r));
}

/*
 * The name of the other table. A table's relation to itself has two sides and one name: that means the rows that point
 * here, as upstream has it, but the name of the key says nothing about the side. By way of a junction it could not be
 * told which way, so it means none.
 */
static bool by_table(const struct relation *r, const struct query_embed *e)
{
	if (!slice_eq(r->to->name, e->relation) || (is_self(r) && r->junction))
		return false;
	if (is_self(r) && r->at_from)
		return slice_eq(r->constraint, e->hint);
	return !e->hint.len || hinted(r, e->hint);
}

/* The name of the foreign key, or its one column on this side. Of a relation to itself, the row this one points to. */
static bool by_key(const struct planner *p, const struct relation *r, const struct query_embed *e)
{
	if (!p->config->url_use_legacy_target_names || r->junction || e->hint.len || (is_self(r) && !r->at_from))
		return false;
	return slice_eq(r->constraint, e->relation) || (r->n == 1 && named(r->from_columns[0], e->relation));
}

enum reach { REACH_TABLES, REACH_ITSELF };

/* A view that shows a key would make its names ambiguous: they mean the table, or the view they are asked of. */
static bool meant(const struct planner *p, const struct relation *r, const struct query_embed *e, bool same_schema,
		  enum reach reach)
{
	if (same_schema != slice_eq(r->to->schema, r->from->schema))
		return false;
	if (reach == REACH_ITSELF)
		return is_self(r) && r->to->is_view && by_key(p, r, e);
	return by_table(r, e) || (!r->to->is_view && by_key(p, r, e));
}

static struct candidates collect(struct planner *p, const struct table *from, const struct query_embed *e, bool same,
				 enum reach reach)
{
	struct candidates c = { arena_array(p->a, const struct relation *, from->nrelations), 0 };

	for (size_t i = 0; i < from->nrelations; i++)
		if (meant(p, &from->relations[i], e, same, reach))
			c.items[c.n++] = &from->relations[i];
	return c;
}

static void column_list(struct strbuf *b, const struct table *t, const struct column *const *columns, size_t n)
{
	strbuf_add_slice(b, t->name);
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(b, i ? ", " : "(");
		strbuf_add_slice(b, columns[i]->name);
	}
	strbuf_addc(b, ')');
}

static void describe(struct planner *p, const struct relation *r, struct strbuf *out)
{
	struct strbuf b;

	strbuf_init(&b, p->a, 128);
	if (r->junction) {
		strbuf_add_slice(&b, r->junction->name);
		strbuf_lit(&b, " using ");
		strbuf_add_slice(&b, r->constraint);
		column_list(&b, (&(struct table){ .name = { "", 0 } }), r->junction_from, r->n);
		strbuf_lit(&b, " and ");
		strbuf_add_slice(&b, r->constraint_to);
		column_list(&b, (&(struct table){ .name = { "", 0 } }), r->junction_to, r->njunction_to);
	} else {
		strbuf_add_slice(&b, r->constraint);
		strbuf_lit(&b, " using ");
		column_list(&b, r->from, r->from_columns, r->n);
		strbuf_lit(&b, " and ");
		column_list(&b, r->to, r->to_columns, r->n);
	}
	strbuf_addf(out, "{\"cardinality\":\"%s\",\"relationship\":", schema_cardinality(r));
	json_string(out, strbuf_slice(&b));
	strbuf_lit(out, ",\"embedding\":");
	json_string(out, slice_of(arena_printf(p->a, "%.*s with %.*s", (int)r->from->name.len, r->from->name.ptr,
					       (int)r->to->name.len, r->to->name.ptr)));
	strbuf_addc(out, '}');
}

static bool ambiguous(struct planner *p, const struct table *from, const struct query_embed *e,
		      const struct candidates *c)
{
	struct strbuf details, hint;

	error_set(p->err, ERR_AMBIGUOUS_EMBED,
		  "Could not embed because more than one relationship was found for '%.*s' and '%.*s'",
		  (int)from->name.len, from->name.ptr, (int)e->relation.len, e->relation.ptr);
	strbuf_init(&details, p->a, 256);
	strbuf_init(&hint, p->a, 256);
	for (size_t i = 0; i < c->n; i++) {
		const struct relation *r = c->items[i];
		struct slice by = r->junction ? r->junction->name : r->constraint;

		strbuf_addc(&details, i ? ',' : '[');
		describe(p, r, &details);
		strbuf_addf(&hint, "%s'%.*s!%.*s'", i ? ", " : "", (int)r->to->name.len, r->to->name.ptr, (int)by.len,
			    by.ptr);
	}
	strbuf_addc(&details, ']');
	p->err->details = strbuf_cstr(&details);
	p->err->details_json = true;
	return error_hint(p->err,
			  "Try changing '%.*s' to one of the following: %s. Find the desired relationship in the "
			  "'details' key.",
			  (int)e->relation.len, e->relation.ptr, strbuf_cstr(&hint));
}

static bool none(struct planner *p, const struct table *from, const struct query_embed *e)
{
	struct slice *names = arena_array(p->a, struct slice, from->nrelations);
	struct slice near;

	error_set(p->err, ERR_NO_RELATION,
		  "Could not find a relationship between '%.*s' and '%.*s' in the schema cache", (int)from->name.len,
		  from->name.ptr, (int)e->relation.len, e->relation.ptr);
	if (e->hint.len)
		error_details(p->err,
			      "Searched for a foreign key relationship between '%.*s' and '%.*s' using the hint '%.*s' "
			      "in the schema '%.*s', but no matches were found.",
			      (int)from->name.len, from->name.ptr, (int)e->relation.len, e->relation.ptr,
			      (int)e->hint.len, e->hint.ptr, (int)from->schema.len, from->schema.ptr);
	else
		error_details(p->err,
			      "Searched for a foreign key relationship between '%.*s' and '%.*s' in the schema '%.*s', "
			      "but no matches were found.",
			      (int)from->name.len, from->name.ptr, (int)e->relation.len, e->relation.ptr,
			      (int)from->schema.len, from->schema.ptr);
	for (size_t i = 0; i < from->nrelations; i++)
		names[i] = from->relations[i].to->name;
	near = schema_nearest(e->relation, names, from->nrelations);
	if (near.len && !slice_eq(near, e->relation))
		error_hint(p->err, "Perhaps you meant '%.*s' instead of '%.*s'.", (int)near.len, near.ptr,
			   (int)e->relation.len, e->relation.ptr);
	return false;
}

bool plan_relation(struct planner *p, const struct table *from, const struct query_embed *embed,
		   const struct relation **out)
{
	struct candidates c = collect(p, from, embed, true, REACH_TABLES);

	if (!c.n)
		c = collect(p, from, embed, true, REACH_ITSELF);
	if (!c.n)
		c = collect(p, from, embed, false, REACH_TABLES);
	if (!c.n)
		return none(p, from, embed);
	if (c.n > 1)
		return ambiguous(p, from, embed, &c);
	*out = c.items[0];
	return true;
}

/* One way of naming it: does it mean this relation alone? */
static bool means(struct planner *p, const struct relation *r, struct slice name, struct slice hint)
{
	struct query_embed e = { .relation = name, .hint = hint };
	struct candidates c = collect(p, r->from, &e, true, REACH_TABLES);

	if (!c.n)
		c = collect(p, r->from, &e, true, REACH_ITSELF);
	if (!c.n)
		c = collect(p, r->from, &e, false, REACH_TABLES);
	return c.n == 1 && c.items[0] == r;
}

struct slice plan_relation_name(struct arena *a, const struct config *config, const struct relation *r)
{
	struct planner p = { .a = a, .config = config };
	struct slice none = { NULL, 0 }, key = key_column(r) ? key_column(r)->name : none;
	const struct {
		struct slice name, hint;
	} ways[] = { { r->to->name, none },
		     { r->to->name, r->junction ? r->junction->name : r->constraint },
		     { r->to->name, key },
		     { r->constraint, none },
		     { r->at_from ? key : none, none } };
	struct strbuf b;

	strbuf_init(&b, a, 64);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && !b.len; i++) {
		if (!ways[i].name.len || !means(&p, r, ways[i].name, ways[i].hint))
			continue;
		query_add_name(&b, ways[i].name);
		if (ways[i].hint.len) {
			strbuf_addc(&b, '!');
			query_add_name(&b, ways[i].hint);
		}
	}
	return strbuf_slice(&b);
}
