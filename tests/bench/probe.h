#ifndef ROWGATE_BENCH_PROBE_H
#define ROWGATE_BENCH_PROBE_H

/*
 * What the bare C programs of the benchmark share: the connection, and JSON written straight into a buffer.
 *
 * The buffer is as large as any answer the probe gives; bulk empties it in between. Writing beyond its end is
 * this benchmark's own bug and ends the program.
 */
#include <mysql.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_SIZE = 1 << 20 };

struct out {
	size_t len;
	char bytes[OUT_SIZE];
};

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static inline void out_add(struct out *o, const char *s, size_t n)
{
	if (n > sizeof(o->bytes) - o->len)
		fail("an answer of more than %zu bytes", sizeof(o->bytes));
	memcpy(o->bytes + o->len, s, n);
	o->len += n;
}

static inline void out_text(struct out *o, const char *s)
{
	out_add(o, s, strlen(s));
}

static inline void out_char(struct out *o, char c)
{
	out_add(o, &c, 1);
}

static inline void out_escape(struct out *o, char c)
{
	char unicode[8];

	switch (c) {
	case '"':
		out_text(o, "\\\"");
		break;
	case '\\':
		out_text(o, "\\\\");
		break;
	case '\n':
		out_text(o, "\\n");
		break;
	case '\r':
		out_text(o, "\\r");
		break;
	case '\t':
		out_text(o, "\\t");
		break;
	default:
		snprintf(unicode, sizeof(unicode), "\\u%04x", (unsigned)c);
		out_text(o, unicode);
	}
}

/* A JSON string: runs without anything to escape are copied whole. */
static inline void out_json_string(struct out *o, const char *s, size_t n)
{
	size_t start = 0;

	out_char(o, '"');
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
			continue;
		out_add(o, s + start, i - start);
		out_escape(o, s[i]);
		start = i + 1;
	}
	out_add(o, s + start, n - start);
	out_char(o, '"');
}

static inline bool is_number(enum enum_field_types type)
{
	switch (type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_FLOAT:
	case MYSQL_TYPE_DOUBLE:
	case MYSQL_TYPE_NEWDECIMAL:
		return true;
	default:
		return false;
	}
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		fail("%s is not set", name);
	return value;
}

/* By BENCH_DB_SOCKET, BENCH_DB_USER and BENCH_DB_PASSWORD, to the database `bench`. */
static MYSQL *db_connect(void)
{
	MYSQL *db = mysql_init(NULL);

	mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &(unsigned){ 1 });
	if (!mysql_real_connect(db, NULL, environment("BENCH_DB_USER"), environment("BENCH_DB_PASSWORD"), "bench", 0,
				environment("BENCH_DB_SOCKET"), 0))
		fail("connect: %s", mysql_error(db));
	return db;
}

#endif
