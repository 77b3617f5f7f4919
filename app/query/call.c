/* Functions behind a column: a cast, a part of a date, an aggregate: `hired::date.year()`, `pay.boxplot()->q3::text`. */
#include "internal.h"

/* Outliers that boxplot() lists unless told otherwise, and the most it can be told; the most bins of a histogram. */
#define OUTLIERS 100
#define MAX_OUTLIERS 10000
#define MAX_BINS 1000
/* Digits behind the point of quantile(). */
#define MAX_DECIMALS 9

static const struct {
	const char *name;
	enum query_part part;
} parts[] = {
	{ "year", PART_YEAR },       { "quarter", PART_QUARTER }, { "month", PART_MONTH },
	{ "day", PART_DAY },         { "hour", PART_HOUR },       { "minute", PART_MINUTE },
	{ "weekday", PART_WEEKDAY }, { "date", PART_DATE },       { "year_month", PART_YEAR_MONTH },
};

static const struct {
	const char *name;
	enum query_aggregate aggregate;
} aggregates[] = {
	{ "count", AGG_COUNT },
	{ "sum", AGG_SUM },
	{ "avg", AGG_AVG },
	{ "max", AGG_MAX },
	{ "min", AGG_MIN },
	{ "stddev", AGG_STDDEV },
	{ "median", AGG_MEDIAN },
	{ "stddev_pop", AGG_STDDEV_POP },
	{ "quantile", AGG_QUANTILE },
	{ "boxplot", AGG_BOXPLOT },
	{ "histogram", AGG_HISTOGRAM },
};

/* The word at the front when a parenthesis follows it; else empty. */
static struct slice called(const struct parser *p)
{
	size_t n = 0;

	while (n < p->rest.len && ((p->rest.ptr[n] >= 'a' && p->rest.ptr[n] <= 'z') || p->rest.ptr[n] == '_'))
		n++;
	return (struct slice){ p->rest.ptr, n < p->rest.len && p->rest.ptr[n] == '(' ? n : 0 };
}

/* ::name or ::name(10,2) */
bool parser_cast(struct parser *p, struct slice *out)
{
	size_t n = 0;

	if (!parser_take(p, "::"))
		return true;
	while (n < p->rest.len && p->rest.ptr[n] != ',' && p->rest.ptr[n] != ')' && p->rest.ptr[n] != '.' &&
	       p->rest.ptr[n] != ':') {
		if (p->rest.ptr[n] == '(')
			while (n < p->rest.len && p->rest.ptr[n] != ')')
				n++;
		n += n < p->rest.len;
	}
	*out = slice_trim((struct slice){ p->rest.ptr, n });
	if (!out->len)
		return parser_fail(p, "letter or digit");
	p->rest = slice_from(p->rest, n);
	return true;
}

static struct slice digits(struct parser *p)
{
	size_t n = 0;

	while (n < p->rest.len && p->rest.ptr[n] >= '0' && p->rest.ptr[n] <= '9')
		n++;
	p->rest = slice_from(p->rest, n);
	return (struct slice){ p->rest.ptr - n, n };
}

/* 0 to 1, as a number and how many decimals it has. */
static bool fraction(struct parser *p, struct query_item *item)
{
	struct parser before = *p;
	struct slice whole = digits(p), rest = { NULL, 0 };
	uint64_t one = 1, decimals = 0;

	if (parser_take_char(p, '.'))
		rest = digits(p);
	if (whole.len > 1 || rest.len > MAX_DECIMALS || !(whole.len + rest.len) ||
	    (rest.len && !parse_u64(rest, &decimals)))
		return parser_fail(&before, "a number from 0 to 1, of at most 9 decimals");
	for (size_t i = 0; i < rest.len; i++)
		one *= 10;
	item->number = (whole.len ? (uint64_t)(whole.ptr[0] - '0') * one : 0) + decimals;
	item->decimals = (unsigned)rest.len;
	return item->number <= one || parser_fail(&before, "a number from 0 to 1, of at most 9 decimals");
}

static bool whole(struct parser *p, struct query_item *item, uint64_t least, uint64_t most, const char *expected)
{
	struct parser before = *p;

	if (!parse_u64(digits(p), &item->number) || item->number < least || item->number > most)
		return parser_fail(&before, expected);
	return true;
}

/* What stands between the parentheses. */
static bool argument(struct parser *p, struct query_item *item)
{
	switch (item->aggregate) {
	case AGG_COUNT:
		if (item->field.name.len && parser_take(p, "distinct"))
			item->aggregate = AGG_COUNT_DISTINCT;
		return true;
	case AGG_QUANTILE:
		return fraction(p, item);
	case AGG_HISTOGRAM:
		return whole(p, item, 1, MAX_BINS, "a number of bins from 1 to 1000");
	case AGG_BOXPLOT:
		item->number = OUTLIERS;
		return parser_peek(p) == ')' ||
		       whole(p, item, 0, MAX_OUTLIERS, "at most 10000 outliers to list, or \")\"");
	default:
		return true;
	}
}

#define FUNCTIONS                                                                                                       \
	"an aggregate: count(), sum(), avg(), max(), min(), median(), quantile(), boxplot(), histogram(), stddev() "    \
	"or stddev_pop(); or a part of a date: year(), quarter(), month(), day(), hour(), minute(), weekday(), date() " \
	"or year_month()"

/* ->median: one figure of many */
static bool member(struct parser *p, struct query_item *item)
{
	if ((item->aggregate != AGG_BOXPLOT && item->aggregate != AGG_HISTOGRAM) || !parser_take(p, "->"))
		return true;
	item->member_as_text = parser_take_char(p, '>');
	return parser_name(p, &item->member, NULL);
}

static bool aggregate(struct parser *p, struct slice name, struct query_item *item)
{
	struct parser before = *p;
	size_t i = 0, n = sizeof(aggregates) / sizeof(*aggregates);

	while (i < n && !slice_is(name, aggregates[i].name))
		i++;
	if (i == n)
		return parser_fail(p, FUNCTIONS);
	p->rest = slice_from(p->rest, name.len + 1);
	item->aggregate = aggregates[i].aggregate;
	if (!argument(p, item))
		return false;
	if (!parser_take_char(p, ')'))
		return parser_fail(&before, FUNCTIONS);
	return member(p, item) && parser_cast(p, &item->aggregate_cast);
}

static enum query_part part(struct parser *p, struct slice name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (slice_is(name, parts[i].name) && p->rest.len > name.len + 1 && p->rest.ptr[name.len + 1] == ')') {
			p->rest = slice_from(p->rest, name.len + 2);
			return parts[i].part;
		}
	return PART_NONE;
}

static bool is_function(struct slice name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (slice_is(name, parts[i].name))
			return true;
	for (size_t i = 0; i < sizeof(aggregates) / sizeof(*aggregates); i++)
		if (slice_is(name, aggregates[i].name))
			return true;
	return false;
}

/* Is there a function behind the field? A point may be before an operator or a direction as well. */
static bool is_called(const struct parser *p)
{
	struct parser at = *p;

	return slice_starts(at.rest, "::") || (parser_take_char(&at, '.') && is_function(called(&at)));
}

bool parser_calls(struct parser *p, struct query_item *item)
{
	if (!parser_cast(p, &item->cast))
		return false;
	parser_blanks(p);
	if (!parser_take_char(p, '.'))
		return true;
	item->part = part(p, called(p));
	if (!item->part)
		return aggregate(p, called(p), item);
	parser_blanks(p);
	return !is_called(p) || slice_starts(p->rest, "::") ||
	       (parser_take_char(p, '.') && aggregate(p, called(p), item));
}

bool parser_value(struct parser *p, struct query_field *field, const struct query_item **value_out)
{
	struct query_item *item = arena_new(p->a, struct query_item);
	struct parser before = *p;

	*value_out = NULL;
	item->kind = ITEM_COLUMN;
	if (parser_take(p, "count()")) {
		item->aggregate = AGG_COUNT;
		*value_out = item;
		return parser_cast(p, &item->aggregate_cast);
	}
	if (!parser_field(p, field))
		return false;
	if (!is_called(p))
		return true;
	item->field = *field;
	before = *p;
	if (!parser_calls(p, item))
		return false;
	if (!item->aggregate && !item->part)
		return parser_fail(&before, "a function behind the cast");
	*value_out = item;
	return true;
}
