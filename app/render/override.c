/* Status and headers that code of the database gives an answer, as PostgREST's response.status and response.headers. */
#include "render.h"

#include <json-c/json.h>

#include "call.h"
#include "json.h"

#define MAX_HEADERS 64

static bool bad_headers(struct error *err)
{
	return error_set(
		err, ERR_RESPONSE_HEADERS,
		"response.headers guc must be a JSON array composed of objects with a single key and a string value");
}

/* RFC 9110, section 5.6.2 */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool letter = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');

		if (!letter && (c <= ' ' || c > '~' || strchr("\"(),/:;<=>?@[\\]{}", c)))
			return false;
	}
	return s.len > 0;
}

static bool is_value(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 127)
			return false;
	return true;
}

/* What frames an answer is not the database's to say. */
static bool is_ours(struct slice name)
{
	static const char *const names[] = { "status", "content-length", "transfer-encoding", "connection", "trailer" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_ieq(name, slice_of(names[i])))
			return true;
	return false;
}

static bool take_header(struct arena *a, struct json_object *o, struct http_header *out)
{
	struct json_object_iterator it, end;
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) || json_object_object_length(o) != 1)
		return false;
	it = json_object_iter_begin(o);
	end = json_object_iter_end(o);
	if (json_object_iter_equal(&it, &end))
		return false;
	v = json_object_iter_peek_value(&it);
	if (!json_object_is_type(v, json_type_string))
		return false;
	out->name = slice_copy(a, slice_of(json_object_iter_peek_name(&it)));
	out->value = slice_copy(a, (struct slice){ json_object_get_string(v), (size_t)json_object_get_string_len(v) });
	return is_token(out->name) && !is_ours(out->name) && is_value(out->value);
}

static bool take_headers(struct arena *a, struct slice text, struct render_override *out, struct error *err)
{
	struct json_fault fault;
	struct json_object *list = NULL;
	bool ok;
	size_t n;

	if (json_check(a, text, 4, &fault) && json_kind(text) == '[')
		list = json_tokener_parse(slice_cstr(a, text));
	n = list ? json_object_array_length(list) : 0;
	ok = list && n <= MAX_HEADERS;
	out->headers = arena_array(a, struct http_header, ok ? n : 0);
	for (size_t i = 0; ok && i < n; i++)
		ok = take_header(a, json_object_array_get_idx(list, i), &out->headers[i]);
	out->n = ok ? n : 0;
	json_object_put(list);
	return ok || bad_headers(err);
}

static bool take_status(struct slice text, struct render_override *out, struct error *err)
{
	uint64_t status;

	if (!parse_u64(slice_trim(text), &status) || status < 200 || status > 599)
		return error_set(err, ERR_RESPONSE_STATUS, "response.status guc must be a valid status code");
	out->status = (int)status;
	return true;
}

bool render_read_override(struct arena *a, struct db_conn *conn, struct render_override *o, struct error *err)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;
	bool ok = true;

	if (!o->wanted)
		return true;
	sql_response_variables(&statement);
	if (!db_query(a, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW) {
		o->status = 0;
		o->n = 0;
		ok = (cells[0].kind == VALUE_NULL || !cells[0].s.len || take_status(cells[0].s, o, err)) &&
		     (cells[1].kind == VALUE_NULL || !cells[1].s.len || take_headers(a, cells[1].s, o, err)) && ok;
	}
	return ok && step == DB_END;
}

void render_apply_override(const struct render_override *o, struct http_response *rs)
{
	for (size_t i = 0; i < o->n; i++)
		http_drop_header(rs, o->headers[i].name);
	for (size_t i = 0; i < o->n; i++)
		http_set_header(rs, slice_cstr(rs->headers.arena, o->headers[i].name), "%.*s",
				(int)o->headers[i].value.len, o->headers[i].value.ptr);
	if (!o->status)
		return;
	rs->status = o->status;
	if (o->status == 204 || o->status == 205 || o->status == 304)
		rs->body.len = 0;
}

void render_raised(struct arena *a, struct db_conn *conn, const struct render_override *o, struct error *err)
{
	struct slice text = { NULL, 0 };
	struct db_statement statement;
	const struct value *cells;
	struct error ignored;
	struct db_rows *rows;

	if (!o->wanted || err->code != ERR_RAISED)
		return;
	error_init(&ignored, a);
	sql_response_error(&statement);
	if (!db_query(a, conn, &statement, &rows, &ignored))
		return;
	while (db_next(rows, &cells, &ignored) == DB_ROW)
		if (cells[0].kind == VALUE_TEXT)
			text = slice_copy(a, cells[0].s);
	if (text.len)
		(void)db_raised(err, slice_cstr(a, text));
}

bool render_said(struct arena *a, struct db_conn *conn, struct render_override *o, struct http_response *rs,
		 struct error *err)
{
	if (!render_read_override(a, conn, o, err))
		return false;
	render_apply_override(o, rs);
	return true;
}
