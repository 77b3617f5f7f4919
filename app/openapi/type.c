/*
 * A column's type in the words of JSON Schema: what stands in answers, which is also what is taken. Formats are those of
 * OpenAPI's registry; where a text looks like nothing that has a name, an example shows it.
 */
#include "internal.h"

#include "json.h"

static void add_type(struct strbuf *b, const char *name, bool nullable)
{
	if (nullable)
		strbuf_addf(b, "\"type\":[\"%s\",\"null\"]", name);
	else
		strbuf_addf(b, "\"type\":\"%s\"", name);
}

static void integer(struct strbuf *b, const struct type *t, bool nullable)
{
	uint64_t half = (uint64_t)1 << (8 * t->size - 1);

	add_type(b, "integer", nullable);
	if (t->size == 8 && t->is_unsigned)
		strbuf_lit(b, ",\"format\":\"uint64\"");
	else
		strbuf_adds(b, t->size == 8 || (t->size == 4 && t->is_unsigned) ? ",\"format\":\"int64\""
										: ",\"format\":\"int32\"");
	if (t->is_unsigned) {
		strbuf_lit(b, ",\"minimum\":0,\"maximum\":");
		strbuf_add_u64(b, (half - 1) * 2 + 1);
		return;
	}
	strbuf_lit(b, ",\"minimum\":-");
	strbuf_add_u64(b, half);
	strbuf_lit(b, ",\"maximum\":");
	strbuf_add_u64(b, half - 1);
}

/* DECIMAL(p,s): less than 10^(p-s), while doubles can tell. */
static void decimal(struct strbuf *b, const struct type *t, bool nullable)
{
	uint64_t digits = t->length > t->decimals ? t->length - t->decimals : 0;

	add_type(b, "number", nullable);
	strbuf_lit(b, ",\"format\":\"decimal\"");
	if (digits && digits <= 15) {
		uint64_t limit = 1;

		while (digits--)
			limit *= 10;
		if (!t->is_unsigned)
			strbuf_addf(b, ",\"exclusiveMinimum\":-%llu", (unsigned long long)limit);
		strbuf_addf(b, ",\"exclusiveMaximum\":%llu", (unsigned long long)limit);
	}
	if (t->is_unsigned)
		strbuf_lit(b, ",\"minimum\":0");
}

static void floating(struct strbuf *b, const struct type *t, bool nullable)
{
	add_type(b, "number", nullable);
	strbuf_adds(b, t->class == TYPE_FLOAT ? ",\"format\":\"float\"" : ",\"format\":\"double\"");
	if (t->is_unsigned)
		strbuf_lit(b, ",\"minimum\":0");
}

static void labels(struct strbuf *b, const struct type *t, const char *key, bool with_null)
{
	strbuf_addf(b, ",\"%s\":[", key);
	for (size_t i = 0; i < t->nlabels; i++) {
		if (i)
			strbuf_addc(b, ',');
		json_string(b, t->labels[i]);
	}
	strbuf_adds(b, with_null ? ",null]" : "]");
}

static void text(struct strbuf *b, const struct type *t, bool nullable)
{
	add_type(b, "string", nullable);
	/* The length of TEXT is in bytes, and no limit of characters. */
	if (t->class == TYPE_TEXT && t->length && !t->in_bytes)
		strbuf_addf(b, ",\"maxLength\":%llu", (unsigned long long)t->length);
	else if (t->class == TYPE_ENUM && t->nlabels)
		labels(b, t, "enum", nullable);
	else if (t->class == TYPE_SET)
		labels(b, t, "x-set", false);
	else if (t->class == TYPE_BIT)
		strbuf_addf(b, ",\"pattern\":\"^[01]*$\",\"maxLength\":%u", t->size);
	else if (t->class == TYPE_BYTES)
		strbuf_lit(b, ",\"pattern\":\"^\\\\\\\\x([0-9a-fA-F]{2})*$\"");
}

static const char *format_of(const struct type *t, struct slice db_type)
{
	switch (t->class) {
	case TYPE_DATE:
		return "date";
	case TYPE_DATETIME:
		return "date-time-local";
	case TYPE_TIMESTAMP:
		return "date-time";
	case TYPE_UUID:
		return "uuid";
	case TYPE_INET:
		return slice_is(db_type, "inet4") ? "ipv4" : slice_is(db_type, "inet6") ? "ipv6" : NULL;
	default:
		return NULL;
	}
}

void openapi_type(struct strbuf *b, const struct type *t, struct slice db_type, bool nullable)
{
	const char *format = format_of(t, db_type);

	switch (t->class) {
	case TYPE_INT:
		integer(b, t, nullable);
		break;
	case TYPE_YEAR:
		add_type(b, "integer", nullable);
		strbuf_lit(b, ",\"minimum\":0,\"maximum\":2155");
		break;
	case TYPE_BOOL:
		add_type(b, "boolean", nullable);
		break;
	case TYPE_DECIMAL:
		decimal(b, t, nullable);
		break;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		floating(b, t, nullable);
		break;
	case TYPE_JSON:
		break;
	case TYPE_VECTOR:
		add_type(b, "array", nullable);
		strbuf_lit(b, ",\"items\":{\"type\":\"number\"}");
		break;
	case TYPE_GEOMETRY:
		add_type(b, "object", nullable);
		strbuf_lit(b, ",\"format\":\"geojson\",\"required\":[\"type\"]");
		break;
	default:
		text(b, t, nullable);
		if (format)
			strbuf_addf(b, ",\"format\":\"%s\"", format);
	}
}

/* JSON's idea of a number, within a range that a JSON reader keeps. */
static bool number(struct strbuf *b, struct slice s)
{
	struct json_fault fault;
	struct arena *scratch = arena_open();
	char kind = json_kind(s);
	bool ok = (kind == '-' || (kind >= '0' && kind <= '9')) && json_check(scratch, s, 1, &fault);

	arena_close(scratch);
	if (ok)
		strbuf_add_slice(b, s);
	return ok;
}

static bool whole_number(struct strbuf *b, const struct type *t, struct slice s)
{
	uint64_t half = (uint64_t)1 << (8 * (t->class == TYPE_YEAR ? 2 : t->size) - 1), u;
	int64_t i;

	if (t->is_unsigned || t->class == TYPE_YEAR) {
		if (!parse_u64(s, &u) || u > (half - 1) * 2 + 1)
			return false;
		strbuf_add_u64(b, u);
		return true;
	}
	if (!parse_i64(s, &i) || i > (int64_t)(half - 1) || i < -(int64_t)(half - 1) - 1)
		return false;
	strbuf_add_i64(b, i);
	return true;
}

static bool boolean(struct strbuf *b, struct slice s)
{
	bool yes = slice_is(s, "1") || slice_is(s, "b'1'") || slice_is(s, "true");

	if (!yes && !slice_is(s, "0") && !slice_is(s, "b'0'") && !slice_is(s, "false"))
		return false;
	strbuf_adds(b, yes ? "true" : "false");
	return true;
}

static bool digits_at(struct slice s, const char *form)
{
	size_t i = 0;

	for (; form[i]; i++)
		if (i >= s.len || (form[i] == '9' ? s.ptr[i] < '0' || s.ptr[i] > '9' : s.ptr[i] != form[i]))
			return false;
	return i == s.len || s.ptr[i] == '.';
}

/* 2020-01-31 10:00:00 with a T. What belongs to no calendar, such as zero, is left out. */
static bool moment(struct strbuf *b, const struct type *t, struct slice s)
{
	size_t before = b->len;

	if (slice_starts(s, "0000") ||
	    !(t->class == TYPE_DATE ? digits_at(s, "9999-99-99") && s.len == 10
				    : digits_at(s, "9999-99-99 99:99:99") || digits_at(s, "9999-99-99T99:99:99")))
		return false;
	json_string(b, s);
	for (size_t i = before; i < b->len; i++)
		if (b->ptr[i] == ' ')
			b->ptr[i] = 'T';
	return true;
}

static bool label(const struct type *t, struct slice s)
{
	for (size_t i = 0; i < t->nlabels; i++)
		if (slice_eq(t->labels[i], s))
			return true;
	return false;
}

static size_t characters(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
	return n;
}

static bool any_json(struct strbuf *b, struct slice s)
{
	struct arena *scratch = arena_open();
	struct json_fault fault;
	bool ok = json_check(scratch, s, 64, &fault);

	arena_close(scratch);
	if (ok)
		strbuf_add_slice(b, s);
	return ok;
}

bool openapi_value(struct strbuf *b, const struct type *t, struct slice s)
{
	switch (t->class) {
	case TYPE_INT:
	case TYPE_YEAR:
		return whole_number(b, t, s);
	case TYPE_BOOL:
		return boolean(b, s);
	case TYPE_DECIMAL:
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return number(b, s);
	case TYPE_DATE:
	case TYPE_DATETIME:
		return moment(b, t, s);
	case TYPE_JSON:
		return any_json(b, s);
	case TYPE_VECTOR:
		return json_kind(s) == '[' && any_json(b, s);
	case TYPE_GEOMETRY:
		return json_kind(s) == '{' && any_json(b, s);
	/* Instants in which zone, bytes in which form: nobody knows. */
	case TYPE_TIMESTAMP:
	case TYPE_BYTES:
	case TYPE_BIT:
		return false;
	case TYPE_ENUM:
		if (!label(t, s))
			return false;
		break;
	case TYPE_TEXT:
		if (t->length && !t->in_bytes && characters(s) > t->length)
			return false;
		break;
	default:
		break;
	}
	json_string(b, s);
	return true;
}

bool openapi_sample(struct strbuf *b, const struct type *t)
{
	switch (t->class) {
	case TYPE_DATETIME:
		strbuf_lit(b, "\"2024-02-29T13:45:00\"");
		return true;
	case TYPE_TIME:
		strbuf_lit(b, "\"13:45:00\"");
		return true;
	case TYPE_BYTES:
		strbuf_lit(b, "\"\\\\x");
		for (unsigned i = 0; i < (t->size && t->size < 64 ? t->size : 2); i++)
			strbuf_lit(b, "0a");
		strbuf_addc(b, '"');
		return true;
	case TYPE_BIT:
		strbuf_addc(b, '"');
		for (unsigned i = 0; i < t->size; i++)
			strbuf_addc(b, "01"[i % 2]);
		strbuf_addc(b, '"');
		return true;
	case TYPE_SET:
		json_string(b, t->nlabels ? t->labels[0] : (struct slice){ "", 0 });
		return true;
	case TYPE_YEAR:
		strbuf_lit(b, "2024");
		return true;
	default:
		return false;
	}
}
