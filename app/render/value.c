/*
 * One cell as JSON and as CSV (dialect.md section 10): numbers in full digits, instants with their offset, bytes as \x
 * hex, JSON and GeoJSON as they are.
 */
#include "render.h"

#include <math.h>

#include "json.h"

/* DECIMAL text, without the zeros ZEROFILL puts in front: JSON allows none. */
static void number_text(struct strbuf *b, struct slice s)
{
	if (s.len && s.ptr[0] == '-') {
		strbuf_addc(b, '-');
		s = slice_from(s, 1);
	}
	while (s.len > 1 && s.ptr[0] == '0' && s.ptr[1] != '.')
		s = slice_from(s, 1);
	strbuf_add_slice(b, s);
}

static struct slice without_zeros(struct slice s)
{
	if (!memchr(s.ptr, '.', s.len))
		return s;
	while (s.ptr[s.len - 1] == '0')
		s.len--;
	s.len -= s.ptr[s.len - 1] == '.';
	return s;
}

/* A text that was cast to JSON: what is none is a JSON string, for an answer under way cannot become a refusal. */
static void text_json(struct strbuf *b, struct slice s)
{
	struct arena *scratch = arena_open();
	struct json_fault fault;

	if (json_check(scratch, s, 64, &fault))
		strbuf_add_slice(b, s);
	else
		json_string(b, s);
	arena_close(scratch);
}

static void bytes_text(struct strbuf *b, struct slice s, bool json)
{
	char *to;

	strbuf_adds(b, json ? "\\\\x" : "\\x");
	to = strbuf_room(b, s.len * 2);
	for (size_t i = 0; i < s.len; i++) {
		to[2 * i] = "0123456789abcdef"[(unsigned char)s.ptr[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[s.ptr[i] & 15];
	}
	b->len += s.len * 2;
}

/* The n low bits of a BIT(n), which comes as big-endian bytes. */
static void bits_text(struct strbuf *b, struct slice s, unsigned n)
{
	for (unsigned bit = n; bit-- > 0;) {
		size_t from_end = bit / 8;
		unsigned char byte = from_end < s.len ? (unsigned char)s.ptr[s.len - 1 - from_end] : 0;

		strbuf_addc(b, (byte >> (bit % 8)) & 1 ? '1' : '0');
	}
}

static void offset_text(struct strbuf *b, int64_t seconds)
{
	int64_t minutes = (seconds < 0 ? -seconds : seconds) / 60;

	strbuf_addf(b, "%c%02d:%02d", seconds < 0 ? '-' : '+', (int)(minutes / 60), (int)(minutes % 60));
}

/* TIMESTAMP: UTC, or the session's zone, whose offset is local time less the instant. */
static void timestamp_text(struct strbuf *b, const struct plan_item *item, const struct value *cells)
{
	const struct datetime *t = &cells[item->place].t;
	int64_t local;

	value_add_datetime(b, t);
	if (!item->offset_place || cells[item->offset_place].kind == VALUE_NULL) {
		strbuf_lit(b, "+00:00");
		return;
	}
	local = days_from_civil(t->year, t->month, t->day) * 86400 + t->hour * 3600 + t->minute * 60 + t->second;
	offset_text(b, local - cells[item->offset_place].i);
}

/* Text within quotes: dates, times, bits, whose characters need no escape. */
static bool plain_text(struct strbuf *b, const struct plan_item *item, const struct value *cells)
{
	const struct value *v = &cells[item->place];

	switch (item->expr.type.class) {
	case TYPE_DATE:
		value_add_date(b, &v->t);
		return true;
	case TYPE_DATETIME:
		value_add_datetime(b, &v->t);
		return true;
	case TYPE_TIMESTAMP:
		timestamp_text(b, item, cells);
		return true;
	case TYPE_TIME:
		value_add_time(b, &v->t);
		return true;
	case TYPE_BIT:
		bits_text(b, v->s, item->expr.type.size);
		return true;
	default:
		return false;
	}
}

static bool number(struct strbuf *b, const struct plan_item *item, const struct value *v)
{
	switch (item->expr.type.class) {
	case TYPE_INT:
	case TYPE_YEAR:
		if (v->kind == VALUE_UINT)
			strbuf_add_u64(b, v->u);
		else
			strbuf_add_i64(b, v->i);
		return true;
	case TYPE_DECIMAL:
		number_text(b, item->expr.trimmed && v->s.len ? without_zeros(v->s) : v->s);
		return true;
	case TYPE_FLOAT:
		value_add_float(b, (float)v->d);
		return true;
	case TYPE_DOUBLE:
		value_add_double(b, v->d);
		return true;
	default:
		return false;
	}
}

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Eight hexadecimal digits a number, its lowest byte first. */
static void vector_text(struct strbuf *b, struct slice hex)
{
	strbuf_addc(b, '[');
	for (size_t at = 0; at + 8 <= hex.len; at += 8) {
		uint32_t bits = 0;
		float f;

		for (unsigned byte = 0; byte < 4; byte++)
			bits |= (uint32_t)(nibble(hex.ptr[at + 2 * byte]) << 4 | nibble(hex.ptr[at + 2 * byte + 1]))
				<< 8 * byte;
		memcpy(&f, &bits, sizeof(f));
		strbuf_adds(b, at ? "," : "");
		if (isfinite(f))
			value_add_float(b, f);
		else
			strbuf_lit(b, "null");
	}
	strbuf_addc(b, ']');
}

void render_json_value(struct strbuf *b, const struct plan_item *item, const struct value *cells)
{
	const struct value *v = &cells[item->place];

	if (v->kind == VALUE_NULL) {
		strbuf_lit(b, "null");
		return;
	}
	switch (item->expr.type.class) {
	case TYPE_TEXT:
		if (item->expr.raw_json && (slice_is(v->s, "null") || (v->s.len && v->s.ptr[0] == '"')))
			json_mend(b, v->s); /* ->> : a JSON string is its own JSON text */
		else
			json_string(b, v->s);
		break;
	case TYPE_ENUM:
	case TYPE_SET:
	case TYPE_UUID:
	case TYPE_INET:
		json_string(b, v->s);
		break;
	case TYPE_BOOL:
		if (v->i == 0 || v->i == 1)
			strbuf_adds(b, v->i ? "true" : "false");
		else
			strbuf_add_i64(b, v->i);
		break;
	case TYPE_JSON:
		if (item->expr.text_json) {
			text_json(b, v->s);
			break;
		}
		json_mend(b, v->s);
		break;
	case TYPE_GEOMETRY:
		strbuf_add_slice(b, v->s);
		break;
	case TYPE_VECTOR:
		vector_text(b, v->s);
		break;
	case TYPE_BYTES:
		strbuf_addc(b, '"');
		bytes_text(b, v->s, true);
		strbuf_addc(b, '"');
		break;
	default:
		if (number(b, item, v))
			break;
		strbuf_addc(b, '"');
		plain_text(b, item, cells);
		strbuf_addc(b, '"');
	}
}

void csv_field(struct strbuf *b, struct slice text)
{
	bool quote = text.len == 0;

	for (size_t i = 0; i < text.len && !quote; i++)
		quote = text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
	if (!quote) {
		strbuf_add_slice(b, text);
		return;
	}
	strbuf_addc(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			strbuf_addc(b, '"');
		strbuf_addc(b, text.ptr[i]);
	}
	strbuf_addc(b, '"');
}

/* ->> gives the raw JSON; its text is what is between a string's quotes. */
static void csv_json_text(struct strbuf *b, struct slice s)
{
	struct strbuf text;

	if (slice_is(s, "null"))
		return;
	if (s.ptr[0] != '"') {
		csv_field(b, s);
		return;
	}
	strbuf_open(&text, s.len);
	json_unescape(&text, (struct slice){ s.ptr + 1, s.len - 2 });
	csv_field(b, strbuf_slice(&text));
	strbuf_close(&text);
}

static void csv_json(struct strbuf *b, struct slice s)
{
	struct strbuf text;

	strbuf_open(&text, s.len);
	json_mend(&text, s);
	csv_field(b, strbuf_slice(&text));
	strbuf_close(&text);
}

void render_csv_value(struct strbuf *b, const struct plan_item *item, const struct value *cells)
{
	const struct value *v = &cells[item->place];

	if (v->kind == VALUE_NULL)
		return;
	switch (item->expr.type.class) {
	case TYPE_TEXT:
		if (item->expr.raw_json && v->s.len)
			csv_json_text(b, v->s);
		else
			csv_field(b, v->s);
		break;
	case TYPE_BOOL:
		if (v->i == 0 || v->i == 1)
			strbuf_addc(b, v->i ? 't' : 'f');
		else
			strbuf_add_i64(b, v->i);
		break;
	case TYPE_BYTES:
		bytes_text(b, v->s, false);
		break;
	case TYPE_VECTOR:
		strbuf_addc(b, '"');
		vector_text(b, v->s);
		strbuf_addc(b, '"');
		break;
	case TYPE_JSON:
		csv_json(b, v->s);
		break;
	case TYPE_ENUM:
	case TYPE_SET:
	case TYPE_UUID:
	case TYPE_INET:
	case TYPE_GEOMETRY:
		csv_field(b, v->s);
		break;
	default:
		if (!number(b, item, v))
			plain_text(b, item, cells);
	}
}
