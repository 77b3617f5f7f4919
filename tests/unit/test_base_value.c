/* The calendar behind offsets. (Values as text: test_render_value.c, test_plan_literal.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "value.h"

static void known_days(void **state)
{
	static const struct {
		int64_t year;
		unsigned month, day;
		int64_t days;
	} rows[] = {
		{ 1970, 1, 1, 0 },     { 1970, 1, 2, 1 },       { 1969, 12, 31, -1 },   { 2000, 2, 29, 11016 },
		{ 2000, 3, 1, 11017 }, { 1900, 2, 28, -25509 }, { 1900, 3, 1, -25508 }, { 2038, 1, 19, 24855 },
		{ 1, 1, 1, -719162 },  { 0, 1, 1, -719528 },    { 0, 12, 31, -719163 }, { 9999, 12, 31, 2932896 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datetime t = { 0 };

		assert_int_equal(days_from_civil(rows[i].year, rows[i].month, rows[i].day), rows[i].days);
		civil_from_days(rows[i].days, &t);
		assert_int_equal(t.year, rows[i].year);
		assert_int_equal(t.month, rows[i].month);
		assert_int_equal(t.day, rows[i].day);
	}
}

/* Every day that MySQL knows, against the C library. */
static void every_day(void **state)
{
	(void)state;
	for (int64_t day = -719528; day <= 2932896; day++) {
		time_t seconds = (time_t)(day * 86400);
		struct datetime t = { 0 };
		struct tm tm;

		gmtime_r(&seconds, &tm);
		civil_from_days(day, &t);
		if ((int)t.year != tm.tm_year + 1900 || (int)t.month != tm.tm_mon + 1 || (int)t.day != tm.tm_mday)
			fail_msg("day %lld is %u-%u-%u", (long long)day, t.year, t.month, t.day);
		if (days_from_civil(t.year, t.month, t.day) != day)
			fail_msg("%u-%u-%u is not day %lld", t.year, t.month, t.day, (long long)day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_days),
		cmocka_unit_test(every_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
