#ifndef ROWGATE_HTTP_H
#define ROWGATE_HTTP_H

#include "error.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PATCH, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };

struct http_header {
	struct slice name; /* lower case with hyphens: "accept-profile" */
	struct slice value;
};

/* A request as nginx handed it over. Everything is borrowed and ends with the request. */
struct http_request {
	enum http_method method;
	struct slice method_text;
	struct slice path;  /* as sent, percent-encoded, without the query */
	struct slice query; /* as sent, without the '?' */
	struct http_header *headers;
	size_t nheaders;
	struct slice remote_addr;
	struct slice id; /* X-Request-Id: nginx's, or the client's when well-formed */
};

/* The first header of that name (lower case). False, and an empty slice, when there is none. */
bool http_header(const struct http_request *rq, const char *name, struct slice *value_out);

/* The header Host as it may stand in a document: letters, digits, ".-:[]", at most 255 of them; else empty. */
struct slice http_host(const struct http_request *rq);

/* How often the header stands in the request. */
size_t http_header_count(const struct http_request *rq, const char *name);

/*
 * The header traceparent (W3C Trace Context) where there is one and it is well-formed; *sampled_out: whoever sent it keeps
 * the trace. Else false, an empty slice and false.
 */
bool http_traceparent(const struct http_request *rq, struct slice *out, bool *sampled_out);

/* The request's id and traceparent as an SQL comment, with a blank behind it. */
struct slice http_trace_comment(struct arena *a, const struct http_request *rq);

/*
 * Percent-decoding (RFC 3986 section 2.1); with plus, '+' is a blank (form encoding). Refuses with ERR_PARSE
 * broken escapes, invalid UTF-8 and U+0000. The result lives in a.
 */
bool http_url_decode(struct arena *a, struct slice text, bool plus, struct slice *out, struct error *err) MUST_CHECK;

/* text percent-encoded but for RFC 3986's unreserved characters. */
void http_url_encode(struct strbuf *b, struct slice text);

/* What an answer looks like (Accept, RFC 9110 section 12.5.1). */
enum media {
	MEDIA_JSON,
	MEDIA_CSV,
	MEDIA_NDJSON,
	MEDIA_OBJECT,
	MEDIA_OCTETS,
	MEDIA_GEOJSON,
	MEDIA_OPENAPI,
	MEDIA_PLAN,
	MEDIA_TEXT
};

struct media_choice {
	enum media media;
	bool any;         /* from a range: others of it would do as well */
	bool strip_nulls; /* ;nulls=stripped */
	/* MEDIA_PLAN only: application/vnd.pgrst.plan[+text|+json];for="...";options=analyze|verbose */
	bool plan_json;
	bool plan_analyze;
	enum media plan_for; /* MEDIA_JSON unless for= says otherwise */
	bool plan_for_stripped;
	const char *plan_name; /* the whole type, as it goes out */
};

/*
 * The media types an Accept header asks for, best first (q-values, then order in the header; q=0 and types
 * Rowgate never makes are left out). No header or an empty one means any type. Any type gives MEDIA_JSON.
 * False with ERR_MEDIA (PGRST107, 'None of these media types are available: ...') when nothing is left.
 */
bool http_negotiate(struct arena *a, struct slice accept, struct media_choice **choices_out, size_t *n_out,
		    struct error *err) MUST_CHECK;

/* "application/json; charset=utf-8" and so on, as PostgREST writes it for this choice. */
const char *http_media_name(const struct media_choice *choice);

/*
 * An answer under way. Header lines are collected in headers ("Name: value\r\n"), the body in body. Up to
 * HTTP_HOLD_BACK bytes are held back, so that a late error can still have its status; from then on
 * http_commit sends what there is and memory stays constant.
 */
#define HTTP_HOLD_BACK ((size_t)256 * 1024)

struct http_response {
	int status;
	struct strbuf headers;
	struct strbuf body;
	bool sent;        /* the header block is out: the status can no longer change */
	bool head;        /* send no body */
	uint64_t bytes;   /* of the body so far */
	void *connection; /* FCGX_Request, for http/fcgi.c */
	bool secret;      /* headers and body of this exchange are wiped when it is over */
	/* Called just before the header block goes out, to add what only then is known. May be NULL. */
	void (*before_send)(struct http_response *rs, void *context);
	void *context;
	/* The same, behind it and for every answer: the handler's. May be NULL. */
	void (*complete)(struct http_response *rs, void *context);
	void *complete_context;
};

void http_set_header(struct http_response *rs, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Takes out every header line of that name, in any case. */
void http_drop_header(struct http_response *rs, struct slice name);

/*
 * To be called between rows: sends the body so far once it is larger than HTTP_HOLD_BACK. False with
 * ERR_CUT when the client is gone.
 */
bool http_flush(struct http_response *rs, struct error *err) MUST_CHECK;

static inline bool http_commit(struct http_response *rs, struct error *err)
{
	return rs->body.len < HTTP_HOLD_BACK || http_flush(rs, err);
}

/* Forgets body and headers of an answer not sent yet: an error takes its place. */
void http_discard(struct http_response *rs);

/* "OK", "Not Found": RFC 9110's phrase for a status. */
const char *http_reason(int status);

/* The FastCGI side (app/http/fcgi.c, the only file that knows libfcgi). */
struct http_server;

/* NULL when file descriptor 0 is no FastCGI socket. */
struct http_server *http_open(void);
void http_close(struct http_server *s);

/* Why http_accept came back. */
enum http_event { HTTP_REQUEST, HTTP_TICK, HTTP_RELOAD, HTTP_STOP };

/*
 * Waits for a request on file descriptor 0, at most tick_ms milliseconds. SIGHUP gives HTTP_RELOAD. After
 * SIGTERM, SIGINT or SIGUSR1 requests go on until the backlog has been empty for a moment, then HTTP_STOP.
 * Signals arrive only while waiting here. The request's memory is in a.
 */
enum http_event http_accept(struct http_server *s, struct arena *a, int tick_ms, struct http_request *rq,
			    struct http_response *rs);

/* The request's body: up to size bytes; 0 at its end; -1 when it is shorter than announced. context: the server. */
int64_t http_read_body(void *context, char *to, size_t size);

/* The same for a body with a password in it: nothing of it is left behind in buffers. */
int64_t http_read_secret(void *context, char *to, size_t size);

/* Sends the rest and ends the request properly. */
void http_finish(struct http_server *s, struct http_response *rs);

/* Ends the connection without the end mark, so that the client sees a cut answer (facts.md). */
void http_cut(struct http_server *s, struct http_response *rs);

/* The connection to nginx, for the watchdog that sees a client leave. */
int http_fd(const struct http_server *s);

#endif
