/* Prefer (RFC 7240): the first of a kind wins; unknown ones are passed over, or refused when handling=strict. */
#include "internal.h"

struct preference {
	const char *text;
	int value;
};

static const struct preference counts[] = { { "count=exact", COUNT_EXACT },
					    { "count=planned", COUNT_PLANNED },
					    { "count=estimated", COUNT_ESTIMATED } };
static const struct preference returns[] = { { "return=representation", RETURN_REPRESENTATION },
					     { "return=minimal", RETURN_MINIMAL },
					     { "return=headers-only", RETURN_HEADERS_ONLY } };
static const struct preference resolutions[] = { { "resolution=merge-duplicates", RESOLUTION_MERGE },
						 { "resolution=ignore-duplicates", RESOLUTION_IGNORE } };
static const struct preference missings[] = { { "missing=default", MISSING_DEFAULT },
					      { "missing=null", MISSING_NULL } };
static const struct preference handlings[] = { { "handling=strict", HANDLING_STRICT },
					       { "handling=lenient", HANDLING_LENIENT } };
static const struct preference txs[] = { { "tx=commit", TX_DO_COMMIT }, { "tx=rollback", TX_DO_ROLLBACK } };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* 0: not of this kind. */
static int find(const struct preference *list, size_t n, struct slice text)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(text, list[i].text))
			return list[i].value;
	return 0;
}

#define TAKE(list, field)                                                    \
	do {                                                                 \
		int value_ = find(list, COUNT(list), text);                  \
		if (value_) {                                                \
			if (!out->field)                                     \
				out->field = (__typeof__(out->field))value_; \
			return true;                                         \
		}                                                            \
	} while (0)

static bool take(struct query_prefer *out, struct slice text)
{
	TAKE(counts, count);
	TAKE(returns, ret);
	TAKE(resolutions, resolution);
	TAKE(missings, missing);
	TAKE(handlings, handling);
	TAKE(txs, tx);
	if (slice_is(text, "params=single-object"))
		return out->single_object = true;
	if (slice_starts(text, "timezone=") && text.len > 9) {
		if (!out->timezone.len)
			out->timezone = slice_from(text, 9);
		return true;
	}
	if (slice_starts(text, "max-affected=") && !out->has_max_affected)
		return out->has_max_affected = parse_u64(slice_from(text, 13), &out->max_affected);
	return slice_starts(text, "max-affected=");
}

bool query_prefer(struct arena *a, const struct http_request *rq, struct query_prefer *out, struct error *err)
{
	struct strbuf unknown;

	strbuf_init(&unknown, a, 0);
	for (size_t i = 0; i < rq->nheaders; i++) {
		struct slice rest = rq->headers[i].value, part;

		if (!slice_is(rq->headers[i].name, "prefer"))
			continue;
		while (slice_split(&rest, ',', &part)) {
			part = slice_trim(part);
			if (!part.len || take(out, part))
				continue;
			strbuf_adds(&unknown, unknown.len ? ", " : "");
			strbuf_add_slice(&unknown, part);
		}
	}
	if (out->handling != HANDLING_STRICT || !unknown.len)
		return true;
	error_set(err, ERR_PREFER, "Invalid preferences given with handling=strict");
	return error_details(err, "Invalid preferences: %s", strbuf_cstr(&unknown));
}

static void applied(struct strbuf *b, const struct preference *list, size_t n, int value)
{
	for (size_t i = 0; i < n; i++)
		if (value && list[i].value == value)
			strbuf_addf(b, "%s%s", b->len ? ", " : "", list[i].text);
}

void query_prefer_applied(const struct query_prefer *p, struct strbuf *b)
{
	applied(b, resolutions, COUNT(resolutions), (int)p->resolution);
	applied(b, missings, COUNT(missings), (int)p->missing);
	applied(b, returns, COUNT(returns), (int)p->ret);
	applied(b, counts, COUNT(counts), (int)p->count);
	applied(b, txs, COUNT(txs), (int)p->tx);
	applied(b, handlings, COUNT(handlings), (int)p->handling);
	if (p->timezone.len)
		strbuf_addf(b, "%stimezone=%.*s", b->len ? ", " : "", (int)p->timezone.len, p->timezone.ptr);
	if (p->has_max_affected)
		strbuf_addf(b, "%smax-affected=%llu", b->len ? ", " : "", (unsigned long long)p->max_affected);
}
