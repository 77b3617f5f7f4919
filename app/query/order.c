/* order=, and the Range header. */
#include "internal.h"

/* rel(col): the relation goes to the term, the field is read within the parentheses. */
static bool field(struct parser *p, struct query_order *o)
{
	struct parser before;

	if (!parser_value(p, &o->field, &o->value))
		return false;
	if (parser_peek(p) != '(' || o->field.nsteps || o->value)
		return true;
	before = *p;
	o->relation = o->field.name;
	parser_take_char(p, '(');
	if (!parser_value(p, &o->field, &o->value))
		return false;
	parser_blanks(p);
	if (!parser_take_char(p, ')'))
		return parser_fail(&before, "\"->\", delimiter (.), \",\" or end of input");
	return true;
}

static bool nulls(struct parser *p, struct query_order *o)
{
	if (parser_take(p, "nullsfirst"))
		o->nulls = NULLS_FIRST;
	else if (parser_take(p, "nullslast"))
		o->nulls = NULLS_LAST;
	else
		return false;
	return true;
}

static bool modifiers(struct parser *p, struct query_order *o)
{
	if (!parser_take_char(p, '.'))
		return true;
	if (parser_take(p, "desc"))
		o->descending = true;
	else if (!parser_take(p, "asc"))
		return nulls(p, o) || parser_fail_word(p, "asc", "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"");
	if (!parser_take_char(p, '.'))
		return true;
	return nulls(p, o) || parser_fail_word(p, "nullsfirst", "\"nullsfirst\" or \"nullslast\"");
}

bool parser_order(struct parser *p, struct query_node *out)
{
	do {
		struct query_order *o;

		out->order = query_push(p->a, out->order, out->norder, sizeof(*out->order));
		o = &out->order[out->norder];
		parser_blanks(p);
		if (!field(p, o))
			return false;
		parser_blanks(p);
		if (!modifiers(p, o))
			return false;
		parser_blanks(p);
		out->norder++;
	} while (parser_take_char(p, ','));
	return parser_at_end(p) || parser_fail(p, "\",\" or end of input");
}

/* "0-9" or "0-"; anything else is no range of ours. */
static bool range_of(struct slice s, uint64_t *first, uint64_t *last)
{
	struct slice rest = slice_trim(s), part;

	if (slice_starts(rest, "items="))
		rest = slice_from(rest, 6);
	if (!slice_split(&rest, '-', &part) || !rest.ptr || !parse_u64(part, first))
		return false;
	*last = UINT64_MAX;
	return !rest.len || parse_u64(rest, last);
}

static bool unsatisfiable(struct error *err, const char *why)
{
	error_set(err, ERR_RANGE, "Requested range not satisfiable");
	return error_details(err, "%s", why);
}

/* GET alone has ranges (RFC 9110 section 14.2). limit=0 asks for no row, whatever the range. */
bool query_range(const struct http_request *rq, struct query_node *root, struct error *err)
{
	struct slice header, unit;
	uint64_t first, last, end;

	if (rq->method != HTTP_GET || !http_header(rq, "range", &header) || !range_of(header, &first, &last))
		return true;
	if (http_header(rq, "range-unit", &unit) && !slice_is(unit, "items"))
		return true;
	if (root->has_limit && !root->limit)
		return true;
	if (first > last)
		return unsatisfiable(err, "The lower boundary must be lower than or equal to the upper boundary in the "
					  "Range header.");
	/* The end of either, exclusive; UINT64_MAX: open. */
	end = last == UINT64_MAX ? UINT64_MAX : last + 1;
	if (root->has_limit && root->limit < UINT64_MAX - root->offset && root->offset + root->limit < end)
		end = root->offset + root->limit;
	if (first > root->offset)
		root->offset = first;
	if (end <= root->offset)
		return unsatisfiable(err, "Limit should be greater than or equal to zero.");
	root->has_limit = end != UINT64_MAX;
	root->limit = end - root->offset;
	return true;
}
