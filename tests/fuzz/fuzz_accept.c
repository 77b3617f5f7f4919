/*
 * An Accept header. What is judged: the choices are of types that stand in it, and of no type that it refuses; a choice,
 * asked for alone by the name it goes out with, is that choice; words that nobody knows change nothing, wherever they
 * stand; a refusal is 406.
 */
#include <ctype.h>
#include <stdlib.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena *arena;

static void require(bool holds)
{
	if (!holds)
		abort();
}

struct verdict {
	bool good;
	struct media_choice *choices;
	size_t n;
};

static struct verdict ask(struct slice accept)
{
	struct verdict v = { .good = false };
	struct error err;

	error_init(&err, arena);
	v.good = http_negotiate(arena, accept, &v.choices, &v.n, &err);
	if (!v.good)
		require(err.code == ERR_MEDIA && err.status == 406);
	return v;
}

static bool same(const struct media_choice *a, const struct media_choice *b)
{
	return a->media == b->media && a->strip_nulls == b->strip_nulls && a->plan_json == b->plan_json &&
	       a->plan_analyze == b->plan_analyze && a->plan_for == b->plan_for &&
	       a->plan_for_stripped == b->plan_for_stripped;
}

static void require_same(struct verdict a, struct verdict b)
{
	require(a.good == b.good && (!a.good || a.n == b.n));
	for (size_t i = 0; a.good && i < a.n; i++)
		require(same(&a.choices[i], &b.choices[i]));
}

static bool mentions(const char *lower, const char *word)
{
	return strstr(lower, word) != NULL;
}

/* By words alone, wherever they stand. */
static bool may_come_from(const char *lower, enum media media)
{
	bool any = mentions(lower, "*/*") || !lower[strspn(lower, " \t")];

	switch (media) {
	case MEDIA_JSON:
		return any || mentions(lower, "application/*") || mentions(lower, "json") ||
		       mentions(lower, "pgrst.array");
	case MEDIA_CSV:
		return any || mentions(lower, "text/*") || mentions(lower, "text/csv");
	case MEDIA_NDJSON:
		return any || mentions(lower, "application/*") || mentions(lower, "ndjson");
	case MEDIA_OBJECT:
		return mentions(lower, "pgrst.object");
	case MEDIA_OCTETS:
		return mentions(lower, "octet-stream");
	case MEDIA_GEOJSON:
		return mentions(lower, "geo+json");
	case MEDIA_OPENAPI:
		return mentions(lower, "openapi+json");
	case MEDIA_PLAN:
		return mentions(lower, "pgrst.plan");
	case MEDIA_TEXT:
		return mentions(lower, "text/plain");
	}
	return false;
}

static void judge_name(const struct media_choice *c)
{
	const char *name = http_media_name(c);
	struct verdict again;

	for (const char *p = name; *p; p++)
		require(*p >= ' ' && *p < 0x7f);
	again = ask(slice_of(name));
	/* What else a plan was asked for need not be in its name. */
	require(again.good && again.n == 1 && again.choices[0].media == c->media &&
		(c->media == MEDIA_PLAN || same(&again.choices[0], c)));
}

static size_t quotes(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '"';
	return n;
}

static struct slice around(const char *before, struct slice s, const char *after)
{
	return slice_of(arena_printf(arena, "%s%.*s%s", before, (int)s.len, s.ptr, after));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice accept;
	struct verdict v, other;
	char *lower;

	if (!arena)
		arena = arena_open();
	if (memchr(data, '\0', size) || memchr(data, '\r', size) || memchr(data, '\n', size))
		return 0;
	accept = slice_trim((struct slice){ (const char *)data, size });
	lower = slice_cstr(arena, accept);
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	v = ask(accept);
	if (v.good)
		require(v.n >= 1 && v.n <= 32);
	for (size_t i = 0; v.good && i < v.n; i++) {
		require(may_come_from(lower, v.choices[i].media));
		judge_name(&v.choices[i]);
	}
	if (accept.len)
		require_same(v, ask(around("x/y;q=1, ,", accept, "")));
	if (accept.len && quotes(accept) % 2 == 0) {
		require_same(v, ask(around("", accept, ", x/y;q=0,")));
		other = ask(around("", accept, ", text/csv;q=0"));
		for (size_t i = 0; other.good && i < other.n; i++)
			require(other.choices[i].media != MEDIA_CSV || mentions(lower, "text/csv"));
	}
	arena_reset(arena);
	return 0;
}
