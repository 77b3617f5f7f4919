#ifndef ROWGATE_BODY_INTERNAL_H
#define ROWGATE_BODY_INTERNAL_H

#include "body.h"

/* The body's bytes after Content-Encoding. */
struct source;

struct source *source_open(body_read_fn *read, void *context, bool gzip, uint64_t whole);
void source_close(struct source *s);

/* Up to size bytes; 0 at the end; -1 with err when the body is cut, damaged or too large. */
int64_t source_read(struct source *s, char *to, size_t size, struct error *err);

/* A format's own state and its way to the next row. */
struct format {
	enum body_step (*next)(struct body *b, struct body_row *row, struct error *err);
};

struct body {
	struct source *source;
	enum body_format format;
	const struct format *reader;
	uint64_t row_limit;
	/* The bytes read but not used yet: buffer[from, to). */
	char *buffer;
	size_t cap, from, to;
	bool ended;     /* the source is */
	bool began;     /* something but blanks was found */
	bool is_array;  /* JSON */
	bool done;      /* JSON: the closing bracket was read */
	uint64_t rows;  /* so far */
	uint64_t line;  /* CSV, NDJSON: of buffer[from], from 1 on */
	char delimiter; /* CSV */
	struct slice null_text, date_format;
	struct slice *names; /* CSV: the header */
	size_t nnames;
	struct arena *kept; /* as long as the body: parameters, header */
	struct arena *row;  /* as long as a row */
	struct body_member *members;
	size_t members_cap;
};

/* Reads more behind buffer[to). False with err; at the end of the source b->ended, and true. */
bool body_fill(struct body *b, struct error *err) MUST_CHECK;

/* The next member of the row under construction: n are there. */
struct body_member *body_member_at(struct body *b, size_t n);

extern const struct format format_json, format_ndjson, format_csv, format_form, format_octets;

#endif
