/* Which form a body has, and the window of it that is in memory. */
#include <stdlib.h>

#include "internal.h"

#define FIRST_WINDOW 65536

/* --- the form: Content-Type and Content-Encoding --- */

static const struct {
	const char *type;
	enum body_format format;
} types[] = {
	{ "application/json", BODY_JSON },
	{ "application/vnd.pgrst.array+json", BODY_JSON },
	{ "application/vnd.pgrst.object+json", BODY_JSON },
	{ "application/x-ndjson", BODY_NDJSON },
	{ "application/ndjson", BODY_NDJSON },
	{ "application/jsonl", BODY_NDJSON },
	{ "text/csv", BODY_CSV },
	{ "application/x-www-form-urlencoded", BODY_FORM },
	{ "application/octet-stream", BODY_OCTETS },
};

static const struct format *const readers[] = { &format_json, &format_ndjson, &format_csv, &format_form,
						&format_octets };

/* The value of a parameter, without its quotes; backslashes in them are taken off (RFC 9110, section 5.6.4). */
static struct slice parameter_value(struct arena *a, struct slice text)
{
	struct strbuf b;

	text = slice_trim(text);
	if (text.len < 2 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"')
		return slice_copy(a, text);
	strbuf_init(&b, a, text.len);
	for (size_t i = 1; i + 1 < text.len; i++) {
		if (text.ptr[i] == '\\' && i + 2 < text.len)
			i++;
		strbuf_addc(&b, text.ptr[i]);
	}
	return strbuf_slice(&b);
}

static bool delimiter(struct body *b, struct slice value, struct error *err)
{
	if (slice_ieq(value, SLICE("tab")) || slice_is(value, "\\t"))
		value = SLICE("\t");
	if (value.len != 1 || value.ptr[0] == '"' || value.ptr[0] == '\n' || value.ptr[0] == '\r' ||
	    (unsigned char)value.ptr[0] >= 0x80)
		return error_set(err, ERR_BODY, "The delimiter of text/csv must be one ASCII character, or tab");
	b->delimiter = value.ptr[0];
	return true;
}

/* The next parameter of a media type: up to a semicolon outside of quotes. */
static bool next_parameter(struct slice *rest, struct slice *part)
{
	bool quoted = false;
	size_t n = 0;

	if (!rest->ptr)
		return false;
	for (; n < rest->len && (quoted || rest->ptr[n] != ';'); n++) {
		if (rest->ptr[n] == '"')
			quoted = !quoted;
		else if (quoted && rest->ptr[n] == '\\' && n + 1 < rest->len)
			n++;
	}
	*part = (struct slice){ rest->ptr, n };
	*rest = n < rest->len ? slice_from(*rest, n + 1) : (struct slice){ NULL, 0 };
	return true;
}

static bool csv_parameters(struct body *b, struct slice rest, struct error *err)
{
	struct slice part, name;

	while (next_parameter(&rest, &part)) {
		struct slice value = part;

		slice_split(&value, '=', &name);
		name = slice_trim(name);
		if (!value.ptr)
			continue;
		value = parameter_value(b->kept, value);
		if (slice_ieq(name, SLICE("delimiter")) && !delimiter(b, value, err))
			return false;
		if (slice_ieq(name, SLICE("null")))
			b->null_text = value;
		if (slice_ieq(name, SLICE("date-format")))
			b->date_format = value;
		if (slice_ieq(name, SLICE("charset")) && !slice_ieq(value, SLICE("utf-8")))
			return error_set(err, ERR_BODY, "text/csv must be UTF-8");
	}
	return true;
}

static bool choose_format(struct body *b, const struct http_request *rq, struct error *err)
{
	struct slice rest = { NULL, 0 }, type = { NULL, 0 };

	(void)http_header(rq, "content-type", &rest);
	if (!rest.len) /* as PostgREST */
		rest = SLICE("application/json");
	next_parameter(&rest, &type);
	type = slice_trim(type);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (slice_ieq(type, slice_of(types[i].type))) {
			b->format = types[i].format;
			b->reader = readers[b->format];
			return b->format != BODY_CSV || csv_parameters(b, rest, err);
		}
	return error_set(err, ERR_BODY, "Content-Type not acceptable: %.*s", (int)type.len, type.ptr);
}

static bool choose_encoding(const struct http_request *rq, bool *gzip, struct error *err)
{
	struct slice encoding;

	http_header(rq, "content-encoding", &encoding);
	encoding = slice_trim(encoding);
	*gzip = slice_ieq(encoding, SLICE("gzip")) || slice_ieq(encoding, SLICE("x-gzip"));
	if (*gzip || !encoding.len || slice_ieq(encoding, SLICE("identity")))
		return true;
	error_set(err, ERR_BODY, "Content-Encoding not acceptable: %.*s", (int)encoding.len, encoding.ptr);
	err->status = 415;
	return error_hint(err, "gzip is.");
}

struct body *body_open(const struct http_request *rq, body_read_fn *read, void *context, struct body_limits limits,
		       struct error *err)
{
	struct body *b = calloc(1, sizeof(*b));
	bool gzip;

	if (!b)
		abort();
	b->kept = arena_open();
	b->row = arena_open();
	b->row_limit = limits.row;
	b->line = 1;
	b->delimiter = ',';
	b->null_text = SLICE("NULL");
	if (choose_format(b, rq, err) && choose_encoding(rq, &gzip, err)) {
		b->source = source_open(read, context, gzip, limits.whole);
		return b;
	}
	body_close(b);
	return NULL;
}

void body_close(struct body *b)
{
	if (!b)
		return;
	source_close(b->source);
	arena_close(b->kept);
	arena_close(b->row);
	free(b->buffer);
	free(b->members);
	free(b);
}

/* --- the window --- */

static bool make_room(struct body *b, struct error *err)
{
	size_t used = b->to - b->from, cap;
	char *fresh;

	if (b->from) {
		memmove(b->buffer, b->buffer + b->from, used);
		b->from = 0;
		b->to = used;
	}
	if (used < b->cap / 2)
		return true;
	if (used > b->row_limit)
		return error_set(err, ERR_PACKET, "row %llu is larger than %llu bytes", (unsigned long long)b->rows + 1,
				 (unsigned long long)b->row_limit);
	cap = b->cap ? b->cap * 2 : FIRST_WINDOW;
	fresh = realloc(b->buffer, cap);
	if (!fresh)
		abort();
	b->buffer = fresh;
	b->cap = cap;
	return true;
}

bool body_fill(struct body *b, struct error *err)
{
	int64_t n;

	if (b->ended)
		return true;
	if (b->to == b->cap && !make_room(b, err))
		return false;
	n = source_read(b->source, b->buffer + b->to, b->cap - b->to, err);
	if (n < 0)
		return false;
	b->to += (size_t)n;
	b->ended = n == 0;
	return true;
}

struct body_member *body_member_at(struct body *b, size_t n)
{
	if (n >= b->members_cap) {
		b->members_cap = b->members_cap ? b->members_cap * 2 : 32;
		b->members = realloc(b->members, b->members_cap * sizeof(*b->members));
		if (!b->members)
			abort();
	}
	return &b->members[n];
}

enum body_step body_next(struct body *b, struct body_row *row_out, struct error *err)
{
	arena_reset(b->row);
	return b->reader->next(b, row_out, err);
}

enum body_format body_format(const struct body *b)
{
	return b->format;
}

bool body_is_array(const struct body *b)
{
	return b->is_array;
}

struct slice body_date_format(const struct body *b)
{
	return b->date_format;
}

bool body_whole(struct arena *a, const struct http_request *rq, body_read_fn *read, void *context, uint64_t limit,
		struct slice *out, struct error *err)
{
	struct source *source;
	struct strbuf b;
	int64_t n;
	bool gzip;

	if (!choose_encoding(rq, &gzip, err))
		return false;
	source = source_open(read, context, gzip, 0);
	strbuf_open(&b, FIRST_WINDOW);
	while ((n = source_read(source, strbuf_room(&b, FIRST_WINDOW), FIRST_WINDOW, err)) > 0 &&
	       b.len + (size_t)n <= limit)
		b.len += (size_t)n;
	source_close(source);
	if (n > 0)
		error_set(err, ERR_PACKET, "the body is larger than %llu bytes", (unsigned long long)limit);
	*out = slice_copy(a, strbuf_slice(&b));
	strbuf_close(&b);
	return n == 0;
}
