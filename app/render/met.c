/* The keys that an upsert has met so far, as hashes: a set by open addressing, in which 0 is a free place. */
#include "writing.h"

#include "hash.h"

/* True when it is new. There is room. */
static bool put(struct met *m, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);

	while (m->places[i] && m->places[i] != hash)
		i = (i + 1) & (m->cap - 1);
	if (m->places[i])
		return false;
	m->places[i] = hash;
	m->n++;
	return true;
}

static void make_room(struct met *m, struct arena *a)
{
	struct met more = { .cap = m->cap ? m->cap * 2 : 1024 };

	if (m->n * 2 < m->cap)
		return;
	more.places = arena_array(a, uint64_t, more.cap);
	for (size_t i = 0; i < m->cap; i++)
		if (m->places[i])
			(void)put(&more, m->places[i]);
	*m = more;
}

/* Blanks at the end of a text are none. */
static uint64_t hash_key(struct arena *scratch, const struct value *values, size_t n)
{
	struct strbuf b;
	uint64_t hash;

	strbuf_init(&b, scratch, 64);
	for (size_t i = 0; i < n; i++) {
		value_add(&b, &values[i]);
		while (b.len && b.ptr[b.len - 1] == ' ')
			b.len--;
		strbuf_addc(&b, '\0');
	}
	hash = hash_text(strbuf_slice(&b));
	return hash ? hash : 1;
}

bool met_first(struct arena *a, struct arena *scratch, struct met *m, const struct value *values, size_t n)
{
	make_room(m, a);
	return put(m, hash_key(scratch, values, n));
}
