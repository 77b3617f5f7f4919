/*
 * Three bytes that say how, then a body: the form, gzip or not, the size of the pieces it comes in; read as rows and, of the
 * employees of the unit tests' schema, as cells. What is judged:
 *
 *   - the pieces make no difference: the same rows, the same refusal;
 *   - nor does packing;
 *   - names and texts are UTF-8 without NUL, JSON cells pass the strict check, rows count from one;
 *   - cells are as many as the columns, and of values the columns' types can have;
 *   - a refusal is a 4xx, and UTF-8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "../unit/query_dump.h"
#include "../unit/schema_fixture.h"

#include "json.h"
#include "write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ROWS 200

/* How a transcript ends, besides with the last row's line. */
#define REFUSED '!'
#define MORE '+' /* rows, not read */

static const char *const types[] = { "application/json",
				     "application/x-ndjson",
				     "text/csv",
				     "text/csv; delimiter=\";\"; null=\"-\"; date-format=\"%d.%m.%Y\"",
				     "application/x-www-form-urlencoded",
				     "application/octet-stream" };
#define TYPES (sizeof(types) / sizeof(*types))
#define OCTETS (TYPES - 1)

static struct arena *arena, *rows_arena;
static struct config config;
static struct schema *schema;

struct sent {
	struct slice left;
	size_t piece;
};

static int64_t read_sent(void *context, char *to, size_t size)
{
	struct sent *s = context;
	size_t n = s->piece < size ? s->piece : size;

	n = n < s->left.len ? n : s->left.len;
	memcpy(to, s->left.ptr, n);
	s->left = slice_from(s->left, n);
	return (int64_t)n;
}

static void require(bool holds, const char *what, struct slice text)
{
	if (holds)
		return;
	fprintf(stderr, "%s: %.*s\n", what, (int)text.len, text.ptr);
	abort();
}

static bool is_text(struct slice s)
{
	return utf8_valid(s) && (!s.len || !memchr(s.ptr, '\0', s.len));
}

static void judge_row(const struct body_row *row, uint64_t number, bool octets)
{
	struct json_fault fault;

	require(row->number == number, "number", SLICE(""));
	for (size_t i = 0; i < row->n; i++) {
		const struct body_member *m = &row->members[i];

		require(is_text(m->name), "name", m->name);
		require(octets || m->kind == CELL_OCTETS || is_text(m->text), "text", m->text);
		if (m->kind == CELL_JSON || m->kind == CELL_NUMBER)
			require(json_check(rows_arena, m->text, 64, &fault), "json", m->text);
	}
}

static void judge_refusal(const struct error *err)
{
	struct strbuf b;

	strbuf_init(&b, rows_arena, 256);
	error_body(err, false, &b);
	require(err->status >= 400 && err->status < 500, "status", strbuf_slice(&b));
	require(utf8_valid(strbuf_slice(&b)), "refusal", strbuf_slice(&b));
}

/* What the write stage makes of it. */
static void judge_cells(struct write *w, const struct body_row *row, struct write_faults *faults, struct strbuf *out)
{
	struct write_cell *cells;
	struct error err;

	error_init(&err, rows_arena);
	if (!write_row(rows_arena, w, row, &cells, faults, &err)) {
		strbuf_addf(out, "refused %s", err.code == ERR_NONE ? "cells" : err.sqlstate);
		if (err.code != ERR_NONE)
			judge_refusal(&err);
		return;
	}
	for (size_t i = 0; i < w->ncolumns; i++) {
		const struct value *v = &cells[i].value;

		require(v->kind <= VALUE_TIME, "kind", w->columns[i]->name);
		if (v->kind == VALUE_TEXT || v->kind == VALUE_DECIMAL)
			require(utf8_valid(v->s), "cell", v->s);
		strbuf_addf(out, " %u", (unsigned)v->kind);
	}
}

static struct write *new_write(const struct http_request *rq)
{
	struct write *w;
	struct query query;
	struct error err;

	error_init(&err, rows_arena);
	if (!query_parse(rows_arena, &config, rq, &query, &err) ||
	    !write_plan(rows_arena, &config, schema, &query, &w, &err))
		return NULL;
	return w;
}

/* Rows and refusal as a text. */
static void transcribe(uint8_t how, struct sent sent, bool packed, struct strbuf *out)
{
	struct http_header headers[] = { { SLICE("content-type"), slice_of(types[how % TYPES]) },
					 { SLICE("content-encoding"), SLICE("gzip") } };
	struct http_request rq = { .method = HTTP_POST,
				   .method_text = SLICE("POST"),
				   .path = SLICE("/employee"),
				   .query = how & 0x80 ? SLICE("columns=name,pay,hired,data,photo") : SLICE(""),
				   .headers = headers,
				   .nheaders = packed ? 2 : 1 };
	struct body_limits limits = { 4096, 65536 };
	struct write_faults *faults = arena_new(rows_arena, struct write_faults);
	struct write *w;
	enum body_step step = BODY_FAILED;
	struct body_row row;
	struct body *body;
	struct error err;

	if (how % TYPES == OCTETS)
		rq.query = SLICE("columns=photo");
	error_init(&err, rows_arena);
	w = new_write(&rq);
	require(w != NULL, "plan", rq.query);
	faults->a = rows_arena;
	body = body_open(&rq, read_sent, &sent, limits, &err);
	if (body)
		w->date_format = body_date_format(body);
	for (uint64_t n = 1; body && n <= MAX_ROWS && (step = body_next(body, &row, &err)) == BODY_ROW; n++) {
		judge_row(&row, n, how % TYPES == OCTETS);
		for (size_t i = 0; i < row.n; i++) {
			json_string(out, row.members[i].name);
			strbuf_addf(out, "%d", (int)row.members[i].kind);
			strbuf_add_slice(out, row.members[i].text);
			strbuf_addc(out, ' ');
		}
		judge_cells(w, &row, faults, out);
		strbuf_addc(out, '\n');
	}
	if (step == BODY_ROW)
		strbuf_addc(out, MORE);
	if (step == BODY_FAILED) {
		judge_refusal(&err);
		strbuf_addf(out, "%d %s %s %s%c", err.status, err.sqlstate, err.message, err.details ? err.details : "",
			    REFUSED);
	}
	if (faults->rows) {
		error_init(&err, rows_arena);
		(void)write_refuse(faults, &err);
		judge_refusal(&err);
	}
	body_close(body);
}

static struct slice pack(struct slice text)
{
	uLong bound = compressBound(text.len) + 64;
	char *to = arena_alloc(arena, bound);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text.ptr,
		       .avail_in = (uInt)text.len,
		       .next_out = (Bytef *)to,
		       .avail_out = (uInt)bound };

	if (deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return (struct slice){ to, z.total_out };
}

static struct slice transcript(uint8_t how, struct slice text, size_t piece, bool packed)
{
	struct strbuf out;

	strbuf_init(&out, arena, 1024);
	transcribe(how, (struct sent){ text, piece }, packed, &out);
	arena_reset(rows_arena);
	return strbuf_slice(&out);
}

static bool ends(struct slice transcript_, char how)
{
	return transcript_.len && transcript_.ptr[transcript_.len - 1] == how;
}

/* Rows before a damage in the packing may be read or not: it is refused in the end, unless nobody reads so far. */
static bool same_damage(struct slice a, struct slice b)
{
	return (ends(a, REFUSED) && (ends(b, REFUSED) || ends(b, MORE))) || (ends(a, MORE) && ends(b, REFUSED));
}

static void set_up(void)
{
	arena = arena_open();
	rows_arena = arena_open();
	config = fixture_config();
	schema = fixture_schema(&config.db_schemas, true, 101119);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text, whole, pieces;
	bool damaged;

	if (!arena)
		set_up();
	if (size < 3)
		return 0;
	text = (struct slice){ (const char *)data + 3, size - 3 };
	/* The body is packed already, well or not. */
	damaged = data[2] & 1;
	whole = transcript(data[0], text, SIZE_MAX, damaged);
	pieces = transcript(data[0], text, (size_t)data[1] + 1, damaged);
	require(slice_eq(whole, pieces) || (damaged && same_damage(whole, pieces)), "pieces", pieces);
	if (!damaged && data[2] & 2) {
		pieces = transcript(data[0], pack(text), (size_t)data[1] + 1, true);
		require(slice_eq(whole, pieces), "packed", pieces);
	}
	arena_reset(arena);
	return 0;
}
