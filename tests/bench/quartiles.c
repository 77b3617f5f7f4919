/*
 * The bare client for quartiles: all rows of a table from the database, unsorted, by the text protocol and an
 * unbuffered result. Whole salaries lie close together and are counted in an array of their division; amounts with cents do
 * not, and are gathered in one, of which quickselect makes quartiles in the end. What Rowgate's boxplot() is measured against.
 *
 *   quartiles salary|amount     one line for each division: its name, n, first quartile, median, third quartile
 */
#include "probe.h"

enum { DIVISIONS = 64, SALARIES = 1 << 20, FIRST_ROOM = 1 << 16 };

struct division {
	char name[64];
	unsigned long n, room;
	unsigned *counts;
	long *cents;
};

static struct division divisions[DIVISIONS];
static size_t ndivisions;

static struct division *find(const char *name)
{
	struct division *d;

	for (size_t i = 0; i < ndivisions; i++)
		if (strcmp(divisions[i].name, name) == 0)
			return &divisions[i];
	if (ndivisions == DIVISIONS)
		fail("more than %d divisions", DIVISIONS);
	d = &divisions[ndivisions++];
	snprintf(d->name, sizeof(d->name), "%s", name);
	return d;
}

static void count(struct division *d, const char *text)
{
	long salary = strtol(text, NULL, 10);

	if (!d->counts)
		d->counts = calloc(SALARIES, sizeof(*d->counts));
	if (!d->counts || salary < 0 || salary >= SALARIES)
		fail("a salary beyond the array");
	d->counts[salary]++;
	d->n++;
}

/* "123.45" as 12345. */
static void gather(struct division *d, const char *text)
{
	char *point;
	long cents = strtol(text, &point, 10) * 100;

	if (*point == '.')
		cents += (point[1] - '0') * 10 + point[2] - '0';
	if (d->n == d->room) {
		d->room = d->room ? d->room * 2 : FIRST_ROOM;
		d->cents = realloc(d->cents, d->room * sizeof(*d->cents));
		if (!d->cents)
			fail("no memory");
	}
	d->cents[d->n++] = cents;
}

static long counted_at(const struct division *d, unsigned long at)
{
	long i = 0;

	while (at >= d->counts[i])
		at -= d->counts[i++];
	return i;
}

static void swap(long *a, long *b)
{
	long c = *a;

	*a = *b;
	*b = c;
}

/* Hoare's quickselect, the median of three as pivot. */
static long gathered_at(const struct division *d, unsigned long at)
{
	long *v = d->cents, low = 0, high = (long)d->n - 1, k = (long)at;

	while (low < high) {
		long middle = low + (high - low) / 2, i = low - 1, j = high + 1, pivot;

		if (v[middle] < v[low])
			swap(&v[middle], &v[low]);
		if (v[high] < v[low])
			swap(&v[high], &v[low]);
		if (v[high] < v[middle])
			swap(&v[high], &v[middle]);
		pivot = v[middle];
		for (;;) {
			while (v[++i] < pivot)
				;
			while (v[--j] > pivot)
				;
			if (i >= j)
				break;
			swap(&v[i], &v[j]);
		}
		*(k <= j ? &high : &low) = k <= j ? j : j + 1;
	}
	return v[k];
}

static double quantile(const struct division *d, double p)
{
	long (*value_at)(const struct division *, unsigned long) = d->counts ? counted_at : gathered_at;
	double h = (double)(d->n - 1) * p;
	unsigned long at = (unsigned long)h;
	long low = value_at(d, at), high = at + 1 < d->n ? value_at(d, at + 1) : low;
	double value = (double)low + (double)(high - low) * (h - (double)at);

	return d->counts ? value : value / 100;
}

int main(int argc, char **argv)
{
	bool amounts = argc > 1 && strcmp(argv[1], "amount") == 0;
	MYSQL *db = db_connect();
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (mysql_query(db, amounts ? "SELECT division, amount FROM many" : "SELECT division, salary FROM many"))
		fail("%s", mysql_error(db));
	result = mysql_use_result(db);
	while ((row = mysql_fetch_row(result)))
		(amounts ? gather : count)(find(row[0]), row[1]);
	if (mysql_errno(db))
		fail("%s", mysql_error(db));
	for (size_t i = 0; i < ndivisions; i++)
		printf("%s\t%lu\t%.15g\t%.15g\t%.15g\n", divisions[i].name, divisions[i].n,
		       quantile(&divisions[i], .25), quantile(&divisions[i], .5), quantile(&divisions[i], .75));
	mysql_free_result(result);
	mysql_close(db);
	return 0;
}
