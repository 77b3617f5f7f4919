#ifndef ROWGATE_VALUE_H
#define ROWGATE_VALUE_H

#include "strbuf.h"

/* What a database column holds, as far as Rowgate must tell it apart. */
enum type_class {
	TYPE_INT,  /* size bytes, signed or not; YEAR is TYPE_YEAR */
	TYPE_BOOL, /* TINYINT(1) and BIT(1) */
	TYPE_DECIMAL,
	TYPE_FLOAT,
	TYPE_DOUBLE,
	TYPE_DATE,
	TYPE_DATETIME,
	TYPE_TIMESTAMP, /* an instant: shown with its offset */
	TYPE_TIME,
	TYPE_YEAR,
	TYPE_TEXT,
	TYPE_ENUM,
	TYPE_SET,
	TYPE_BYTES, /* BINARY, VARBINARY, BLOB */
	TYPE_BIT,   /* BIT(n), n > 1 */
	TYPE_JSON,
	TYPE_GEOMETRY,
	TYPE_VECTOR, /* numbers of 4 bytes */
	TYPE_UUID,   /* MariaDB */
	TYPE_INET    /* MariaDB: INET4, INET6 */
};

struct type {
	enum type_class class;
	unsigned size; /* INT: bytes; BIT: bits; BYTES: length of BINARY(n), else 0 */
	bool is_unsigned;
	bool bit;                   /* BOOL: a BIT(1) */
	unsigned decimals;          /* DECIMAL: scale; temporal: fractional digits */
	uint64_t length;            /* CHAR, VARCHAR: characters; other TEXT, BYTES: bytes; DECIMAL: digits; 0: any */
	bool in_bytes;              /* TEXT: length is */
	const struct slice *labels; /* ENUM and SET */
	size_t nlabels;
};

/* The name PostgreSQL's messages would use: "integer", "timestamp with time zone". */
const char *type_name(const struct type *type);

/* A calendar date and time of day as MySQL keeps them; zero dates included. */
struct datetime {
	unsigned year, month, day;
	unsigned hour; /* up to 838 for TIME */
	unsigned minute, second, micro;
	bool negative; /* TIME only */
};

/* One value on its way to the database as a bound parameter, or back as a cell. */
enum value_kind {
	VALUE_NULL,
	VALUE_INT,
	VALUE_UINT,
	VALUE_DOUBLE,
	VALUE_FLOAT,
	VALUE_DECIMAL,
	VALUE_TEXT,
	VALUE_BYTES,
	VALUE_DATE,
	VALUE_DATETIME,
	VALUE_TIME
};

struct value {
	enum value_kind kind;
	bool instant; /* DATETIME to be written or found: in UTC, whatever the session's time zone */
	union {
		int64_t i;
		uint64_t u;
		double d;
		struct slice s; /* DECIMAL, TEXT (UTF-8), BYTES */
		struct datetime t;
	};
};

static inline struct value value_int(int64_t i)
{
	return (struct value){ .kind = VALUE_INT, .i = i };
}

static inline struct value value_text(struct slice s)
{
	return (struct value){ .kind = VALUE_TEXT, .s = s };
}

/* v with its text or bytes, if it has any, in a. */
struct value value_copy(struct arena *a, const struct value *v);

/* As text: temporal values as below, numbers in decimal, bytes and text as they are, NULL as nothing. */
void value_add(struct strbuf *b, const struct value *v);

/* `2020-01-31`, `2020-01-31T10:00:00[.ffffff]`, `-838:59:59[.ffffff]`: trailing zeros of fractions are cut. */
void value_add_date(struct strbuf *b, const struct datetime *t);
void value_add_time(struct strbuf *b, const struct datetime *t);
void value_add_datetime(struct strbuf *b, const struct datetime *t);

/* The shortest decimal text that reads back as the same number; finite numbers only. */
void value_add_double(struct strbuf *b, double d);
void value_add_float(struct strbuf *b, float f);

/* Days since 1970-01-01 in the proleptic Gregorian calendar, and back. */
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);
void civil_from_days(int64_t days, struct datetime *out);

#endif
