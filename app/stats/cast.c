/*
 * Casts behind an aggregate that is worked out here: what the database's own (app/plan/cast.c) would make of the result.
 * plan_counted lets through no others.
 */
#include <math.h>
#include <stdlib.h>

#include "internal.h"

static bool out_of_range(struct stats *s)
{
	return error_set(s->err, ERR_OUT_OF_RANGE, "value out of range");
}

static bool is_floating(const struct value *v)
{
	return v->kind == VALUE_DOUBLE || v->kind == VALUE_FLOAT;
}

/* A number in full digits; false beyond 1e35. */
static bool digits(struct arena *a, const struct value *v, struct slice *out)
{
	struct strbuf b;

	if (is_floating(v) && !(fabs(v->d) < 1e35))
		return false;
	strbuf_init(&b, a, 80);
	value_add(&b, v);
	*out = strbuf_slice(&b);
	if (!is_floating(v) || !memchr(b.ptr, 'e', b.len))
		return true;
	*out = slice_of(arena_printf(a, "%.30f", v->d));
	return true;
}

/* Half away from zero, but doubles as rint() has it. */
static bool to_int(struct stats *s, const struct plan_cast *c, struct value *v)
{
	struct value from = *v;
	struct slice text, whole;
	struct strbuf b;
	uint64_t n, most;
	bool negative;

	if (is_floating(v))
		from.d = rint(v->d);
	if (!digits(s->a, &from, &text))
		return out_of_range(s);
	strbuf_init(&b, s->a, 48);
	number_round(&b, text, 0);
	whole = strbuf_slice(&b);
	negative = whole.ptr[0] == '-';
	if (negative)
		whole = slice_from(whole, 1);
	most = c->type.is_unsigned ? UINT64_MAX : ((uint64_t)1 << (c->type.size * 8 - 1)) - !negative;
	if (!parse_u64(whole, &n) || n > most || (negative && c->type.is_unsigned))
		return out_of_range(s);
	*v = (struct value){ .kind = c->type.is_unsigned ? VALUE_UINT : VALUE_INT, .u = negative ? 0 - n : n };
	return true;
}

static bool to_decimal(struct stats *s, const struct plan_cast *c, struct value *v)
{
	struct slice text, whole;
	struct strbuf b;

	if (!digits(s->a, v, &text))
		return out_of_range(s);
	strbuf_init(&b, s->a, text.len + 32);
	if (c->precision) {
		number_round(&b, text, c->scale);
		text = strbuf_slice(&b);
		whole = text.ptr[0] == '-' ? slice_from(text, 1) : text;
		if (whole.len - (c->scale ? 1 : 0) > c->precision + (whole.ptr[0] == '0' && c->precision == c->scale))
			return out_of_range(s);
	}
	*v = value_text(text);
	return true;
}

static bool is_zero(const struct value *v)
{
	if (is_floating(v))
		return v->d == 0;
	return v->kind == VALUE_TEXT ? number_compare(v->s, SLICE("0")) == 0 : v->i == 0;
}

static void to_double(struct arena *a, struct value *v)
{
	struct slice text;

	if (!is_floating(v) && digits(a, v, &text))
		*v = (struct value){ .kind = VALUE_DOUBLE, .d = strtod(slice_cstr(a, text), NULL) };
}

/* The first n characters. */
static struct slice characters(struct slice s, size_t n)
{
	size_t i = 0;

	for (; i < s.len; i++) {
		if (((unsigned char)s.ptr[i] & 0xC0) == 0x80)
			continue;
		if (!n--)
			break;
	}
	return (struct slice){ s.ptr, i };
}

static void to_text(struct arena *a, const struct plan_cast *c, struct value *v)
{
	struct strbuf b;
	char *t;

	strbuf_init(&b, a, 32);
	if (c->from.class == TYPE_BOOL)
		strbuf_adds(&b, v->i ? "true" : "false");
	else
		value_add(&b, v);
	t = v->kind == VALUE_DATETIME ? memchr(b.ptr, 'T', b.len) : NULL;
	if (t)
		*t = ' ';
	*v = value_text(c->precision ? characters(strbuf_slice(&b), c->precision) : strbuf_slice(&b));
}

/* Of one temporal type to another. */
static void to_moment(enum type_class class, struct value *v)
{
	if (class == TYPE_TIME && v->kind != VALUE_TIME) {
		v->kind = VALUE_TIME;
		v->t.year = v->t.month = v->t.day = 0;
	} else if (class == TYPE_DATE) {
		v->kind = VALUE_DATE;
	} else if (class != TYPE_TIME && v->kind == VALUE_DATE) {
		v->kind = VALUE_DATETIME;
		v->t.hour = v->t.minute = v->t.second = v->t.micro = 0;
	}
}

bool stats_cast(struct stats *s, const struct plan_cast *c, struct value *v)
{
	if (!c || v->kind == VALUE_NULL)
		return true;
	switch (c->type.class) {
	case TYPE_INT:
		return to_int(s, c, v);
	case TYPE_DECIMAL:
		return to_decimal(s, c, v);
	case TYPE_DOUBLE:
		to_double(s->a, v);
		return true;
	case TYPE_BOOL:
		*v = value_int(!is_zero(v));
		return true;
	case TYPE_TEXT:
		to_text(s->a, c, v);
		return true;
	case TYPE_JSON:
		return true;
	default:
		to_moment(c->type.class, v);
		return true;
	}
}
