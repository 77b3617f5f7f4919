/*
 * JSON and NDJSON bodies. An object at a time is found by its brackets, checked strictly as a whole, and then taken
 * apart without doubts.
 */
#include "internal.h"

#include "json.h"

#define MAX_DEPTH 64

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static enum body_step invalid(struct body *b, struct error *err, const char *reason)
{
	error_set(err, ERR_BODY, "Empty or invalid json");
	if (!b->began)
		error_details(err, "The request body is empty.");
	else if (b->format == BODY_NDJSON)
		error_details(err, "Line %llu: %s.", (unsigned long long)b->line, reason);
	else
		error_details(err, "Row %llu: %s.", (unsigned long long)b->rows + 1, reason);
	return BODY_FAILED;
}

/* The next byte that is no blank, not taken yet; 0 at the end of the body; -1 with err. */
static int peek(struct body *b, struct error *err)
{
	for (;;) {
		for (; b->from < b->to; b->from++) {
			char c = b->buffer[b->from];

			if (!is_blank(c)) {
				b->began = true;
				/* A NUL is no end, nor anything else that may stand here. */
				return c ? (unsigned char)c : 0x100;
			}
			b->line += c == '\n';
		}
		if (b->ended)
			return 0;
		if (!body_fill(b, err))
			return -1;
	}
}

/* Where an object ends that begins at buffer[from]: the number of its bytes, 0 with err when it does not. */
static size_t object_end(struct body *b, struct error *err)
{
	size_t n = 0;
	unsigned depth = 0;
	bool string = false;

	for (;;) {
		const char *p = b->buffer + b->from;
		size_t len = b->to - b->from;

		for (; n < len; n++) {
			char c = p[n];

			if (string) {
				if (c == '\\')
					n++;
				else if (c == '"')
					string = false;
			} else if (c == '"') {
				string = true;
			} else if (c == '{' || c == '[') {
				depth++;
			} else if ((c == '}' || c == ']') && --depth == 0) {
				return n + 1;
			}
		}
		if (b->ended) {
			invalid(b, err, "it ends within an object");
			return 0;
		}
		if (!body_fill(b, err))
			return 0;
	}
}

/* The number of bytes of the value at the start of text, which is well-formed. */
static size_t value_end(struct slice text)
{
	unsigned depth = 0;
	bool string = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				string = false;
			if (!string && !depth)
				return i + 1;
		} else if (c == '"') {
			string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (!depth)
				return i;
			if (--depth == 0)
				return i + 1;
		} else if (!depth && (c == ',' || is_blank(c))) {
			return i;
		}
	}
	return text.len;
}

static void set_value(struct body *b, struct body_member *m, struct slice text)
{
	m->text = text;
	switch (text.ptr[0]) {
	case '"':
		m->kind = CELL_STRING;
		m->text = json_unescaped(b->row, (struct slice){ text.ptr + 1, text.len - 2 });
		break;
	case '{':
	case '[':
		m->kind = CELL_JSON;
		break;
	case 't':
		m->kind = CELL_TRUE;
		break;
	case 'f':
		m->kind = CELL_FALSE;
		break;
	case 'n':
		m->kind = CELL_NULL;
		break;
	default:
		m->kind = CELL_NUMBER;
	}
}

static struct slice without_blanks(struct slice s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = slice_from(s, 1);
	return s;
}

/* text is a well-formed object. */
static size_t take_members(struct body *b, struct slice text)
{
	struct slice rest = without_blanks(slice_from(text, 1));
	size_t n = 0;

	while (rest.ptr[0] == '"') {
		struct body_member *m = body_member_at(b, n++);
		size_t len = value_end(rest);

		m->name = json_unescaped(b->row, (struct slice){ rest.ptr + 1, len - 2 });
		rest = without_blanks(slice_from(rest, len));
		rest = without_blanks(slice_from(rest, 1)); /* the colon */
		len = value_end(rest);
		set_value(b, m, (struct slice){ rest.ptr, len });
		rest = without_blanks(slice_from(rest, len));
		rest = without_blanks(slice_from(rest, 1)); /* a comma, or the end */
		if (!rest.len)
			break;
	}
	return n;
}

/* The object that begins at buffer[from]. */
static enum body_step take_object(struct body *b, struct body_row *row, struct error *err)
{
	size_t len = object_end(b, err);
	struct slice text = { b->buffer + b->from, len };
	struct json_fault fault;

	if (!len)
		return BODY_FAILED;
	if (!json_check(b->row, text, MAX_DEPTH, &fault)) {
		invalid(b, err, arena_printf(err->arena, "%s at byte %zu of it", fault.reason, fault.offset + 1));
		return BODY_FAILED;
	}
	*row = (struct body_row){ .number = ++b->rows, .line = b->format == BODY_NDJSON ? b->line : 0 };
	row->n = take_members(b, text);
	row->members = b->members;
	for (size_t i = 0; i < len; i++)
		b->line += text.ptr[i] == '\n';
	b->from += len;
	return BODY_ROW;
}

static enum body_step object_at(struct body *b, int c, struct body_row *row, struct error *err)
{
	if (c < 0)
		return BODY_FAILED;
	return c == '{' ? take_object(b, row, err) : invalid(b, err, c ? "an object expected" : "it ends too early");
}

/* Behind the whole value only blanks may follow. */
static enum body_step finish(struct body *b, struct error *err)
{
	int c = peek(b, err);

	if (c < 0)
		return BODY_FAILED;
	return c ? invalid(b, err, "something behind the value") : BODY_END;
}

/* The first row tells an array from an object alone. */
static enum body_step first_json(struct body *b, struct body_row *row, struct error *err)
{
	int c = peek(b, err);

	if (c != '[') {
		b->done = true;
		return object_at(b, c, row, err);
	}
	b->is_array = true;
	b->from++;
	c = peek(b, err);
	if (c != ']')
		return object_at(b, c, row, err);
	b->from++;
	b->done = true;
	return finish(b, err);
}

static enum body_step next_json(struct body *b, struct body_row *row, struct error *err)
{
	int c;

	if (b->done)
		return finish(b, err);
	if (!b->rows)
		return first_json(b, row, err);
	c = peek(b, err);
	if (c < 0)
		return BODY_FAILED;
	if (c == ']') {
		b->from++;
		b->done = true;
		return finish(b, err);
	}
	if (c != ',')
		return invalid(b, err, c ? "',' or ']' expected" : "it ends too early");
	b->from++;
	return object_at(b, peek(b, err), row, err);
}

static enum body_step next_ndjson(struct body *b, struct body_row *row, struct error *err)
{
	int c = peek(b, err);

	b->is_array = true;
	return c == 0 ? BODY_END : object_at(b, c, row, err);
}

const struct format format_json = { next_json };
const struct format format_ndjson = { next_ndjson };
