/*
 * Quantiles, box plots and histograms of sorted values. Everything is exact for decimals: a quantile has as many decimals
 * as the values and the fraction asked for together. Doubles are computed as doubles.
 */
#include <math.h>

#include "internal.h"

/* Decimals that a mean and a bin's width have beyond those of the values. */
#define MORE_DECIMALS 4

static double as_double(const struct sample *s, wide v)
{
	return s->unit == UNIT_DOUBLE ? number_to_double((int64_t)v) : (double)v;
}

static struct figure none(void)
{
	return (struct figure){ .is_null = true };
}

static struct figure exactly(const struct sample *s, wide v)
{
	return (struct figure){ .v = v, .scale = s->scale, .d = as_double(s, v) };
}

/* The value that at others stand before. */
static wide value_at(const struct sample *s, uint64_t at)
{
	size_t low = 0, high = s->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		*(s->values[middle].before <= at ? &low : &high) = middle;
	}
	return s->values[low].value;
}

/* Microseconds have no decimals. */
static struct figure whole_moment(const struct sample *s, struct figure f)
{
	if (s->unit != UNIT_MOMENT)
		return f;
	f.v = number_divide(f.v, number_power(f.scale));
	f.scale = 0;
	return f;
}

static double between(double low, double high, double at)
{
	double d = low + (high - low) * at;

	return isfinite(d) ? d : low * (1 - at) + high * at;
}

struct figure measure_quantile(const struct sample *s, uint64_t number, unsigned decimals)
{
	wide one = number_power(decimals), h, rest, low, high;
	struct figure f = { 0 };

	if (!s->total)
		return none();
	h = (wide)(s->total - 1) * number;
	rest = h % one;
	low = high = value_at(s, (uint64_t)(h / one));
	if (rest)
		high = value_at(s, (uint64_t)(h / one) + 1);
	f.v = low * one + rest * (s->unit == UNIT_DOUBLE ? 0 : high - low);
	f.scale = s->scale + decimals;
	f.d = as_double(s, low);
	if (rest && s->unit == UNIT_DOUBLE)
		f.d = between(f.d, as_double(s, high), (double)rest / (double)one);
	return whole_moment(s, f);
}

struct figure measure_mean(const struct sample *s)
{
	struct figure f = { .scale = s->scale + MORE_DECIMALS };
	long double dsum = 0;
	wide sum = 0;

	if (!s->total)
		return none();
	for (size_t i = 0; i < s->n; i++) {
		if (s->unit == UNIT_DOUBLE)
			dsum += (long double)as_double(s, s->values[i].value) * (long double)s->values[i].n;
		else
			sum += s->values[i].value * s->values[i].n;
	}
	f.d = (double)(dsum / (long double)s->total);
	if (s->unit == UNIT_MOMENT)
		f.scale = 0;
	f.v = sum / s->total;
	/* The rest apart: the sum of many long numbers leaves no room for more digits. */
	f.v = f.v * number_power(f.scale - s->scale) +
	      number_divide(sum % (wide)s->total * number_power(f.scale - s->scale), s->total);
	return f;
}

/* Is v on the outer side of a fence, one and a half of the box's height away from it? */
static bool is_beyond(const struct sample *s, wide v, const struct figure *from, const struct figure *to, bool above)
{
	wide of_ten, fence, box;
	double dfence;

	if (s->unit == UNIT_DOUBLE) {
		dfence = above ? to->d + 1.5 * (to->d - from->d) : from->d - 1.5 * (to->d - from->d);
		return above ? as_double(s, v) > dfence : as_double(s, v) < dfence;
	}
	box = to->v - from->v;
	fence = above ? to->v * 10 + box * 15 : from->v * 10 - box * 15;
	of_ten = v * number_power(from->scale - s->scale + 1);
	return above ? of_ten > fence : of_ten < fence;
}

static void whiskers(const struct sample *s, struct boxplot *b)
{
	size_t first = 0, last = s->n - 1;

	while (is_beyond(s, s->values[first].value, &b->q1, &b->q3, false))
		b->outliers += s->values[first++].n;
	while (is_beyond(s, s->values[last].value, &b->q1, &b->q3, true))
		b->outliers += s->values[last--].n;
	b->below = first;
	b->above = s->n - 1 - last;
	b->lower_whisker = exactly(s, s->values[first].value);
	b->upper_whisker = exactly(s, s->values[last].value);
}

void measure_boxplot(const struct sample *s, struct boxplot *b)
{
	*b = (struct boxplot){ 0 };
	b->q1 = measure_quantile(s, 25, 2);
	b->median = measure_quantile(s, 5, 1);
	b->q3 = measure_quantile(s, 75, 2);
	b->mean = measure_mean(s);
	if (!s->total) {
		b->least = b->most = b->lower_whisker = b->upper_whisker = none();
		return;
	}
	b->least = exactly(s, s->values[0].value);
	b->most = exactly(s, s->values[s->n - 1].value);
	whiskers(s, b);
}

static size_t bin_of(const struct sample *s, wide v, size_t bins)
{
	wide least = s->values[0].value, most = s->values[s->n - 1].value;
	double low = as_double(s, least), at;

	if (v >= most || most == least)
		return bins - 1;
	if (s->unit != UNIT_DOUBLE)
		return (size_t)((v - least) * (wide)bins / (most - least));
	at = (as_double(s, v) / 2 - low / 2) / (as_double(s, most) / 2 - low / 2) * (double)bins;
	return at >= (double)bins ? bins - 1 : (size_t)at;
}

void measure_histogram(struct arena *a, const struct sample *s, size_t bins, struct histogram *h)
{
	wide range;

	*h = (struct histogram){ .least = none(), .most = none(), .width = none() };
	if (!s->total)
		return;
	h->least = exactly(s, s->values[0].value);
	h->most = exactly(s, s->values[s->n - 1].value);
	h->n = s->n == 1 ? 1 : bins;
	h->counts = arena_array(a, uint64_t, h->n);
	for (size_t i = 0; i < s->n; i++)
		h->counts[s->n == 1 ? 0 : bin_of(s, s->values[i].value, bins)] += s->values[i].n;
	range = s->values[s->n - 1].value - s->values[0].value;
	h->width = (struct figure){ .v = number_divide(range * number_power(MORE_DECIMALS), (wide)h->n),
				    .scale = s->scale + MORE_DECIMALS,
				    .d = h->most.d / (double)h->n - h->least.d / (double)h->n };
}
