#ifndef ROWGATE_STATS_INTERNAL_H
#define ROWGATE_STATS_INTERNAL_H

#include "stats.h"

/*
 * What is counted is a whole number: integers, decimals in units of their last digit, dates and times in microseconds,
 * and doubles by the number of their bits, which is in the same order.
 */
__extension__ typedef __int128 wide;

/* Digits of a number: what is computed of it, up to a fence with nine decimals, then fits as well. */
#define MAX_DIGITS 28

/* --- number.c --- */

/* 10 to the n, up to 37. */
wide number_power(unsigned n);

/* a / b, b > 0, half away from zero. */
wide number_divide(wide a, wide b);

/* "-12.50" as 1250 of scale 2; false beyond 28 digits. trimmed: zeros at the end are none. */
bool number_parse(struct slice text, bool trimmed, wide *out, unsigned *scale_out) MUST_CHECK;

/* As text; trimmed: without zeros at the end. */
void number_add(struct strbuf *b, wide v, unsigned scale, bool trimmed);

/* Decimal text of any length with so many decimals, half away from zero. */
void number_round(struct strbuf *b, struct slice text, unsigned decimals);

/* -1, 0, 1: decimal texts as numbers, of any length. */
int number_compare(struct slice a, struct slice b);

/* Doubles in their order as whole numbers, and back. */
int64_t number_of_double(double d);
double number_to_double(int64_t n);

/* --- moment.c: dates and times in microseconds --- */

int64_t moment_of(const struct value *v);
struct value moment_value(int64_t micros, enum type_class class);
/* "1700000000.5" of UNIX_TIMESTAMP */
int64_t moment_of_seconds(struct slice text);
/* Zero dates are none. */
bool moment_exists(const struct value *v);

/* --- tally.c: how often each value occurs --- */

struct tally {
	void *values;     /* distinct ones, ascending: int64_t, or wide when one of them needs more than 64 bits */
	uint64_t *counts; /* how often each occurs */
	size_t n;
	void *fresh; /* those not counted yet */
	size_t nfresh, room;
	bool is_wide;
};

/* n grows with later ones, when as many have been gathered as it is. */
void tally_add(struct tally *t, wide v);

/* Counts all that have been added: n is then how many are distinct. */
void tally_settle(struct tally *t);

/* Every value becomes factor times itself, factor > 0. */
void tally_scale(struct tally *t, wide factor);
void tally_free(struct tally *t);

struct count {
	wide value;
	uint64_t n;
	uint64_t before; /* how many stand before it */
};

/* All values, settled, in ascending order, allocated with malloc; NULL when there are none. */
struct count *tally_sorted(struct tally *t);

/* --- measure.c: what is known of sorted values --- */

enum unit { UNIT_NUMBER, UNIT_DOUBLE, UNIT_MOMENT };

struct sample {
	const struct count *values;
	size_t n;
	uint64_t total; /* values with their repetitions */
	enum unit unit;
	unsigned scale; /* UNIT_NUMBER: decimals of the values */
};

/* A result: d for UNIT_DOUBLE, else v with so many decimals. */
struct figure {
	bool is_null;
	wide v;
	unsigned scale;
	double d;
};

struct boxplot {
	struct figure least, q1, median, q3, most, mean, lower_whisker, upper_whisker;
	size_t below, above; /* distinct values under the lower, over the upper fence */
	uint64_t outliers;   /* with their repetitions */
};

struct histogram {
	struct figure least, most, width; /* width of moments: microseconds */
	uint64_t *counts;
	size_t n;
};

/* The quantile number / 10^decimals by linear interpolation between the two nearest values (R's type 7). */
struct figure measure_quantile(const struct sample *s, uint64_t number, unsigned decimals);
struct figure measure_mean(const struct sample *s);
void measure_boxplot(const struct sample *s, struct boxplot *out);

/* bins of equal width from the least value to the greatest, which the last includes. One when all are equal. */
void measure_histogram(struct arena *a, const struct sample *s, size_t bins, struct histogram *out);

/* --- totals.c: what needs no distinct values --- */

struct totals {
	uint64_t n;
	wide sum;
	wide least, most;
	double dsum;
	long double mean, m2; /* in units of the last digit */
};

void totals_add(struct totals *t, enum unit unit, wide v, uint64_t times);
void totals_scale(struct totals *t, wide factor);
/* The standard deviation; sample: with n - 1. Null where it is none. */
struct figure totals_deviation(const struct totals *t, unsigned scale, bool sample);

/* --- show.c: results as values --- */

struct shown {
	enum unit unit;
	enum type_class class; /* of what is aggregated */
};

struct value show_figure(struct arena *a, const struct shown *how, const struct figure *f, bool trimmed);
struct value show_boxplot(struct arena *a, const struct shown *how, const struct sample *s, size_t listed);
struct value show_histogram(struct arena *a, const struct shown *how, const struct sample *s, size_t bins);

/* What a member of a box plot or histogram is: a number, or a value as that of how. */
struct value show_member(struct arena *a, const struct shown *how, const struct sample *s, const struct plan_expr *e);

/* --- groups.c: rows to groups --- */

/* What some aggregates have in common: the values of one expression. */
struct operand {
	struct sql_wanted *wanted;
	struct shown how;
	bool is_text; /* anything that is no number and no moment: counted, least and greatest only */
	bool trimmed; /* shown with as many decimals as there are */
	bool tallied;
	bool distinct; /* of text */
	bool extremes; /* of text */
	unsigned scale;
};

/* An aggregate of the answer, of the order or of having. */
struct aggregate {
	const struct plan_expr *expr;
	const struct operand *operand; /* NULL: rows are counted */
	size_t place;
};

struct texts;

struct counter {
	struct totals totals;
	struct tally tally;
	struct texts *texts;
};

struct group {
	struct group *chain;
	uint64_t hash;
	struct slice key;
	size_t parent; /* bytes of key that are the parent's */
	size_t number;
	uint64_t rows;
	struct counter *counters; /* one for each operand */
	struct value *cells;
};

/* A cell that tells groups apart, or that orders them. */
struct part {
	size_t place;
	enum type_class class;
	const struct type *type;
};

struct stats {
	struct arena *a;
	const struct plan *plan;
	struct plan_node *node;
	struct error *err;
	struct sql_wanted *wanted; /* keys of groups, then what orders them besides, then operands */
	size_t nwanted, ngroupwanted;
	struct operand *operands;
	size_t noperands;
	struct aggregate *aggregates;
	size_t naggregates;
	size_t ncolumns; /* of the rows; cells behind are the aggregates' */
	size_t nparent;  /* leading cells that are the parent's key */
	struct part *parts;
	size_t nparts;
	bool *carried; /* cells that the first row of a group gives it */
	struct group **buckets;
	size_t nbuckets;
	struct group **groups;
	size_t ngroups, room;
	struct group *last;
	struct strbuf key;
	uint64_t used, limit; /* of distinct values and groups */
	uint64_t total;
	size_t at;
};

/* A distinct value takes so many bytes, with the room that tables have to spare. */
#define VALUE_MEMORY 32

/* Room in memory for n more values; ERR_PACKET. */
bool groups_take(struct stats *s, uint64_t n) MUST_CHECK;

/* Counts what has been added to a counter; ERR_PACKET. */
bool groups_settle(struct stats *s, struct counter *c) MUST_CHECK;

/* Takes in one row. */
bool groups_add(struct stats *s, const struct value *cells) MUST_CHECK;

/* A group without rows. */
void groups_add_empty(struct stats *s);
void groups_free(struct stats *s);

/* Text: the distinct ones, and the least and greatest by how they compare. */
uint64_t texts_distinct(const struct texts *t);
struct value texts_extreme(const struct texts *t, bool greatest);

/* --- cast.c --- */

/* A result as the type that the cast behind its aggregate makes; c may be NULL. ERR_OUT_OF_RANGE. */
bool stats_cast(struct stats *s, const struct plan_cast *c, struct value *v) MUST_CHECK;

/* --- order.c --- */

/* -1, 0, 1; neither is NULL. */
int cells_compare(const struct value *a, const struct value *b, const struct type *type);
void groups_order(struct stats *s);
bool groups_have(const struct stats *s, const struct group *g);

/* Where the value of an expression stands in the cells of a group. */
size_t stats_place(const struct stats *s, const struct plan_expr *e, bool weight);

#endif
