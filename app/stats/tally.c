/*
 * How often each value occurs: open addressing, at most three quarters full, 16 bytes a slot; 24 as soon as a value needs
 * more than 64 bits. Values that lie close together, as whole amounts do, are kept as an array of counts instead, for as
 * long as that takes no more memory: what is counted then mostly lies in the processor's cache.
 */
#include <stdlib.h>

#include "internal.h"

#define FIRST_SIZE 8
/* Cells of an array in the place of a slot: 4 bytes for 16. */
#define CELLS 4

static size_t stride(const struct tally *t)
{
	return t->is_wide ? 3 : 2;
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

static bool fits(wide v)
{
	return v == (int64_t)v;
}

/* --- slots --- */

static size_t place(uint64_t low, uint64_t high, size_t size)
{
	uint64_t h = (low ^ (high * 0xC2B2AE3D27D4EB4Fu)) * 0x9E3779B97F4A7C15u;

	return (h ^ h >> 32) & (size - 1);
}

static uint64_t *find(const struct tally *t, uint64_t low, uint64_t high)
{
	size_t step = stride(t), i = place(low, t->is_wide ? high : 0, t->size);

	for (;; i = (i + 1) & (t->size - 1)) {
		uint64_t *slot = t->slots + i * step;

		if (!slot[1] || (slot[0] == low && (!t->is_wide || slot[2] == high)))
			return slot;
	}
}

/* Slots that n values need, one more included. */
static size_t slots_for(size_t n)
{
	size_t size = FIRST_SIZE;

	while (n >= size / 4 * 3)
		size *= 2;
	return size;
}

static void put(struct tally *t, wide v, uint64_t n)
{
	uint64_t low = (uint64_t)v, high = (uint64_t)(v >> 64), *slot = find(t, low, high);

	slot[0] = low;
	slot[1] = n;
	if (t->is_wide)
		slot[2] = high;
}

/* --- both --- */

/* The value in the i-th slot or cell; false: it is empty. */
static bool value_in(const struct tally *t, size_t i, struct count *out)
{
	const uint64_t *slot;

	if (t->cells) {
		*out = (struct count){ .value = (wide)t->base + (wide)i, .n = t->cells[i] };
		return out->n != 0;
	}
	if (!t->slots)
		return false;
	slot = t->slots + i * stride(t);
	out->value = (int64_t)slot[0];
	if (t->is_wide)
		out->value = (wide)(((unsigned __int128)slot[2] << 64) | slot[0]);
	out->n = slot[1];
	return out->n != 0;
}

static void release(const struct tally *t)
{
	free(t->slots);
	free(t->cells);
}

/* Into slots, the values times factor. */
static void to_slots(struct tally *t, size_t size, bool is_wide, wide factor)
{
	struct tally old = *t;
	struct count c;

	*t = (struct tally){ .n = old.n, .size = size, .is_wide = is_wide };
	t->slots = zeroed(size, stride(t) * sizeof(uint64_t));
	for (size_t i = 0; i < old.size; i++)
		if (value_in(&old, i, &c))
			put(t, c.value * factor, c.n);
	release(&old);
}

static void limits(const struct tally *t, int64_t *least, int64_t *most)
{
	struct count c;

	for (size_t i = 0; i < t->size; i++) {
		if (!value_in(t, i, &c))
			continue;
		*least = c.value < *least ? (int64_t)c.value : *least;
		*most = c.value > *most ? (int64_t)c.value : *most;
	}
}

/* Into an array that has room for v, if that is not larger than slots would be. */
static bool to_cells(struct tally *t, wide v)
{
	int64_t least = INT64_MAX, most = INT64_MIN, base;
	size_t room = slots_for(t->n) * CELLS;
	struct tally old = *t;
	struct count c;
	uint64_t range;

	if (t->is_wide || !fits(v))
		return false;
	limits(t, &least, &most);
	least = v < least ? (int64_t)v : least;
	most = v > most ? (int64_t)v : most;
	range = (uint64_t)most - (uint64_t)least;
	if (range >= room / 2)
		return false;
	/* As much room on both sides as there is. */
	base = least < INT64_MIN + (int64_t)room ? least : least - (int64_t)((room - range) / 2);
	*t = (struct tally){ .n = old.n, .size = room, .base = base };
	t->cells = zeroed(room, sizeof(*t->cells));
	for (size_t i = 0; i < old.size; i++)
		if (value_in(&old, i, &c))
			t->cells[(size_t)((uint64_t)c.value - (uint64_t)base)] = (uint32_t)c.n;
	release(&old);
	return true;
}

/* Makes v find its place. */
static void make_room(struct tally *t, wide v)
{
	bool countable = true;
	struct count c;

	for (size_t i = 0; t->slots && i < t->size; i++)
		countable &= !value_in(t, i, &c) || c.n < UINT32_MAX;
	if (t->n < 4 * FIRST_SIZE || !countable || !to_cells(t, v))
		to_slots(t, slots_for(t->n), t->is_wide || !fits(v), 1);
}

static bool add_to_slots(struct tally *t, wide v)
{
	uint64_t *slot;

	if (t->n >= t->size / 4 * 3 || (!t->is_wide && !fits(v))) {
		make_room(t, v);
		return tally_add(t, v);
	}
	slot = find(t, (uint64_t)v, (uint64_t)(v >> 64));
	if (slot[1]++)
		return false;
	slot[0] = (uint64_t)v;
	if (t->is_wide)
		slot[2] = (uint64_t)(v >> 64);
	t->n++;
	return true;
}

bool tally_add(struct tally *t, wide v)
{
	uint64_t at = (uint64_t)v - (uint64_t)t->base;

	if (!t->cells)
		return add_to_slots(t, v);
	if (at >= t->size || !fits(v)) {
		make_room(t, v);
		return tally_add(t, v);
	}
	if (t->cells[at] == UINT32_MAX) {
		to_slots(t, slots_for(t->n), false, 1);
		return tally_add(t, v);
	}
	t->n += !t->cells[at];
	return !t->cells[at]++;
}

void tally_scale(struct tally *t, wide factor)
{
	bool is_wide = t->is_wide;
	struct count c;

	for (size_t i = 0; i < t->size && !is_wide; i++)
		is_wide = value_in(t, i, &c) && !fits(c.value * factor);
	if (t->size)
		to_slots(t, slots_for(t->n), is_wide, factor);
}

void tally_free(struct tally *t)
{
	release(t);
	*t = (struct tally){ 0 };
}

static int ascending(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

struct count *tally_sorted(const struct tally *t)
{
	struct count *all;
	size_t n = 0;

	if (!t->n)
		return NULL;
	all = zeroed(t->n + 1, sizeof(*all)); /* one more: empty ones are read there too */
	for (size_t i = 0; i < t->size; i++)
		n += value_in(t, i, &all[n]);
	if (t->slots)
		qsort(all, n, sizeof(*all), ascending);
	for (size_t i = 1; i < n; i++)
		all[i].before = all[i - 1].before + all[i - 1].n;
	return all;
}
