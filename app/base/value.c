/* Values as text: dates, times and numbers in the forms JSON and CSV show. */
#include "value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *type_name(const struct type *type)
{
	switch (type->class) {
	case TYPE_INT:
		return type->size == 1   ? "tinyint"
		       : type->size == 2 ? "smallint"
		       : type->size == 8 ? "bigint"
					 : "integer";
	case TYPE_BOOL:
		return "boolean";
	case TYPE_DECIMAL:
		return "numeric";
	case TYPE_FLOAT:
		return "real";
	case TYPE_DOUBLE:
		return "double precision";
	case TYPE_DATE:
		return "date";
	case TYPE_DATETIME:
		return "timestamp";
	case TYPE_TIMESTAMP:
		return "timestamp with time zone";
	case TYPE_TIME:
		return "time";
	case TYPE_YEAR:
		return "year";
	case TYPE_TEXT:
		return "text";
	case TYPE_ENUM:
		return "enum";
	case TYPE_SET:
		return "set";
	case TYPE_BYTES:
		return "bytea";
	case TYPE_BIT:
		return "bit";
	case TYPE_JSON:
		return "json";
	case TYPE_GEOMETRY:
		return "geometry";
	case TYPE_VECTOR:
		return "vector";
	case TYPE_UUID:
		return "uuid";
	case TYPE_INET:
		return "inet";
	}
	return "unknown";
}

/* n decimal digits of v, with leading zeros. */
static void digits(struct strbuf *b, unsigned v, size_t n)
{
	char *to = strbuf_room(b, n);

	for (size_t i = n; i-- > 0; v /= 10)
		to[i] = (char)('0' + v % 10);
	b->len += n;
}

static void fraction(struct strbuf *b, unsigned micro)
{
	size_t n = 6;

	if (!micro)
		return;
	while (micro % 10 == 0) {
		micro /= 10;
		n--;
	}
	strbuf_addc(b, '.');
	digits(b, micro, n);
}

static void clock_time(struct strbuf *b, const struct datetime *t)
{
	digits(b, t->hour, t->hour > 99 ? 3 : 2);
	strbuf_addc(b, ':');
	digits(b, t->minute, 2);
	strbuf_addc(b, ':');
	digits(b, t->second, 2);
	fraction(b, t->micro);
}

void value_add_date(struct strbuf *b, const struct datetime *t)
{
	digits(b, t->year, 4);
	strbuf_addc(b, '-');
	digits(b, t->month, 2);
	strbuf_addc(b, '-');
	digits(b, t->day, 2);
}

void value_add_time(struct strbuf *b, const struct datetime *t)
{
	if (t->negative)
		strbuf_addc(b, '-');
	clock_time(b, t);
}

void value_add_datetime(struct strbuf *b, const struct datetime *t)
{
	value_add_date(b, t);
	strbuf_addc(b, 'T');
	clock_time(b, t);
}

void value_add_double(struct strbuf *b, double d)
{
	char text[32];
	int n = 0;

	if (d == floor(d) && fabs(d) < 1e15 && !(d == 0 && signbit(d))) {
		strbuf_add_i64(b, (int64_t)d);
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		n = snprintf(text, sizeof(text), "%.*g", precision, d);
		if (strtod(text, NULL) == d)
			break;
	}
	strbuf_add(b, text, (size_t)n);
}

void value_add_float(struct strbuf *b, float f)
{
	char text[32];
	int n = 0;

	for (int precision = 6; precision <= 9; precision++) {
		n = snprintf(text, sizeof(text), "%.*g", precision, (double)f);
		if (strtof(text, NULL) == f)
			break;
	}
	strbuf_add(b, text, (size_t)n);
}

/* Howard Hinnant's algorithm: eras of 400 years that begin on 1 March. */
int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_from_days(int64_t days, struct datetime *out)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	out->day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (unsigned)(yoe + era * 400 + (out->month <= 2));
}

struct value value_copy(struct arena *a, const struct value *v)
{
	struct value c = *v;

	if (v->kind == VALUE_TEXT || v->kind == VALUE_BYTES || v->kind == VALUE_DECIMAL)
		c.s = slice_copy(a, v->s);
	return c;
}

void value_add(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_INT:
		strbuf_add_i64(b, v->i);
		break;
	case VALUE_UINT:
		strbuf_add_u64(b, v->u);
		break;
	case VALUE_DATE:
		value_add_date(b, &v->t);
		break;
	case VALUE_DATETIME:
		value_add_datetime(b, &v->t);
		break;
	case VALUE_TIME:
		value_add_time(b, &v->t);
		break;
	case VALUE_DOUBLE:
	case VALUE_FLOAT:
		value_add_double(b, v->d);
		break;
	case VALUE_NULL:
		break;
	default:
		strbuf_add_slice(b, v->s);
	}
}
