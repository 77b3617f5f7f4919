/*
 * The answer of a call: a function's value; a procedure's rows, streamed as they come when they are asked for as they
 * are, else gathered and given back to the server to be filtered and ordered there (app/sql/call.c); its OUT parameters;
 * several of these; or nothing. What writes is committed first, so all of its answer is held back.
 */
#include "internal.h"

#include "call.h"
#include "json.h"

/* Rows gathered to be filtered: they go out in one packet, and servers take 16 MiB without being told otherwise. */
#define GATHERED_MAX ((size_t)8 << 20)

struct calling {
	struct arena *a;
	struct render_memory *memory;
	const struct call *call;
	const struct query *query;
	struct query rows_query; /* the same with the media types rows can have */
	struct db_conn *conn;
	struct http_response *rs;
	struct render_result *result;
	bool hold;
	struct error *err;
};

static bool unknown_column(struct calling *x, struct slice name)
{
	const struct routine *r = x->call->routine;

	return error_set(x->err, ERR_UNKNOWN_COLUMN, "column %.*s.%.*s does not exist", (int)r->name.len, r->name.ptr,
			 (int)name.len, name.ptr);
}

static bool media_refused(struct calling *x)
{
	struct strbuf names;

	strbuf_init(&names, x->a, 64);
	for (size_t i = 0; i < x->query->nmedia; i++) {
		struct slice rest = slice_of(http_media_name(&x->query->media[i])), name;

		slice_split(&rest, ';', &name);
		strbuf_addf(&names, "%s%.*s", i ? ", " : "", (int)name.len, name.ptr);
	}
	return error_set(x->err, ERR_MEDIA, "None of these media types are available: %s", strbuf_cstr(&names));
}

/* --- a function's value --- */

static bool is_scalar_media(enum media m)
{
	return m == MEDIA_JSON || m == MEDIA_OBJECT || m == MEDIA_NDJSON || m == MEDIA_CSV || m == MEDIA_TEXT ||
	       m == MEDIA_OCTETS;
}

/* A value has no columns to speak of. */
static bool check_scalar(struct calling *x)
{
	const struct query_node *root = &x->query->root;
	const struct query_prefer *p = &x->query->prefer;

	for (size_t i = 0; i < root->nitems; i++) {
		if (root->items[i].kind == ITEM_EMBED) {
			error_set(x->err, ERR_NO_RELATION, "A function's value has nothing to embed");
			return error_hint(x->err, "Only procedures give rows.");
		}
		if (root->items[i].kind == ITEM_COLUMN)
			return unknown_column(x, root->items[i].field.name);
	}
	if (root->nwhere || root->norder) {
		error_set(x->err, ERR_UNKNOWN_COLUMN, "The value of a function has no columns to filter or order by");
		return error_hint(x->err, "Only procedures give rows.");
	}
	if (p->has_max_affected && p->handling == HANDLING_STRICT)
		return error_set(x->err, ERR_SCALAR_AFFECTED,
				 "Function must return SETOF or TABLE when max-affected preference is used with "
				 "handling=strict");
	return true;
}

static const struct media_choice *scalar_media(struct calling *x)
{
	for (size_t i = 0; i < x->query->nmedia; i++)
		if (is_scalar_media(x->query->media[i].media))
			return &x->query->media[i];
	media_refused(x);
	return NULL;
}

static struct plan_item value_item(const struct calling *x)
{
	struct plan_item item = { .expr = { .type = x->call->routine->returns }, .offset_place = 0 };

	/* MariaDB's JSON may be any text. */
	item.expr.text_json = item.expr.type.class == TYPE_JSON;
	if (item.expr.type.class == TYPE_TIMESTAMP && x->query->prefer.timezone.len)
		item.offset_place = 1;
	return item;
}

static void write_value(struct calling *x, const struct media_choice *media, const struct value *cells)
{
	const struct plan_item item = value_item(x);
	struct strbuf *out = &x->rs->body;

	switch (media->media) {
	case MEDIA_CSV:
		csv_field(out, x->call->routine->name);
		strbuf_addc(out, '\n');
		render_csv_value(out, &item, cells);
		break;
	case MEDIA_TEXT:
	case MEDIA_OCTETS:
		if (cells[0].kind == VALUE_TEXT && item.expr.type.class != TYPE_BIT)
			strbuf_add_slice(out, cells[0].s);
		else
			render_csv_value(out, &item, cells);
		break;
	default:
		render_json_value(out, &item, cells);
		if (media->media == MEDIA_NDJSON)
			strbuf_addc(out, '\n');
	}
}

static void one_of_one(struct calling *x)
{
	bool counted = x->query->prefer.count != COUNT_NONE;

	x->result->rows = 1;
	x->result->has_total = counted;
	x->result->total = 1;
	http_set_header(x->rs, "Content-Range", counted ? "0-0/1" : "0-0/*");
}

static bool call_function(struct calling *x)
{
	const struct media_choice *media;
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	if (!check_scalar(x))
		return false;
	media = scalar_media(x);
	if (!media)
		return false;
	sql_call_routine(x->a, x->call, x->query->prefer.timezone.len > 0, &statement);
	if (!db_query(x->a, x->conn, &statement, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW)
		write_value(x, media, cells);
	if (step != DB_END)
		return false;
	http_set_header(x->rs, "Content-Type", "%s", http_media_name(media));
	one_of_one(x);
	return true;
}

/* --- a procedure's sets of rows --- */

static bool is_bytes_on_the_wire(enum type_class c)
{
	return c == TYPE_TEXT || c == TYPE_BYTES || c == TYPE_JSON || c == TYPE_ENUM || c == TYPE_SET;
}

static bool is_same_on_the_wire(enum type_class a, enum type_class b)
{
	return (is_bytes_on_the_wire(a) && is_bytes_on_the_wire(b)) || (a == TYPE_BOOL && b == TYPE_INT);
}

/* OUT parameters come under the names and, where the server tells less, the types they were declared with. */
static void declared(const struct routine *r, struct column *columns, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < r->nparameters && at < n; i++) {
		const struct column *p = &r->parameters[i].column;
		struct column *c = &columns[at];

		if (r->parameters[i].mode == PARAMETER_IN)
			continue;
		c->name = p->name;
		if (is_same_on_the_wire(p->type.class, c->type.class))
			c->type.class = p->type.class;
		at++;
	}
}

/* Has the set a column for each OUT and INOUT parameter, of its name? */
static bool named_as_parameters(const struct routine *r, const struct db_set *set)
{
	size_t at = 0;

	for (size_t i = 0; i < r->nparameters; i++) {
		if (r->parameters[i].mode == PARAMETER_IN)
			continue;
		if (at == set->n || !slice_ieq(set->fields[at].name, r->parameters[i].column.name))
			return false;
		at++;
	}
	return at && at == set->n;
}

static struct column *columns_of(struct calling *x, const struct db_set *set)
{
	struct column *columns = arena_array(x->a, struct column, set->n);

	for (size_t i = 0; i < set->n; i++)
		columns[i] = (struct column){ .name = set->fields[i].name,
					      .quoted = slice_of(arena_printf(x->a, "c%zu", i)),
					      .type = set->fields[i].type,
					      .nullable = true };
	if (set->parameters)
		declared(x->call->routine, columns, set->n);
	return columns;
}

static void set_places(struct plan *plan)
{
	struct plan_node *root = plan->root;

	for (size_t i = 0; i < root->nitems; i++)
		root->items[i].place = (size_t)(root->items[i].expr.column - plan->table->columns);
}

static void gather_bytes(struct strbuf *b, struct slice s)
{
	strbuf_addc(b, '"');
	for (size_t i = 0; i < s.len; i++)
		strbuf_addf(b, "%02x", (unsigned char)s.ptr[i]);
	strbuf_addc(b, '"');
}

static void gather_cell(struct strbuf *b, const struct type *type, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		strbuf_lit(b, "null");
		break;
	case VALUE_INT:
		strbuf_add_i64(b, v->i);
		break;
	case VALUE_UINT:
		strbuf_add_u64(b, v->u);
		break;
	case VALUE_DOUBLE:
		value_add_double(b, v->d);
		break;
	case VALUE_FLOAT:
		value_add_float(b, (float)v->d);
		break;
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
		strbuf_addc(b, '"');
		if (v->kind == VALUE_DATE)
			value_add_date(b, &v->t);
		else if (v->kind == VALUE_TIME)
			value_add_time(b, &v->t);
		else
			value_add_datetime(b, &v->t);
		strbuf_addc(b, '"');
		break;
	default:
		if (type->class == TYPE_BYTES)
			gather_bytes(b, v->s);
		else
			json_string(b, v->s);
	}
}

static bool too_many(struct calling *x)
{
	error_set(x->err, ERR_PACKET, "the procedure's rows need more than %zu MiB to be filtered, ordered or cast",
		  GATHERED_MAX >> 20);
	return error_hint(x->err, "Let the procedure give fewer rows, by an argument of its own.");
}

/* Rows as [[1,"a"],[2,"b"]] */
static bool gather(struct calling *x, const struct table *t, struct db_rows *rows, struct strbuf *b)
{
	const struct value *cells;
	enum db_step step;

	strbuf_addc(b, '[');
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW) {
		strbuf_adds(b, b->len > 1 ? ",[" : "[");
		for (size_t i = 0; i < t->ncolumns; i++) {
			strbuf_adds(b, i ? "," : "");
			gather_cell(b, &t->columns[i].type, &cells[i]);
		}
		strbuf_addc(b, ']');
		if (b->len > GATHERED_MAX) {
			db_rows_close(rows);
			return too_many(x);
		}
	}
	strbuf_addc(b, ']');
	return step == DB_END;
}

/* Further sets of the same call; false when there was a failure. */
static bool no_more(struct calling *x, struct db_rows *rows, bool *more, struct db_set *set)
{
	enum db_step step = db_next_set(x->a, rows, set, x->err);

	*more = step == DB_ROW;
	if (*more && set->unmarked)
		set->parameters = named_as_parameters(x->call->routine, set);
	return step != DB_FAILED;
}

static bool only_one(struct calling *x)
{
	error_set(x->err, ERR_NOT_OFFERED, "The procedure gives several results");
	error_details(x->err,
		      "They are an array of arrays, of which nothing can be selected, filtered, counted or left "
		      "out, and which can only be JSON.");
	return false;
}

static bool asks_for_one(const struct calling *x)
{
	const struct query_node *root = &x->query->root;

	return x->query->select_given || root->nwhere || root->norder || root->has_limit || root->offset ||
	       x->query->prefer.count != COUNT_NONE;
}

/* Filtered by the server: all of the procedure must have run by then, for its connection is in use until it has. */
static bool filtered(struct calling *x, struct plan *plan, struct db_rows *rows)
{
	struct strbuf gathered;
	struct db_set set;
	bool more = false, ok;

	strbuf_open(&gathered, 65536);
	ok = gather(x, plan->table, rows, &gathered) && no_more(x, rows, &more, &set);
	if (more) {
		db_rows_close(rows);
		ok = only_one(x);
	}
	plan->source = strbuf_slice(&gathered);
	plan->count = plan->count ? COUNT_EXACT : COUNT_NONE;
	plan->held = x->hold;
	ok = ok && render_read(x->a, x->memory, plan, &x->rows_query, x->conn, x->rs, x->result, x->err);
	strbuf_close(&gathered);
	return ok;
}

/* A set behind the first, all of it: [...] or {...} */
static bool append_set(struct calling *x, struct db_rows *rows, const struct db_set *set)
{
	struct column *columns = columns_of(x, set);
	const struct style style = { .media = MEDIA_JSON };
	struct query all = { .root = { .items = (struct query_item[]){ { .kind = ITEM_STAR } }, .nitems = 1 } };
	struct strbuf *out = &x->rs->body;
	const struct value *cells;
	struct plan *plan;
	enum db_step step;
	uint64_t n = 0;

	if (!call_page(x->a, x->call, &all, columns, set->n, &plan, x->err))
		return false;
	set_places(plan);
	strbuf_adds(out, set->parameters ? "," : ",[");
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW) {
		if (plan->root->has_limit && n >= plan->root->limit)
			continue;
		strbuf_adds(out, n++ ? "," : "");
		rows_write(&style, plan->root, cells, out);
		x->result->rows++;
		if (out->len > HELD_MAX) {
			db_rows_close(rows);
			return error_set(x->err, ERR_PACKET, "the answer needs more than %zu MiB of memory at once",
					 HELD_MAX >> 20);
		}
	}
	strbuf_adds(out, set->parameters ? "" : "]");
	return step == DB_END;
}

/* What was written as the only result becomes the first of several. */
static bool several(struct calling *x, struct db_rows *rows, struct db_set *set)
{
	struct strbuf *out = &x->rs->body;
	bool more = true;

	if (x->rs->sent) {
		error_set(x->err, ERR_PACKET, "a first result of several is too large");
		db_rows_close(rows);
		return false;
	}
	if (asks_for_one(x) || !out->len || out->ptr[0] != '[') {
		db_rows_close(rows);
		return only_one(x);
	}
	strbuf_addc(out, ' ');
	memmove(out->ptr + 1, out->ptr, out->len - 1);
	out->ptr[0] = '[';
	while (more)
		if (!append_set(x, rows, set) || !no_more(x, rows, &more, set))
			return false;
	strbuf_addc(out, ']');
	x->rs->before_send = NULL;
	http_drop_header(x->rs, SLICE("Content-Range"));
	x->rs->status = 200;
	return true;
}

static bool has_bits(const struct column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (columns[i].type.class == TYPE_BIT)
			return true;
	return false;
}

static bool one_set(struct calling *x, struct db_rows *rows, struct db_set *set)
{
	struct column *columns = columns_of(x, set);
	bool more = false, bits = has_bits(columns, set->n);
	struct plan *plan;

	if (!call_page(x->a, x->call, x->query, columns, set->n, &plan, x->err)) {
		db_rows_close(rows);
		return false;
	}
	plan->held = x->hold;
	if (!call_is_plain(plan)) {
		if (!bits)
			return filtered(x, plan, rows);
		db_rows_close(rows);
		error_set(x->err, ERR_NOT_OFFERED, "Feature not implemented");
		return error_details(x->err, "Rows with a BIT column cannot be filtered, ordered or cast.");
	}
	set_places(plan);
	if (!render_given(x->a, plan, &x->rows_query, x->conn, x->rs, rows, set->parameters, x->result, x->err) ||
	    !no_more(x, rows, &more, set))
		return false;
	return !more || several(x, rows, set);
}

static bool call_procedure(struct calling *x)
{
	struct db_statement statement;
	struct db_rows *rows;
	struct db_set set;
	bool any = false;

	sql_call_routine(x->a, x->call, x->query->prefer.timezone.len > 0, &statement);
	if (!db_call_open(x->a, x->conn, &statement, &rows, x->err) || !no_more(x, rows, &any, &set))
		return false;
	if (any)
		return one_set(x, rows, &set);
	x->rs->status = 204;
	return true;
}

/* --- the whole --- */

static bool check_affected(struct calling *x)
{
	const struct query_prefer *p = &x->query->prefer;

	if (!p->has_max_affected || p->handling != HANDLING_STRICT || x->result->rows <= p->max_affected)
		return true;
	error_set(x->err, ERR_MAX_AFFECTED, "Query result exceeds max-affected preference constraint");
	return error_details(x->err, "The query affects %llu rows", (unsigned long long)x->result->rows);
}

/* What is not sent yet can still be changed. */
static bool finish(struct calling *x, struct render_override *override)
{
	struct http_response *rs = x->rs;

	if (rs->sent)
		return true;
	if (rs->before_send)
		rs->before_send(rs, rs->context);
	rs->before_send = NULL;
	return render_said(x->a, x->conn, override, rs, x->err);
}

/* A plan is shown of statements, of which a routine may have any number. */
static void offer_media(struct calling *x)
{
	struct media_choice *list = arena_array(x->a, struct media_choice, x->query->nmedia);
	size_t n = 0;

	for (size_t i = 0; i < x->query->nmedia; i++)
		if (x->query->media[i].media != MEDIA_PLAN)
			list[n++] = x->query->media[i];
	x->rows_query = *x->query;
	x->rows_query.media = list;
	x->rows_query.nmedia = n;
}

bool render_call(struct arena *a, struct render_memory *memory, const struct call *call, const struct query *query,
		 struct db_conn *conn, struct http_response *rs, struct render_override *override,
		 struct render_result *result_out, struct error *err)
{
	struct calling x = { .a = a,
			     .memory = memory,
			     .call = call,
			     .query = query,
			     .conn = conn,
			     .rs = rs,
			     .result = result_out,
			     .err = err };
	const struct plan zoned = { .timezone = query->prefer.timezone,
				    .strict = query->prefer.handling == HANDLING_STRICT };

	*result_out = (struct render_result){ 0 };
	x.hold = call->writes || query->prefer.has_max_affected;
	offer_media(&x);
	if (!x.rows_query.nmedia)
		return media_refused(&x);
	rs->status = 200;
	if (zoned.timezone.len && !zone_enter(a, conn, &zoned, err))
		return false;
	if (!(call->routine->is_function ? call_function(&x) : call_procedure(&x)) || !check_affected(&x))
		return false;
	return finish(&x, override);
}
