/* select=: columns, casts, aggregates, embeds and spreads. */
#include "internal.h"

static bool hints(struct parser *p, struct query_embed *e)
{
	struct slice word;

	while (parser_take_char(p, '!')) {
		if (!parser_name(p, &word, NULL))
			return false;
		if (slice_is(word, "inner"))
			e->join = JOIN_INNER;
		else if (slice_is(word, "left"))
			e->join = JOIN_LEFT;
		else if (!e->hint.len)
			e->hint = word;
		else
			return parser_fail(p, "one hint");
	}
	return true;
}

static bool embed(struct parser *p, struct query_item *item, bool spread)
{
	struct query_embed *e = arena_new(p->a, struct query_embed);
	struct parser before = *p;

	item->kind = ITEM_EMBED;
	item->embed = e;
	e->relation = item->field.name;
	e->alias = item->alias;
	e->spread = spread;
	if (item->field.nsteps)
		return parser_fail(p, "a relation without a JSON path");
	if (!hints(p, e))
		return false;
	if (!parser_take_char(p, '('))
		return spread ? parser_fail(p, "\"(\"")
			      : parser_fail(&before, "\"->\", \"::\", \".\", \")\", \",\" or end of input");
	if (++p->depth > p->max_depth)
		return parser_fail(p, "fewer nested embeds");
	if (!parser_select(p, &e->node))
		return false;
	p->depth--;
	if (!parser_take_char(p, ')'))
		return parser_fail(p, "\",\" or \")\"");
	parser_blanks(p);
	return true;
}

/* alias: but not alias:: */
static bool takes_alias(struct parser *p)
{
	return parser_peek(p) == ':' && !slice_starts(p->rest, "::") && parser_take_char(p, ':');
}

static bool named_item(struct parser *p, struct query_item *item, bool spread)
{
	if (!spread && parser_take(p, "count()")) {
		item->aggregate = AGG_COUNT;
		return parser_cast(p, &item->aggregate_cast);
	}
	if (!parser_field(p, &item->field))
		return false;
	if (!spread && !item->field.nsteps && !item->alias.len && takes_alias(p)) {
		item->alias = item->field.name;
		item->field = (struct query_field){ 0 };
		parser_blanks(p);
		return named_item(p, item, spread);
	}
	if (parser_peek(p) == '(' || parser_peek(p) == '!')
		return embed(p, item, spread);
	return spread ? parser_fail(p, "\"(\"") : parser_calls(p, item);
}

static bool select_item(struct parser *p, struct query_item *item)
{
	parser_blanks(p);
	item->kind = ITEM_COLUMN;
	if (parser_take_char(p, '*')) {
		item->kind = ITEM_STAR;
	} else if (!named_item(p, item, parser_take(p, "..."))) {
		return false;
	}
	parser_blanks(p);
	if (!parser_at_end(p) && parser_peek(p) != ',' && parser_peek(p) != ')')
		return parser_fail(p, "\",\" or end of input");
	return true;
}

bool parser_select(struct parser *p, struct query_node *out)
{
	parser_blanks(p);
	if (parser_peek(p) == ')')
		return true;
	do {
		out->items = query_push(p->a, out->items, out->nitems, sizeof(*out->items));
		if (!select_item(p, &out->items[out->nitems]))
			return false;
		out->nitems++;
	} while (parser_take_char(p, ','));
	return true;
}
