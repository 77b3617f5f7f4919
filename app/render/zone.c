/* Prefer: timezone is the time zone of the session while the request has it. */
#include "internal.h"

/* The names of UTC, which a server without the tables of time zones does not know. */
static struct slice known_name(struct slice zone)
{
	static const char *const names[] = { "utc", "gmt", "z", "etc/utc", "etc/gmt", "etc/uct", "uct", "zulu" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_ieq(zone, slice_of(names[i])))
			return SLICE("+00:00");
	return zone;
}

static bool set_zone(struct arena *a, struct db_conn *conn, struct slice zone, struct error *err)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;

	sql_set_timezone(a, known_name(zone), &statement);
	return db_query(a, conn, &statement, &rows, err) && db_next(rows, &cells, err) != DB_FAILED;
}

bool zone_enter(struct arena *a, struct db_conn *conn, const struct plan *plan, struct error *err)
{
	struct slice zone = plan->timezone;

	if (set_zone(a, conn, zone, err))
		return true;
	if (err->code != ERR_BAD_PARAMETER)
		return false;
	if (!plan->strict)
		return error_set(err, ERR_BAD_PARAMETER, "invalid value for parameter \"TimeZone\": \"%.*s\"",
				 (int)zone.len, zone.ptr);
	error_set(err, ERR_PREFER, "Invalid preferences given with handling=strict");
	return error_details(err, "Invalid preferences: timezone=%.*s", (int)zone.len, zone.ptr);
}

void zone_leave(struct arena *a, struct db_conn *conn)
{
	struct error ignored;

	error_init(&ignored, a);
	/* A connection that cannot be set back is never used again. */
	if (!set_zone(a, conn, SLICE("+00:00"), &ignored))
		db_spoil(conn);
}
