/*
 * What a column keeps of a value that fits: rounded to its digits, filled up or trimmed to its length, the members of a
 * SET in their order. The servers do the same; but a row is found again by its key, which must then be what they made of
 * it.
 */
#include "internal.h"

#define MAX_DIGITS 128 /* of a DECIMAL's text (plan/literal.c) */
#define MAX_EXPONENT 1000

/* A decimal number: 0.D1D2D3... times ten to the power of point. */
struct number {
	bool negative;
	char digits[MAX_DIGITS + 1]; /* the first is room for a carry */
	size_t n;
	long point;
};

static long exponent(struct slice s)
{
	bool minus = s.len && s.ptr[0] == '-';
	long e = 0;

	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= '0' && s.ptr[i] <= '9' && e < MAX_EXPONENT)
			e = e * 10 + (s.ptr[i] - '0');
	return minus ? -e : e;
}

static void read_number(struct slice s, struct number *out)
{
	bool behind = false;

	*out = (struct number){ .negative = s.len && s.ptr[0] == '-', .digits = { '0' }, .n = 1, .point = 1 };
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == 'e' || s.ptr[i] == 'E') {
			out->point += exponent(slice_from(s, i + 1));
			return;
		}
		if (s.ptr[i] == '.') {
			behind = true;
		} else if (s.ptr[i] >= '0' && s.ptr[i] <= '9') {
			out->digits[out->n++] = s.ptr[i];
			out->point += !behind;
		}
	}
}

static struct slice write_number(struct arena *a, const struct number *x)
{
	struct strbuf b;

	strbuf_init(&b, a, x->n + 8);
	strbuf_adds(&b, x->negative ? "-" : "");
	strbuf_adds(&b, x->point > 0 ? "" : "0");
	for (long i = 0; i < x->point; i++)
		strbuf_addc(&b, (size_t)i < x->n ? x->digits[i] : '0');
	strbuf_addc(&b, '.');
	for (long i = x->point; i < (long)x->n; i++)
		strbuf_addc(&b, i < 0 ? '0' : x->digits[i]);
	if (b.ptr[b.len - 1] == '.')
		b.len--;
	return strbuf_slice(&b);
}

/* Halves go away from zero. */
static struct slice rounded(struct arena *a, struct slice text, unsigned scale)
{
	struct number x;
	long keep;

	read_number(text, &x);
	keep = x.point + (long)scale;
	if (keep >= (long)x.n)
		return text;
	if (keep < 1)
		return SLICE("0");
	x.n = (size_t)keep;
	for (size_t i = x.n; x.digits[keep] >= '5' && i-- > 0;) {
		if (x.digits[i] < '9') {
			x.digits[i]++;
			break;
		}
		x.digits[i] = '0';
	}
	return write_number(a, &x);
}

/* One second more. A zero date, or the last day there is, stays as it is: the server says what it makes of those. */
static void carry(const struct column *c, struct datetime *t, const struct datetime *before)
{
	if (++t->second < 60)
		return;
	t->second = 0;
	if (++t->minute < 60)
		return;
	t->minute = 0;
	t->hour++;
	if (c->type.class == TYPE_TIME) {
		if (t->hour > 838)
			*t = *before;
		return;
	}
	if (t->hour < 24)
		return;
	t->hour = 0;
	if (!t->month || !t->day || (t->year == 9999 && t->month == 12 && t->day == 31))
		*t = *before;
	else
		civil_from_days(days_from_civil(t->year, t->month, t->day) + 1, t);
}

static void round_fraction(const struct column *c, struct datetime *t)
{
	const struct datetime before = *t;
	unsigned unit = 1;

	for (unsigned i = c->type.decimals; i < 6; i++)
		unit *= 10;
	t->micro = (t->micro + unit / 2) / unit * unit;
	if (t->micro < 1000000)
		return;
	t->micro = 0;
	carry(c, t, &before);
}

static struct slice filled(struct arena *a, struct slice s, size_t length)
{
	char *to;

	if (s.len >= length)
		return s;
	to = arena_alloc(a, length);
	memset(to, 0, length);
	if (s.len)
		memcpy(to, s.ptr, s.len);
	return (struct slice){ to, length };
}

/* A SET has 64 members at most. */
static struct slice in_order(struct arena *a, const struct type *type, struct slice list)
{
	struct slice rest = list, part;
	uint64_t members = 0;
	struct strbuf b;

	while (list.len && slice_split(&rest, ',', &part)) {
		int64_t at = plan_enum_position(type, part);

		if (at)
			members |= UINT64_C(1) << (at - 1);
	}
	strbuf_init(&b, a, list.len + 1);
	for (size_t i = 0; i < type->nlabels && i < 64; i++)
		if (members >> i & 1) {
			strbuf_adds(&b, b.len ? "," : "");
			strbuf_add_slice(&b, type->labels[i]);
		}
	return strbuf_slice(&b);
}

void write_kept(struct arena *a, const struct column *c, struct value *v)
{
	switch (c->type.class) {
	case TYPE_DECIMAL:
		if (v->kind == VALUE_DECIMAL && c->type.length)
			v->s = rounded(a, v->s, c->type.decimals);
		break;
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
	case TYPE_TIME:
		if (c->type.decimals < 6)
			round_fraction(c, &v->t);
		break;
	case TYPE_BYTES:
		v->s = filled(a, v->s, c->type.size);
		break;
	case TYPE_TEXT:
		while (slice_starts(c->db_type, "char(") && v->s.len && v->s.ptr[v->s.len - 1] == ' ')
			v->s.len--;
		break;
	case TYPE_SET:
		v->s = in_order(a, &c->type, v->s);
		break;
	default:
		break;
	}
}
