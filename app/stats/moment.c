/* Dates and times as microseconds: since 1970, or of a duration. */
#include "internal.h"

#define SECOND 1000000LL
#define DAY (86400 * SECOND)

int64_t moment_of(const struct value *v)
{
	const struct datetime *t = &v->t;
	int64_t clock = (t->hour * 3600LL + t->minute * 60 + t->second) * SECOND + t->micro;

	if (v->kind == VALUE_TIME)
		return t->negative ? -clock : clock;
	return days_from_civil(t->year, t->month, t->day) * DAY + (v->kind == VALUE_DATE ? 0 : clock);
}

static void clock_of(struct datetime *t, int64_t micros)
{
	t->micro = (unsigned)(micros % SECOND);
	t->second = (unsigned)(micros / SECOND % 60);
	t->minute = (unsigned)(micros / SECOND / 60 % 60);
	t->hour = (unsigned)(micros / SECOND / 3600);
}

struct value moment_value(int64_t micros, enum type_class class)
{
	struct value v = { .kind = class == TYPE_TIME ? VALUE_TIME : class == TYPE_DATE ? VALUE_DATE : VALUE_DATETIME };
	int64_t days = micros / DAY, rest = micros % DAY;

	memset(&v.t, 0, sizeof(v.t));
	if (class == TYPE_TIME) {
		v.t.negative = micros < 0;
		clock_of(&v.t, micros < 0 ? -micros : micros);
		return v;
	}
	if (rest < 0) {
		rest += DAY;
		days--;
	}
	civil_from_days(days, &v.t);
	clock_of(&v.t, rest);
	return v;
}

int64_t moment_of_seconds(struct slice text)
{
	unsigned scale;
	wide v;

	if (!number_parse(text, false, &v, &scale) || scale > 6)
		return 0;
	return (int64_t)(v * number_power(6 - scale));
}

bool moment_exists(const struct value *v)
{
	return v->kind == VALUE_TIME || (v->t.month && v->t.day);
}
