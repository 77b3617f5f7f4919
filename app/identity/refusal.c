/* Refusals as auth-js knows them: a status, a code it switches on, a message for people. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

bool deny(struct error *err, int status, const char *code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(err, ERR_AUTH, "%s", text);
	err->status = status;
	err->sqlstate = code;
	return false;
}
