/* Sums, extremes and deviations, which need no distinct values: Welford's method for the last. */
#include <math.h>

#include "internal.h"

void totals_add(struct totals *t, enum unit unit, wide v, uint64_t times)
{
	long double x = unit == UNIT_DOUBLE ? (long double)number_to_double((int64_t)v) : (long double)v, step;

	if (!t->n || v < t->least)
		t->least = v;
	if (!t->n || v > t->most)
		t->most = v;
	t->n += times;
	if (unit == UNIT_DOUBLE)
		t->dsum += (double)(x * (long double)times);
	else
		t->sum += v * times;
	step = x - t->mean;
	t->mean += step * (long double)times / (long double)t->n;
	t->m2 += (long double)times * step * (x - t->mean);
}

void totals_scale(struct totals *t, wide factor)
{
	t->sum *= factor;
	t->least *= factor;
	t->most *= factor;
	t->mean *= (long double)factor;
	t->m2 *= (long double)factor * (long double)factor;
}

struct figure totals_deviation(const struct totals *t, unsigned scale, bool sample)
{
	uint64_t of = sample ? t->n - 1 : t->n;

	if (!t->n || !of)
		return (struct figure){ .is_null = true };
	return (struct figure){ .d = (double)(sqrtl(t->m2 / (long double)of) / (long double)number_power(scale)) };
}
