#ifndef ROWGATE_RENDER_H
#define ROWGATE_RENDER_H

#include "http.h"
#include "sql.h"

/* Rows to JSON, CSV and NDJSON, and the headers that speak of them. The last stage of a request. */

struct render_result {
	uint64_t rows; /* given out */
	bool has_total;
	uint64_t total; /* with count= */
};

/* What the worker keeps between requests: the memory of a batch of rows. */
struct render_memory {
	struct arena *batch;
};

/*
 * Runs a plan and writes its answer: status, Content-Type, Content-Range, body. Fails with what the database says, or
 * ERR_MEDIA, ERR_RANGE, ERR_SINGULAR, ERR_CUT. When rs->sent is set by then, the answer must be cut (http_cut).
 */
bool render_read(struct arena *a, struct render_memory *memory, const struct plan *plan, const struct query *query,
		 struct db_conn *conn, struct http_response *rs, struct render_result *result_out,
		 struct error *err) MUST_CHECK;

/*
 * The rows of a plan, held back whole: what a write shows of its rows before it is committed. Content-Type and body are
 * set, nothing is sent.
 */
bool render_rows(struct arena *a, struct render_memory *memory, const struct plan *plan, const struct query *query,
		 struct db_conn *conn, struct http_response *rs, struct render_result *result_out,
		 struct error *err) MUST_CHECK;

struct write;
struct body;
struct render_override;

/*
 * Runs a write in a transaction that it begins and leaves open; the answer is complete but not sent. body: NULL for DELETE.
 * Fails with what is wrong with the rows, or with what the database says.
 */
bool render_write(struct arena *a, struct render_memory *memory, struct write *w, const struct query *query,
		  struct body *body, struct db_conn *conn, struct http_response *rs, struct render_override *override,
		  struct render_result *result_out, struct error *err) MUST_CHECK;

struct call;

/*
 * Runs a call in the transaction that is open: a read-only one, whose rows are streamed; or one that writes, and is left
 * open with the answer complete.
 */
bool render_call(struct arena *a, struct render_memory *memory, const struct call *call, const struct query *query,
		 struct db_conn *conn, struct http_response *rs, struct render_override *override,
		 struct render_result *result_out, struct error *err) MUST_CHECK;

/*
 * What code of the database says of the answer in @`response.status` and @`response.headers`: read once it has run,
 * before it is committed; put over the answer just before it is sent.
 */
struct render_override {
	bool wanted; /* some code sets these variables */
	int status;  /* 0: as it is */
	struct http_header *headers;
	size_t n;
};

/* Fails with ERR_RESPONSE_HEADERS (PGRST111) or ERR_RESPONSE_STATUS (PGRST112). Does nothing when it is not wanted. */
bool render_read_override(struct arena *a, struct db_conn *conn, struct render_override *override,
			  struct error *err) MUST_CHECK;
void render_apply_override(const struct render_override *override, struct http_response *rs);

/* After a SIGNAL: the whole error, when @`response.error` has it, for MESSAGE_TEXT has 128 characters and no details. */
void render_raised(struct arena *a, struct db_conn *conn, const struct render_override *override, struct error *err);

/* Both, for an answer that is complete. */
bool render_said(struct arena *a, struct db_conn *conn, struct render_override *override, struct http_response *rs,
		 struct error *err) MUST_CHECK;

/* A refusal as an answer, in place of anything not sent yet. */
void render_error(const struct config *config, const struct error *err, struct http_response *rs);

/* One cell as JSON text, behind nothing: for tests and for what is no row. */
void render_json_value(struct strbuf *b, const struct plan_item *item, const struct value *cells);
/* One cell as CSV text, quoted where needed; NULL is nothing. */
void render_csv_value(struct strbuf *b, const struct plan_item *item, const struct value *cells);
/* text as a CSV field (RFC 4180). */
void csv_field(struct strbuf *b, struct slice text);

#endif
