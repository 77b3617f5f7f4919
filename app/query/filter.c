/* Filters: [not.]operator.value, and the trees that join them. */
#include "internal.h"

static const struct {
	const char *name;
	enum query_op op;
	bool quantified; /* takes (any) and (all) */
	bool fulltext;   /* takes (language) */
} operators[] = {
	{ "eq", OP_EQ, true, false },
	{ "neq", OP_NEQ, false, false },
	{ "gt", OP_GT, true, false },
	{ "gte", OP_GTE, true, false },
	{ "lt", OP_LT, true, false },
	{ "lte", OP_LTE, true, false },
	{ "like", OP_LIKE, true, false },
	{ "ilike", OP_ILIKE, true, false },
	{ "match", OP_MATCH, true, false },
	{ "imatch", OP_IMATCH, true, false },
	{ "in", OP_IN, false, false },
	{ "is", OP_IS, false, false },
	{ "isdistinct", OP_ISDISTINCT, false, false },
	{ "cs", OP_CS, false, false },
	{ "cd", OP_CD, false, false },
	{ "ov", OP_OV, false, false },
	{ "fts", OP_FTS, false, true },
	{ "plfts", OP_PLFTS, false, true },
	{ "phfts", OP_PHFTS, false, true },
	{ "wfts", OP_WFTS, false, true },
};

static const char *const range_operators[] = { "sl", "sr", "nxr", "nxl", "adj" };

static const struct {
	const char *word;
	enum query_is is;
} is_words[] = { { "null", IS_NULL },
		 { "not_null", IS_NOT_NULL },
		 { "true", IS_TRUE },
		 { "false", IS_FALSE },
		 { "unknown", IS_UNKNOWN } };

#define OPERATOR "operator (eq, gt, ...)"

static struct slice word(const struct parser *p)
{
	size_t n = 0;

	while (n < p->rest.len && p->rest.ptr[n] >= 'a' && p->rest.ptr[n] <= 'z')
		n++;
	return (struct slice){ p->rest.ptr, n };
}

static bool no_range_types(struct parser *p, struct slice name)
{
	parser_fail(p, OPERATOR);
	return error_details(p->err, "range types do not exist: operator \"%.*s\" has nothing to compare",
			     (int)name.len, name.ptr);
}

/* Blames what stands behind the longest operator that text begins with. */
static bool no_operator(struct parser *p, bool negated)
{
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (strlen(operators[i].name) > longest && slice_starts(p->rest, operators[i].name))
			longest = strlen(operators[i].name);
	p->rest = slice_from(p->rest, longest);
	if (longest)
		return parser_fail(p, OPERATOR);
	return negated ? parser_fail_word(p, "in", OPERATOR) : parser_fail_word(p, "not", "\"not\" or " OPERATOR);
}

static bool find_operator(struct parser *p, bool negated, size_t *at)
{
	struct slice name = word(p);

	for (size_t i = 0; i < sizeof(range_operators) / sizeof(*range_operators); i++)
		if (slice_is(name, range_operators[i]))
			return no_range_types(p, name);
	for (*at = 0; *at < sizeof(operators) / sizeof(*operators); (*at)++)
		if (slice_is(name, operators[*at].name)) {
			p->rest = slice_from(p->rest, name.len);
			return true;
		}
	return no_operator(p, negated);
}

/* (any), (all), or the language of a full text search. */
static bool modifier(struct parser *p, size_t op, struct query_filter *f)
{
	size_t n = 0;

	if (!(operators[op].quantified || operators[op].fulltext) || !parser_take_char(p, '('))
		return true;
	while (n < p->rest.len && p->rest.ptr[n] != ')')
		n++;
	if (operators[op].fulltext && n && n < p->rest.len) {
		f->language = (struct slice){ p->rest.ptr, n };
		p->rest = slice_from(p->rest, n + 1);
		return true;
	}
	if (operators[op].quantified && parser_take(p, "any)"))
		f->quantifier = QUANT_ANY;
	else if (operators[op].quantified && parser_take(p, "all)"))
		f->quantifier = QUANT_ALL;
	else
		return parser_fail(p, OPERATOR);
	return true;
}

static void push_value(struct parser *p, struct query_filter *f, struct slice value)
{
	f->values = query_push(p->a, f->values, f->nvalues, sizeof(*f->values));
	f->values[f->nvalues++] = value;
}

/* Items up to close, separated by commas; a quoted one may hold anything. */
static bool list(struct parser *p, char close, struct query_filter *f)
{
	if (parser_take_char(p, close))
		return true;
	for (;;) {
		struct parser before = *p;
		struct slice value = { NULL, 0 };
		bool quoted = parser_peek(p) == '"' && (close == '}' || parser_quote_ends(p));
		size_t n = 0;

		if (quoted) {
			if (!parser_quoted(p, &value))
				return false;
			/* "a"b is no quoted item: it is taken as it stands. */
			quoted = parser_peek(p) == ',' || parser_peek(p) == close;
		}
		if (!quoted) {
			*p = before;
			while (n < p->rest.len && p->rest.ptr[n] != ',' && p->rest.ptr[n] != close)
				n++;
			value = (struct slice){ p->rest.ptr, n };
			p->rest = slice_from(p->rest, n);
		}
		push_value(p, f, value);
		if (parser_take_char(p, close))
			return true;
		if (!parser_take_char(p, ','))
			return parser_fail(p, close == ')' ? "\",\" or \")\"" : "\",\" or \"}\"");
	}
}

static bool is_value(struct parser *p, struct query_filter *f)
{
	size_t n = 0;

	while (n < p->rest.len && ((p->rest.ptr[n] | 32) >= 'a' && (p->rest.ptr[n] | 32) <= 'z'))
		n++;
	if (n == 3 && n < p->rest.len && p->rest.ptr[n] == '_')
		for (n++; n < p->rest.len && ((p->rest.ptr[n] | 32) >= 'a' && (p->rest.ptr[n] | 32) <= 'z'); n++)
			;
	for (size_t i = 0; i < sizeof(is_words) / sizeof(*is_words); i++)
		if (slice_ieq((struct slice){ p->rest.ptr, n }, slice_of(is_words[i].word))) {
			f->is = is_words[i].is;
			p->rest = slice_from(p->rest, n);
			return true;
		}
	return parser_fail(p, "isVal: (null, not_null, true, false, unknown)");
}

/* {a,{b},"}"}: the length of a text in braces, 0 when they do not close. */
static size_t braces(struct slice s)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			quoted = !quoted;
		else if (!quoted && (s.ptr[i] == '{' || s.ptr[i] == '['))
			depth++;
		else if (!quoted && (s.ptr[i] == '}' || s.ptr[i] == ']') && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* In a tree a value ends at a comma or parenthesis, unless it is quoted or in braces. */
static bool tree_value(struct parser *p, struct slice *out)
{
	struct parser before = *p;
	size_t n = 0;

	if (parser_peek(p) == '"' && parser_quote_ends(p)) {
		if (!parser_quoted(p, out))
			return false;
		if (parser_at_end(p) || parser_peek(p) == ',' || parser_peek(p) == ')')
			return true;
		*p = before;
	}
	if (parser_peek(p) == '{' || parser_peek(p) == '[')
		n = braces(p->rest);
	while (n < p->rest.len && p->rest.ptr[n] != ',' && p->rest.ptr[n] != ')')
		n++;
	*out = (struct slice){ p->rest.ptr, n };
	p->rest = slice_from(p->rest, n);
	return true;
}

static bool value(struct parser *p, bool in_tree, struct query_filter *f)
{
	struct slice text;

	if (f->op == OP_IS)
		return is_value(p, f);
	if (f->op == OP_IN) {
		parser_blanks(p);
		if (!parser_take_char(p, '('))
			return parser_fail(p, "\"(\"");
		parser_blanks(p);
		if (!list(p, ')', f))
			return false;
		parser_blanks(p);
		return true;
	}
	if (f->quantifier != QUANT_NONE)
		return parser_take_char(p, '{') ? list(p, '}', f) : parser_fail(p, "\"{\"");
	if (in_tree) {
		if (!tree_value(p, &text))
			return false;
	} else {
		text = p->rest;
		p->rest = slice_from(p->rest, p->rest.len);
	}
	push_value(p, f, text);
	return true;
}

bool parser_operation(struct parser *p, bool in_tree, struct query_filter *f)
{
	size_t op = 0;

	if (parser_take(p, "not")) {
		if (!parser_take_char(p, '.'))
			return parser_fail(p, "delimiter (.)");
		f->negated = true;
	}
	if (!find_operator(p, f->negated, &op))
		return false;
	f->op = operators[op].op;
	if (!modifier(p, op, f))
		return false;
	if (!parser_take_char(p, '.'))
		return parser_fail(p, OPERATOR);
	return value(p, in_tree, f);
}

static bool begins_operation(const struct parser *p)
{
	struct slice name = word(p);

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (slice_is(name, operators[i].name))
			return true;
	return slice_is(name, "not");
}

bool parser_is_operation(struct slice text)
{
	size_t n = 0;
	struct slice name;

	if (slice_starts(text, "not."))
		return true;
	while (n < text.len && text.ptr[n] >= 'a' && text.ptr[n] <= 'z')
		n++;
	name = (struct slice){ text.ptr, n };
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (slice_is(name, operators[i].name))
			return n < text.len && (text.ptr[n] == '.' || (text.ptr[n] == '(' && (operators[i].quantified ||
											      operators[i].fulltext)));
	return false;
}

#define LOGIC "logic operator (and, or)"

/* [not.]and or [not.]or, and what follows: whether a tree opens there. */
static bool opens_tree(struct parser *p, struct query_logic *out)
{
	parser_blanks(p);
	out->negated = parser_take(p, "not.");
	out->kind = parser_take(p, "and") ? LOGIC_AND : parser_take(p, "or") ? LOGIC_OR : LOGIC_LEAF;
	parser_blanks(p);
	return out->kind != LOGIC_LEAF && parser_peek(p) == '(';
}

/* Neither a filter nor a tree; logic stands behind what could have opened one. */
static bool no_item(struct parser *p, struct parser *logic, const struct query_logic *out)
{
	if (out->kind != LOGIC_LEAF)
		return parser_fail(logic, "\"(\"");
	if (out->negated)
		return parser_fail(logic, LOGIC);
	return parser_fail(p, "delimiter (.)");
}

static bool tree_item(struct parser *p, struct query_logic *out)
{
	struct parser before, logic;

	parser_blanks(p);
	before = *p;
	if (opens_tree(p, out))
		return parser_tree(p, out);
	logic = *p;
	*p = before;
	if (parser_at_end(p) || strchr(",.:()!", parser_peek(p)))
		return parser_fail(p, "field name (* or [a..z0..9_$]), negation operator (not) or " LOGIC);
	if (!(p->having ? parser_value(p, &out->filter.field, &out->filter.value)
			: parser_field(p, &out->filter.field)))
		return false;
	if (!parser_take_char(p, '.') || (out->negated && !begins_operation(p)))
		return no_item(p, &logic, out);
	out->kind = LOGIC_LEAF;
	out->negated = false;
	return parser_operation(p, true, &out->filter);
}

bool parser_tree(struct parser *p, struct query_logic *out)
{
	/* At the top the operator is the parameter's name: places count from there, as in a tree within. */
	if (!p->depth)
		p->shift = (out->negated ? 4U : 0U) + (out->kind == LOGIC_OR ? 2U : 3U);
	if (++p->depth > MAX_TREE_DEPTH)
		return parser_fail(p, "a tree of at most 32 levels");
	parser_blanks(p);
	if (!parser_take_char(p, '('))
		return parser_fail(p, "\"(\"");
	do {
		struct query_logic *kid = arena_new(p->a, struct query_logic);

		if (!tree_item(p, kid))
			return false;
		parser_blanks(p);
		out->kids = query_push(p->a, out->kids, out->nkids, sizeof(*out->kids));
		out->kids[out->nkids++] = kid;
	} while (parser_take_char(p, ','));
	if (!parser_take_char(p, ')'))
		return parser_fail(p, "\",\" or \")\"");
	parser_blanks(p);
	p->depth--;
	return true;
}

bool parser_having(struct parser *p, struct query_logic *out)
{
	p->having = true;
	/* So that no place is counted from the name of a tree. */
	p->depth = 1;
	if (parser_peek(p) == '(')
		return parser_tree(p, out);
	do {
		struct query_logic *kid = arena_new(p->a, struct query_logic);

		if (!tree_item(p, kid))
			return false;
		out->kids = query_push(p->a, out->kids, out->nkids, sizeof(*out->kids));
		out->kids[out->nkids++] = kid;
		parser_blanks(p);
	} while (parser_take_char(p, ','));
	return true;
}
