/* Accept: what the client would like to get, best first (RFC 9110 section 12.5.1). */
#include "http.h"

#define MAX_CHOICES 32 /* the best ones, however many there are */

static const struct {
	const char *name;
	enum media media;
	bool plan_json;
	bool array; /* takes ;nulls=stripped */
} types[] = {
	{ "*/*", MEDIA_JSON, false, false },
	{ "application/*", MEDIA_JSON, false, false },
	{ "application/json", MEDIA_JSON, false, false },
	{ "application/vnd.pgrst.array", MEDIA_JSON, false, true },
	{ "application/vnd.pgrst.array+json", MEDIA_JSON, false, true },
	{ "application/vnd.pgrst.object", MEDIA_OBJECT, false, true },
	{ "application/vnd.pgrst.object+json", MEDIA_OBJECT, false, true },
	{ "text/csv", MEDIA_CSV, false, false },
	{ "text/*", MEDIA_CSV, false, false },
	{ "application/x-ndjson", MEDIA_NDJSON, false, false },
	{ "application/ndjson", MEDIA_NDJSON, false, false },
	{ "application/geo+json", MEDIA_GEOJSON, false, false },
	{ "application/octet-stream", MEDIA_OCTETS, false, false },
	{ "application/openapi+json", MEDIA_OPENAPI, false, false },
	{ "text/plain", MEDIA_TEXT, false, false },
	{ "application/vnd.pgrst.plan", MEDIA_PLAN, false, false },
	{ "application/vnd.pgrst.plan+text", MEDIA_PLAN, false, false },
	{ "application/vnd.pgrst.plan+json", MEDIA_PLAN, true, false },
};

/* What a plan can be asked to show, in the order PostgREST names them; the server has a word for the first alone. */
static const char *const plan_options[] = { "analyze", "verbose", "settings", "buffers", "wal" };

struct ranked {
	struct media_choice choice;
	unsigned options;     /* bits of plan_options */
	unsigned quality;     /* thousandths */
	const char *wildcard; /* the range it came from, or NULL */
};

/* "0.8" in thousandths; what is no number is 1. */
static unsigned quality(struct slice s)
{
	unsigned v = 0, scale = 100;

	if (!s.len || (s.ptr[0] != '0' && s.ptr[0] != '1'))
		return 1000;
	v = (unsigned)(s.ptr[0] - '0') * 1000;
	for (size_t i = 2; i < s.len && i < 5 && s.ptr[1] == '.'; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			break;
		v += (unsigned)(s.ptr[i] - '0') * scale;
		scale /= 10;
	}
	return v > 1000 ? 1000 : v;
}

static struct slice unquoted(struct slice s)
{
	if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		return (struct slice){ s.ptr + 1, s.len - 2 };
	return s;
}

/* The next part up to sep outside quotes. */
static bool next_part(struct slice *rest, char sep, struct slice *part)
{
	bool quoted = false;

	if (!rest->ptr)
		return false;
	for (size_t i = 0; i < rest->len; i++) {
		quoted ^= rest->ptr[i] == '"';
		if (rest->ptr[i] == sep && !quoted) {
			*part = (struct slice){ rest->ptr, i };
			*rest = slice_from(*rest, i + 1);
			return true;
		}
	}
	*part = *rest;
	*rest = (struct slice){ NULL, 0 };
	return true;
}

static bool known(struct slice name, size_t *at)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (slice_ieq(name, slice_of(types[i].name))) {
			*at = i;
			return true;
		}
	return false;
}

static unsigned plan_option(struct slice name)
{
	for (unsigned i = 0; i < sizeof(plan_options) / sizeof(*plan_options); i++)
		if (slice_is(name, plan_options[i]))
			return 1u << i;
	return 0;
}

static void plan_parameter(struct ranked *r, struct slice name, struct slice value)
{
	struct media_choice *c = &r->choice;
	struct slice part, inner;
	size_t at;

	if (slice_is(name, "options")) {
		while (slice_split(&value, '|', &part))
			r->options |= plan_option(slice_trim(part));
		c->plan_analyze = r->options & 1;
	} else if (slice_is(name, "for")) {
		inner = unquoted(value);
		if (next_part(&inner, ';', &part) && known(slice_trim(part), &at))
			c->plan_for = types[at].media;
		while (next_part(&inner, ';', &part))
			c->plan_for_stripped |= slice_is(slice_trim(part), "nulls=stripped");
	}
}

/* One "type;parameters", refused when its quality is 0; false for a type Rowgate never makes. */
static bool read_choice(struct slice text, struct ranked *r)
{
	struct slice part, name;
	size_t at;

	*r = (struct ranked){ .quality = 1000 };
	if (!next_part(&text, ';', &part) || !known(slice_trim(part), &at))
		return false;
	r->choice.media = types[at].media;
	r->choice.plan_json = types[at].plan_json;
	r->choice.plan_for = MEDIA_JSON;
	while (next_part(&text, ';', &part)) {
		struct slice value = slice_trim(part);

		if (!slice_split(&value, '=', &name))
			continue;
		if (slice_ieq(slice_trim(name), SLICE("q")))
			r->quality = quality(value);
		else if (types[at].array && slice_is(name, "nulls"))
			r->choice.strip_nulls = slice_is(value, "stripped");
		else if (types[at].media == MEDIA_PLAN)
			plan_parameter(r, slice_trim(name), slice_trim(value));
	}
	r->wildcard = strchr(types[at].name, '*') ? types[at].name : NULL;
	r->choice.any = r->wildcard != NULL;
	return true;
}

static bool same(const struct media_choice *a, const struct media_choice *b)
{
	return a->media == b->media && a->strip_nulls == b->strip_nulls && a->plan_json == b->plan_json &&
	       a->plan_analyze == b->plan_analyze && a->plan_for == b->plan_for &&
	       a->plan_for_stripped == b->plan_for_stripped;
}

/* Behind those of the same quality: the order of the header decides. When there are too many the last one goes. */
static void insert(struct ranked *list, size_t *n, struct ranked r)
{
	size_t at = *n;

	for (size_t i = 0; i < *n; i++)
		if (same(&list[i].choice, &r.choice) && !list[i].wildcard && list[i].quality >= r.quality)
			return;
	if (*n == MAX_CHOICES && list[--at].quality >= r.quality)
		return;
	for (; at > 0 && list[at - 1].quality < r.quality; at--)
		list[at] = list[at - 1];
	list[at] = r;
	*n += *n < MAX_CHOICES;
}

/* What a range stands for: the first of its types that is not refused by ;q=0. False: there is none. */
static bool resolve(struct ranked *r, unsigned refused)
{
	static const struct {
		const char *range;
		enum media media;
	} members[] = { { "*/*", MEDIA_JSON },
			{ "*/*", MEDIA_CSV },
			{ "*/*", MEDIA_NDJSON },
			{ "application/*", MEDIA_JSON },
			{ "application/*", MEDIA_NDJSON },
			{ "text/*", MEDIA_CSV } };

	if (!r->wildcard)
		return true;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (strcmp(members[i].range, r->wildcard) == 0 && !(refused & 1u << members[i].media)) {
			r->choice.media = members[i].media;
			return true;
		}
	return false;
}

static const char *plan_name(struct arena *a, const struct ranked *r)
{
	struct media_choice plan_for = { .media = r->choice.plan_for, .strip_nulls = r->choice.plan_for_stripped };
	struct slice inner = slice_of(http_media_name(&plan_for)), charset = SLICE("; charset=utf-8");
	const char *comma = "; options=";
	struct strbuf b;

	if (inner.len > charset.len && slice_eq(slice_from(inner, inner.len - charset.len), charset))
		inner.len -= charset.len;
	strbuf_init(&b, a, 128);
	strbuf_addf(&b, "application/vnd.pgrst.plan+%s; for=\"%.*s\"", r->choice.plan_json ? "json" : "text",
		    (int)inner.len, inner.ptr);
	for (size_t i = 0; i < sizeof(plan_options) / sizeof(*plan_options); i++)
		if (r->options & 1u << i) {
			strbuf_addf(&b, "%s%s", comma, plan_options[i]);
			comma = "|";
		}
	strbuf_add_slice(&b, charset);
	return strbuf_cstr(&b);
}

bool http_negotiate(struct arena *a, struct slice accept, struct media_choice **choices_out, size_t *n_out,
		    struct error *err)
{
	struct ranked list[MAX_CHOICES], r;
	struct slice rest = accept, part;
	size_t n = 0, kept = 0;
	unsigned refused = 0;

	if (!slice_trim(accept).len)
		rest = SLICE("*/*");
	while (next_part(&rest, ',', &part)) {
		if (!read_choice(slice_trim(part), &r))
			continue;
		if (r.quality)
			insert(list, &n, r);
		else if (!r.wildcard)
			refused |= 1u << r.choice.media;
	}
	*choices_out = arena_array(a, struct media_choice, n);
	for (size_t i = 0; i < n; i++) {
		if (!resolve(&list[i], refused))
			continue;
		if (list[i].choice.media == MEDIA_PLAN)
			list[i].choice.plan_name = plan_name(a, &list[i]);
		(*choices_out)[kept++] = list[i].choice;
	}
	if (!kept)
		return error_set(err, ERR_MEDIA, "None of these media types are available: %.*s", (int)accept.len,
				 accept.ptr);
	*n_out = kept;
	return true;
}

const char *http_media_name(const struct media_choice *c)
{
	switch (c->media) {
	case MEDIA_JSON:
		return c->strip_nulls ? "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"
				      : "application/json; charset=utf-8";
	case MEDIA_OBJECT:
		return c->strip_nulls ? "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
				      : "application/vnd.pgrst.object+json; charset=utf-8";
	case MEDIA_CSV:
		return "text/csv; charset=utf-8";
	case MEDIA_NDJSON:
		return "application/x-ndjson; charset=utf-8";
	case MEDIA_GEOJSON:
		return "application/geo+json; charset=utf-8";
	case MEDIA_OCTETS:
		return "application/octet-stream";
	case MEDIA_OPENAPI:
		return "application/openapi+json; charset=utf-8";
	case MEDIA_TEXT:
		return "text/plain; charset=utf-8";
	case MEDIA_PLAN:
		if (c->plan_name)
			return c->plan_name;
		return c->plan_json ? "application/vnd.pgrst.plan+json; charset=utf-8"
				    : "application/vnd.pgrst.plan+text; charset=utf-8";
	}
	return "application/json; charset=utf-8";
}
