/*
 * How often each value occurs: open addressing, at most three quarters full. Values of 64 bits take 16 bytes each; the
 * first that needs more makes room for the rest of all.
 */
#include <stdlib.h>

#include "internal.h"

#define FIRST_SIZE 8

static size_t stride(const struct tally *t)
{
	return t->is_wide ? 3 : 2;
}

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

static wide value_at(const struct tally *t, const uint64_t *slot)
{
	if (!t->is_wide)
		return (int64_t)slot[0];
	return (wide)(((unsigned __int128)slot[2] << 64) | slot[0]);
}

static void put(struct tally *t, wide v, uint64_t n)
{
	uint64_t low = (uint64_t)v, high = (uint64_t)(v >> 64), *slot = find(t, low, high);

	slot[0] = low;
	slot[1] = n;
	if (t->is_wide)
		slot[2] = high;
}

/* The same values times factor, in so many slots. */
static void rebuild(struct tally *t, size_t size, bool is_wide, wide factor)
{
	struct tally old = *t;

	t->size = size;
	t->is_wide = is_wide;
	t->slots = calloc(size, stride(t) * sizeof(uint64_t));
	if (!t->slots)
		abort();
	for (size_t i = 0; i < old.size; i++) {
		const uint64_t *slot = old.slots + i * stride(&old);

		if (slot[1])
			put(t, value_at(&old, slot) * factor, slot[1]);
	}
	free(old.slots);
}

static bool fits(wide v)
{
	return v == (int64_t)v;
}

bool tally_add(struct tally *t, wide v)
{
	uint64_t *slot;

	if (!fits(v) && !t->is_wide)
		rebuild(t, t->size ? t->size : FIRST_SIZE, true, 1);
	else if (t->n >= t->size / 4 * 3)
		rebuild(t, t->size ? t->size * 2 : FIRST_SIZE, t->is_wide, 1);
	slot = find(t, (uint64_t)v, (uint64_t)(v >> 64));
	if (slot[1]++)
		return false;
	slot[0] = (uint64_t)v;
	if (t->is_wide)
		slot[2] = (uint64_t)(v >> 64);
	t->n++;
	return true;
}

void tally_scale(struct tally *t, wide factor)
{
	bool is_wide = t->is_wide;

	for (size_t i = 0; i < t->size && !is_wide; i++) {
		const uint64_t *slot = t->slots + i * stride(t);

		is_wide = slot[1] && !fits(value_at(t, slot) * factor);
	}
	if (t->size)
		rebuild(t, t->size, is_wide, factor);
}

void tally_free(struct tally *t)
{
	free(t->slots);
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
	all = malloc(t->n * sizeof(*all));
	if (!all)
		abort();
	for (size_t i = 0; i < t->size; i++) {
		const uint64_t *slot = t->slots + i * stride(t);

		if (slot[1])
			all[n++] = (struct count){ value_at(t, slot), slot[1] };
	}
	qsort(all, n, sizeof(*all), ascending);
	return all;
}
