/* Rows and the rows of their embeds are put together to the answer. */
#include "internal.h"

/*
 * Rows share their embeds' rows, so an answer may be far larger than all that was fetched for it: it is sent while it is
 * put together. False: it is lost, whatever else is written.
 */
static bool spill(struct reader *r, const struct strbuf *out)
{
	return out == &r->rs->body ? render_commit(r) : render_may_hold(r, out->len);
}

/* Items come with a comma before them, which the first one loses. */
static void piece(struct reader *r, struct strbuf *out, const char *ptr, size_t len)
{
	if (len && r->opening) {
		ptr++;
		len--;
		r->opening = false;
	}
	strbuf_add(out, ptr, len);
}

static void key(struct reader *r, const struct plan_item *item, struct strbuf *out)
{
	piece(r, out, item->prefix.ptr, item->prefix.len);
}

static void emit_items(struct reader *r, const struct plan_node *node, const struct row *row, struct strbuf *out);
static void emit_embed(struct reader *r, const struct plan_item *item, const struct group *g, struct strbuf *out);

static void emit_object(struct reader *r, const struct plan_node *node, const struct row *row, struct strbuf *out)
{
	strbuf_addc(out, '{');
	r->opening = true;
	emit_items(r, node, row, out);
	r->opening = false;
	strbuf_addc(out, '}');
}

static size_t kid_number(const struct plan_node *node, const struct plan_node *kid)
{
	size_t k = 0;

	while (node->embeds[k] != kid)
		k++;
	return k;
}

static const struct group *group_of(const struct plan_node *node, const struct row *row, const struct plan_node *kid)
{
	return row ? row->groups[kid_number(node, kid)] : NULL;
}

static const struct row *first_of(const struct group *g)
{
	return g ? g->first : NULL;
}

static void emit_value(struct reader *r, const struct plan_node *kid, const struct group *g, struct strbuf *out)
{
	const struct row *row = first_of(g);

	if (plan_to_one(kid)) {
		if (row)
			emit_object(r, kid, row, out);
		else
			strbuf_lit(out, "null");
		return;
	}
	strbuf_addc(out, '[');
	for (; row && spill(r, out); row = row->next) {
		emit_object(r, kid, row, out);
		if (row->next)
			strbuf_addc(out, ',');
	}
	strbuf_addc(out, ']');
}

/* The value of one item of a columnar row, which may be missing. */
static void emit_columnar_value(struct reader *r, const struct plan_node *node, const struct row *row, size_t i,
				struct strbuf *out)
{
	const struct plan_item *item = &node->items[i];

	if (item->embed)
		emit_value(r, item->embed, group_of(node, row, item->embed), out);
	else if (row)
		strbuf_add(out, r->batches[node->number].text.ptr + row->values[2 * i],
			   row->values[2 * i + 1] - row->values[2 * i]);
	else
		strbuf_lit(out, "null");
}

/* A leaf of nested spreads: the way down to it, and the item there. */
struct leaf {
	const struct plan_node *path[32];
	size_t depth;
	size_t item;
};

static void emit_leaf(struct reader *r, const struct leaf *leaf, size_t level, const struct row *row,
		      struct strbuf *out);

/* The leaf's values of all rows of a group, as an array. */
static void emit_array(struct reader *r, const struct leaf *leaf, size_t level, const struct group *g,
		       struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (const struct row *row = first_of(g); row && spill(r, out); row = row->next) {
		emit_leaf(r, leaf, level, row, out);
		if (row->next)
			strbuf_addc(out, ',');
	}
	strbuf_addc(out, ']');
}

static void emit_leaf(struct reader *r, const struct leaf *leaf, size_t level, const struct row *row,
		      struct strbuf *out)
{
	const struct plan_node *node = leaf->path[level];
	const struct plan_node *next;
	const struct group *g;

	if (level + 1 == leaf->depth) {
		emit_columnar_value(r, node, row, leaf->item, out);
		return;
	}
	next = leaf->path[level + 1];
	g = group_of(node, row, next);
	if (plan_to_one(next))
		emit_leaf(r, leaf, level + 1, first_of(g), out);
	else
		emit_array(r, leaf, level + 1, g, out);
}

/* In CSV an embed is its JSON text in one field. */
static void csv_array(struct reader *r, const struct leaf *leaf, const struct group *g, struct strbuf *out)
{
	struct strbuf json;

	strbuf_init(&json, r->scratch, 256);
	emit_array(r, leaf, 0, g, &json);
	strbuf_addc(out, ',');
	csv_field(out, strbuf_slice(&json));
}

/* Each item below a to-many spread is an array over its rows. */
static void emit_columns(struct reader *r, struct leaf *leaf, const struct group *g, bool csv, struct strbuf *out)
{
	const struct plan_node *node = leaf->path[leaf->depth - 1];

	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];

		if (item->embed && item->embed->spread && leaf->depth < 32) {
			leaf->path[leaf->depth++] = item->embed;
			emit_columns(r, leaf, g, csv, out);
			leaf->depth--;
			continue;
		}
		if (item->embed && !is_shown(item->embed))
			continue;
		leaf->item = i;
		if (csv) {
			csv_array(r, leaf, g, out);
			continue;
		}
		key(r, item, out);
		emit_array(r, leaf, 0, g, out);
	}
}

static void emit_spread_columns(struct reader *r, const struct plan_node *kid, const struct group *g, bool csv,
				struct strbuf *out)
{
	struct leaf leaf = { .path = { kid }, .depth = 1 };

	emit_columns(r, &leaf, g, csv, out);
}

/* A to-one spread without a row: all its columns are null. */
static void emit_nulls(struct reader *r, const struct plan_node *node, struct strbuf *out)
{
	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];

		if (item->embed && !is_shown(item->embed))
			continue;
		if (item->embed && (item->embed->spread || !plan_to_one(item->embed))) {
			emit_embed(r, item, NULL, out);
		} else if (!r->style.strip_nulls) {
			key(r, item, out);
			strbuf_lit(out, "null");
		}
	}
}

static void emit_embed(struct reader *r, const struct plan_item *item, const struct group *g, struct strbuf *out)
{
	const struct plan_node *kid = item->embed;
	const struct row *first = first_of(g);

	if (!is_shown(kid))
		return;
	if (kid->spread && !plan_to_one(kid)) {
		emit_spread_columns(r, kid, g, false, out);
	} else if (kid->spread) {
		if (first)
			emit_items(r, kid, first, out);
		else
			emit_nulls(r, kid, out);
	} else if (!r->style.strip_nulls || !plan_to_one(kid) || first) {
		key(r, item, out);
		emit_value(r, kid, g, out);
	}
}

/* The pieces of a row's own text, with its embeds between them. */
static void emit_pieces(struct reader *r, const struct plan_node *node, const struct row *row,
			void (*embed)(struct reader *, const struct plan_item *, const struct group *, struct strbuf *),
			struct strbuf *out)
{
	const struct strbuf *text = &r->batches[node->number].text;
	size_t from = row->start, hole = 0;

	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];

		if (!item->embed)
			continue;
		piece(r, out, text->ptr + from, row->cuts[hole] - from);
		from = row->cuts[hole++];
		embed(r, item, group_of(node, row, item->embed), out);
	}
	piece(r, out, text->ptr + from, row->cuts[hole] - from);
}

static void emit_items(struct reader *r, const struct plan_node *node, const struct row *row, struct strbuf *out)
{
	emit_pieces(r, node, row, emit_embed, out);
}

/* --- and as CSV --- */

static void emit_csv_embed(struct reader *r, const struct plan_item *item, const struct group *g, struct strbuf *out);

static void emit_csv_nulls(struct reader *r, const struct plan_node *node, struct strbuf *out)
{
	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];

		if (!item->embed)
			strbuf_addc(out, ',');
		else
			emit_csv_embed(r, item, NULL, out);
	}
}

static void emit_csv_embed(struct reader *r, const struct plan_item *item, const struct group *g, struct strbuf *out)
{
	const struct plan_node *kid = item->embed;
	const struct row *first = first_of(g);
	struct strbuf json;

	if (!is_shown(kid))
		return;
	if (kid->spread && !plan_to_one(kid)) {
		emit_spread_columns(r, kid, g, true, out);
	} else if (kid->spread) {
		if (first)
			emit_pieces(r, kid, first, emit_csv_embed, out);
		else
			emit_csv_nulls(r, kid, out);
	} else {
		strbuf_addc(out, ',');
		if (plan_to_one(kid) && !first)
			return;
		strbuf_init(&json, r->scratch, 256);
		emit_value(r, kid, g, &json);
		csv_field(out, strbuf_slice(&json));
	}
}

static void emit_csv(struct reader *r, const struct plan_node *root, const struct row *row, struct strbuf *out)
{
	size_t start = out->len;

	emit_pieces(r, root, row, emit_csv_embed, out);
	rows_close_csv_line(out, start);
}

void rows_emit(struct reader *r, const struct plan_node *root, const struct row *row, struct strbuf *out)
{
	if (r->style.media == MEDIA_CSV)
		emit_csv(r, root, row, out);
	else
		emit_object(r, root, row, out);
}
