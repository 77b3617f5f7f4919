/*
 * The bare client for quartiles: all rows of a table from the database, unsorted, by the text protocol and an
 * unbuffered result, each salary counted in an array of its division. What Rowgate's boxplot() is measured against.
 *
 *   quartiles      one line for each division: its name, n, first quartile, median, third quartile
 */
#include "probe.h"

#define TABLE "SELECT division, salary FROM many"

enum { DIVISIONS = 64, SALARIES = 1 << 20 };

struct division {
	char name[64];
	unsigned long n;
	unsigned *counts;
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
	d->counts = calloc(SALARIES, sizeof(*d->counts));
	if (!d->counts)
		fail("no memory");
	return d;
}

static long value_at(const struct division *d, unsigned long at)
{
	long i = 0;

	while (at >= d->counts[i])
		at -= d->counts[i++];
	return i;
}

static double quantile(const struct division *d, double p)
{
	double h = (double)(d->n - 1) * p;
	unsigned long at = (unsigned long)h;
	long low = value_at(d, at), high = at + 1 < d->n ? value_at(d, at + 1) : low;

	return (double)low + (double)(high - low) * (h - (double)at);
}

int main(void)
{
	MYSQL *db = db_connect();
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (mysql_query(db, TABLE))
		fail("%s", mysql_error(db));
	result = mysql_use_result(db);
	while ((row = mysql_fetch_row(result))) {
		struct division *d = find(row[0]);
		long salary = strtol(row[1], NULL, 10);

		if (salary < 0 || salary >= SALARIES)
			fail("a salary beyond the array");
		d->counts[salary]++;
		d->n++;
	}
	if (mysql_errno(db))
		fail("%s", mysql_error(db));
	for (size_t i = 0; i < ndivisions; i++)
		printf("%s\t%lu\t%g\t%g\t%g\n", divisions[i].name, divisions[i].n, quantile(&divisions[i], .25),
		       quantile(&divisions[i], .5), quantile(&divisions[i], .75));
	mysql_free_result(result);
	mysql_close(db);
	return 0;
}
