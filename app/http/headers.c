/* Request headers by name, response headers, status phrases. */
#include <stdarg.h>
#include <stdio.h>

#include "http.h"

bool http_header(const struct http_request *rq, const char *name, struct slice *value_out)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < rq->nheaders; i++)
		if (rq->headers[i].name.len == len && memcmp(rq->headers[i].name.ptr, name, len) == 0) {
			*value_out = rq->headers[i].value;
			return true;
		}
	*value_out = (struct slice){ "", 0 };
	return false;
}

size_t http_header_count(const struct http_request *rq, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < rq->nheaders; i++)
		n += slice_is(rq->headers[i].name, name);
	return n;
}

/* A value can never end its line: control characters become blanks. */
void http_set_header(struct http_response *rs, const char *name, const char *fmt, ...)
{
	struct strbuf *h = &rs->headers;
	size_t start;
	va_list ap;
	int n;

	strbuf_adds(h, name);
	strbuf_lit(h, ": ");
	start = h->len;
	va_start(ap, fmt);
	n = vsnprintf(strbuf_room(h, 256), 256, fmt, ap);
	va_end(ap);
	if (n >= 256) {
		va_start(ap, fmt);
		vsnprintf(strbuf_room(h, (size_t)n + 1), (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	if (n > 0)
		h->len += (size_t)n;
	for (size_t i = start; i < h->len; i++)
		if ((unsigned char)h->ptr[i] < ' ' || h->ptr[i] == 127)
			h->ptr[i] = ' ';
	strbuf_lit(h, "\r\n");
}

void http_drop_header(struct http_response *rs, struct slice name)
{
	struct strbuf *h = &rs->headers;
	size_t at = 0;

	while (at < h->len) {
		const char *line = h->ptr + at, *end = memchr(line, '\n', h->len - at);
		size_t len = end ? (size_t)(end - line) + 1 : h->len - at;

		if (len > name.len && line[name.len] == ':' && slice_ieq((struct slice){ line, name.len }, name)) {
			memmove(h->ptr + at, h->ptr + at + len, h->len - at - len);
			h->len -= len;
		} else {
			at += len;
		}
	}
}

void http_discard(struct http_response *rs)
{
	rs->headers.len = 0;
	rs->body.len = 0;
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 300, "Multiple Choices" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 400 ? "OK" : "Error";
}

/* Nothing but a host. */
struct slice http_host(const struct http_request *rq)
{
	struct slice host;

	http_header(rq, "host", &host);
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr(".-:[]", c))))
			return (struct slice){ NULL, 0 };
	}
	return host.len <= 255 ? host : (struct slice){ NULL, 0 };
}
