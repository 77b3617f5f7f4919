/*
 * Rows with embeds. A level's rows are written as text at once, with holes where embeds go; the embeds' rows are
 * fetched by the distinct keys of all rows of the level, one statement for up to 1,024 keys, and found again by
 * their key. Then the answer is put together from the pieces. Nothing is ever fetched row by row, and memory is
 * that of one batch of parents.
 */
#include "internal.h"

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
			rows_write_item(&r->style, &node->items[i], cells, csv, &b->text);
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

/* The cells of a row that lead to its embeds, kept until the embeds are fetched. */
static void remember_keys(struct reader *r, const struct plan_node *node, const struct value *cells, struct value *keys)
{
	size_t at = 0;

	for (size_t k = 0; k < node->nembeds; k++) {
		const struct plan_node *kid = node->embeds[k];

		for (size_t i = 0; i < kid->relation->n * 2; i++)
			keys[at++] = value_copy(r->scratch, &cells[kid->key_places[i]]);
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

		if (e->aggregate == AGG_COUNT || e->aggregate == AGG_COUNT_DISTINCT || e->member == MEMBER_N ||
		    e->member == MEMBER_OUTLIER_COUNT)
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
