/* Log lines as JSON objects on stderr, one write(2) each, so that lines of several workers never mix. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static enum log_level limit = LOG_INFO;

static const char *const names[] = { "crit", "error", "warn", "info", "debug" };

void log_set_level(enum log_level level)
{
	limit = level;
}

bool log_level_parse(struct slice name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(name, names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= limit;
}

void log_fields(enum log_level level, const char *msg, struct slice fields)
{
	struct strbuf b;
	struct timespec now;
	struct tm tm;

	if (!log_enabled(level))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strbuf_open(&b, 512);
	strbuf_addf(&b, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"level\":\"%s\",\"pid\":%d,\"msg\":",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    now.tv_nsec / 1000000, names[level], (int)getpid());
	json_string(&b, slice_of(msg));
	if (fields.len) {
		strbuf_addc(&b, ',');
		strbuf_add_slice(&b, fields);
	}
	strbuf_lit(&b, "}\n");
	/* A log that cannot be written must not end a request. */
	if (write(STDERR_FILENO, b.ptr, b.len) < 0) {
	}
	strbuf_close(&b);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;
	char msg[2048];

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	log_fields(level, msg, (struct slice){ NULL, 0 });
}
