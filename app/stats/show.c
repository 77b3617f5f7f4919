/* Results as values of their types, and as JSON. */
#include <math.h>

#include "internal.h"

/* A moment between two dates has a time of day. */
static enum type_class class_between(enum type_class class)
{
	return class == TYPE_DATE ? TYPE_DATETIME : class;
}

struct value show_figure(struct arena *a, const struct shown *how, const struct figure *f, bool trimmed)
{
	struct strbuf b;

	if (f->is_null || (how->unit == UNIT_DOUBLE && !isfinite(f->d)))
		return (struct value){ .kind = VALUE_NULL };
	if (how->unit == UNIT_DOUBLE)
		return (struct value){ .kind = VALUE_DOUBLE, .d = f->d };
	if (how->unit == UNIT_MOMENT)
		return moment_value((int64_t)f->v, class_between(how->class));
	strbuf_init(&b, a, 48);
	number_add(&b, f->v, f->scale, trimmed);
	return value_text(strbuf_slice(&b));
}

/* One of the values themselves. */
static struct value own_figure(struct arena *a, const struct shown *how, const struct figure *f)
{
	if (how->unit == UNIT_MOMENT && !f->is_null)
		return moment_value((int64_t)f->v, how->class);
	return show_figure(a, how, f, true);
}

static void json(struct strbuf *b, const struct shown *how, const struct figure *f, bool is_value)
{
	struct value v;

	if (f->is_null || (how->unit == UNIT_DOUBLE && !isfinite(f->d))) {
		strbuf_lit(b, "null");
	} else if (how->unit == UNIT_DOUBLE) {
		value_add_double(b, f->d);
	} else if (how->unit == UNIT_NUMBER) {
		number_add(b, f->v, f->scale, true);
	} else {
		v = moment_value((int64_t)f->v, is_value ? how->class : class_between(how->class));
		strbuf_addc(b, '"');
		value_add(b, &v);
		strbuf_adds(b, how->class == TYPE_TIMESTAMP ? "+00:00\"" : "\"");
	}
}

static void outlier(struct strbuf *b, const struct shown *how, const struct sample *s, size_t i, uint64_t times)
{
	struct figure f = { .v = s->values[i].value, .scale = s->scale };

	if (s->unit == UNIT_DOUBLE)
		f.d = number_to_double((int64_t)f.v);
	for (; times; times--) {
		if (b->ptr[b->len - 1] != '[')
			strbuf_addc(b, ',');
		json(b, how, &f, true);
	}
}

/* In ascending order, each as often as it occurs; of too many those farthest out, from both ends alike. */
static void outliers(struct strbuf *b, const struct shown *how, const struct sample *s, const struct boxplot *box,
		     uint64_t listed)
{
	uint64_t below = 0, above = 0, low, high, skipped;

	for (size_t i = 0; i < box->below; i++)
		below += s->values[i].n;
	above = box->outliers - below;
	low = below < listed / 2 ? below : above < listed - listed / 2 ? listed - above : listed / 2;
	low = low < below ? low : below;
	high = above < listed - low ? above : listed - low;
	for (size_t i = 0; i < box->below && low; i++) {
		uint64_t n = s->values[i].n < low ? s->values[i].n : low;

		outlier(b, how, s, i, n);
		low -= n;
	}
	skipped = above - high;
	for (size_t i = s->n - box->above; i < s->n; i++) {
		uint64_t n = s->values[i].n, off = n < skipped ? n : skipped;

		skipped -= off;
		outlier(b, how, s, i, n - off);
	}
}

struct value show_member(struct arena *a, const struct shown *how, const struct sample *s, const struct plan_expr *e)
{
	struct shown number = { how->unit == UNIT_MOMENT ? UNIT_NUMBER : how->unit, how->class };
	struct histogram h;
	struct boxplot box;

	if (e->aggregate == AGG_HISTOGRAM) {
		measure_histogram(a, s, e->number, &h);
		if (how->unit == UNIT_MOMENT)
			h.width.scale += 6;
		if (e->member == MEMBER_WIDTH)
			return show_figure(a, &number, &h.width, true);
		return own_figure(a, how, e->member == MEMBER_MIN ? &h.least : &h.most);
	}
	measure_boxplot(s, &box);
	switch (e->member) {
	case MEMBER_N:
		return value_int((int64_t)s->total);
	case MEMBER_OUTLIER_COUNT:
		return value_int((int64_t)box.outliers);
	case MEMBER_MIN:
		return own_figure(a, how, &box.least);
	case MEMBER_MAX:
		return own_figure(a, how, &box.most);
	case MEMBER_LOWER_WHISKER:
		return own_figure(a, how, &box.lower_whisker);
	case MEMBER_UPPER_WHISKER:
		return own_figure(a, how, &box.upper_whisker);
	case MEMBER_Q1:
		return show_figure(a, how, &box.q1, true);
	case MEMBER_Q3:
		return show_figure(a, how, &box.q3, true);
	case MEMBER_MEAN:
		return show_figure(a, how, &box.mean, true);
	default:
		return show_figure(a, how, &box.median, true);
	}
}

struct value show_boxplot(struct arena *a, const struct shown *how, const struct sample *s, size_t listed)
{
	struct boxplot box;
	struct strbuf b;

	measure_boxplot(s, &box);
	strbuf_init(&b, a, 256);
	strbuf_lit(&b, "{\"n\":");
	strbuf_add_u64(&b, s->total);
	strbuf_lit(&b, ",\"min\":");
	json(&b, how, &box.least, true);
	strbuf_lit(&b, ",\"q1\":");
	json(&b, how, &box.q1, false);
	strbuf_lit(&b, ",\"median\":");
	json(&b, how, &box.median, false);
	strbuf_lit(&b, ",\"q3\":");
	json(&b, how, &box.q3, false);
	strbuf_lit(&b, ",\"max\":");
	json(&b, how, &box.most, true);
	strbuf_lit(&b, ",\"mean\":");
	json(&b, how, &box.mean, false);
	strbuf_lit(&b, ",\"lower_whisker\":");
	json(&b, how, &box.lower_whisker, true);
	strbuf_lit(&b, ",\"upper_whisker\":");
	json(&b, how, &box.upper_whisker, true);
	strbuf_lit(&b, ",\"outlier_count\":");
	strbuf_add_u64(&b, box.outliers);
	strbuf_lit(&b, ",\"outliers\":[");
	outliers(&b, how, s, &box, listed);
	strbuf_lit(&b, "]}");
	return value_text(strbuf_slice(&b));
}

struct value show_histogram(struct arena *a, const struct shown *how, const struct sample *s, size_t bins)
{
	struct shown width = { how->unit == UNIT_MOMENT ? UNIT_NUMBER : how->unit, how->class };
	struct histogram h;
	struct strbuf b;

	measure_histogram(a, s, bins, &h);
	/* Microseconds are shown as seconds. */
	if (how->unit == UNIT_MOMENT)
		h.width.scale += 6;
	strbuf_init(&b, a, 256);
	strbuf_lit(&b, "{\"min\":");
	json(&b, how, &h.least, true);
	strbuf_lit(&b, ",\"max\":");
	json(&b, how, &h.most, true);
	strbuf_lit(&b, ",\"width\":");
	json(&b, &width, &h.width, false);
	strbuf_lit(&b, ",\"counts\":[");
	for (size_t i = 0; i < h.n; i++) {
		strbuf_adds(&b, i ? "," : "");
		strbuf_add_u64(&b, h.counts[i]);
	}
	strbuf_lit(&b, "]}");
	return value_text(strbuf_slice(&b));
}
