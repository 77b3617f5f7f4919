/* The one table from a refusal to its HTTP status and the code a client switches on. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	int status;
	const char *sqlstate;
} kinds[ERR_CODES] = {
	[ERR_NONE] = { 500, "PGRSTX00" },
	[ERR_DB_LOGIN] = { 503, "PGRST000" },
	[ERR_DB_LOST] = { 503, "PGRST001" },
	[ERR_SCHEMA_LOADING] = { 503, "PGRST002" },
	[ERR_POOL_WAIT] = { 504, "PGRST003" },
	[ERR_PARSE] = { 400, "PGRST100" },
	[ERR_METHOD_RPC] = { 405, "PGRST101" },
	[ERR_BODY] = { 400, "PGRST102" },
	[ERR_RANGE] = { 416, "PGRST103" },
	[ERR_SCHEMA] = { 406, "PGRST106" },
	[ERR_MEDIA] = { 406, "PGRST107" },
	[ERR_NOT_EMBEDDED] = { 400, "PGRST108" },
	[ERR_SINGULAR] = { 406, "PGRST116" },
	[ERR_METHOD] = { 405, "PGRST117" },
	[ERR_ORDER_NOT_TO_ONE] = { 400, "PGRST118" },
	[ERR_EMBED_FILTER] = { 400, "PGRST120" },
	[ERR_PREFER] = { 400, "PGRST122" },
	[ERR_AGGREGATES_OFF] = { 400, "PGRST123" },
	[ERR_PATH] = { 404, "PGRST125" },
	[ERR_ROOT_OFF] = { 404, "PGRST126" },
	[ERR_NOT_OFFERED] = { 400, "PGRST127" },
	[ERR_MAX_AFFECTED] = { 400, "PGRST124" },
	[ERR_PUT_FILTER] = { 405, "PGRST105" },
	[ERR_PUT_RANGE] = { 400, "PGRST114" },
	[ERR_PUT_KEY] = { 400, "PGRST115" },
	[ERR_RESPONSE_HEADERS] = { 500, "PGRST111" },
	[ERR_RESPONSE_STATUS] = { 500, "PGRST112" },
	[ERR_SCALAR_AFFECTED] = { 400, "PGRST128" },
	[ERR_NO_RELATION] = { 400, "PGRST200" },
	[ERR_AMBIGUOUS_EMBED] = { 300, "PGRST201" },
	[ERR_NO_ROUTINE] = { 404, "PGRST202" },
	[ERR_NO_TABLE] = { 404, "PGRST205" },
	[ERR_WRITE_COLUMN] = { 400, "PGRST204" },
	[ERR_JWT_NO_SECRET] = { 500, "PGRST300" },
	[ERR_JWT_INVALID] = { 401, "PGRST301" },
	[ERR_JWT_REQUIRED] = { 401, "PGRST302" },
	[ERR_JWT_CLAIMS] = { 401, "PGRST303" },
	[ERR_JWT_REVOKED] = { 401, "PGRST303" },
	[ERR_UNKNOWN_COLUMN] = { 400, "42703" },
	[ERR_UNKNOWN_TYPE] = { 400, "42704" },
	[ERR_NO_OPERATOR] = { 400, "42883" },
	[ERR_BAD_LITERAL] = { 400, "22P02" },
	[ERR_BAD_DATETIME] = { 400, "22007" },
	[ERR_OUT_OF_RANGE] = { 400, "22003" },
	[ERR_BAD_PARAMETER] = { 400, "22023" },
	[ERR_UNKNOWN_ROLE] = { 401, "22023" },
	[ERR_BAD_REGEX] = { 400, "2201B" },
	[ERR_NO_FULLTEXT] = { 400, "42704" },
	[ERR_DENIED] = { 403, "42501" },
	[ERR_DB_TABLE] = { 404, "42P01" },
	[ERR_DB_SCHEMA] = { 404, "3F000" },
	[ERR_DB_ROUTINE] = { 404, "42883" },
	[ERR_DB_SYNTAX] = { 500, "42601" },
	[ERR_DIVISION] = { 400, "22012" },
	[ERR_LOCK_WAIT] = { 503, "55P03" },
	[ERR_DEADLOCK] = { 503, "40P01" },
	[ERR_READ_ONLY] = { 405, "25006" },
	[ERR_READ_ONLY_SERVER] = { 503, "25006" },
	[ERR_TIMEOUT] = { 504, "57014" },
	[ERR_CONNECTIONS] = { 503, "53300" },
	[ERR_DISK_FULL] = { 503, "53100" },
	[ERR_PACKET] = { 413, "54000" },
	[ERR_STACK] = { 500, "54001" },
	[ERR_DUPLICATE] = { 409, "23505" },
	[ERR_NULL] = { 400, "23502" },
	[ERR_FOREIGN_KEY] = { 409, "23503" },
	[ERR_CHECK] = { 400, "23514" },
	[ERR_TOO_LONG] = { 400, "22001" },
	[ERR_GENERATED] = { 400, "428C9" },
	[ERR_VIEW_CHECK] = { 400, "44000" },
	[ERR_CARDINALITY] = { 400, "21000" },
	[ERR_NO_CONFLICT_KEY] = { 400, "42P10" },
	[ERR_RAISED] = { 400, "P0001" },
	[ERR_DB_OTHER] = { 500, "XX000" },
	[ERR_AUTH] = { 400, "validation_failed" },
	[ERR_TOO_LARGE] = { 414, "PGRST100" },
	[ERR_OUTCOME] = { 503, "PGRSTX01" },
	[ERR_KEY] = { 400, "PGRSTX02" },
	[ERR_KEY_BUSY] = { 409, "PGRSTX03" },
	[ERR_KEY_USED] = { 422, "PGRSTX04" },
	[ERR_POLICY] = { 503, "PGRSTX05" },
	[ERR_CUT] = { 500, "PGRSTX00" },
	[ERR_INTERNAL] = { 500, "PGRSTX00" },
};

void error_init(struct error *err, struct arena *a)
{
	*err = (struct error){ .arena = a };
}

/* What a client sent may be quoted before it was found to be no UTF-8, or cut within a character; bodies are JSON. */
static void repair(char *s, size_t len)
{
	while (len) {
		size_t n = 1;

		while (n < 5 && n <= len && !utf8_valid((struct slice){ s, n }))
			n++;
		if (n == 5 || n > len) {
			*s = '?';
			n = 1;
		}
		s += n;
		len -= n;
	}
}

static const char *format(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static const char *format(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		n = 0;
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	repair(s, (size_t)n);
	return s;
}

bool error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list ap;

	error_init(err, err->arena);
	err->code = code;
	err->status = kinds[code].status;
	err->sqlstate = kinds[code].sqlstate;
	va_start(ap, fmt);
	err->message = format(err->arena, fmt, ap);
	va_end(ap);
	return false;
}

bool error_details(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err->details = format(err->arena, fmt, ap);
	va_end(ap);
	return false;
}

bool error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err->hint = format(err->arena, fmt, ap);
	va_end(ap);
	return false;
}

static void text_or_null(struct strbuf *b, const char *s)
{
	if (s)
		json_string(b, slice_of(s));
	else
		strbuf_lit(b, "null");
}

void error_body(const struct error *err, bool terse, struct strbuf *out)
{
	strbuf_lit(out, "{\"code\":");
	text_or_null(out, err->sqlstate);
	strbuf_lit(out, ",\"message\":");
	text_or_null(out, err->message);
	if (!terse) {
		strbuf_lit(out, ",\"details\":");
		if (err->details && err->details_json)
			strbuf_adds(out, err->details);
		else
			text_or_null(out, err->details);
		strbuf_lit(out, ",\"hint\":");
		text_or_null(out, err->hint);
	}
	strbuf_addc(out, '}');
}
