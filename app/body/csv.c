/*
 * CSV (RFC 4180): a header line, then as many fields a line. Lines end with LF or CRLF; a byte order mark is passed
 * over; quoted fields may hold delimiters, line ends and doubled quotes. A field that is the text of null, unquoted, is
 * NULL.
 */
#include "internal.h"

#define MAX_FIELDS 4096

static bool damaged(struct body *b, struct error *err, const char *reason)
{
	error_set(err, ERR_BODY, "Invalid CSV");
	error_details(err, "Line %llu: %s.", (unsigned long long)b->line, reason);
	return false;
}

/*
 * Where the record ends that begins at buffer[from]: bytes without its line end in *len_out, with it in *whole_out.
 * False with err.
 */
static bool record_end(struct body *b, size_t *len_out, size_t *whole_out, struct error *err)
{
	size_t n = 0;
	bool quoted = false;

	for (;;) {
		const char *p = b->buffer + b->from;
		size_t len = b->to - b->from;

		for (; n < len; n++) {
			if (p[n] == '"')
				quoted = !quoted;
			if (p[n] != '\n' || quoted)
				continue;
			*len_out = n && p[n - 1] == '\r' ? n - 1 : n;
			*whole_out = n + 1;
			return true;
		}
		if (b->ended) {
			*len_out = len && p[len - 1] == '\r' && !quoted ? len - 1 : len;
			*whole_out = len;
			return !quoted || damaged(b, err, "a quoted field without its closing quote");
		}
		if (!body_fill(b, err))
			return false;
	}
}

static bool quoted_field(struct body *b, struct slice *rest, struct slice *field, struct error *err)
{
	struct strbuf out;
	size_t i = 1;

	strbuf_init(&out, b->row, rest->len < 64 ? rest->len : 64);
	for (; i < rest->len; i++) {
		if (rest->ptr[i] == '"' && (i + 1 == rest->len || rest->ptr[i + 1] != '"'))
			break;
		strbuf_addc(&out, rest->ptr[i]);
		i += rest->ptr[i] == '"';
	}
	if (i >= rest->len)
		return damaged(b, err, "a quoted field without its closing quote");
	*field = strbuf_slice(&out);
	*rest = slice_from(*rest, i + 1);
	return true;
}

/* The next field; *last when the record ends behind it. */
static bool next_field(struct body *b, struct slice *rest, struct body_member *m, bool *last, struct error *err)
{
	m->kind = CELL_TEXT;
	if (rest->len && rest->ptr[0] == '"') {
		if (!quoted_field(b, rest, &m->text, err))
			return false;
		if (rest->len && rest->ptr[0] != b->delimiter)
			return damaged(b, err, "something between a closing quote and the delimiter");
	} else {
		const char *end = rest->len ? memchr(rest->ptr, b->delimiter, rest->len) : NULL;
		size_t n = end ? (size_t)(end - rest->ptr) : rest->len;

		m->text = (struct slice){ rest->ptr, n };
		*rest = slice_from(*rest, n);
		if (n && memchr(m->text.ptr, '"', n))
			return damaged(b, err, "a quote within a field that has none around it");
		/* Else a file of an old Macintosh were one long header. */
		if (n && memchr(m->text.ptr, '\r', n))
			return damaged(b, err, "a carriage return without a line feed");
		if (slice_eq(m->text, b->null_text))
			m->kind = CELL_NULL;
	}
	*last = !rest->len;
	if (!*last)
		*rest = slice_from(*rest, 1);
	return true;
}

static bool check_text(struct body *b, struct slice text, struct error *err)
{
	if (text.len && memchr(text.ptr, '\0', text.len))
		return damaged(b, err, "a NUL character");
	return utf8_valid(text) || damaged(b, err, "invalid UTF-8");
}

/* The fields of one record as members without names. */
static bool take_record(struct body *b, struct slice text, size_t *n_out, struct error *err)
{
	bool last = false;
	size_t n = 0;

	if (!check_text(b, text, err))
		return false;
	while (!last) {
		if (n == MAX_FIELDS)
			return damaged(b, err, "more than 4096 fields");
		if (!next_field(b, &text, body_member_at(b, n), &last, err))
			return false;
		n++;
	}
	*n_out = n;
	return true;
}

/* Whole lines are passed over when they are empty: a last one often is. */
static bool next_record(struct body *b, size_t *n_out, uint64_t *line_out, struct error *err)
{
	size_t len, whole;

	*n_out = 0;
	for (;;) {
		if (!record_end(b, &len, &whole, err))
			return false;
		if (len || !whole || b->nnames == 1)
			break;
		b->from += whole;
		b->line++;
	}
	*line_out = b->line;
	if (!whole)
		return true;
	if (!take_record(b, (struct slice){ b->buffer + b->from, len }, n_out, err))
		return false;
	for (size_t i = 0; i < whole; i++)
		b->line += b->buffer[b->from + i] == '\n';
	b->from += whole;
	return true;
}

static bool skip_mark(struct body *b, struct error *err)
{
	while (b->to - b->from < 3 && !b->ended)
		if (!body_fill(b, err))
			return false;
	if (b->to - b->from >= 3 && memcmp(b->buffer + b->from, "\xEF\xBB\xBF", 3) == 0)
		b->from += 3;
	return true;
}

static bool read_header(struct body *b, struct error *err)
{
	uint64_t line;
	size_t n;

	if (!skip_mark(b, err) || !next_record(b, &n, &line, err))
		return false;
	if (!n)
		return damaged(b, err, "a header line expected");
	b->names = arena_array(b->kept, struct slice, n);
	for (size_t i = 0; i < n; i++) {
		b->names[i] = slice_copy(b->kept, b->members[i].text);
		for (size_t k = 0; k < i; k++)
			if (slice_eq(b->names[k], b->names[i])) {
				b->line = line;
				return damaged(b, err, "the same column twice in the header");
			}
	}
	b->nnames = n;
	b->is_array = true;
	return true;
}

static enum body_step next_csv(struct body *b, struct body_row *row, struct error *err)
{
	uint64_t line;
	size_t n;

	if ((!b->nnames && !read_header(b, err)) || !next_record(b, &n, &line, err))
		return BODY_FAILED;
	if (!n)
		return BODY_END;
	if (n != b->nnames) {
		error_set(err, ERR_BODY, "All lines must have same number of fields");
		error_details(err, "Line %llu has %zu fields, the header %zu.", (unsigned long long)line, n, b->nnames);
		return BODY_FAILED;
	}
	for (size_t i = 0; i < n; i++)
		b->members[i].name = b->names[i];
	*row = (struct body_row){ .members = b->members, .n = n, .number = ++b->rows, .line = line };
	return BODY_ROW;
}

const struct format format_csv = { next_csv };
