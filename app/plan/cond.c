/*
 * Filters with their names resolved and their values typed. Whether an operator fits a type is decided here, so that
 * MySQL never gets to coerce.
 */
#include "internal.h"

#include "json.h"

#define OPERATORS_TEXT (1u << OP_LIKE | 1u << OP_ILIKE | 1u << OP_MATCH | 1u << OP_IMATCH)
#define OPERATORS_FULLTEXT (1u << OP_FTS | 1u << OP_PLFTS | 1u << OP_PHFTS | 1u << OP_WFTS)
#define OPERATORS_JSON (1u << OP_CS | 1u << OP_CD | 1u << OP_OV)
#define OPERATORS_ORDER (1u << OP_GT | 1u << OP_GTE | 1u << OP_LT | 1u << OP_LTE)
#define OPERATORS_EQUAL (1u << OP_EQ | 1u << OP_NEQ | 1u << OP_IN | 1u << OP_ISDISTINCT)

static const char *const symbols[] = { [OP_EQ] = "=",
				       [OP_NEQ] = "<>",
				       [OP_GT] = ">",
				       [OP_GTE] = ">=",
				       [OP_LT] = "<",
				       [OP_LTE] = "<=",
				       [OP_LIKE] = "~~",
				       [OP_ILIKE] = "~~*",
				       [OP_MATCH] = "~",
				       [OP_IMATCH] = "~*",
				       [OP_IN] = "=",
				       [OP_IS] = "IS",
				       [OP_ISDISTINCT] = "IS DISTINCT FROM",
				       [OP_CS] = "@>",
				       [OP_CD] = "<@",
				       [OP_OV] = "&&",
				       [OP_FTS] = "@@",
				       [OP_PLFTS] = "@@",
				       [OP_PHFTS] = "@@",
				       [OP_WFTS] = "@@" };

/* The operators that mean something for an expression. */
static unsigned operators(const struct plan_expr *e)
{
	unsigned compare = OPERATORS_EQUAL | OPERATORS_ORDER;

	switch (e->type.class) {
	case TYPE_TEXT:
		return compare | OPERATORS_TEXT | OPERATORS_FULLTEXT;
	case TYPE_ENUM:
		return compare | OPERATORS_TEXT;
	case TYPE_SET:
		return compare | OPERATORS_TEXT | 1u << OP_CS;
	case TYPE_JSON:
		return e->path ? compare | OPERATORS_JSON : OPERATORS_EQUAL | OPERATORS_JSON;
	case TYPE_GEOMETRY:
	case TYPE_VECTOR:
		return 0;
	default:
		return compare;
	}
}

static bool check_operator(struct planner *p, const struct query_filter *f, const struct plan_expr *e)
{
	if (f->op == OP_IS) {
		if (f->is == IS_NULL || f->is == IS_NOT_NULL || e->type.class == TYPE_BOOL)
			return true;
		error_set(p->err, ERR_NO_OPERATOR, "argument of IS %s must be type boolean, not type %s",
			  f->is == IS_TRUE    ? "TRUE"
			  : f->is == IS_FALSE ? "FALSE"
					      : "UNKNOWN",
			  type_name(&e->type));
		p->err->sqlstate = "42804";
		return false;
	}
	if (operators(e) & 1u << f->op)
		return true;
	error_set(p->err, ERR_NO_OPERATOR, "operator does not exist: %s %s unknown", type_name(&e->type),
		  symbols[f->op]);
	return error_hint(p->err, "No operator matches the given name and argument types.");
}

/* `*` is `%` for like and ilike. */
static struct slice pattern(struct planner *p, struct slice text)
{
	char *copy = slice_cstr(p->a, text);

	for (size_t i = 0; i < text.len; i++)
		if (copy[i] == '*')
			copy[i] = '%';
	return (struct slice){ copy, text.len };
}

/* The next element of a,"b,c": up to a comma outside of quotes, without blanks around. */
static bool next_element(struct slice *rest, struct slice *part)
{
	bool quoted = false;
	size_t n = 0;

	if (!rest->ptr)
		return false;
	for (; n < rest->len && (quoted || rest->ptr[n] != ','); n++) {
		if (rest->ptr[n] == '"')
			quoted = !quoted;
		else if (quoted && rest->ptr[n] == '\\' && n + 1 < rest->len)
			n++;
	}
	*part = slice_trim((struct slice){ rest->ptr, n });
	*rest = n < rest->len ? slice_from(*rest, n + 1) : (struct slice){ NULL, 0 };
	return true;
}

/* Is there a colon outside of quotes, as in a JSON object? */
static bool has_colon(struct slice s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"')
			quoted = !quoted;
		else if (quoted && s.ptr[i] == '\\')
			i++;
		else if (!quoted && s.ptr[i] == ':')
			return true;
	}
	return false;
}

/* cs, cd and ov take JSON; {a,b} that is no JSON object is PostgreSQL's array form. */
static struct value json_value(struct planner *p, struct slice text)
{
	struct slice s = slice_trim(text), rest, part;
	struct json_fault fault;
	struct strbuf b;

	if (s.len < 2 || s.ptr[0] != '{' || s.ptr[s.len - 1] != '}' || has_colon(s))
		return value_text(s);
	strbuf_init(&b, p->a, s.len * 2);
	strbuf_addc(&b, '[');
	rest = (struct slice){ s.ptr + 1, s.len - 2 };
	if (!rest.len)
		rest.ptr = NULL;
	while (next_element(&rest, &part)) {
		strbuf_adds(&b, b.len > 1 ? "," : "");
		if (json_check(p->a, part, 1, &fault))
			strbuf_add_slice(&b, part);
		else
			json_string(&b, part);
	}
	strbuf_addc(&b, ']');
	return value_text(strbuf_slice(&b));
}

static bool valid_json(struct planner *p, struct slice text)
{
	struct json_fault fault;

	if (json_check(p->a, text, 64, &fault))
		return true;
	error_set(p->err, ERR_BAD_LITERAL, "invalid input syntax for type json");
	return error_details(p->err, "%s at byte %zu.", fault.reason, fault.offset + 1);
}

static bool typed_value(struct planner *p, const struct query_filter *f, const struct plan_expr *e, struct slice text,
			bool *instant, struct value *out)
{
	switch (f->op) {
	case OP_LIKE:
	case OP_ILIKE:
		*out = value_text(pattern(p, text));
		return true;
	case OP_MATCH:
	case OP_IMATCH:
		*out = value_text(text);
		return true;
	case OP_FTS:
	case OP_PLFTS:
	case OP_PHFTS:
	case OP_WFTS:
		out->kind = VALUE_TEXT;
		return plan_fulltext(p, f->op, text, &out->s);
	case OP_CS:
	case OP_CD:
	case OP_OV:
		if (e->type.class == TYPE_SET) {
			*out = value_text(text);
			return true;
		}
		*out = json_value(p, text);
		return valid_json(p, out->s);
	default:
		break;
	}
	if (e->type.class == TYPE_JSON && !valid_json(p, text))
		return false;
	if (!plan_literal(p->a, &e->type, text, out, instant, p->err))
		return false;
	/* ENUMs are in the order of their labels, for which the servers take the number. */
	if (e->type.class == TYPE_ENUM && OPERATORS_ORDER & 1u << f->op)
		*out = value_int(plan_enum_position(&e->type, text));
	return true;
}

/* ASCII is in all sets; of the BMP a utf8mb3 column has all, and latin1 what is below U+0100 but for the controls. */
static bool is_within(enum charset charset, struct slice text)
{
	for (size_t i = 0; i < text.len && charset != CHARSET_ALL; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x80)
			continue;
		if (charset == CHARSET_BMP && c < 0xF0)
			continue;
		if (charset == CHARSET_LATIN1 && i + 1 < text.len &&
		    (c == 0xC3 || (c == 0xC2 && (unsigned char)text.ptr[i + 1] >= 0xA0))) {
			i++;
			continue;
		}
		return false;
	}
	return true;
}

static bool is_beyond_charset(const struct plan_cond *c)
{
	enum type_class class = c->left.type.class;
	bool beyond = false;

	for (size_t i = 0;
	     i < c->nvalues && c->left.column && (class == TYPE_TEXT || class == TYPE_ENUM || class == TYPE_SET); i++)
		beyond |= c->values[i].kind == VALUE_TEXT && !is_within(c->left.column->charset, c->values[i].s);
	return beyond;
}

/* cs on a SET column: every member must be there. */
static void set_members(struct planner *p, struct plan_cond *c, struct slice text)
{
	struct slice s = slice_trim(text), rest, part;
	struct value *values = arena_array(p->a, struct value, s.len + 1);

	if (s.len >= 2 && s.ptr[0] == '{' && s.ptr[s.len - 1] == '}')
		s = (struct slice){ s.ptr + 1, s.len - 2 };
	rest = s;
	c->nvalues = 0;
	while (s.len && next_element(&rest, &part)) {
		if (part.len >= 2 && part.ptr[0] == '"' && part.ptr[part.len - 1] == '"')
			part = (struct slice){ part.ptr + 1, part.len - 2 };
		values[c->nvalues++] = value_text(part);
	}
	c->values = values;
	/* MySQL's FIND_IN_SET finds a member in another character set by its bytes alone. */
	for (size_t i = 0; i < c->nvalues && c->left.column->charset != CHARSET_ALL; i++)
		c->beyond_charset |= !is_within(CHARSET_ASCII, values[i].s);
}

/* The FULLTEXT index that holds the column; one on it alone is preferred. */
static bool find_fulltext(struct planner *p, const struct plan_expr *e, struct plan_cond *c)
{
	const struct table *t = e->node->table;

	for (size_t i = 0; i < t->nfulltext && !e->path; i++)
		for (size_t k = 0; k < t->fulltext[i].n; k++)
			if (t->fulltext[i].columns[k] == e->column && (!c->fulltext || t->fulltext[i].n == 1))
				c->fulltext = &t->fulltext[i];
	if (c->fulltext)
		return true;
	error_set(p->err, ERR_NO_FULLTEXT, "column %.*s.%.*s has no full text index", (int)t->name.len, t->name.ptr,
		  (int)e->column->name.len, e->column->name.ptr);
	return error_hint(p->err, "Create one: ALTER TABLE ... ADD FULLTEXT INDEX (%.*s)", (int)e->column->name.len,
			  e->column->name.ptr);
}

bool plan_compare(struct planner *p, const struct query_filter *f, struct plan_cond *c)
{
	struct value *values = arena_array(p->a, struct value, f->nvalues);
	bool *instants = arena_array(p->a, bool, f->nvalues);

	c->kind = COND_COMPARE;
	c->negated = f->negated;
	c->op = f->op;
	c->quantifier = f->quantifier;
	c->is = f->is;
	c->values = values;
	c->nvalues = f->nvalues;
	c->instants = instants;
	if (!check_operator(p, f, &c->left))
		return false;
	if (f->language.len && p->plan->strict)
		return error_set(p->err, ERR_NO_FULLTEXT, "text search configuration \"%.*s\" does not exist",
				 (int)f->language.len, f->language.ptr);
	if (OPERATORS_FULLTEXT & 1u << f->op && !find_fulltext(p, &c->left, c))
		return false;
	if (f->op == OP_CS && c->left.type.class == TYPE_SET) {
		set_members(p, c, f->values[0]);
		return true;
	}
	for (size_t i = 0; i < f->nvalues; i++)
		if (!typed_value(p, f, &c->left, f->values[i], &instants[i], &values[i]))
			return false;
	c->beyond_charset = is_beyond_charset(c);
	if (f->op == OP_IN && !f->nvalues) {
		c->kind = COND_FALSE;
	} else if (f->quantifier != QUANT_NONE && !f->nvalues) {
		/* any of nothing is false, all of nothing is true */
		c->kind = f->quantifier == QUANT_ALL ? COND_TRUE : COND_FALSE;
	}
	return true;
}

/* rel=is.null and rel=not.is.null: has the embed rows? */
static bool exists(struct planner *p, const struct plan_node *kid, const struct query_filter *f, struct plan_cond *c)
{
	bool null = f->is == IS_NULL;

	if (f->op != OP_IS || (f->is != IS_NULL && f->is != IS_NOT_NULL) || f->field.nsteps) {
		error_set(p->err, ERR_EMBED_FILTER, "Bad operator on the '%.*s' embedded resource",
			  (int)f->field.name.len, f->field.name.ptr);
		return error_details(p->err, "Only is null or not is null filters are allowed on embedded resources");
	}
	c->kind = COND_EXISTS;
	c->embed = kid;
	c->negated = null != f->negated;
	return true;
}

static bool condition(struct planner *p, struct plan_node *node, const struct query_logic *l, struct plan_cond **out)
{
	struct plan_cond *c = *out = arena_new(p->a, struct plan_cond);
	struct plan_node *kid;

	if (l->kind != LOGIC_LEAF) {
		c->kind = l->kind == LOGIC_AND ? COND_AND : COND_OR;
		c->negated = l->negated;
		c->nkids = l->nkids;
		c->kids = arena_array(p->a, struct plan_cond *, l->nkids);
		for (size_t i = 0; i < l->nkids; i++)
			if (!condition(p, node, l->kids[i], &c->kids[i]))
				return false;
		return true;
	}
	kid = plan_kid(node, l->filter.field.name);
	if (kid && (l->filter.op == OP_IS || !schema_column(node->table, l->filter.field.name)))
		return exists(p, kid, &l->filter, c);
	return plan_field(p, node, &l->filter.field, &c->left) && plan_compare(p, &l->filter, c);
}

bool plan_conditions(struct planner *p, struct plan_node *node, const struct query_node *query)
{
	struct plan_cond *all;

	if (!query->nwhere)
		return true;
	all = arena_new(p->a, struct plan_cond);
	all->kind = COND_AND;
	all->kids = arena_array(p->a, struct plan_cond *, query->nwhere);
	for (size_t i = 0; i < query->nwhere; i++)
		if (!plan_speaks_of_aggregate(node, query->where[i]) &&
		    !condition(p, node, query->where[i], &all->kids[all->nkids++]))
			return false;
	node->where = all;
	return true;
}
