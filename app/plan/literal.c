/*
 * A filter's text as a value of its column's type. MySQL would compare 'abc' with a number as 0 and return wrong rows
 * without an error; so every literal is parsed here, by PostgreSQL's rules as far as the types agree.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>

#include "internal.h"

struct literal {
	struct arena *a;
	const struct type *type;
	struct slice text;
	struct value *out;
	struct error *err;
};

static bool invalid(const struct literal *l, enum error_code code)
{
	return error_set(l->err, code, "invalid input syntax for type %s: \"%.*s\"", type_name(l->type),
			 (int)(l->text.len > 200 ? 200 : l->text.len), l->text.ptr);
}

static bool out_of_range(const struct literal *l)
{
	return error_set(l->err, ERR_OUT_OF_RANGE, "value \"%.*s\" is out of range for type %s",
			 (int)(l->text.len > 200 ? 200 : l->text.len), l->text.ptr, type_name(l->type));
}

static bool date_out_of_range(const struct literal *l)
{
	error_set(l->err, ERR_BAD_DATETIME, "date/time field value out of range: \"%.*s\"",
		  (int)(l->text.len > 200 ? 200 : l->text.len), l->text.ptr);
	l->err->sqlstate = "22008";
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool integer(struct literal *l)
{
	struct slice s = slice_trim(l->text), digits = s;
	unsigned bits = l->type->size * 8;
	int64_t i;
	uint64_t u;

	if (digits.len && (digits.ptr[0] == '-' || digits.ptr[0] == '+'))
		digits = slice_from(digits, 1);
	if (!all_digits(digits))
		return invalid(l, ERR_BAD_LITERAL);
	if (l->type->is_unsigned) {
		bool minus = s.ptr[0] == '-';

		if (!parse_u64(digits, &u) || (minus && u) || (bits < 64 && u >> bits))
			return out_of_range(l);
		*l->out = (struct value){ .kind = VALUE_UINT, .u = u };
		return true;
	}
	if (!parse_i64(s, &i) || (bits < 64 && (i >= (int64_t)1 << (bits - 1) || i < -((int64_t)1 << (bits - 1)))))
		return out_of_range(l);
	*l->out = value_int(i);
	return true;
}

static bool year(struct literal *l)
{
	uint64_t v;

	if (!all_digits(slice_trim(l->text)))
		return invalid(l, ERR_BAD_LITERAL);
	if (!parse_u64(slice_trim(l->text), &v) || (v != 0 && (v < 1901 || v > 2155)))
		return out_of_range(l);
	*l->out = value_int((int64_t)v);
	return true;
}

/* A TINYINT(1) may hold any number of a byte: those but 0 and 1 are shown, found and written as numbers. */
static bool small_number(struct literal *l)
{
	int64_t i;

	if (l->type->bit || !parse_i64(slice_trim(l->text), &i))
		return invalid(l, ERR_BAD_LITERAL);
	if (i < INT8_MIN || i > INT8_MAX)
		return out_of_range(l);
	*l->out = value_int(i);
	return true;
}

static bool boolean(struct literal *l)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "false", false }, { "t", true },   { "f", false },
		      { "1", true },    { "0", false },     { "yes", true }, { "no", false },
		      { "y", true },    { "n", false },     { "on", true },  { "off", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_ieq(slice_trim(l->text), slice_of(words[i].word))) {
			*l->out = value_int(words[i].value);
			return true;
		}
	return small_number(l);
}

/* [+-]digits[.digits][e[+-]digits], with a digit before or behind the point. */
static bool is_number(struct slice s)
{
	size_t i = 0, digits = 0;

	if (s.len && (s.ptr[0] == '+' || s.ptr[0] == '-'))
		i++;
	for (; i < s.len && is_digit(s.ptr[i]); i++)
		digits++;
	if (i < s.len && s.ptr[i] == '.')
		for (i++; i < s.len && is_digit(s.ptr[i]); i++)
			digits++;
	if (!digits)
		return false;
	if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
		i++;
		if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'))
			i++;
		if (i == s.len || !all_digits(slice_from(s, i)))
			return false;
		i = s.len;
	}
	return i == s.len;
}

static bool decimal(struct literal *l)
{
	struct slice s = slice_trim(l->text);

	if (!is_number(s))
		return invalid(l, ERR_BAD_LITERAL);
	if (s.len > 128 || fabs(strtod(slice_cstr(l->a, s), NULL)) > 1e65)
		return out_of_range(l);
	*l->out = (struct value){ .kind = VALUE_DECIMAL, .s = slice_copy(l->a, s) };
	return true;
}

static bool floating(struct literal *l)
{
	struct slice s = slice_trim(l->text);
	double d;

	if (!is_number(s))
		return invalid(l, ERR_BAD_LITERAL);
	d = strtod(slice_cstr(l->a, s), NULL);
	if (l->type->class == TYPE_FLOAT && isfinite(d))
		d = (double)(float)d;
	if (!isfinite(d))
		return out_of_range(l);
	*l->out = (struct value){ .kind = VALUE_DOUBLE, .d = d };
	return true;
}

/* Between min and max digits at the front of *s. */
static bool number(struct slice *s, size_t min, size_t max, unsigned *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->len && n < max && is_digit(s->ptr[n]))
		*out = *out * 10 + (unsigned)(s->ptr[n++] - '0');
	*s = slice_from(*s, n);
	return n >= min;
}

static bool character(struct slice *s, char c)
{
	if (!s->len || s->ptr[0] != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static bool read_date(struct slice *s, struct datetime *t)
{
	return number(s, 4, 4, &t->year) && character(s, '-') && number(s, 1, 2, &t->month) && character(s, '-') &&
	       number(s, 1, 2, &t->day);
}

/* .ffffff, more digits than six are cut */
static bool read_fraction(struct slice *s, struct datetime *t)
{
	unsigned scale = 100000;

	if (!character(s, '.'))
		return true;
	if (!s->len || !is_digit(s->ptr[0]))
		return false;
	for (; s->len && is_digit(s->ptr[0]); *s = slice_from(*s, 1)) {
		t->micro += (unsigned)(s->ptr[0] - '0') * scale;
		scale /= 10;
	}
	return true;
}

static bool read_clock(struct slice *s, struct datetime *t, size_t hour_digits)
{
	if (!number(s, 1, hour_digits, &t->hour) || !character(s, ':') || !number(s, 2, 2, &t->minute))
		return false;
	if (character(s, ':'))
		return number(s, 2, 2, &t->second) && read_fraction(s, t);
	return true;
}

/* Z, +HH, +HHMM, +HH:MM. Minutes east of Greenwich; *given when there was one. */
static bool read_offset(struct slice *s, int *minutes, bool *given)
{
	unsigned h = 0, m = 0;
	int sign;

	*minutes = 0;
	*given = false;
	while (character(s, ' '))
		;
	if (!s->len)
		return true;
	*given = true;
	if (character(s, 'Z') || character(s, 'z'))
		return true;
	sign = s->ptr[0] == '-' ? -1 : 1;
	/* An unescaped + in a URL arrives as a blank: gone above. */
	if (!character(s, '+') && !character(s, '-') && !is_digit(s->ptr[0]))
		return false;
	if (!number(s, 2, 2, &h))
		return false;
	character(s, ':');
	if (s->len && !number(s, 2, 2, &m))
		return false;
	*minutes = sign * (int)(h * 60 + m);
	return h <= 15 && m < 60;
}

static unsigned days_in_month(unsigned y, unsigned m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)) ? 29 : days[m - 1];
}

/* A real day, or one of MySQL's zero dates. */
static bool date_exists(const struct datetime *t)
{
	return t->month <= 12 && t->day <= 31 && (!t->month || !t->day || t->day <= days_in_month(t->year, t->month));
}

static bool clock_exists(const struct datetime *t)
{
	return t->minute < 60 && t->second < 60;
}

/* Moves a time of day by whole minutes, over midnight where needed. */
static void shift(struct datetime *t, int minutes)
{
	int64_t all = days_from_civil(t->year, t->month, t->day) * 1440 + t->hour * 60 + t->minute - minutes;
	int64_t days = all >= 0 ? all / 1440 : -((-all + 1439) / 1440);
	unsigned rest = (unsigned)(all - days * 1440);

	civil_from_days(days, t);
	t->hour = rest / 60;
	t->minute = rest % 60;
}

static bool temporal(struct literal *l, bool *instant)
{
	struct slice s = slice_trim(l->text);
	struct datetime t = { 0 };
	bool date_only = l->type->class == TYPE_DATE, given = false;
	int offset = 0;

	if (!read_date(&s, &t))
		return invalid(l, ERR_BAD_DATETIME);
	if (s.len) {
		if (!character(&s, 'T') && !character(&s, 't') && !character(&s, ' '))
			return invalid(l, ERR_BAD_DATETIME);
		if (!read_clock(&s, &t, 2) || !read_offset(&s, &offset, &given) || s.len)
			return invalid(l, ERR_BAD_DATETIME);
	}
	if (!date_exists(&t) || !clock_exists(&t) || t.hour > 23)
		return date_out_of_range(l);
	if (date_only)
		t.hour = t.minute = t.second = t.micro = 0;
	/* An instant is kept in UTC; a naive time drops the offset, as PostgreSQL does. */
	if (l->type->class == TYPE_TIMESTAMP && given && t.month && t.day) {
		shift(&t, offset);
		if (t.year > 9999) /* or before the year 0, which wraps */
			return date_out_of_range(l);
		*instant = true;
	}
	*l->out = (struct value){ .kind = date_only ? VALUE_DATE : VALUE_DATETIME, .t = t };
	return true;
}

static bool time_of_day(struct literal *l)
{
	struct slice s = slice_trim(l->text);
	struct datetime t = { 0 };

	t.negative = character(&s, '-');
	if (!read_clock(&s, &t, 3) || s.len)
		return invalid(l, ERR_BAD_DATETIME);
	if (!clock_exists(&t) || t.hour > 838)
		return date_out_of_range(l);
	*l->out = (struct value){ .kind = VALUE_TIME, .t = t };
	return true;
}

static const struct slice *label(const struct type *type, struct slice text)
{
	for (size_t i = 0; i < type->nlabels; i++)
		if (slice_eq(type->labels[i], text))
			return &type->labels[i];
	for (size_t i = 0; i < type->nlabels; i++)
		if (slice_ieq(type->labels[i], text))
			return &type->labels[i];
	return NULL;
}

int64_t plan_enum_position(const struct type *type, struct slice text)
{
	const struct slice *found = label(type, text);

	return found ? found - type->labels + 1 : 0;
}

static bool labels(struct literal *l)
{
	struct slice rest = l->text, part;

	if (l->type->class == TYPE_ENUM && !label(l->type, l->text) && l->text.len)
		return error_set(l->err, ERR_BAD_LITERAL, "invalid input value for enum: \"%.*s\"", (int)l->text.len,
				 l->text.ptr);
	if (l->type->class == TYPE_SET && l->text.len)
		while (slice_split(&rest, ',', &part))
			if (!label(l->type, part))
				return error_set(l->err, ERR_BAD_LITERAL, "invalid input value for set: \"%.*s\"",
						 (int)part.len, part.ptr);
	*l->out = value_text(l->text);
	return true;
}

static int hex(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Pairs of hexadecimal digits; hyphens between pairs are passed over when asked. */
static bool unhex(struct literal *l, struct slice text, bool hyphens, struct slice *out)
{
	char *to = arena_alloc(l->a, text.len / 2 + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len;) {
		if (hyphens && text.ptr[i] == '-') {
			i++;
			continue;
		}
		if (i + 1 >= text.len || hex(text.ptr[i]) < 0 || hex(text.ptr[i + 1]) < 0)
			return invalid(l, ERR_BAD_LITERAL);
		to[n++] = (char)(hex(text.ptr[i]) << 4 | hex(text.ptr[i + 1]));
		i += 2;
	}
	*out = (struct slice){ to, n };
	return true;
}

static bool bytes(struct literal *l)
{
	struct slice s = l->text;

	if (slice_starts(s, "\\x")) {
		if (!unhex(l, slice_from(s, 2), false, &s))
			return false;
	} else if (l->type->size == 16 && s.len == 36) {
		if (!unhex(l, s, true, &s))
			return false;
	}
	*l->out = (struct value){ .kind = VALUE_BYTES, .s = s };
	return true;
}

static bool bits(struct literal *l)
{
	uint64_t v = 0;

	for (size_t i = 0; i < l->text.len; i++) {
		if (l->text.ptr[i] != '0' && l->text.ptr[i] != '1')
			return error_set(l->err, ERR_BAD_LITERAL, "\"%.*s\" is not a valid binary digit", 1,
					 l->text.ptr + i);
		if (v >> 63)
			return out_of_range(l);
		v = v << 1 | (unsigned)(l->text.ptr[i] - '0');
	}
	if (!l->text.len)
		return invalid(l, ERR_BAD_LITERAL);
	if (l->type->size < 64 && v >> l->type->size)
		return out_of_range(l);
	*l->out = (struct value){ .kind = VALUE_UINT, .u = v };
	return true;
}

static bool uuid(struct literal *l)
{
	struct slice s = slice_trim(l->text), raw = { NULL, 0 };

	if (s.len > 2 && s.ptr[0] == '{' && s.ptr[s.len - 1] == '}')
		s = (struct slice){ s.ptr + 1, s.len - 2 };
	if (!unhex(l, s, true, &raw) || raw.len != 16)
		return invalid(l, ERR_BAD_LITERAL);
	*l->out = value_text(s);
	return true;
}

static bool inet(struct literal *l)
{
	unsigned char raw[16];
	const char *s = slice_cstr(l->a, slice_trim(l->text));

	if (inet_pton(AF_INET6, s, raw) != 1 && inet_pton(AF_INET, s, raw) != 1)
		return invalid(l, ERR_BAD_LITERAL);
	*l->out = value_text(slice_of(s));
	return true;
}

bool plan_literal(struct arena *a, const struct type *type, struct slice text, struct value *out, bool *instant_out,
		  struct error *err)
{
	struct literal l = { a, type, text, out, err };

	*instant_out = false;
	switch (type->class) {
	case TYPE_INT:
		return integer(&l);
	case TYPE_YEAR:
		return year(&l);
	case TYPE_BOOL:
		return boolean(&l);
	case TYPE_DECIMAL:
		return decimal(&l);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return floating(&l);
	case TYPE_DATE:
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
		return temporal(&l, instant_out);
	case TYPE_TIME:
		return time_of_day(&l);
	case TYPE_ENUM:
	case TYPE_SET:
		return labels(&l);
	case TYPE_BYTES:
		return bytes(&l);
	case TYPE_BIT:
		return bits(&l);
	case TYPE_UUID:
		return uuid(&l);
	case TYPE_INET:
		return inet(&l);
	case TYPE_TEXT:
	case TYPE_JSON:
	case TYPE_GEOMETRY:
	case TYPE_VECTOR:
		*out = value_text(text);
		return true;
	}
	return false;
}
