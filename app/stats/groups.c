/* Rows to groups: found by the bytes of their keys, where texts count by their collation's weights. */
#include <stdlib.h>

#include "internal.h"

/* Distinct texts, by how they compare. */
struct texts {
	struct arena *a;
	struct slice *slots;
	size_t n, size;
	bool any;
	struct strbuf least, most, least_weight, most_weight;
};

static uint64_t hash_bytes(struct slice s)
{
	uint64_t h = 14695981039346656037u;
	size_t i = 0;

	for (; i + 8 <= s.len; i += 8) {
		uint64_t word;

		memcpy(&word, s.ptr + i, 8);
		h = (h ^ word) * 0x9E3779B97F4A7C15u;
		h ^= h >> 29;
	}
	for (; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
	return h ^ h >> 32;
}

/* --- keys --- */

static void key_bytes(struct strbuf *b, const struct value *v)
{
	int64_t moment;
	uint32_t len;

	strbuf_addc(b, (char)(v->kind == VALUE_NULL));
	switch (v->kind) {
	case VALUE_NULL:
		break;
	case VALUE_DECIMAL:
	case VALUE_TEXT:
	case VALUE_BYTES:
		len = (uint32_t)v->s.len;
		strbuf_add(b, &len, sizeof(len));
		strbuf_add_slice(b, v->s);
		break;
	case VALUE_DATE:
	case VALUE_DATETIME:
		/* Zero dates are dates of their own. */
		strbuf_add(b, &(unsigned[]){ v->t.year, v->t.month, v->t.day }, 3 * sizeof(unsigned));
		/* fall through */
	case VALUE_TIME:
		moment = moment_of(v);
		strbuf_add(b, &moment, sizeof(moment));
		break;
	default:
		strbuf_add(b, &v->i, sizeof(v->i));
	}
}

static bool too_many(struct stats *s)
{
	error_set(s->err, ERR_PACKET, "More than %llu distinct values would have to be counted",
		  (unsigned long long)s->limit);
	error_details(s->err, "%zu groups so far.", s->ngroups);
	return error_hint(s->err,
			  "Filter the rows, group by less, or round the column with a cast before the aggregate; "
			  "db-max-distinct is the limit.");
}

bool groups_take(struct stats *s, uint64_t n)
{
	s->used += n;
	return s->used <= s->limit || too_many(s);
}

static void grow(struct stats *s)
{
	size_t size = s->nbuckets ? s->nbuckets * 2 : 64;

	s->buckets = arena_array(s->a, struct group *, size);
	s->nbuckets = size;
	for (size_t i = 0; i < s->ngroups; i++) {
		struct group *g = s->groups[i], **bucket = &s->buckets[g->hash & (size - 1)];

		g->chain = *bucket;
		*bucket = g;
	}
}

static struct group *new_group(struct stats *s, uint64_t hash, size_t parent)
{
	struct group *g = arena_new(s->a, struct group), **bucket;

	if (s->ngroups == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct group **more = arena_array(s->a, struct group *, room);

		if (s->ngroups)
			memcpy(more, s->groups, s->ngroups * sizeof(*more));
		s->groups = more;
		s->room = room;
	}
	if (s->ngroups >= s->nbuckets)
		grow(s);
	g->hash = hash;
	g->key = slice_copy(s->a, strbuf_slice(&s->key));
	g->parent = parent;
	g->number = s->ngroups;
	g->counters = arena_array(s->a, struct counter, s->noperands);
	g->cells = arena_array(s->a, struct value, s->ncolumns + s->naggregates);
	s->groups[s->ngroups++] = g;
	bucket = &s->buckets[hash & (s->nbuckets - 1)];
	g->chain = *bucket;
	return *bucket = g;
}

/* In memory a group is as much as so many values. */
static uint64_t weight_of_group(const struct stats *s)
{
	size_t cells = s->ncolumns + s->naggregates;

	return 1 + (sizeof(struct group) + s->noperands * sizeof(struct counter) + cells * sizeof(struct value) +
		    s->key.len) /
			   VALUE_MEMORY;
}

static struct group *find(struct stats *s, const struct value *cells)
{
	size_t parent = 0;
	struct group *g;
	uint64_t hash;

	s->key.len = 0;
	for (size_t i = 0; i < s->nparts; i++) {
		if (i == s->nparent)
			parent = s->key.len;
		key_bytes(&s->key, &cells[s->parts[i].place]);
	}
	if (s->nparts == s->nparent)
		parent = s->key.len;
	if (s->last && slice_eq(s->last->key, strbuf_slice(&s->key)))
		return s->last;
	hash = hash_bytes(strbuf_slice(&s->key));
	for (g = s->nbuckets ? s->buckets[hash & (s->nbuckets - 1)] : NULL; g; g = g->chain)
		if (g->hash == hash && slice_eq(g->key, strbuf_slice(&s->key)))
			return g;
	if (!groups_take(s, weight_of_group(s)))
		return NULL;
	g = new_group(s, hash, parent);
	for (size_t i = 0; i < s->ncolumns; i++)
		if (s->carried[i])
			g->cells[i] = value_copy(s->a, &cells[i]);
	return g;
}

/* --- texts --- */

static int compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static void set(struct strbuf *b, struct slice s)
{
	b->len = 0;
	strbuf_add_slice(b, s);
}

static void extremes(struct texts *t, struct slice text, struct slice weight)
{
	if (!t->any || compare(weight, strbuf_slice(&t->least_weight)) < 0) {
		set(&t->least, text);
		set(&t->least_weight, weight);
	}
	if (!t->any || compare(weight, strbuf_slice(&t->most_weight)) > 0) {
		set(&t->most, text);
		set(&t->most_weight, weight);
	}
	t->any = true;
}

static struct slice *text_slot(const struct texts *t, struct slice s)
{
	size_t i = hash_bytes(s) & (t->size - 1);

	while (t->slots[i].ptr && !slice_eq(t->slots[i], s))
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

static void grow_texts(struct texts *t)
{
	struct texts old = *t;

	t->size = old.size ? old.size * 2 : 16;
	t->slots = arena_array(t->a, struct slice, t->size);
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].ptr)
			*text_slot(t, old.slots[i]) = old.slots[i];
}

static bool distinct(struct stats *s, struct texts *t, struct slice weight)
{
	struct slice *slot;

	if (t->n >= t->size / 2)
		grow_texts(t);
	slot = text_slot(t, weight);
	if (slot->ptr)
		return true;
	*slot = slice_copy(t->a, weight);
	t->n++;
	return groups_take(s, 2 + weight.len / VALUE_MEMORY);
}

static struct texts *new_texts(struct arena *a)
{
	struct texts *t = arena_new(a, struct texts);

	t->a = a;
	strbuf_init(&t->least, a, 32);
	strbuf_init(&t->most, a, 32);
	strbuf_init(&t->least_weight, a, 32);
	strbuf_init(&t->most_weight, a, 32);
	return t;
}

/* Other types that come as no text count by what tells them apart. */
static bool add_text(struct stats *s, const struct operand *o, struct counter *c, const struct value *cells)
{
	const struct value *v = &cells[o->wanted->place];
	struct slice weight = v->s;

	if (!o->distinct && !o->extremes)
		return true;
	if (!c->texts)
		c->texts = new_texts(s->a);
	if (o->wanted->has_weight)
		weight = cells[o->wanted->weight_place].s;
	if (o->extremes)
		extremes(c->texts, v->s, weight);
	return !o->distinct || distinct(s, c->texts, weight);
}

uint64_t texts_distinct(const struct texts *t)
{
	return t ? t->n : 0;
}

struct value texts_extreme(const struct texts *t, bool greatest)
{
	if (!t || !t->any)
		return (struct value){ .kind = VALUE_NULL };
	return value_text(strbuf_slice(greatest ? &t->most : &t->least));
}

/* --- numbers --- */

/* 10 to the MAX_DIGITS */
#define MOST ((wide)100000000000000 * 100000000000000)

/* A value with more decimals than any before: all become as fine. */
static bool rescale(struct stats *s, struct operand *o, unsigned scale)
{
	size_t at = (size_t)(o - s->operands);
	wide factor = number_power(scale - o->scale);
	wide most = MOST / factor;

	for (size_t i = 0; i < s->ngroups; i++) {
		struct counter *c = &s->groups[i]->counters[at];

		if (c->totals.n && (c->totals.most > most || c->totals.least < -most))
			return false;
		totals_scale(&c->totals, factor);
		tally_scale(&c->tally, factor);
	}
	o->scale = scale;
	return true;
}

/* Zeros at the end are left out, so that whole amounts lie close together whatever decimals their column has. */
static bool decimal(struct stats *s, struct operand *o, struct slice text, wide *out)
{
	unsigned scale;

	if (number_parse(text, true, out, &scale) && (scale <= o->scale || rescale(s, o, scale))) {
		*out *= number_power(o->scale - scale);
		if (*out<MOST && * out> - MOST)
			return true;
	}
	error_set(s->err, ERR_OUT_OF_RANGE, "numeric field overflow");
	error_details(s->err, "Values of more than %d digits cannot be counted.", MAX_DIGITS);
	return error_hint(s->err, "Cast the column before the aggregate, as in col::float8.median()");
}

/* What is counted of a cell; *is_value false: a zero date, which is none. */
static bool number(struct stats *s, struct operand *o, const struct value *v, wide *out, bool *is_value)
{
	*is_value = true;
	switch (v->kind) {
	case VALUE_INT:
		*out = v->i;
		return true;
	case VALUE_UINT:
		*out = v->u;
		return true;
	case VALUE_DOUBLE:
	case VALUE_FLOAT:
		*out = number_of_double(v->d);
		return true;
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
		*out = moment_of(v);
		*is_value = moment_exists(v);
		return true;
	default:
		if (o->how.unit == UNIT_MOMENT) {
			*out = moment_of_seconds(v->s);
			return true;
		}
		return decimal(s, o, v->s, out);
	}
}

bool groups_settle(struct stats *s, struct counter *c)
{
	size_t known = c->tally.n;

	tally_settle(&c->tally);
	return groups_take(s, (c->tally.n - known) * (c->tally.is_wide ? 2 : 1));
}

/* Of tallied values totals follow in the end; rescale() needs these. */
static bool tally(struct stats *s, struct counter *c, wide n)
{
	size_t known = c->tally.n;

	if (!c->totals.n || n < c->totals.least)
		c->totals.least = n;
	if (!c->totals.n || n > c->totals.most)
		c->totals.most = n;
	c->totals.n++;
	tally_add(&c->tally, n);
	return c->tally.n == known || groups_take(s, (c->tally.n - known) * (c->tally.is_wide ? 2 : 1));
}

static bool add_operand(struct stats *s, struct operand *o, struct counter *c, const struct value *cells)
{
	const struct value *v = &cells[o->wanted->place];
	bool is_value;
	wide n;

	if (v->kind == VALUE_NULL)
		return true;
	if (o->is_text) {
		c->totals.n++;
		return add_text(s, o, c, cells);
	}
	if (!number(s, o, v, &n, &is_value))
		return false;
	if (!is_value)
		return true;
	if (o->tallied)
		return tally(s, c, n);
	totals_add(&c->totals, o->how.unit, n, 1);
	return true;
}

bool groups_add(struct stats *s, const struct value *cells)
{
	struct group *g = find(s, cells);

	if (!g)
		return false;
	s->last = g;
	g->rows++;
	for (size_t i = 0; i < s->noperands; i++)
		if (!add_operand(s, &s->operands[i], &g->counters[i], cells))
			return false;
	return true;
}

void groups_add_empty(struct stats *s)
{
	s->key.len = 0;
	new_group(s, hash_bytes(strbuf_slice(&s->key)), 0);
}

void groups_free(struct stats *s)
{
	for (size_t i = 0; i < s->ngroups; i++)
		for (size_t k = 0; k < s->noperands; k++)
			tally_free(&s->groups[i]->counters[k].tally);
}
