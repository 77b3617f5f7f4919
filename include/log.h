#ifndef ROWGATE_LOG_H
#define ROWGATE_LOG_H

#include "strbuf.h"

/* Log lines are JSON objects, one a line, on stderr, each written by one write(2) call. */
enum log_level { LOG_CRIT, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
bool log_level_parse(struct slice name, enum log_level *out) MUST_CHECK;
bool log_enabled(enum log_level level);

/* {"time","level","pid","msg"}: msg as printf makes it. Never give it a secret or a client's SQL. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A line that scripts wait for, written whatever the level. */
void log_always(const char *msg);

/* The same with further members: fields is JSON text such as "\"status\":200,\"rows\":3". */
void log_fields(enum log_level level, const char *msg, struct slice fields);

#endif
