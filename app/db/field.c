/* The columns of a CALL's rows: types as the server names them on the wire. */
#include "internal.h"

#define CHARSET_BINARY 63

/* MariaDB says of some columns more than their type. */
static bool extended(const MYSQL_FIELD *f, struct type *type)
{
#ifdef CLIENT_MARIADB
	MARIADB_CONST_STRING format = { NULL, 0 }, name = { NULL, 0 };

	if (!f)
		return false;
	mariadb_field_attr(&format, f, MARIADB_FIELD_ATTR_FORMAT_NAME);
	mariadb_field_attr(&name, f, MARIADB_FIELD_ATTR_DATA_TYPE_NAME);
	if (slice_is((struct slice){ format.str, format.length }, "json"))
		type->class = TYPE_JSON;
	else if (slice_is((struct slice){ name.str, name.length }, "uuid"))
		type->class = TYPE_UUID;
	else if (name.length == 5 && memcmp(name.str, "inet", 4) == 0)
		type->class = TYPE_INET;
	else
		return false;
	return true;
#else
	(void)f;
	(void)type;
	return false;
#endif
}

static struct type integer(const MYSQL_FIELD *f, unsigned size)
{
	return (struct type){ .class = TYPE_INT, .size = size, .is_unsigned = (f->flags & UNSIGNED_FLAG) != 0 };
}

/* TINYINT(1) is a boolean. */
static struct type small(const MYSQL_FIELD *f)
{
	if (f->length == 1 && !(f->flags & UNSIGNED_FLAG))
		return (struct type){ .class = TYPE_BOOL };
	return integer(f, 1);
}

static struct type text(const MYSQL_FIELD *f, const MYSQL_FIELD *wire)
{
	struct type type = { .class = TYPE_TEXT };

	if (!extended(wire, &type) && f->charsetnr == CHARSET_BINARY)
		type.class = TYPE_BYTES;
	return type;
}

static struct type bits(const MYSQL_FIELD *f)
{
	if (f->length == 1)
		return (struct type){ .class = TYPE_BOOL, .bit = true };
	return (struct type){ .class = TYPE_BIT, .size = (unsigned)f->length };
}

struct type db_field_type(const MYSQL_FIELD *f, const MYSQL_FIELD *wire)
{
	switch (f->type) {
	case MYSQL_TYPE_TINY:
		return small(f);
	case MYSQL_TYPE_SHORT:
		return integer(f, 2);
	case MYSQL_TYPE_INT24:
		return integer(f, 3);
	case MYSQL_TYPE_LONG:
		return integer(f, 4);
	case MYSQL_TYPE_LONGLONG:
		return integer(f, 8);
	case MYSQL_TYPE_YEAR:
		return (struct type){ .class = TYPE_YEAR };
	case MYSQL_TYPE_FLOAT:
		return (struct type){ .class = TYPE_FLOAT };
	case MYSQL_TYPE_DOUBLE:
		return (struct type){ .class = TYPE_DOUBLE };
	case MYSQL_TYPE_DECIMAL:
	case MYSQL_TYPE_NEWDECIMAL:
		return (struct type){ .class = TYPE_DECIMAL, .length = 65, .decimals = f->decimals };
	case MYSQL_TYPE_DATE:
	case MYSQL_TYPE_NEWDATE:
		return (struct type){ .class = TYPE_DATE };
	case MYSQL_TYPE_DATETIME:
		return (struct type){ .class = TYPE_DATETIME, .decimals = f->decimals };
	case MYSQL_TYPE_TIMESTAMP:
		return (struct type){ .class = TYPE_TIMESTAMP, .decimals = f->decimals };
	case MYSQL_TYPE_TIME:
		return (struct type){ .class = TYPE_TIME, .decimals = f->decimals };
	case MYSQL_TYPE_BIT:
		return bits(f);
	case MYSQL_TYPE_JSON:
		return (struct type){ .class = TYPE_JSON };
	case MYSQL_TYPE_GEOMETRY:
		return (struct type){ .class = TYPE_BYTES };
	case MYSQL_TYPE_NULL:
		return (struct type){ .class = TYPE_TEXT };
	default:
		return text(f, wire);
	}
}

enum db_fetch db_field_fetch(const struct type *type)
{
	switch (type->class) {
	case TYPE_INT:
		return type->is_unsigned ? FETCH_UINT : FETCH_INT;
	case TYPE_BOOL:
		return type->bit ? FETCH_BIT : FETCH_INT;
	case TYPE_YEAR:
		return FETCH_INT;
	case TYPE_FLOAT:
		return FETCH_FLOAT;
	case TYPE_DOUBLE:
		return FETCH_DOUBLE;
	case TYPE_DATE:
		return FETCH_DATE;
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
		return FETCH_DATETIME;
	case TYPE_TIME:
		return FETCH_TIME;
	default:
		return FETCH_TEXT;
	}
}
