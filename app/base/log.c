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

/* {"time":...,"level":...,"pid":...,"msg": with the calendar worked out once a second. */
static void begin_line(struct strbuf *b, enum log_level level)
{
	static time_t second;
	static char calendar[24];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		gmtime_r(&second, &tm);
		strftime(calendar, sizeof(calendar), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	strbuf_lit(b, "{\"time\":\"");
	strbuf_adds(b, calendar);
	strbuf_addf(b, ".%03dZ\",\"level\":\"%s\",\"pid\":%d,\"msg\":", (int)(now.tv_nsec / 1000000), names[level],
		    (int)getpid());
}

void log_fields(enum log_level level, const char *msg, struct slice fields)
{
	static struct strbuf b;

	if (!log_enabled(level))
		return;
	b.len = 0;
	begin_line(&b, level);
	json_string(&b, slice_of(msg));
	if (fields.len) {
		strbuf_addc(&b, ',');
		strbuf_add_slice(&b, fields);
	}
	strbuf_lit(&b, "}\n");
	/* A log that cannot be written must not end a request. */
	if (write(STDERR_FILENO, b.ptr, b.len) < 0) {
	}
}

void log_always(const char *msg)
{
	enum log_level before = limit;

	limit = LOG_DEBUG;
	log_fields(LOG_INFO, msg, (struct slice){ NULL, 0 });
	limit = before;
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
