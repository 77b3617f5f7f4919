#ifndef ROWGATE_BODY_H
#define ROWGATE_BODY_H

#include "http.h"

/*
 * What a request brings: rows, one at a time and in constant memory, whatever the body's form. A row is a list of
 * members that knows no tables. Nothing is trusted: every text but CELL_OCTETS is valid UTF-8 without U+0000, JSON is checked strictly
 * (json.h), a body that ends early is an error, never a shorter body.
 */
enum body_format {
	BODY_JSON,   /* an object, or an array of objects (RFC 8259) */
	BODY_NDJSON, /* an object a line */
	BODY_CSV,    /* RFC 4180 with a header line */
	BODY_FORM,   /* application/x-www-form-urlencoded (WHATWG URL standard, section 5): one row */
	BODY_OCTETS  /* application/octet-stream: one value without a name */
};

enum cell_kind {
	CELL_NULL,
	CELL_TRUE,
	CELL_FALSE,
	CELL_NUMBER, /* text is the number as it was written */
	CELL_STRING, /* text is what it means */
	CELL_JSON,   /* an object or array; text is its JSON */
	CELL_TEXT,   /* of CSV or a form: a text of any type */
	CELL_OCTETS  /* bytes, of any kind */
};

struct body_member {
	struct slice name;
	enum cell_kind kind;
	struct slice text;
};

/* Good until the next one is read. */
struct body_row {
	const struct body_member *members;
	size_t n;
	uint64_t number; /* from 1 on */
	uint64_t line;   /* CSV and NDJSON: where it begins, from 1 on; else 0 */
};

/*
 * Gives up to size bytes of the body as it was sent; 0 at its end; -1 when the connection broke before it. A function,
 * so that tests bring bodies of their own.
 */
typedef int64_t body_read_fn(void *context, char *to, size_t size);

struct body_limits {
	uint64_t row;   /* bytes of one row */
	uint64_t whole; /* bytes of the body, unpacked; 0: any */
};

struct body;

/*
 * A reader of rq's body, in the form that its Content-Type (parameters `delimiter`, `null`, `date-format` of text/csv)
 * and Content-Encoding (gzip) name. Fails with ERR_BODY or ERR_ENCODING. Lives until body_close.
 */
struct body *body_open(const struct http_request *rq, body_read_fn *read, void *context, struct body_limits limits,
		       struct error *err) MUST_CHECK;
void body_close(struct body *b);

enum body_step { BODY_ROW, BODY_END, BODY_FAILED };

/* The next row. Fails with ERR_BODY, ERR_BODY_TOO_LARGE or ERR_CUT. */
enum body_step body_next(struct body *b, struct body_row *row_out, struct error *err) MUST_CHECK;

/*
 * The body as it is, unpacked, in memory of a: for what is one value. Fails with ERR_BODY (Content-Encoding), ERR_PACKET
 * beyond limit bytes, or when the body is cut or damaged.
 */
bool body_whole(struct arena *a, const struct http_request *rq, body_read_fn *read, void *context, uint64_t limit,
		struct slice *out, struct error *err) MUST_CHECK;

enum body_format body_format(const struct body *b);

/* JSON: is it an array? Known after the first body_next. */
bool body_is_array(const struct body *b);

/* text/csv; date-format=...: empty when there is none. */
struct slice body_date_format(const struct body *b);

#endif
