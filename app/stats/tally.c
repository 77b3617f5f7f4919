/*
 * How often each value occurs. Values are gathered as they come, and as soon as there are as many as are known already,
 * sorted by their digits and counted into those. All memory is met in order that way: a hash table of values that lie
 * anywhere waits for memory with nearly each of them, which costs more than all else that is done for a row.
 */
#include <stdlib.h>

#include "internal.h"

#define FIRST_ROOM 16
/* Up to so many are sorted by insertion. */
#define FEW 32
#define DIGIT 256
#define SIGN ((uint64_t)1 << 63)

static size_t width(const struct tally *t)
{
	return t->is_wide ? sizeof(wide) : sizeof(int64_t);
}

static wide get(const struct tally *t, const void *values, size_t i)
{
	return t->is_wide ? ((const wide *)values)[i] : ((const int64_t *)values)[i];
}

static void set(const struct tally *t, void *values, size_t i, wide v)
{
	if (t->is_wide)
		((wide *)values)[i] = v;
	else
		((int64_t *)values)[i] = (int64_t)v;
}

static bool fits(wide v)
{
	return v == (int64_t)v;
}

static void *resized(void *p, size_t n, size_t size)
{
	p = realloc(p, n * size);
	if (!p)
		abort();
	return p;
}

/* --- sorting --- */

static int ascending(const void *a, const void *b)
{
	const wide *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_few(int64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int64_t x = v[i];
		size_t k = i;

		for (; k && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static unsigned digit(int64_t v, unsigned shift)
{
	return (unsigned)(((uint64_t)v ^ SIGN) >> shift) & (DIGIT - 1);
}

/* By one digit, into another array; what is equal in it stays in its order. */
static void sort_by_digit(const int64_t *from, int64_t *to, size_t n, unsigned shift)
{
	size_t places[DIGIT] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		places[digit(from[i], shift)]++;
	for (size_t i = 0; i < DIGIT; i++) {
		size_t count = places[i];

		places[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[places[digit(from[i], shift)]++] = from[i];
}

/* By the digits that are not the same in all of them, the least first. */
static void sort_many(int64_t *v, int64_t *scratch, size_t n)
{
	int64_t *from = v, *to = scratch, *other;
	uint64_t differing = 0;

	for (size_t i = 1; i < n; i++)
		differing |= (uint64_t)v[i] ^ (uint64_t)v[0];
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!(differing >> shift & (DIGIT - 1)))
			continue;
		sort_by_digit(from, to, n, shift);
		other = from;
		from = to;
		to = other;
	}
	if (from != v)
		memcpy(v, from, n * sizeof(*v));
}

static void sort_fresh(struct tally *t, uint64_t *scratch)
{
	if (t->is_wide)
		qsort(t->fresh, t->nfresh, sizeof(wide), ascending);
	else if (t->nfresh <= FEW)
		sort_few(t->fresh, t->nfresh);
	else
		sort_many(t->fresh, (int64_t *)scratch, t->nfresh);
}

/* --- counting --- */

/* Counts the sorted ones; those that are new stay in front, and how often each occurs goes to counts. Their number. */
static size_t count_known(struct tally *t, uint64_t *counts)
{
	size_t at = 0, n = 0;

	for (size_t i = 0, next; i < t->nfresh; i = next) {
		wide v = get(t, t->fresh, i);

		for (next = i + 1; next < t->nfresh && get(t, t->fresh, next) == v;)
			next++;
		while (at < t->n && get(t, t->values, at) < v)
			at++;
		if (at < t->n && get(t, t->values, at) == v) {
			t->counts[at] += next - i;
			continue;
		}
		set(t, t->fresh, n, v);
		counts[n++] = next - i;
	}
	return n;
}

/* The n new ones among the others, from the end on. */
static void merge(struct tally *t, const uint64_t *counts, size_t n)
{
	size_t from = t->n, to = t->n + n;

	t->values = resized(t->values, to, width(t));
	t->counts = resized(t->counts, to, sizeof(*t->counts));
	t->n = to;
	while (n) {
		to--;
		if (from && get(t, t->values, from - 1) > get(t, t->fresh, n - 1)) {
			from--;
			set(t, t->values, to, get(t, t->values, from));
			t->counts[to] = t->counts[from];
		} else {
			n--;
			set(t, t->values, to, get(t, t->fresh, n));
			t->counts[to] = counts[n];
		}
	}
}

void tally_settle(struct tally *t)
{
	uint64_t *scratch;
	size_t n;

	if (!t->nfresh)
		return;
	scratch = resized(NULL, t->nfresh, sizeof(*scratch));
	sort_fresh(t, scratch);
	n = count_known(t, scratch);
	if (n)
		merge(t, scratch, n);
	t->nfresh = 0;
	free(scratch);
}

/* Room for as many as are known. */
static void make_room(struct tally *t)
{
	size_t room;

	tally_settle(t);
	room = t->n > FIRST_ROOM ? t->n : FIRST_ROOM;
	if (room <= t->room)
		return;
	free(t->fresh);
	t->fresh = resized(NULL, room, width(t));
	t->room = room;
}

static void widen_all(void **values, size_t n, size_t room)
{
	const int64_t *narrow = *values;
	wide *more = resized(NULL, room ? room : 1, sizeof(*more));

	for (size_t i = 0; i < n; i++)
		more[i] = narrow[i];
	free(*values);
	*values = more;
}

static void widen(struct tally *t)
{
	widen_all(&t->values, t->n, t->n);
	widen_all(&t->fresh, t->nfresh, t->room);
	t->is_wide = true;
}

void tally_add(struct tally *t, wide v)
{
	if (!t->is_wide && !fits(v))
		widen(t);
	if (t->nfresh == t->room)
		make_room(t);
	set(t, t->fresh, t->nfresh++, v);
}

static bool fits_scaled(const struct tally *t, const void *values, size_t n, wide factor)
{
	bool all = true;

	for (size_t i = 0; i < n && !t->is_wide; i++)
		all &= fits(get(t, values, i) * factor);
	return all;
}

void tally_scale(struct tally *t, wide factor)
{
	if (!fits_scaled(t, t->values, t->n, factor) || !fits_scaled(t, t->fresh, t->nfresh, factor))
		widen(t);
	for (size_t i = 0; i < t->n; i++)
		set(t, t->values, i, get(t, t->values, i) * factor);
	for (size_t i = 0; i < t->nfresh; i++)
		set(t, t->fresh, i, get(t, t->fresh, i) * factor);
}

void tally_free(struct tally *t)
{
	free(t->values);
	free(t->counts);
	free(t->fresh);
	*t = (struct tally){ 0 };
}

struct count *tally_sorted(struct tally *t)
{
	struct count *all;
	uint64_t before = 0;

	tally_settle(t);
	free(t->fresh);
	t->fresh = NULL;
	t->room = 0;
	if (!t->n)
		return NULL;
	all = resized(NULL, t->n, sizeof(*all));
	for (size_t i = 0; i < t->n; i++) {
		all[i] = (struct count){ .value = get(t, t->values, i), .n = t->counts[i], .before = before };
		before += t->counts[i];
	}
	return all;
}
