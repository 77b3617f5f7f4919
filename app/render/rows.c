/*
 * Rows with embeds. A level's rows are written as text at once, with holes where embeds go; the embeds' rows are
 * fetched by the distinct keys of all rows of the level, one statement for up to 1,024 keys, and found again by
 * their key. Then the answer is put together from the pieces. Nothing is ever fetched row by row, and memory is
 * that of one batch of parents.
 */
#include "internal.h"

/* --- writing one level's own values --- */

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

static void write_item(const struct style *style, const struct plan_item *item, const struct value *cells, bool csv,
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

static void close_csv_line(struct strbuf *out, size_t start)
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
			write_item(style, &root->items[i], cells, false, out);
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
		write_item(style, &root->items[i], cells, csv, out);
	if (csv) {
		close_csv_line(out, start);
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
	close_csv_line(out, start);
}

/* --- a batch --- */

static size_t count_holes(const struct plan_node *node)
{
	size_t n = 0;

	for (size_t i = 0; i < node->nitems; i++)
		n += node->items[i].embed != NULL;
	return n;
}

/* In CSV the columns of a to-one spread are fields of the line, unless it stands within an embed. */
static bool is_csv_line(const struct reader *r, const struct plan_node *node)
{
	while (node->parent && node->spread && plan_to_one(node))
		node = node->parent;
	return r->style.media == MEDIA_CSV && !node->parent;
}

static void columnar_values(struct reader *r, const struct plan_node *node, const struct value *cells, struct row *row,
			    struct strbuf *text)
{
	row->values = arena_array(r->scratch, size_t, node->nitems * 2);
	for (size_t i = 0; i < node->nitems; i++) {
		row->values[2 * i] = text->len;
		if (!node->items[i].embed)
			render_json_value(text, &node->items[i], cells);
		row->values[2 * i + 1] = text->len;
	}
}

static struct row *add_row(struct reader *r, const struct plan_node *node, const struct value *cells)
{
	struct batch *b = &r->batches[node->number];
	struct row *row = arena_new(r->scratch, struct row);
	bool csv = is_csv_line(r, node);
	size_t hole = 0;

	if (b->n == b->cap) {
		struct row **more = arena_array(r->scratch, struct row *, b->cap ? b->cap * 2 : 64);

		if (b->n)
			memcpy(more, b->rows, b->n * sizeof(*more));
		b->rows = more;
		b->cap = b->cap ? b->cap * 2 : 64;
	}
	b->rows[b->n++] = row;
	row->groups = arena_array(r->scratch, struct group *, node->nembeds);
	row->start = b->text.len;
	if (node->columnar) {
		columnar_values(r, node, cells, row, &b->text);
		return row;
	}
	row->cuts = arena_array(r->scratch, size_t, count_holes(node) + 1);
	for (size_t i = 0; i < node->nitems; i++) {
		if (node->items[i].embed)
			row->cuts[hole++] = b->text.len;
		else
			write_item(&r->style, &node->items[i], cells, csv, &b->text);
	}
	row->cuts[hole] = b->text.len;
	return row;
}

/* --- keys --- */

static void match_bytes(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_DECIMAL:
	case VALUE_TEXT:
	case VALUE_BYTES:
		strbuf_add(b, &v->s.len, sizeof(v->s.len));
		strbuf_add_slice(b, v->s);
		break;
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
		value_add_datetime(b, &v->t);
		break;
	case VALUE_NULL:
		break;
	default:
		strbuf_add(b, &v->i, sizeof(v->i));
	}
}

struct key_index {
	struct group **buckets;
	size_t mask;
	struct group **all;
	size_t n;
};

static uint64_t hash_bytes(struct slice s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
	return h ^ h >> 32;
}

static void index_init(struct reader *r, struct key_index *x, size_t rows)
{
	size_t size = 16;

	while (size < rows * 2)
		size *= 2;
	x->mask = size - 1;
	x->buckets = arena_array(r->scratch, struct group *, size);
	x->all = arena_array(r->scratch, struct group *, rows);
	x->n = 0;
}

static struct group *index_find(const struct key_index *x, struct slice match)
{
	struct group *g = x->buckets[hash_bytes(match) & x->mask];

	while (g && !slice_eq(g->match, match))
		g = g->chain;
	return g;
}

static struct value copied(struct arena *a, const struct value *v)
{
	struct value c = *v;

	if (v->kind == VALUE_TEXT || v->kind == VALUE_BYTES || v->kind == VALUE_DECIMAL)
		c.s = slice_copy(a, v->s);
	return c;
}

/* The cells of a row that lead to its embeds, kept until the embeds are fetched. */
static void remember_keys(struct reader *r, const struct plan_node *node, const struct value *cells, struct value *keys)
{
	size_t at = 0;

	for (size_t k = 0; k < node->nembeds; k++) {
		const struct plan_node *kid = node->embeds[k];

		for (size_t i = 0; i < kid->relation->n * 2; i++)
			keys[at++] = copied(r->scratch, &cells[kid->key_places[i]]);
	}
}

static size_t key_room(const struct plan_node *node)
{
	size_t n = 0;

	for (size_t k = 0; k < node->nembeds; k++)
		n += node->embeds[k]->relation->n * 2;
	return n;
}

static size_t key_start(const struct plan_node *node, size_t kid)
{
	size_t n = 0;

	for (size_t k = 0; k < kid; k++)
		n += node->embeds[k]->relation->n * 2;
	return n;
}

static bool has_null(const struct value *key, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (key[i].kind == VALUE_NULL)
			return true;
	return false;
}

/* Gives every row of the level its group of the kid's rows; a key with a NULL leads nowhere. */
static void index_parents(struct reader *r, const struct plan_node *node, size_t k, struct key_index *x)
{
	const struct batch *b = &r->batches[node->number];
	size_t n = node->embeds[k]->relation->n, start = key_start(node, k);
	struct strbuf match;

	index_init(r, x, b->n);
	strbuf_init(&match, r->scratch, 64);
	for (size_t i = 0; i < b->n; i++) {
		const struct value *key = b->keys[i] + start;
		struct group *g;

		if (has_null(key, n))
			continue;
		match.len = 0;
		for (size_t c = 0; c < n; c++)
			match_bytes(&match, &key[n + c]);
		g = index_find(x, strbuf_slice(&match));
		if (!g) {
			struct group **bucket = &x->buckets[hash_bytes(strbuf_slice(&match)) & x->mask];

			g = arena_new(r->scratch, struct group);
			g->match = slice_copy(r->scratch, strbuf_slice(&match));
			g->key = key;
			g->chain = *bucket;
			*bucket = g;
			x->all[x->n++] = g;
		}
		b->rows[i]->groups[k] = g;
	}
}

static void add_to_group(struct group *g, struct row *row)
{
	*(g->first ? &g->last->next : &g->first) = row;
	g->last = row;
}

struct row *rows_add(struct reader *r, const struct plan_node *node, const struct value *cells)
{
	struct row *row = add_row(r, node, cells);
	struct batch *b = &r->batches[node->number];

	if (!node->nembeds)
		return row;
	if (b->n > b->keys_cap) {
		size_t cap = b->keys_cap ? b->keys_cap * 2 : 64;
		struct value **more = arena_array(r->scratch, struct value *, cap);

		if (b->keys_cap)
			memcpy(more, b->keys, b->keys_cap * sizeof(*more));
		b->keys = more;
		b->keys_cap = cap;
	}
	b->keys[b->n - 1] = arena_array(r->scratch, struct value, key_room(node));
	remember_keys(r, node, cells, b->keys[b->n - 1]);
	return row;
}

static bool fetch_chunk(struct reader *r, struct plan_node *kid, const struct key_index *x, size_t from, size_t n,
			struct error *err)
{
	size_t width = kid->relation->n;
	struct value *values = arena_array(r->scratch, struct value, n * width);
	struct sql_keys keys = { values, width, n };
	const struct value *cells;
	struct level level;
	struct strbuf match;
	struct group *g = NULL;
	enum db_step step;

	for (size_t i = 0; i < n; i++)
		memcpy(values + i * width, x->all[from + i]->key, width * sizeof(*values));
	if (!level_open(r->scratch, r, kid, &keys, false, &level, err))
		return false;
	strbuf_init(&match, r->scratch, 64);
	while ((step = level_next(&level, &cells, err)) == DB_ROW) {
		match.len = 0;
		for (size_t i = 0; i < width; i++)
			match_bytes(&match, &cells[i]);
		/* Rows of one parent mostly follow each other. */
		if (!g || !slice_eq(g->match, strbuf_slice(&match)))
			g = index_find(x, strbuf_slice(&match));
		if (g)
			add_to_group(g, rows_add(r, kid, cells));
		if (!render_may_hold(r, arena_used(r->scratch))) {
			level_close(&level);
			return false;
		}
	}
	return step == DB_END;
}

/* A count of 0 as the fetch of its type would bring it: count() may be cast. */
static struct value zero(const struct plan_expr *e)
{
	switch (e->type.class) {
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_YEAR:
		return value_int(0);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return (struct value){ .kind = VALUE_DOUBLE };
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
		return (struct value){ .kind = VALUE_DATETIME };
	default:
		return value_text(SLICE("0"));
	}
}

/* Aggregates without groups have a row even where there is nothing to count, unless the page leaves it out. */
static void add_empty_aggregate(struct reader *r, const struct plan_node *kid, struct group *g)
{
	struct value *cells = arena_array(r->scratch, struct value, kid->nplaces);

	if (kid->offset || (kid->has_limit && !kid->limit) || kid->having)
		return;
	for (size_t i = 0; i < kid->nitems; i++) {
		const struct plan_expr *e = &kid->items[i].expr;

		if (e->aggregate == AGG_COUNT || e->aggregate == AGG_COUNT_DISTINCT)
			cells[kid->items[i].place] = zero(e);
		else if (plan_is_counted(e))
			cells[kid->items[i].place] = stats_of_nothing(r->scratch, e);
	}
	add_to_group(g, rows_add(r, kid, cells));
}

static bool load_kid(struct reader *r, const struct plan_node *node, size_t k, struct error *err)
{
	struct plan_node *kid = node->embeds[k];
	struct key_index x;

	r->batches[kid->number] = (struct batch){ 0 };
	strbuf_init(&r->batches[kid->number].text, r->scratch, 1024);
	index_parents(r, node, k, &x);
	for (size_t from = 0; from < x.n; from += BATCH_KEYS) {
		size_t n = x.n - from < BATCH_KEYS ? x.n - from : BATCH_KEYS;

		if (!fetch_chunk(r, kid, &x, from, n, err))
			return false;
	}
	for (size_t i = 0; kid->aggregated && !kid->ngroup && i < x.n; i++)
		if (!x.all[i]->first)
			add_empty_aggregate(r, kid, x.all[i]);
	return rows_load_kids(r, kid, err);
}

bool rows_load_kids(struct reader *r, const struct plan_node *node, struct error *err)
{
	for (size_t k = 0; k < node->nembeds; k++)
		if (is_shown(node->embeds[k]) && r->batches[node->number].n && !load_kid(r, node, k, err))
			return false;
	return true;
}

/* --- putting the answer together --- */

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
	close_csv_line(out, start);
}

void rows_emit(struct reader *r, const struct plan_node *root, const struct row *row, struct strbuf *out)
{
	if (r->style.media == MEDIA_CSV)
		emit_csv(r, root, row, out);
	else
		emit_object(r, root, row, out);
}
