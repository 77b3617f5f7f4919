/*
 * Prefer headers, one a line. What is judged: the preferences are those that a reader by hand finds; what is told to be
 * applied, sent again, means the same; with handling=strict nothing unknown passes, and the refusal names it.
 */
#include <stdlib.h>

#include "query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADERS_MAX 16

static struct arena *arena;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool parse(const struct slice *values, size_t n, struct query *out, struct error *err)
{
	static struct http_header headers[HEADERS_MAX];
	static const struct config config = { .max_embed_depth = 12, .max_url_length = 131072 };
	struct http_request rq = { .method = HTTP_POST,
				   .method_text = SLICE("POST"),
				   .path = SLICE("/employee"),
				   .query = SLICE(""),
				   .headers = headers,
				   .nheaders = n };

	for (size_t i = 0; i < n; i++)
		headers[i] = (struct http_header){ SLICE("prefer"), values[i] };
	error_init(err, arena);
	return query_parse(arena, &config, &rq, out, err);
}

/* The first preference that begins with name and '=', and has one of these values; its place, or -1. */
static int first(const struct slice *values, size_t n, const char *name, const char *const *allowed)
{
	for (size_t i = 0; i < n; i++) {
		struct slice rest = values[i], part;

		while (slice_split(&rest, ',', &part)) {
			part = slice_trim(part);
			if (!slice_starts(part, name) || part.len <= strlen(name) || part.ptr[strlen(name)] != '=')
				continue;
			for (int k = 0; allowed[k]; k++)
				if (slice_is(slice_from(part, strlen(name) + 1), allowed[k]))
					return k;
		}
	}
	return -1;
}

static const char *const counts[] = { "exact", "planned", "estimated", NULL };
static const char *const returns[] = { "minimal", "headers-only", "representation", NULL };
static const char *const resolutions[] = { "merge-duplicates", "ignore-duplicates", NULL };
static const char *const missings[] = { "default", "null", NULL };
static const char *const handlings[] = { "strict", "lenient", NULL };
static const char *const txs[] = { "commit", "rollback", NULL };

static void judge(const struct slice *values, size_t n, const struct query_prefer *p)
{
	require((int)p->count == first(values, n, "count", counts) + 1);
	require((int)p->ret == first(values, n, "return", returns) + 1);
	require((int)p->resolution == first(values, n, "resolution", resolutions) + 1);
	require((int)p->missing == first(values, n, "missing", missings) + 1);
	require((int)p->handling == first(values, n, "handling", handlings) + 1);
	require((int)p->tx == first(values, n, "tx", txs) + 1);
}

static void judge_applied(const struct query_prefer *p)
{
	struct query again;
	struct error err;
	struct strbuf b;
	struct slice value;

	strbuf_init(&b, arena, 128);
	query_prefer_applied(p, &b);
	value = strbuf_slice(&b);
	require(parse(&value, 1, &again, &err));
	require(again.prefer.count == p->count && again.prefer.ret == p->ret &&
		again.prefer.resolution == p->resolution && again.prefer.missing == p->missing &&
		again.prefer.handling == p->handling && again.prefer.tx == p->tx &&
		slice_eq(again.prefer.timezone, p->timezone) && again.prefer.has_max_affected == p->has_max_affected &&
		(!p->has_max_affected || again.prefer.max_affected == p->max_affected));
}

/* The same words and one that nobody knows. */
static void judge_strict(const struct slice *values, size_t n, const struct query_prefer *p)
{
	struct slice more[HEADERS_MAX];
	struct query query;
	struct error err;

	memcpy(more, values, n * sizeof(*values));
	more[n] = SLICE("an-unknown-word");
	require(parse(more, n + 1, &query, &err) == (p->handling != HANDLING_STRICT));
	if (p->handling == HANDLING_STRICT)
		require(err.code == ERR_PREFER && err.details && strstr(err.details, "an-unknown-word"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice values[HEADERS_MAX] = { { NULL, 0 } }, rest, line;
	struct query query;
	struct error err;
	size_t n = 0;

	if (!arena)
		arena = arena_open();
	/* nginx hands over no NUL and no line end. */
	if (memchr(data, '\0', size) || memchr(data, '\r', size))
		return 0;
	rest = slice_copy(arena, (struct slice){ (const char *)data, size });
	while (n < HEADERS_MAX - 1 && slice_split(&rest, '\n', &line))
		values[n++] = slice_trim(line);
	if (parse(values, n, &query, &err)) {
		judge(values, n, &query.prefer);
		judge_applied(&query.prefer);
		judge_strict(values, n, &query.prefer);
	} else {
		require(err.code == ERR_PREFER && err.status == 400 && first(values, n, "handling", handlings) == 0);
	}
	arena_reset(arena);
	return 0;
}
