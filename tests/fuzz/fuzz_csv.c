/*
 * A byte that says how, another for the size of the pieces, then CSV: read as rows, and read here by a reader of one state
 * machine that looks at each byte once. What is judged: both see the same rows and NULLs up to the same end or refusal; the
 * rows, written again with every field quoted, are the same rows.
 */
#include <stdlib.h>

#include "body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_FIELDS 4096

static const struct dialect {
	const char *type;
	char delimiter;
	const char *null_text;
} dialects[] = {
	{ "text/csv", ',', "NULL" },
	{ "text/csv; delimiter=\";\"; null=\"-\"", ';', "-" },
	{ "text/csv; delimiter=tab; null=\"\"", '\t', "" },
	{ "text/csv; delimiter=\"|\"; null=\"\\\\N\"", '|', "\\N" },
};

static struct arena *arena;

struct sent {
	struct slice left;
	size_t piece;
};

static int64_t read_sent(void *context, char *to, size_t size)
{
	struct sent *s = context;
	size_t n = s->piece < size ? s->piece : size;

	n = n < s->left.len ? n : s->left.len;
	if (n)
		memcpy(to, s->left.ptr, n);
	s->left = slice_from(s->left, n);
	return (int64_t)n;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void put_field(struct strbuf *out, struct slice text, bool null)
{
	strbuf_addf(out, null ? "N" : "T%zu:", text.len);
	if (!null)
		strbuf_add_slice(out, text);
}

/* What Rowgate reads: fields as a text, a line end after each row, '!' for a refusal. */
static struct slice by_rowgate(const struct dialect *d, struct slice text, size_t piece)
{
	struct http_header header = { SLICE("content-type"), slice_of(d->type) };
	struct http_request rq = { .method = HTTP_POST, .headers = &header, .nheaders = 1 };
	struct sent sent = { text, piece };
	struct body_limits limits = { 1 << 20, 1 << 20 };
	enum body_step step = BODY_FAILED;
	struct body_row row;
	struct strbuf out;
	struct error err;
	struct body *b;

	error_init(&err, arena);
	strbuf_init(&out, arena, text.len * 2 + 64);
	b = body_open(&rq, read_sent, &sent, limits, &err);
	require(b != NULL);
	while ((step = body_next(b, &row, &err)) == BODY_ROW) {
		for (size_t i = 0; i < row.n; i++) {
			put_field(&out, row.members[i].name, false);
			put_field(&out, row.members[i].text, row.members[i].kind == CELL_NULL);
		}
		strbuf_addc(&out, '\n');
	}
	if (step == BODY_FAILED) {
		require(err.status >= 400 && err.status < 500);
		strbuf_addc(&out, '!');
	}
	body_close(b);
	return strbuf_slice(&out);
}

/* --- the other reader --- */

struct field {
	struct slice text;
	bool quoted;
};

struct record {
	struct field fields[MAX_FIELDS + 1];
	size_t n;
	bool blank; /* nothing but its line end */
};

/* One record off the front of *rest. False when it is none. */
static bool record_of(const struct dialect *d, struct slice *rest, struct record *out)
{
	enum { START, PLAIN, INSIDE, BEHIND } state = START;
	const char *begin = rest->ptr;
	struct strbuf field;
	bool done = false;
	size_t i = 0;

	out->n = 0;
	strbuf_init(&field, arena, 16);
	while (!done) {
		bool end = i == rest->len, line = end;
		char c = end ? '\n' : rest->ptr[i];

		/* A line ends with LF or CRLF, the last one also with CR or nothing. */
		if (!end && state != INSIDE && c == '\r' && (i + 1 == rest->len || rest->ptr[i + 1] == '\n')) {
			i += i + 1 < rest->len;
			line = true;
		} else if (!end && state != INSIDE && c == '\n') {
			line = true;
		}
		if (end && state == INSIDE)
			return false;
		i += !end;
		if (state == INSIDE) {
			if (c != '"') {
				strbuf_addc(&field, c);
			} else if (i < rest->len && rest->ptr[i] == '"') {
				strbuf_addc(&field, '"');
				i++;
			} else {
				state = BEHIND;
			}
			continue;
		}
		if (line || c == d->delimiter) {
			if (out->n == MAX_FIELDS)
				return false;
			out->fields[out->n++] = (struct field){ strbuf_slice(&field), state == BEHIND };
			strbuf_init(&field, arena, 16);
			out->blank = out->n == 1 && line && state == START;
			state = START;
			done = line;
		} else if (state == START && c == '"') {
			state = INSIDE;
		} else if (state == BEHIND || c == '"' || c == '\r') {
			return false;
		} else {
			strbuf_addc(&field, c);
			state = PLAIN;
		}
	}
	*rest = slice_from(*rest, i);
	return utf8_valid((struct slice){ begin, i }) && !memchr(begin, '\0', i);
}

static bool same_names(const struct record *header)
{
	for (size_t i = 0; i < header->n; i++)
		for (size_t k = 0; k < i; k++)
			if (slice_eq(header->fields[i].text, header->fields[k].text))
				return true;
	return false;
}

static struct slice by_state_machine(const struct dialect *d, struct slice text)
{
	static struct record header, row;
	struct slice rest = text;
	struct strbuf out;

	strbuf_init(&out, arena, text.len * 2 + 64);
	if (slice_starts(rest, "\xEF\xBB\xBF"))
		rest = slice_from(rest, 3);
	header.blank = true;
	while (rest.len && header.blank)
		if (!record_of(d, &rest, &header))
			return SLICE("!");
	if (header.blank || same_names(&header))
		return SLICE("!");
	while (rest.len) {
		if (!record_of(d, &rest, &row)) {
			strbuf_addc(&out, '!');
			break;
		}
		if (row.blank && header.n != 1)
			continue;
		if (row.n != header.n) {
			strbuf_addc(&out, '!');
			break;
		}
		for (size_t i = 0; i < row.n; i++) {
			const struct field *f = &row.fields[i];

			put_field(&out, header.fields[i].text, false);
			put_field(&out, f->text, !f->quoted && slice_is(f->text, d->null_text));
		}
		strbuf_addc(&out, '\n');
	}
	return strbuf_slice(&out);
}

static void put_quoted(struct strbuf *b, struct slice text)
{
	strbuf_addc(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		strbuf_addc(b, text.ptr[i]);
		if (text.ptr[i] == '"')
			strbuf_addc(b, '"');
	}
	strbuf_addc(b, '"');
}

/* The same rows in the plain dialect, all quoted but NULL. */
static struct slice written_again(const struct dialect *d, struct slice text)
{
	static struct record record;
	struct slice rest = text;
	struct strbuf out;
	bool header = true;
	size_t columns = 0;

	strbuf_init(&out, arena, text.len * 2 + 64);
	if (slice_starts(rest, "\xEF\xBB\xBF"))
		rest = slice_from(rest, 3);
	while (rest.len && record_of(d, &rest, &record)) {
		if (record.blank && columns != 1)
			continue;
		for (size_t i = 0; i < record.n; i++) {
			const struct field *f = &record.fields[i];

			strbuf_adds(&out, i ? "," : "");
			if (!header && !f->quoted && slice_is(f->text, d->null_text))
				strbuf_lit(&out, "NULL");
			else
				put_quoted(&out, f->text);
		}
		strbuf_lit(&out, "\r\n");
		if (header)
			columns = record.n;
		header = false;
	}
	return strbuf_slice(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dialect *d;
	struct slice text, ours, theirs;

	if (!arena)
		arena = arena_open();
	if (size < 2)
		return 0;
	d = &dialects[data[0] % (sizeof(dialects) / sizeof(*dialects))];
	text = (struct slice){ (const char *)data + 2, size - 2 };
	ours = by_rowgate(d, text, (size_t)data[1] + 1);
	theirs = by_state_machine(d, text);
	require(slice_eq(ours, theirs));
	if (ours.len && ours.ptr[ours.len - 1] != '!')
		require(slice_eq(by_rowgate(&dialects[0], written_again(d, text), SIZE_MAX), ours));
	arena_reset(arena);
	return 0;
}
