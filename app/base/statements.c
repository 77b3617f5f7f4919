/* Statements and the time they take, for /auth/v1/admin/statements. */
#include "statements.h"

#include <stdlib.h>
#include <time.h>

/* --- shapes --- */

/* Takes the text in pieces: into a buffer as far as it goes, into a hash whole. */
struct shape {
	char *to; /* NULL: the hash alone */
	size_t len;
	uint64_t hash;
};

static void put(struct shape *s, const char *ptr, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->hash = (s->hash ^ (unsigned char)ptr[i]) * 1099511628211u;
		if (s->to && s->len < STATEMENT_TEXT)
			s->to[s->len++] = ptr[i];
	}
}

static size_t repeated(struct slice rest, struct slice piece)
{
	size_t n = 0;

	while (rest.len - n >= piece.len && memcmp(rest.ptr + n, piece.ptr, piece.len) == 0)
		n += piece.len;
	return n;
}

/* Length of "(?,?)" at the begin of text; 0: something else stands there. */
static size_t tuple(struct slice text)
{
	size_t n = 2;

	if (!slice_starts(text, "(?"))
		return 0;
	while (n + 1 < text.len && text.ptr[n] == ',' && text.ptr[n + 1] == '?')
		n += 2;
	return n < text.len && text.ptr[n] == ')' ? n + 1 : 0;
}

/* A list of values is a ? and dots, whatever their number; so is one of rows. */
static size_t list(struct shape *s, struct slice rest)
{
	size_t n = tuple(rest), more = 0;
	char next[256];

	if (n && n < sizeof(next)) {
		next[0] = ',';
		memcpy(next + 1, rest.ptr, n);
		more = repeated(slice_from(rest, n), (struct slice){ next, n + 1 });
	}
	if (more) {
		put(s, rest.ptr, n);
		put(s, ",...", 4);
		return n + more;
	}
	n = rest.ptr[0] == '?' ? repeated(slice_from(rest, 1), SLICE(",?")) : 0;
	put(s, rest.ptr, 1);
	if (n)
		put(s, ",...", 4);
	return 1 + n;
}

static size_t quoted(struct shape *s, struct slice rest)
{
	const char *end = memchr(rest.ptr + 1, rest.ptr[0], rest.len - 1);
	size_t n = end ? (size_t)(end - rest.ptr) + 1 : rest.len;

	put(s, rest.ptr, n);
	return n;
}

static void shape_of(struct shape *s, struct slice text)
{
	s->hash = 14695981039346656037u;
	while (text.len)
		text = slice_from(text, strchr("'\"`", text.ptr[0]) && text.ptr[0] ? quoted(s, text) : list(s, text));
}

uint64_t statement_shape(struct slice text)
{
	struct shape s = { .to = NULL };

	shape_of(&s, text);
	return s.hash ? s.hash : 1;
}

/* --- counting --- */

static uint64_t get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static void set(_Atomic uint64_t *n, uint64_t value)
{
	atomic_store_explicit(n, value, memory_order_relaxed);
}

static void begin(struct statement_table *t, uint64_t age)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		atomic_store(&t->shapes[i], 0);
	atomic_store(&t->age, age);
}

/* The free place, else that of what has taken least. */
static size_t room(const struct statement_table *t)
{
	size_t least = 0;

	for (size_t i = 0; i < STATEMENTS; i++) {
		if (!get(&t->shapes[i]))
			return i;
		if (get(&t->entries[i].total_us) < get(&t->entries[least].total_us))
			least = i;
	}
	return least;
}

/* Whoever reads meanwhile sees an odd turn, or another one afterwards. */
static struct statement_entry *make(struct statement_table *t, uint64_t shape, struct slice text)
{
	size_t at = room(t);
	struct statement_entry *e = &t->entries[at];
	struct shape s = { .to = e->text };

	atomic_store(&e->turn, get(&e->turn) | 1);
	atomic_store(&t->shapes[at], shape);
	shape_of(&s, text);
	set(&e->len, s.len);
	set(&e->count, 0);
	set(&e->errors, 0);
	set(&e->rows, 0);
	set(&e->total_us, 0);
	set(&e->max_us, 0);
	atomic_store(&e->turn, get(&e->turn) + 1);
	return e;
}

static struct statement_entry *entry(struct statement_table *t, uint64_t shape, struct slice text)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		/* An odd turn is that of a worker which ended in the middle. */
		if (get(&t->shapes[i]) == shape && !(get(&t->entries[i].turn) & 1))
			return &t->entries[i];
	return make(t, shape, text);
}

void statement_note(struct statement_pool *pool, size_t place, uint64_t shape, struct slice text, uint64_t us,
		    uint64_t rows, bool failed)
{
	struct statement_table *t = &pool->tables[place];
	uint64_t age = atomic_load(&pool->age);
	struct statement_entry *e;

	if (!atomic_load_explicit(&pool->used[place], memory_order_relaxed) || get(&t->age) != age) {
		begin(t, age);
		atomic_store(&pool->used[place], true);
	}
	e = entry(t, shape, text);
	metric_add(&e->count, 1);
	metric_add(&e->errors, failed);
	metric_add(&e->rows, rows);
	metric_add(&e->total_us, us);
	if (us > get(&e->max_us))
		set(&e->max_us, us);
	atomic_store_explicit(&e->last, (int64_t)time(NULL), memory_order_relaxed);
}

void statements_forget(struct statement_pool *pool, int64_t now)
{
	atomic_store(&pool->since, now);
	atomic_fetch_add(&pool->age, 1);
}

/* --- reading --- */

static bool read_entry(struct arena *a, const struct statement_entry *e, uint64_t shape, struct statement_sum *out)
{
	uint64_t turn = atomic_load(&e->turn), len = get(&e->len);

	*out = (struct statement_sum){ .shape = shape,
				       .count = get(&e->count),
				       .errors = get(&e->errors),
				       .rows = get(&e->rows),
				       .total_us = get(&e->total_us),
				       .max_us = get(&e->max_us),
				       .last = atomic_load(&e->last) };
	if ((turn & 1) || len > STATEMENT_TEXT || !out->count)
		return false;
	out->text = slice_copy(a, (struct slice){ e->text, len });
	/* Cut within a character. */
	while (out->text.len && !utf8_valid(out->text))
		out->text.len--;
	atomic_thread_fence(memory_order_acquire);
	return atomic_load(&e->turn) == turn;
}

static int by_shape(const void *x, const void *y)
{
	const struct statement_sum *a = x, *b = y;

	return a->shape < b->shape ? -1 : a->shape > b->shape;
}

static size_t merged(struct statement_sum *list, size_t n)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), by_shape);
	for (size_t i = 0; i < n; i++) {
		struct statement_sum *to = kept ? &list[kept - 1] : NULL;

		if (!to || to->shape != list[i].shape) {
			list[kept++] = list[i];
			continue;
		}
		to->count += list[i].count;
		to->errors += list[i].errors;
		to->rows += list[i].rows;
		to->total_us += list[i].total_us;
		to->max_us = to->max_us > list[i].max_us ? to->max_us : list[i].max_us;
		to->last = to->last > list[i].last ? to->last : list[i].last;
	}
	return kept;
}

static int greater(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_total(const void *x, const void *y)
{
	return greater(((const struct statement_sum *)x)->total_us, ((const struct statement_sum *)y)->total_us);
}

static int by_mean(const void *x, const void *y)
{
	const struct statement_sum *a = x, *b = y;

	return greater(a->total_us / a->count, b->total_us / b->count);
}

static int by_max(const void *x, const void *y)
{
	return greater(((const struct statement_sum *)x)->max_us, ((const struct statement_sum *)y)->max_us);
}

static int by_count(const void *x, const void *y)
{
	return greater(((const struct statement_sum *)x)->count, ((const struct statement_sum *)y)->count);
}

size_t statements_read(struct arena *a, const struct statement_pool *pool, enum statement_order order,
		       struct statement_sum **list_out)
{
	static int (*const orders[])(const void *, const void *) = {
		[BY_TOTAL] = by_total, [BY_MEAN] = by_mean, [BY_MAX] = by_max, [BY_COUNT] = by_count
	};
	uint64_t age = atomic_load(&pool->age);
	struct statement_sum *all;
	size_t n = 0, places = 0;

	for (size_t p = 0; p < METRIC_WORKERS; p++)
		places += atomic_load(&pool->used[p]);
	all = arena_array(a, struct statement_sum, places * STATEMENTS + 1);
	for (size_t p = 0; p < METRIC_WORKERS && places; p++) {
		const struct statement_table *t = &pool->tables[p];

		if (!atomic_load(&pool->used[p]) || atomic_load(&t->age) != age)
			continue;
		places--;
		for (size_t i = 0; i < STATEMENTS; i++) {
			uint64_t shape = atomic_load(&t->shapes[i]);

			n += shape && read_entry(a, &t->entries[i], shape, &all[n]);
		}
	}
	n = merged(all, n);
	qsort(all, n, sizeof(*all), orders[order]);
	*list_out = all;
	return n;
}
