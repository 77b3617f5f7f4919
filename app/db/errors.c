/*
 * MySQL's and MariaDB's error numbers in the terms clients switch on (dialect.md section 13). MySQL's own text goes to
 * the log alone: it may hold SQL, account and host names.
 */
#include "db.h"

#include <json-c/json.h>
#include <stdio.h>

#include "json.h"

static const struct {
	unsigned number;
	enum error_code code;
	const char *message;
} numbers[] = {
	{ 1062, ERR_DUPLICATE, "duplicate key value violates unique constraint" },
	{ 1586, ERR_DUPLICATE, "duplicate key value violates unique constraint" },
	{ 1048, ERR_NULL, "null value violates not-null constraint" },
	{ 1364, ERR_NULL, "null value violates not-null constraint" },
	{ 1423, ERR_NULL, "the view's table has a column without a default that the view does not show" },
	{ 1451, ERR_FOREIGN_KEY, "update or delete violates foreign key constraint" },
	{ 1217, ERR_FOREIGN_KEY, "update or delete violates foreign key constraint" },
	{ 1452, ERR_FOREIGN_KEY, "insert or update violates foreign key constraint" },
	{ 1216, ERR_FOREIGN_KEY, "insert or update violates foreign key constraint" },
	{ 3819, ERR_CHECK, "new row violates check constraint" },
	{ 4025, ERR_CHECK, "new row violates check constraint" },
	{ 1526, ERR_CHECK, "no partition of the table takes the row" },
	{ 3140, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 3141, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 3143, ERR_BAD_LITERAL, "invalid JSON path expression" },
	{ 1416, ERR_BAD_LITERAL, "invalid geometry" },
	{ 3037, ERR_BAD_LITERAL, "invalid geometry" },
	{ 3069, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 3070, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 3071, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 3072, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 4048, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 4049, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 4050, ERR_BAD_LITERAL, "invalid GeoJSON" },
	{ 6138, ERR_BAD_LITERAL, "invalid input syntax for type vector" },
	{ 3616, ERR_OUT_OF_RANGE, "the longitude is out of range" },
	{ 3617, ERR_OUT_OF_RANGE, "the latitude is out of range" },
	{ 3643, ERR_BAD_LITERAL, "the geometry is not in the spatial reference system of the column" },
	{ 3673, ERR_NULL, "null value violates not-null constraint" },
	{ 4035, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 4036, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 4037, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 4038, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 4039, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 4040, ERR_BAD_LITERAL, "invalid input syntax for type json" },
	{ 1977, ERR_BAD_LITERAL, "the column's character set does not have every character of the value" },
	{ 3854, ERR_BAD_LITERAL, "the column's character set does not have every character of the value" },
	{ 3988, ERR_BAD_LITERAL, "the column's character set does not have every character of the value" },
	{ 1366, ERR_BAD_LITERAL, "invalid input value" },
	{ 1265, ERR_BAD_LITERAL, "invalid input value" },
	{ 1292, ERR_BAD_DATETIME, "invalid date or time value" },
	{ 1411, ERR_BAD_DATETIME, "invalid date or time value" },
	{ 1525, ERR_BAD_DATETIME, "invalid date or time value" },
	{ 1264, ERR_OUT_OF_RANGE, "value out of range" },
	{ 1690, ERR_OUT_OF_RANGE, "value out of range" },
	{ 167, ERR_OUT_OF_RANGE, "value out of range" },
	{ 1406, ERR_TOO_LONG, "value too long" },
	{ 1365, ERR_DIVISION, "division by zero" },
	{ 1054, ERR_UNKNOWN_COLUMN, "column does not exist" },
	{ 1166, ERR_UNKNOWN_COLUMN, "column does not exist" },
	{ 1146, ERR_DB_TABLE, "relation does not exist" },
	{ 1051, ERR_DB_TABLE, "relation does not exist" },
	{ 1049, ERR_DB_SCHEMA, "schema does not exist" },
	{ 1305, ERR_DB_ROUTINE, "function does not exist" },
	{ 1318, ERR_NO_ROUTINE, "wrong number of arguments" },
	{ 1064, ERR_DB_SYNTAX, "the generated statement was refused" },
	{ 1149, ERR_DB_SYNTAX, "the generated statement was refused" },
	{ 1142, ERR_DENIED, "permission denied" },
	{ 1143, ERR_DENIED, "permission denied" },
	{ 1370, ERR_DENIED, "permission denied" },
	{ 1044, ERR_DENIED, "permission denied" },
	{ 1227, ERR_DENIED, "permission denied" },
	{ 1356, ERR_DENIED, "permission denied for what the view reads" },
	{ 1449, ERR_DENIED, "permission denied: the view's definer does not exist" },
	{ 1345, ERR_DENIED, "permission denied to explain what the view reads" },
	{ 1045, ERR_DB_LOGIN, "Database login failed" },
	{ 1698, ERR_DB_LOGIN, "Database login failed" },
	{ 1862, ERR_DB_LOGIN, "Database login failed" },
	{ 1820, ERR_DB_LOGIN, "Database login failed" },
	{ 3530, ERR_UNKNOWN_ROLE, "role does not exist or is not granted" },
	{ 1959, ERR_UNKNOWN_ROLE, "role does not exist or is not granted" },
	{ 1205, ERR_LOCK_WAIT, "lock wait timeout" },
	{ 3572, ERR_LOCK_WAIT, "could not obtain lock" },
	{ 1213, ERR_DEADLOCK, "deadlock detected" },
	{ 1180, ERR_DEADLOCK, "the transaction could not be committed" },
	{ 3101, ERR_DEADLOCK, "the transaction could not be committed" },
	{ 1020, ERR_DEADLOCK, "the row has changed since it was read" },
	{ 1412, ERR_DEADLOCK, "the table's definition has changed" },
	{ 1615, ERR_DEADLOCK, "the table's definition has changed" },
	{ 1290, ERR_READ_ONLY_SERVER, "the database is read-only" },
	{ 1836, ERR_READ_ONLY_SERVER, "the database is read-only" },
	{ 1792, ERR_READ_ONLY, "cannot execute in a read-only transaction" },
	{ 3024, ERR_TIMEOUT, "canceling statement due to statement timeout" },
	{ 1969, ERR_TIMEOUT, "canceling statement due to statement timeout" },
	{ 1317, ERR_TIMEOUT, "canceling statement: it was interrupted" },
	{ 1040, ERR_CONNECTIONS, "too many connections to the database" },
	{ 1203, ERR_CONNECTIONS, "too many connections to the database" },
	{ 1226, ERR_CONNECTIONS, "too many connections to the database" },
	{ 1461, ERR_CONNECTIONS, "too many prepared statements in the database" },
	{ 1129, ERR_CONNECTIONS, "the database blocks this host" },
	{ 1047, ERR_DB_LOST, "Database connection error. Retrying the connection." },
	{ 1053, ERR_DB_LOST, "Database connection error. Retrying the connection." },
	{ 1927, ERR_DB_LOST, "Database connection error. Retrying the connection." },
	{ 4031, ERR_DB_LOST, "Database connection error. Retrying the connection." },
	{ 1153, ERR_PACKET, "the request is larger than the database accepts" },
	{ 1390, ERR_PACKET, "the request is larger than the database accepts" },
	{ 2020, ERR_PACKET, "a row is larger than db-max-allowed-packet" },
	{ 1298, ERR_BAD_PARAMETER, "unknown time zone" },
	{ 1191, ERR_NO_FULLTEXT, "no full text index on this column" },
	{ 128, ERR_BAD_PARAMETER, "the search text is nested too deeply" },
	{ 209, ERR_BAD_PARAMETER, "the search text is nested too deeply" },
	{ 1139, ERR_BAD_REGEX, "invalid regular expression" },
	{ 1114, ERR_DISK_FULL, "the database's disk is full" },
	{ 1021, ERR_DISK_FULL, "the database's disk is full" },
	{ 3675, ERR_DISK_FULL, "the database's disk is full" },
	{ 1436, ERR_STACK, "stack depth limit exceeded" },
};

/* What goes out under a code and status of its own. */
static const struct {
	unsigned number;
	int status;
	const char *sqlstate;
	const char *message;
} others[] = {
	{ 1288, 405, "55000", "cannot write to the view" },
	{ 1348, 405, "55000", "cannot write to this column of the view" },
	{ 1471, 405, "55000", "cannot insert into the view" },
	{ 1393, 405, "55000", "cannot write to several tables of the view at once" },
	{ 1394, 405, "55000", "cannot insert into a view of several tables" },
	{ 1395, 405, "55000", "cannot delete from a view of several tables" },
	{ 1031, 405, "55000", "the table's storage engine does not offer this" },
	{ 1242, 500, "21000", "more than one row returned by a subquery used as an expression" },
	{ 1467, 400, "2200H", "the column has no next AUTO_INCREMENT value" },
	{ 1906, 400, "428C9", "cannot write to a generated column" },
	{ 3105, 400, "428C9", "cannot write to a generated column" },
};

/* Client library errors (2000-2999) all mean that the connection is no use any more. */
static bool is_client_error(unsigned number)
{
	return number >= 2000 && number < 3000;
}

/* The name behind the last "table ": 'name', or `database`.`name`. */
static struct slice denied_table(const char *text)
{
	const char *at = NULL, *dot = NULL;
	struct slice name;

	for (const char *p = text; (p = strstr(p, "table ")); p++)
		at = p + 6;
	if (!at)
		return (struct slice){ NULL, 0 };
	for (const char *p = at; *at == '`' && (p = strstr(p, "`.`")); p++)
		dot = p;
	name = slice_of(dot ? dot + 2 : at);
	if (name.len >= 2 && (name.ptr[0] == '\'' || name.ptr[0] == '`'))
		name = (struct slice){ name.ptr + 1, name.len - 2 };
	return name;
}

/* ... for routine 'database.name' */
static struct slice denied_routine(const char *text)
{
	const char *at = strstr(text, "for routine '"), *dot = at ? strchr(at, '.') : NULL;
	struct slice name = slice_of(dot ? dot + 1 : NULL);

	name.len -= name.len && name.ptr[name.len - 1] == '\'';
	return name;
}

static bool denied(struct error *err, unsigned number, const char *message, const char *text)
{
	struct slice table = number == 1142 || number == 1143 ? denied_table(text) : (struct slice){ NULL, 0 };

	if (number == 1370)
		table = denied_routine(text);
	if (number == 1370 && table.len)
		return error_set(err, ERR_DENIED, "permission denied for function %.*s", (int)table.len, table.ptr);
	if (table.len)
		return error_set(err, ERR_DENIED, "permission denied for table %.*s", (int)table.len, table.ptr);
	return error_set(err, ERR_DENIED, "%s", message);
}

static const char *member(const struct error *err, struct json_object *o, const char *name)
{
	struct json_object *v = json_object_object_get(o, name);

	return v ? arena_printf(err->arena, "%s", json_object_get_string(v)) : NULL;
}

bool db_raised(struct error *err, const char *text)
{
	struct json_fault fault = { 0, "no object" };
	struct json_object *o = NULL, *status;
	const char *code = NULL, *message = NULL;

	if (json_check(err->arena, slice_of(text), 4, &fault) && json_kind(slice_of(text)) == '{')
		o = json_tokener_parse(text);
	if (o) {
		code = member(err, o, "code");
		message = member(err, o, "message");
	}
	if (!code || !message) {
		error_set(err, ERR_INTERNAL, "Could not parse JSON in the \"SIGNAL SQLSTATE 'PGRST'\" error");
		error_details(err, "Invalid JSON value for MESSAGE_TEXT: '%s'", text);
		err->sqlstate = "PGRST121";
		json_object_put(o);
		return false;
	}
	error_set(err, ERR_RAISED, "%s", message);
	err->sqlstate = code;
	err->details = member(err, o, "details");
	err->hint = member(err, o, "hint");
	status = json_object_object_get(o, "status");
	if (json_object_get_int(status) >= 200 && json_object_get_int(status) < 600)
		err->status = json_object_get_int(status);
	json_object_put(o);
	return false;
}

/* SIGNAL: the SQLSTATE decides, and the text was written for the client. */
static bool raised(struct error *err, const char *sqlstate, const char *text)
{
	uint64_t status;

	if (strcmp(sqlstate, "PGRST") == 0)
		return db_raised(err, text);
	error_set(err, ERR_RAISED, "%s", text);
	if (sqlstate[0] == 'P' && sqlstate[1] == 'T' && parse_u64(slice_of(sqlstate + 2), &status) && status >= 200 &&
	    status < 600) {
		err->status = (int)status;
		err->sqlstate = arena_strndup(err->arena, sqlstate, 5);
	} else if (strcmp(sqlstate, "45000") != 0) {
		if (sqlstate[0] == 'P' && sqlstate[1] == 'T')
			err->status = 500;
		err->sqlstate = arena_strndup(err->arena, sqlstate, 5);
	}
	return false;
}

static bool other(struct error *err, unsigned number, const char *sqlstate)
{
	bool client =
		strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 || strncmp(sqlstate, "42", 2) == 0;

	if (number >= 3685 && number <= 3699)
		return error_set(err, ERR_BAD_REGEX, "invalid regular expression");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (others[i].number == number) {
			error_set(err, ERR_DB_OTHER, "%s", others[i].message);
			err->status = others[i].status;
			err->sqlstate = others[i].sqlstate;
			return false;
		}
	error_set(err, ERR_DB_OTHER, "the database refused the statement");
	if (client) {
		err->status = 400;
		err->sqlstate = arena_strndup(err->arena, sqlstate, 5);
	}
	return false;
}

/* app/plan/cast.c has no other way to fail: 1690 in exp(710 + ...) is a text that is no value of the type. */
static bool is_bad_cast(unsigned number, const char *text)
{
	return number == 1690 && strstr(text, "exp(") && strstr(text, "710 + ");
}

static unsigned retry_after(enum error_code code)
{
	switch (code) {
	case ERR_DB_LOGIN:
	case ERR_DB_LOST:
	case ERR_CONNECTIONS:
	case ERR_LOCK_WAIT:
	case ERR_DEADLOCK:
	case ERR_READ_ONLY_SERVER:
		return 1;
	case ERR_DISK_FULL:
		return 30;
	default:
		return 0;
	}
}

bool db_error(struct error *err, unsigned number, const char *sqlstate, const char *text)
{
	const char *message = NULL;
	enum error_code code = ERR_DB_OTHER;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers) && !message; i++)
		if (numbers[i].number == number) {
			code = numbers[i].code;
			message = numbers[i].message;
		}
	if (is_bad_cast(number, text))
		error_set(err, ERR_BAD_LITERAL, "invalid input syntax for the type of the cast");
	else if (number == 1644)
		raised(err, sqlstate, text);
	else if (code == ERR_DENIED)
		denied(err, number, message, text);
	else if (message)
		error_set(err, code, "%s", message);
	else if (is_client_error(number) || number == 0)
		error_set(err, ERR_DB_LOST, "Database connection error. Retrying the connection.");
	else
		other(err, number, sqlstate);
	err->retry_after = retry_after(err->code);
	err->db_errno = number;
	err->log_detail = arena_printf(err->arena, "%s", text);
	if (number && number != 1644)
		error_details(err, "MySQL error %u", number);
	return false;
}
