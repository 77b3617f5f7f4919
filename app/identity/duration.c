/* Durations as Go writes them, which is how auth-js says how long a ban lasts: "24h", "1h30m", "none". */
#include "internal.h"

#define SECONDS_MAX (INT64_C(100) * 365 * 86400)

static const struct {
	const char *name;
	int64_t us;
} units[] = {
	{ "ms", 1000 }, { "us", 1 }, { "ns", 0 }, { "h", INT64_C(3600000000) }, { "m", 60000000 }, { "s", 1000000 },
};

static bool unit_of(struct slice *rest, int64_t *us_out)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (slice_starts(*rest, units[i].name)) {
			*rest = slice_from(*rest, strlen(units[i].name));
			*us_out = units[i].us;
			return true;
		}
	return false;
}

bool identity_duration(struct slice text, int64_t *seconds_out)
{
	int64_t sum = 0, unit;
	uint64_t n;

	*seconds_out = 0;
	if (slice_is(text, "none"))
		return true;
	if (!text.len)
		return false;
	while (text.len) {
		size_t digits = 0;

		while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
			digits++;
		if (!parse_u64((struct slice){ text.ptr, digits }, &n) || n > (uint64_t)SECONDS_MAX)
			return false;
		text = slice_from(text, digits);
		if (!unit_of(&text, &unit) || (unit && (int64_t)n > (SECONDS_MAX * 1000000 - sum) / unit))
			return false;
		sum += (int64_t)n * unit;
	}
	*seconds_out = (sum + 999999) / 1000000;
	return true;
}
