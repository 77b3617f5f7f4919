/* One row of one table, as text. */
#include "internal.h"

static bool skipped(const struct style *style, const struct plan_item *item, const struct value *cells)
{
	return style->strip_nulls && cells[item->place].kind == VALUE_NULL;
}

/* Raw JSON may hold line ends between its tokens; NDJSON may not. */
static void one_line(struct strbuf *b, size_t from)
{
	for (size_t i = from; i < b->len; i++)
		if (b->ptr[i] == '\n' || b->ptr[i] == '\r')
			b->ptr[i] = ' ';
}

static void json_item(const struct style *style, const struct plan_item *item, const struct value *cells,
		      struct strbuf *out)
{
	size_t from;

	if (skipped(style, item, cells))
		return;
	strbuf_add_slice(out, item->prefix);
	from = out->len;
	render_json_value(out, item, cells);
	if (style->media == MEDIA_NDJSON && item->expr.type.class == TYPE_JSON)
		one_line(out, from);
}

static void csv_item(const struct plan_item *item, const struct value *cells, struct strbuf *out)
{
	strbuf_addc(out, ',');
	render_csv_value(out, item, cells);
}

void rows_write_item(const struct style *style, const struct plan_item *item, const struct value *cells, bool csv,
		     struct strbuf *out)
{
	if (csv)
		csv_item(item, cells, out);
	else
		json_item(style, item, cells, out);
}

/* Everything was written with a comma before it: the first one becomes the opening, or goes. */
static void open_object(struct strbuf *out, size_t start)
{
	if (out->len == start)
		strbuf_addc(out, '{');
	else
		out->ptr[start] = '{';
}

void rows_close_csv_line(struct strbuf *out, size_t start)
{
	if (out->len > start) {
		memmove(out->ptr + start, out->ptr + start + 1, out->len - start - 1);
		out->len--;
	}
}

static const struct plan_item *geometry_item(const struct plan_node *node)
{
	for (size_t i = 0; i < node->nitems; i++)
		if (!node->items[i].embed && node->items[i].expr.type.class == TYPE_GEOMETRY)
			return &node->items[i];
	return NULL;
}

static void write_feature(const struct style *style, const struct plan_node *root, const struct value *cells,
			  struct strbuf *out)
{
	const struct plan_item *geometry = geometry_item(root);
	size_t start;

	strbuf_lit(out, "{\"type\":\"Feature\",\"geometry\":");
	render_json_value(out, geometry, cells);
	strbuf_lit(out, ",\"properties\":");
	start = out->len;
	for (size_t i = 0; i < root->nitems; i++)
		if (&root->items[i] != geometry)
			rows_write_item(style, &root->items[i], cells, false, out);
	open_object(out, start);
	strbuf_lit(out, "}}");
}

void rows_write(const struct style *style, const struct plan_node *root, const struct value *cells, struct strbuf *out)
{
	size_t start = out->len;
	bool csv = style->media == MEDIA_CSV;

	if (style->media == MEDIA_GEOJSON) {
		write_feature(style, root, cells, out);
		return;
	}
	for (size_t i = 0; i < root->nitems; i++)
		rows_write_item(style, &root->items[i], cells, csv, out);
	if (csv) {
		rows_close_csv_line(out, start);
	} else {
		open_object(out, start);
		strbuf_addc(out, '}');
	}
}

static void csv_names(const struct plan_node *node, struct strbuf *out)
{
	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];

		if (item->embed && !is_shown(item->embed))
			continue;
		if (item->embed && item->embed->spread) {
			csv_names(item->embed, out);
			continue;
		}
		strbuf_addc(out, ',');
		csv_field(out, item->key);
	}
}

void rows_csv_header(const struct plan_node *root, struct strbuf *out)
{
	size_t start = out->len;

	csv_names(root, out);
	rows_close_csv_line(out, start);
}
