/* Quantiles, whiskers and histograms of sorted values, against figures worked out by numpy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../app/stats/internal.h"

static struct arena *arena;

/* A sample of numbers as texts: "1 2.5 -3" */
static struct sample sample_of(const char *text, enum unit unit)
{
	struct slice rest = slice_of(text), part;
	struct tally t = { 0 };
	struct sample s = { .unit = unit };
	unsigned scale;
	wide v;

	/* As fine as the finest. */
	while (slice_split(&rest, ' ', &part)) {
		if (!part.len)
			continue;
		assert_true(number_parse(part, false, &v, &scale));
		s.scale = scale > s.scale && unit != UNIT_DOUBLE ? scale : s.scale;
	}
	rest = slice_of(text);
	while (slice_split(&rest, ' ', &part)) {
		if (!part.len)
			continue;
		assert_true(number_parse(part, false, &v, &scale));
		v = unit == UNIT_DOUBLE ? number_of_double(strtod(slice_cstr(arena, part), NULL))
					: v * number_power(s.scale - scale);
		tally_add(&t, v);
		s.total++;
	}
	s.values = tally_sorted(&t);
	s.n = t.n;
	tally_free(&t);
	return s;
}

static const char *text_of(const struct value *v)
{
	struct strbuf b;

	if (v->kind == VALUE_NULL)
		return "null";
	strbuf_init(&b, arena, 64);
	value_add(&b, v);
	return strbuf_cstr(&b);
}

static const char *quantile(const char *values, enum unit unit, uint64_t number, unsigned decimals)
{
	struct shown how = { unit, unit == UNIT_DOUBLE ? TYPE_DOUBLE : TYPE_DECIMAL };
	struct sample s = sample_of(values, unit);
	struct figure f = measure_quantile(&s, number, decimals);
	struct value v = show_figure(arena, &how, &f, true);

	free((void *)(uintptr_t)s.values);
	return text_of(&v);
}

static void quantiles(void **state)
{
	static const struct {
		const char *values;
		uint64_t number;
		unsigned decimals;
		const char *expected;
	} rows[] = {
		{ "", 5, 1, "null" },
		{ "7", 0, 0, "7" },
		{ "7", 5, 1, "7" },
		{ "7", 1, 0, "7" },
		{ "1 2", 5, 1, "1.5" },
		{ "1 2", 25, 2, "1.25" },
		{ "1 2", 75, 2, "1.75" },
		{ "3 1 2", 5, 1, "2" },
		{ "3 1 2", 25, 2, "1.5" },
		{ "1 2 3 4", 25, 2, "1.75" },
		{ "1 2 3 4", 75, 2, "3.25" },
		{ "1 2 3 4", 1, 0, "4" },
		{ "5 5 5 5 5", 9, 1, "5" },
		{ "1 1 1 100", 75, 2, "25.75" },
		{ "-10 -20 -30", 25, 2, "-25" },
		{ "-1 0", 5, 1, "-0.5" },
		{ "-0.05 0.00", 25, 2, "-0.0375" },
		{ "0.1 0.2", 5, 1, "0.15" },
		{ "10.10 10.25 10.30", 1, 1, "10.13" },
		{ "1 2 3 4 5 6 7 8 9 10", 9, 1, "9.1" },
		{ "1 2", 333333333, 9, "1.333333333" },
		{ "9999999999999999999999999999 9999999999999999999999999998", 5, 1, "9999999999999999999999999998.5" },
		{ "-9999999999999999999999999999 9999999999999999999999999999", 5, 1, "0" },
		{ "-9999999999999999999999999999 9999999999999999999999999999", 1, 9,
		  "-9999999979999999999999999999.000000002" },
		{ "18446744073709551615 9223372036854775807", 5, 1, "13835058055282163711" },
		{ "9223372036854775807 -9223372036854775808", 5, 1, "-0.5" },
		{ "0.0000000001 0.0000000002", 25, 2, "0.000000000125" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(quantile(rows[i].values, UNIT_NUMBER, rows[i].number, rows[i].decimals),
				    rows[i].expected);
}

static void doubles(void **state)
{
	(void)state;
	assert_string_equal(quantile("", UNIT_DOUBLE, 5, 1), "null");
	assert_string_equal(quantile("0.1 0.2", UNIT_DOUBLE, 5, 1), "0.15000000000000002");
	assert_string_equal(quantile("-2.5 -0.5 3", UNIT_DOUBLE, 25, 2), "-1.5");
	assert_string_equal(quantile("-0.0 0.0", UNIT_DOUBLE, 5, 1), "0");
	assert_true(number_of_double(-1e300) < number_of_double(-1e-300));
	assert_true(number_of_double(-1e-300) < number_of_double(0.0));
	assert_true(number_of_double(-0.0) == number_of_double(0.0));
	assert_true(number_of_double(5e-324) > number_of_double(0.0));
	assert_true(number_to_double(number_of_double(-1.75)) == -1.75);
}

static const char *boxplot(const char *values, enum unit unit, size_t listed)
{
	struct shown how = { unit, unit == UNIT_DOUBLE ? TYPE_DOUBLE : TYPE_DECIMAL };
	struct sample s = sample_of(values, unit);
	struct value v = show_boxplot(arena, &how, &s, listed);

	free((void *)(uintptr_t)s.values);
	return text_of(&v);
}

#define BOX(n, min, q1, median, q3, max, mean, lower, upper, count, outliers)                                     \
	"{\"n\":" #n ",\"min\":" #min ",\"q1\":" #q1 ",\"median\":" #median ",\"q3\":" #q3 ",\"max\":" #max       \
	",\"mean\":" #mean ",\"lower_whisker\":" #lower ",\"upper_whisker\":" #upper ",\"outlier_count\":" #count \
	",\"outliers\":[" outliers "]}"

static void boxplots(void **state)
{
	(void)state;
	assert_string_equal(boxplot("", UNIT_NUMBER, 10),
			    BOX(0, null, null, null, null, null, null, null, null, 0, ""));
	assert_string_equal(boxplot("5", UNIT_NUMBER, 10), BOX(1, 5, 5, 5, 5, 5, 5, 5, 5, 0, ""));
	assert_string_equal(boxplot("0 100", UNIT_NUMBER, 10), BOX(2, 0, 25, 50, 75, 100, 50, 0, 100, 0, ""));
	assert_string_equal(boxplot("1 2 3", UNIT_NUMBER, 10), BOX(3, 1, 1.5, 2, 2.5, 3, 2, 1, 3, 0, ""));
	assert_string_equal(boxplot("7 7 7 7", UNIT_NUMBER, 10), BOX(4, 7, 7, 7, 7, 7, 7, 7, 7, 0, ""));
	assert_string_equal(boxplot("7 7 7 7 8", UNIT_NUMBER, 10), BOX(5, 7, 7, 7, 7, 8, 7.2, 7, 7, 1, "8"));
	/* On a fence is within it: q1 2, q3 4, fences -1 and 7. */
	assert_string_equal(boxplot("1 2 3 4 7", UNIT_NUMBER, 10), BOX(5, 1, 2, 3, 4, 7, 3.4, 1, 7, 0, ""));
	assert_string_equal(boxplot("1 2 3 4 7.01", UNIT_NUMBER, 10), BOX(5, 1, 2, 3, 4, 7.01, 3.402, 1, 4, 1, "7.01"));
	assert_string_equal(boxplot("-1.01 2 3 4 5", UNIT_NUMBER, 10),
			    BOX(5, -1.01, 2, 3, 4, 5, 2.598, 2, 5, 1, "-1.01"));
	assert_string_equal(boxplot("1 2 3 4 5 6 7 8 9 100 100 -50", UNIT_NUMBER, 10),
			    BOX(12, -50, 2.75, 5.5, 8.25, 100, 16.25, 1, 9, 3, "-50,100,100"));
	assert_string_equal(boxplot("1 2 3", UNIT_DOUBLE, 10), BOX(3, 1, 1.5, 2, 2.5, 3, 2, 1, 3, 0, ""));
	assert_string_equal(boxplot("1 2 3 4 50.5", UNIT_DOUBLE, 10), BOX(5, 1, 2, 3, 4, 50.5, 12.1, 1, 4, 1, "50.5"));
}

/* Of too many those farthest out are listed, half below and half above, or more where the other side has fewer. */
static void few_of_many_outliers(void **state)
{
	static const char values[] = "-9 -8 -7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 7 8 8";
	static const struct {
		size_t listed;
		const char *expected;
	} rows[] = {
		{ 10, "[-9,-8,-7,7,8,8]" }, { 6, "[-9,-8,-7,7,8,8]" }, { 5, "[-9,-8,7,8,8]" }, { 4, "[-9,-8,8,8]" },
		{ 3, "[-9,8,8]" },          { 2, "[-9,8]" },           { 1, "[8]" },           { 0, "[]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *got = boxplot(values, UNIT_NUMBER, rows[i].listed);

		assert_non_null(strstr(got, "\"outlier_count\":6,"));
		assert_non_null(strstr(got, rows[i].expected));
	}
	assert_non_null(strstr(boxplot("0 0 0 0 0 1 2 3 0 0 0 0 0 0 0 0 0 0", UNIT_NUMBER, 2), "[2,3]"));
	assert_non_null(strstr(boxplot("0 0 0 0 0 -1 -2 -3 0 0 0 0 0 0 0 0 0 0", UNIT_NUMBER, 2), "[-3,-2]"));
}

static const char *histogram(const char *values, enum unit unit, size_t bins)
{
	struct shown how = { unit, unit == UNIT_DOUBLE ? TYPE_DOUBLE : TYPE_DECIMAL };
	struct sample s = sample_of(values, unit);
	struct value v = show_histogram(arena, &how, &s, bins);

	free((void *)(uintptr_t)s.values);
	return text_of(&v);
}

static void histograms(void **state)
{
	(void)state;
	assert_string_equal(histogram("", UNIT_NUMBER, 5), "{\"min\":null,\"max\":null,\"width\":null,\"counts\":[]}");
	assert_string_equal(histogram("4 4 4", UNIT_NUMBER, 5), "{\"min\":4,\"max\":4,\"width\":0,\"counts\":[3]}");
	assert_string_equal(histogram("0 1 2 3 4 5 6 7 8 9 10", UNIT_NUMBER, 5),
			    "{\"min\":0,\"max\":10,\"width\":2,\"counts\":[2,2,2,2,3]}");
	assert_string_equal(histogram("-1.5 -1.5 0 1.5", UNIT_NUMBER, 3),
			    "{\"min\":-1.5,\"max\":1.5,\"width\":1,\"counts\":[2,1,1]}");
	assert_string_equal(histogram("1 2 5", UNIT_NUMBER, 3),
			    "{\"min\":1,\"max\":5,\"width\":1.3333,\"counts\":[2,0,1]}");
	assert_string_equal(histogram("1 2", UNIT_NUMBER, 1), "{\"min\":1,\"max\":2,\"width\":1,\"counts\":[2]}");
	assert_string_equal(histogram("0 0.5 1", UNIT_DOUBLE, 2),
			    "{\"min\":0,\"max\":1,\"width\":0.5,\"counts\":[1,2]}");
	assert_string_equal(histogram("-9999999999999999999999999999 9999999999999999999999999999 0", UNIT_NUMBER, 2),
			    "{\"min\":-9999999999999999999999999999,\"max\":9999999999999999999999999999,"
			    "\"width\":9999999999999999999999999999,\"counts\":[1,2]}");
}

/* Kinds of values: close together, scattered, from end to end; and those of which half need more than 64 bits. */
static wide value_number(unsigned kind, size_t i)
{
	switch (kind) {
	case 0:
		return (wide)i - 500;
	case 1:
		return (int64_t)(i * 0x9E3779B97F4A7C15u);
	case 2:
		return (wide)INT64_MIN + (wide)i * (UINT64_MAX / 999);
	default:
		return (wide)i * number_power(i % 2 ? 20 : 0) - 5;
	}
}

static uint64_t count_of(const struct count *sorted, size_t n, wide value)
{
	for (size_t i = 0; i < n; i++)
		if (sorted[i].value == value)
			return sorted[i].n;
	return 0;
}

/* Counted by a plain array as well. */
static void against_an_array(unsigned kind, size_t adds, size_t size)
{
	struct tally t = { 0 };
	struct count *sorted;
	uint64_t seed = 42;
	size_t counts[1000] = { 0 }, distinct = 0;

	for (size_t n = 0; n < adds; n++) {
		size_t i;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		i = (seed >> 33) % size;
		counts[i]++;
		tally_add(&t, value_number(kind, i));
	}
	sorted = tally_sorted(&t);
	assert_true(kind == 3 || !t.is_wide);
	for (size_t i = 1; i < t.n; i++) {
		assert_true(sorted[i - 1].value < sorted[i].value);
		assert_int_equal(sorted[i].before, sorted[i - 1].before + sorted[i - 1].n);
	}
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(count_of(sorted, t.n, value_number(kind, i)), counts[i]);
		distinct += counts[i] != 0;
	}
	assert_int_equal(t.n, distinct);
	free(sorted);
	tally_free(&t);
}

static void counts(void **state)
{
	static const size_t adds[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000, 100000 };

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++)
		for (size_t i = 0; i < sizeof(adds) / sizeof(*adds); i++)
			against_an_array(kind, adds[i], 1000);
	against_an_array(0, 100000, 3);
}

/* While some are counted and some are not. */
static void counts_scaled(void **state)
{
	static const wide factors[] = { 10, 1000000000 };

	(void)state;
	for (size_t f = 0; f < 2; f++) {
		struct tally t = { 0 };
		struct count *sorted;

		for (int i = 0; i < 100; i++)
			tally_add(&t, (wide)(i % 50) * 1000000000000 - 7);
		assert_true(t.nfresh && t.n);
		tally_scale(&t, factors[f]);
		assert_int_equal(t.is_wide, f == 1);
		tally_add(&t, -7 * factors[f]);
		sorted = tally_sorted(&t);
		assert_int_equal(t.n, 50);
		for (size_t i = 0; i < 50; i++) {
			assert_true(sorted[i].value == ((wide)i * 1000000000000 - 7) * factors[f]);
			assert_int_equal(sorted[i].n, i ? 2 : 3);
		}
		free(sorted);
		tally_free(&t);
	}
}

static void deviations(void **state)
{
	static const int values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct totals t = { 0 };

	(void)state;
	assert_true(totals_deviation(&t, 0, true).is_null && totals_deviation(&t, 0, false).is_null);
	totals_add(&t, UNIT_NUMBER, 200, 1);
	assert_true(totals_deviation(&t, 2, true).is_null);
	assert_true(totals_deviation(&t, 2, false).d == 0);
	t = (struct totals){ 0 };
	for (size_t i = 0; i < 8; i++)
		totals_add(&t, UNIT_NUMBER, values[i], 1);
	assert_true(totals_deviation(&t, 0, false).d == 2);
	totals_scale(&t, 100);
	assert_true(totals_deviation(&t, 2, false).d == 2);
	t = (struct totals){ 0 };
	totals_add(&t, UNIT_NUMBER, 1, 3);
	totals_add(&t, UNIT_NUMBER, 5, 1);
	assert_true(totals_deviation(&t, 0, true).d == 2);
	assert_true(t.n == 4 && t.sum == 8 && t.least == 1 && t.most == 5);
}

static void numbers(void **state)
{
	static const struct {
		const char *a, *b;
		int expected;
	} rows[] = {
		{ "1", "2", -1 },
		{ "-1", "1", -1 },
		{ "10", "9", 1 },
		{ "0.5", "0.25", 1 },
		{ "1.50", "1.5", 0 },
		{ "-0.0", "0", 0 },
		{ "-10", "-9", -1 },
		{ "007", "7.000", 0 },
		{ "-1.1", "-1.01", -1 },
		{ "1e", "1e", 0 },
		{ "99999999999999999999999999999999999999999999999", "99999999999999999999999999999999999999999999998",
		  1 },
	};
	unsigned scale;
	wide v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(number_compare(slice_of(rows[i].a), slice_of(rows[i].b)), rows[i].expected);
	assert_true(number_parse(slice_of("-12.500"), true, &v, &scale) && v == -125 && scale == 1);
	assert_true(number_parse(slice_of("-12.500"), false, &v, &scale) && v == -12500 && scale == 3);
	assert_true(number_parse(slice_of("00012"), false, &v, &scale) && v == 12 && scale == 0);
	assert_true(number_parse(slice_of("0.000000000000000000000000000000"), true, &v, &scale) && v == 0 &&
		    scale == 0);
	assert_true(number_parse(slice_of("0000000000000000000000000000000000012"), false, &v, &scale) && v == 12);
	assert_true(number_parse(slice_of("123456789012345678.5"), true, &v, &scale) && scale == 1 &&
		    v == (wide)1234567890123456785);
	assert_true(number_parse(slice_of("-9999999999999999999999999999"), true, &v, &scale) && scale == 0 &&
		    v == 1 - number_power(28));
	assert_true(number_parse(slice_of("0.1234567890123456789012345678"), true, &v, &scale) && scale == 28 &&
		    v / number_power(20) == 12345678);
	assert_true(number_parse(slice_of("100"), true, &v, &scale) && v == 100 && scale == 0);
	assert_false(number_parse(slice_of("99999999999999999999999999999"), false, &v, &scale));
	assert_false(number_parse(slice_of("12345678901234567890123x"), false, &v, &scale));
	assert_false(number_parse(slice_of("10000000000000000000000000000"), false, &v, &scale));
	assert_false(number_parse(slice_of("12x"), false, &v, &scale));
	assert_true(number_divide(7, 2) == 4 && number_divide(-7, 2) == -4 && number_divide(6, 4) == 2 &&
		    number_divide(5, 4) == 1 && number_divide(-5, 4) == -1);
}

static void rounded(void **state)
{
	static const struct {
		const char *text;
		unsigned decimals;
		const char *expected;
	} rows[] = {
		{ "1.25", 1, "1.3" },
		{ "-1.25", 1, "-1.3" },
		{ "1.24", 1, "1.2" },
		{ "0.5", 0, "1" },
		{ "-0.5", 0, "-1" },
		{ "-0.4", 0, "0" },
		{ "-0.04", 1, "0.0" },
		{ "9.99", 1, "10.0" },
		{ "-99.5", 0, "-100" },
		{ "7", 3, "7.000" },
		{ "007.10", 0, "7" },
		{ ".5", 2, "0.50" },
		{ "0", 0, "0" },
		{ "9999999999999999999999999999999999999999.5", 0, "10000000000000000000000000000000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct strbuf b;

		strbuf_init(&b, arena, 8);
		strbuf_lit(&b, "=");
		number_round(&b, slice_of(rows[i].text), rows[i].decimals);
		assert_string_equal(strbuf_cstr(&b) + 1, rows[i].expected);
	}
}

static const char *moment(int64_t micros, enum type_class class)
{
	struct value v = moment_value(micros, class);

	assert_true(moment_of(&v) == micros);
	return text_of(&v);
}

static void moments(void **state)
{
	(void)state;
	assert_string_equal(moment(0, TYPE_DATETIME), "1970-01-01T00:00:00");
	assert_string_equal(moment(-1, TYPE_DATETIME), "1969-12-31T23:59:59.999999");
	assert_string_equal(moment(951782400000000, TYPE_DATE), "2000-02-29");
	assert_string_equal(moment(-3020399500000, TYPE_TIME), "-838:59:59.5");
	assert_string_equal(moment(0, TYPE_TIME), "00:00:00");
	assert_true(moment_of_seconds(slice_of("1700000000.25")) == 1700000000250000);
	assert_true(moment_of_seconds(slice_of("-1")) == -1000000);
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles),
		cmocka_unit_test(doubles),
		cmocka_unit_test(boxplots),
		cmocka_unit_test(histograms),
		cmocka_unit_test(few_of_many_outliers),
		cmocka_unit_test(deviations),
		cmocka_unit_test(counts),
		cmocka_unit_test(counts_scaled),
		cmocka_unit_test(numbers),
		cmocka_unit_test(rounded),
		cmocka_unit_test(moments),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
