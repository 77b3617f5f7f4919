/*
 * The flow of a write: one transaction, in which rows are taken from the body, checked and written, or those that filters
 * name are changed, and then read back as they are shown. Nothing is sent before it is committed.
 */
#include "writing.h"

static bool check_affected(struct writing *x)
{
	const struct query_prefer *p = &x->query->prefer;

	if (x->w->kind == WRITE_INSERT || !p->has_max_affected || p->handling != HANDLING_STRICT ||
	    x->affected <= p->max_affected)
		return true;
	error_set(x->err, ERR_MAX_AFFECTED, "Query result exceeds max-affected preference constraint");
	return error_details(x->err, "The query affects %llu rows", (unsigned long long)x->affected);
}

/* One object was asked for: the write is for one row, shown or not. */
static bool check_single(struct writing *x)
{
	if (!x->query->nmedia || x->query->media[0].media != MEDIA_OBJECT || x->affected == 1)
		return true;
	error_set(x->err, ERR_SINGULAR, "Cannot coerce the result to a single JSON object");
	return error_details(x->err, "The result contains %llu rows", (unsigned long long)x->affected);
}

static bool check_rows(struct writing *x)
{
	return check_single(x) && check_affected(x);
}

/* A value as a filter takes it. */
static void add_literal(struct strbuf *b, const struct column *c, const struct value *v)
{
	if (c->type.class == TYPE_BYTES) {
		strbuf_lit(b, "\\x");
		for (size_t i = 0; i < v->s.len; i++)
			strbuf_addf(b, "%02x", (unsigned char)v->s.ptr[i]);
	} else if (c->type.class == TYPE_BIT && v->kind == VALUE_UINT) {
		for (unsigned bit = c->type.size; bit-- > 0;)
			strbuf_addc(b, v->u >> bit & 1 ? '1' : '0');
	} else {
		value_add(b, v);
	}
}

/* Where the one new row is found: /table?key=eq.value */
static void location(struct writing *x, struct http_response *rs)
{
	struct strbuf b, name, value;

	if (x->w->ret != RETURN_HEADERS_ONLY || x->w->kind != WRITE_INSERT || x->w->put || x->keys.n != 1 ||
	    x->keys.key != x->w->table->primary)
		return;
	strbuf_init(&b, x->a, 128);
	strbuf_addc(&b, '/');
	http_url_encode(&b, x->w->table->name);
	for (size_t i = 0; i < x->keys.key->n; i++) {
		const struct column *c = x->keys.key->columns[i];

		strbuf_init(&name, x->a, 32);
		query_add_name(&name, c->name);
		strbuf_init(&value, x->a, 32);
		add_literal(&value, c, &x->keys.values[i]);
		strbuf_addc(&b, i ? '&' : '?');
		http_url_encode(&b, strbuf_slice(&name));
		strbuf_lit(&b, "=eq.");
		http_url_encode(&b, strbuf_slice(&value));
	}
	http_set_header(rs, "Location", "%s", strbuf_cstr(&b));
}

/* An update says which rows there were, 0-1/2; inserts and deletes only how many. */
static void content_range(struct writing *x, struct http_response *rs)
{
	char total[24] = "*";
	struct strbuf b;

	strbuf_init(&b, x->a, 24);
	strbuf_add_u64(&b, x->affected);
	if (x->query->prefer.count == COUNT_EXACT)
		memcpy(total, strbuf_cstr(&b), b.len + 1);
	if (x->w->kind == WRITE_UPDATE && x->affected)
		http_set_header(rs, "Content-Range", "0-%llu/%s", (unsigned long long)x->affected - 1, total);
	else
		http_set_header(rs, "Content-Range", "*/%s", total);
}

static bool run(struct writing *x, struct render_memory *memory, struct http_response *rs, struct render_result *result)
{
	bool show = x->w->ret == RETURN_REPRESENTATION, nothing = false;

	switch (x->w->kind) {
	case WRITE_INSERT:
		if (!insert_all(x))
			return false;
		if (show && !x->keys.n)
			x->keys.key = usable_key(x->w->table);
		show_keys(x);
		break;
	case WRITE_UPDATE:
		if (!update_rows(x, &nothing))
			return false;
		if (nothing)
			show_keys(x);
		break;
	case WRITE_DELETE:
		if (!find_rows(x))
			return false;
		if (show && !render_rows(x->a, memory, x->w->plan, x->query, x->conn, rs, result, x->err))
			return false;
		return delete_rows(x) && check_rows(x);
	}
	return check_rows(x) && (!show || render_rows(x->a, memory, x->w->plan, x->query, x->conn, rs, result, x->err));
}

static bool run_in_zone(struct writing *x, struct render_memory *memory, struct http_response *rs,
			struct render_result *result)
{
	const struct plan *plan = x->w->plan;
	bool ok;

	if (!plan->timezone.len)
		return run(x, memory, rs, result);
	if (!zone_enter(x->a, x->conn, plan, x->err))
		return false;
	ok = run(x, memory, rs, result);
	zone_leave(x->a, x->conn);
	return ok;
}

static int status(const struct writing *x)
{
	const struct write *w = x->w;

	if (w->kind != WRITE_INSERT || (w->put && !(x->inserted && w->ret == RETURN_REPRESENTATION)))
		return w->ret == RETURN_REPRESENTATION ? 200 : 204;
	return w->resolution == RESOLUTION_MERGE && !x->inserted ? 200 : 201;
}

bool render_write(struct arena *a, struct render_memory *memory, struct write *w, const struct query *query,
		  struct body *body, struct db_conn *conn, struct http_response *rs, struct render_override *override,
		  struct render_result *result_out, struct error *err)
{
	struct writing x = { .a = a, .w = w, .query = query, .body = body, .conn = conn, .err = err };
	bool ok;

	*result_out = (struct render_result){ 0 };
	x.faults = arena_new(a, struct write_faults);
	x.faults->a = a;
	w->date_format = body ? body_date_format(body) : SLICE("");
	ok = db_begin(conn, err) && run_in_zone(&x, memory, rs, result_out);
	if (!ok) {
		write_explain(w, err);
		return false;
	}
	rs->status = status(&x);
	result_out->rows = x.affected;
	content_range(&x, rs);
	location(&x, rs);
	return render_said(a, conn, override, rs, err);
}
