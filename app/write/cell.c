/*
 * A value of the body as a value of a column. As strict as PostgreSQL: what does not fit is refused, never cut, rounded
 * to another kind or replaced by a default, which MySQL might do.
 */
#include <time.h>

#include "internal.h"
#include "json.h"

#define SHOWN 100 /* characters of a value in a message */

static bool not_null(const struct column *c, struct error *err)
{
	return error_set(err, ERR_NULL,
			 "null value in column \"%.*s\" of relation \"%.*s\" violates not-null constraint",
			 (int)c->name.len, c->name.ptr, (int)c->table->name.len, c->table->name.ptr);
}

static bool bad(const struct column *c, struct slice text, struct error *err)
{
	return error_set(err, ERR_BAD_LITERAL, "invalid input syntax for type %s: \"%.*s\"", type_name(&c->type),
			 (int)(text.len < SHOWN ? text.len : SHOWN), text.ptr);
}

static uint64_t characters(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
	return n;
}

/* Blanks at the end beyond the length of CHAR and VARCHAR may go, as the SQL standard has it. */
static struct slice without_excess_blanks(struct slice s, uint64_t length)
{
	while (s.len && s.ptr[s.len - 1] == ' ' && characters(s) > length)
		s.len--;
	return s;
}

/* utf8mb3 has characters of up to three bytes. */
static bool in_bmp(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0xF0)
			return false;
	return true;
}

/* The first second of 1970 is 0, which is no TIMESTAMP. Where they end is the server's: in 2038, or in 2106. */
static bool in_unix_time(const struct column *c, const struct write_cell *cell, struct error *err)
{
	const struct datetime *t = &cell->value.t;
	bool zero = !t->year && !t->month && !t->day;
	bool early = t->year < 1970 && cell->instant && !zero;

	if (c->type.class != TYPE_TIMESTAMP || (!early && t->year <= 2106))
		return true;
	return error_set(err, ERR_OUT_OF_RANGE, "timestamp out of range: 1970 to 2038, or to 2106");
}

static bool fits(const struct column *c, struct value *v, struct error *err)
{
	const struct type *t = &c->type;
	uint64_t n;

	if (c->charset == CHARSET_BMP && v->kind == VALUE_TEXT && !in_bmp(v->s))
		return error_set(err, ERR_BAD_LITERAL,
				 "the column's character set does not have every character of the value");
	if (!t->length || (t->class != TYPE_TEXT && t->class != TYPE_BYTES))
		return true;
	if (t->class == TYPE_TEXT && !t->in_bytes)
		v->s = without_excess_blanks(v->s, t->length);
	n = t->in_bytes ? v->s.len : characters(v->s);
	if (n <= t->length)
		return true;
	if (t->in_bytes)
		return error_set(err, ERR_TOO_LONG, "value too long: %llu bytes where %llu fit", (unsigned long long)n,
				 (unsigned long long)t->length);
	return error_set(err, ERR_TOO_LONG, "value too long for type character varying(%llu)",
			 (unsigned long long)t->length);
}

/* Digits before the point: MySQL would refuse more, and round what is behind it. */
static bool decimal_fits(const struct column *c, struct slice text, struct error *err)
{
	uint64_t digits = 0;
	size_t i = 0;

	if (!c->type.length)
		return true;
	while (i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+' || text.ptr[i] == '0'))
		i++;
	for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		digits++;
	if (digits <= c->type.length - c->type.decimals)
		return true;
	error_set(err, ERR_OUT_OF_RANGE, "numeric field overflow");
	return error_details(err,
			     "A field with precision %llu, scale %u must round to an absolute value less than 10^%llu.",
			     (unsigned long long)c->type.length, c->type.decimals,
			     (unsigned long long)(c->type.length - c->type.decimals));
}

/* A date or time in the form the client named (strptime). */
static bool formatted(struct arena *a, const struct column *c, struct slice text, struct slice format,
		      struct write_cell *out, struct error *err)
{
	struct tm tm = { .tm_mday = 1 };
	const char *end = strptime(slice_cstr(a, text), slice_cstr(a, format), &tm);

	if (!end || *end) {
		error_set(err, ERR_BAD_DATETIME, "invalid input syntax for type %s: \"%.*s\"", type_name(&c->type),
			  (int)(text.len < SHOWN ? text.len : SHOWN), text.ptr);
		return error_details(err, "The date-format is %.*s.", (int)format.len, format.ptr);
	}
	out->value = (struct value){ .kind = c->type.class == TYPE_DATE ? VALUE_DATE : VALUE_DATETIME,
				     .t = { .year = (unsigned)(tm.tm_year + 1900),
					    .month = (unsigned)tm.tm_mon + 1,
					    .day = (unsigned)tm.tm_mday,
					    .hour = (unsigned)tm.tm_hour,
					    .minute = (unsigned)tm.tm_min,
					    .second = (unsigned)tm.tm_sec } };
	return true;
}

static bool is_dated(const struct column *c)
{
	return c->type.class == TYPE_DATE || c->type.class == TYPE_DATETIME || c->type.class == TYPE_TIMESTAMP;
}

/* An ENUM holds its labels; MySQL would take the empty text for none of them. */
static bool is_label(const struct column *c, struct slice text)
{
	for (size_t i = 0; i < c->type.nlabels; i++)
		if (slice_eq(c->type.labels[i], text))
			return true;
	return false;
}

static bool typed(struct arena *a, const struct column *c, struct slice text, struct write_cell *out, struct error *err)
{
	if (!plan_literal(a, &c->type, text, &out->value, &out->instant, err))
		return false;
	if (c->type.class == TYPE_ENUM && !text.len && !is_label(c, text))
		return error_set(err, ERR_BAD_LITERAL, "invalid input value for enum: \"\"");
	/* A parameter of a routine is no column: nothing is found by it. */
	if (c->table) {
		out->value.instant = out->instant;
		write_kept(a, c, &out->value);
	}
	if (c->type.class == TYPE_DECIMAL && !decimal_fits(c, out->value.s, err))
		return false;
	if (!in_unix_time(c, out, err))
		return false;
	return fits(c, &out->value, err);
}

/* The JSON of a value that is no JSON text yet. */
static bool json_cell(struct arena *a, const struct column *c, const struct body_member *m, struct write_cell *out,
		      struct error *err)
{
	struct json_fault fault;
	struct strbuf b;

	out->value = value_text(m->text);
	switch (m->kind) {
	case CELL_TRUE:
		out->value = value_text(SLICE("true"));
		return true;
	case CELL_FALSE:
		out->value = value_text(SLICE("false"));
		return true;
	case CELL_STRING:
		strbuf_init(&b, a, m->text.len + 2);
		json_string(&b, m->text);
		out->value = value_text(strbuf_slice(&b));
		return true;
	case CELL_TEXT:
		if (json_check(a, m->text, 64, &fault))
			return true;
		bad(c, m->text, err);
		return error_details(err, "%s at byte %zu.", fault.reason, fault.offset + 1);
	default:
		return true;
	}
}

static bool geometry_cell(const struct body_member *m, struct write_cell *out)
{
	out->geojson = m->kind == CELL_JSON || json_kind(m->text) == '{';
	out->value = value_text(m->text);
	return true;
}

static bool vector_cell(struct arena *a, const struct column *c, const struct body_member *m, struct write_cell *out,
			struct error *err)
{
	struct json_fault fault;

	out->value = value_text(m->text);
	return (json_kind(m->text) == '[' && json_check(a, m->text, 1, &fault)) || bad(c, m->text, err);
}

/* Bytes into any other column must be its text. */
static bool octets_cell(struct arena *a, const struct column *c, struct body_member *m, struct write_cell *out,
			struct error *err)
{
	if (c->type.class == TYPE_BYTES) {
		out->value = (struct value){ .kind = VALUE_BYTES, .s = slice_copy(a, m->text) };
		if (c->table)
			write_kept(a, c, &out->value);
		return fits(c, &out->value, err);
	}
	if ((m->text.len && memchr(m->text.ptr, 0, m->text.len)) || !utf8_valid(m->text))
		return error_set(err, ERR_BAD_LITERAL, "the bytes are no text in UTF-8");
	m->kind = CELL_TEXT;
	return write_cell(a, c, m, SLICE(""), out, err);
}

static struct slice text_of(const struct body_member *m)
{
	return m->kind == CELL_TRUE ? SLICE("true") : m->kind == CELL_FALSE ? SLICE("false") : m->text;
}

bool write_cell(struct arena *a, const struct column *c, const struct body_member *m, struct slice date_format,
		struct write_cell *out, struct error *err)
{
	struct body_member own = *m;

	*out = (struct write_cell){ .value = { .kind = VALUE_NULL } };
	if (own.kind == CELL_NULL)
		return c->nullable || not_null(c, err);
	if (own.kind == CELL_OCTETS)
		return octets_cell(a, c, &own, out, err);
	/* The body's memory ends with its row; the cell's must not. */
	own.text = slice_copy(a, text_of(m));
	if (c->type.class == TYPE_JSON)
		return json_cell(a, c, &own, out, err);
	if (c->type.class == TYPE_GEOMETRY)
		return geometry_cell(&own, out);
	if (c->type.class == TYPE_VECTOR)
		return vector_cell(a, c, &own, out, err);
	if (own.kind == CELL_JSON && c->type.class != TYPE_TEXT)
		return bad(c, own.text, err);
	if (date_format.len && own.kind == CELL_TEXT && is_dated(c))
		return formatted(a, c, own.text, date_format, out, err);
	return typed(a, c, own.text, out, err);
}
