/*
 * The flow of a write: one transaction, in which rows are taken from the body, checked and written in batches, and then
 * read back as they are shown. Nothing is sent before it is committed. Neither server can give back rows it has changed,
 * so their keys are kept: those found and locked, those in the body, or those AUTO_INCREMENT made.
 */
#include "internal.h"

#include "write.h"

/* Rows of one INSERT, and what they may amount to. */
#define INSERT_ROWS 500
#define INSERT_PARAMS 4000
#define INSERT_BYTES ((size_t)1 << 20)
/* Where the order of the rows shown is that of the body: beyond, it is that of their keys. */
#define ORDERED_KEYS 1000

struct writing {
	struct arena *a;
	struct arena *batch; /* cells of the rows not written yet */
	struct write *w;
	const struct query *query;
	struct body *body;
	struct db_conn *conn;
	struct write_faults *faults;
	struct write_cell **rows; /* not written yet */
	size_t nrows;
	uint64_t affected;
	/* The keys of the rows, when they are asked for. */
	const struct key *key;
	bool keep_keys;
	size_t made_column; /* of the key: its values are made by AUTO_INCREMENT; SIZE_MAX: none */
	uint64_t step;      /* between two of them */
	struct value *keys;
	size_t nkeys, keys_cap;
	struct error *err;
};

/* --- keys --- */

static const struct key *usable_key(const struct table *t)
{
	if (t->primary)
		return t->primary;
	for (size_t i = 0; i < t->nunique; i++) {
		const struct key *k = &t->unique[i];
		size_t c = 0;

		while (c < k->n && !k->columns[c]->nullable)
			c++;
		if (c == k->n)
			return k;
	}
	return NULL;
}

static bool cannot_show(struct writing *x, const char *why)
{
	error_set(x->err, ERR_NOT_OFFERED, "The rows of this write cannot be shown");
	error_details(x->err, "%s", why);
	return error_hint(x->err, "Prefer: return=minimal writes without showing.");
}

static void push_key(struct writing *x, const struct value *values)
{
	size_t width = x->key->n;

	if (x->nkeys == x->keys_cap) {
		size_t cap = x->keys_cap ? x->keys_cap * 2 : 64;
		struct value *more = arena_array(x->a, struct value, cap * width);

		if (x->nkeys)
			memcpy(more, x->keys, x->nkeys * width * sizeof(*more));
		x->keys = more;
		x->keys_cap = cap;
	}
	for (size_t i = 0; i < width; i++) {
		struct value v = values[i];

		if (v.kind == VALUE_TEXT || v.kind == VALUE_BYTES || v.kind == VALUE_DECIMAL)
			v.s = slice_copy(x->a, v.s);
		x->keys[x->nkeys * width + i] = v;
	}
	x->nkeys++;
}

static size_t column_place(const struct write *w, const struct column *c)
{
	size_t i = 0;

	while (i < w->ncolumns && w->columns[i] != c)
		i++;
	return i;
}

/* Whether the keys of new rows will be known: in the body, or made by AUTO_INCREMENT. */
static bool find_made_column(struct writing *x)
{
	x->made_column = SIZE_MAX;
	for (size_t i = 0; i < x->key->n; i++) {
		const struct column *c = x->key->columns[i];

		if (column_place(x->w, c) < x->w->ncolumns)
			continue;
		if (!c->auto_increment)
			return false;
		x->made_column = i;
	}
	return true;
}

static void keep_inserted(struct writing *x, uint64_t first)
{
	struct value *values = arena_array(x->batch, struct value, x->key->n);

	for (size_t r = 0; r < x->nrows; r++) {
		for (size_t i = 0; i < x->key->n; i++)
			values[i] = i == x->made_column ? (struct value){ .kind = VALUE_UINT, .u = first + r * x->step }
							: x->rows[r][column_place(x->w, x->key->columns[i])].value;
		push_key(x, values);
	}
}

/* The plan's rows are those of the keys from now on. */
static void show_keys(struct writing *x)
{
	struct plan_node *root = x->w->plan->root;
	struct plan_cond *all = arena_new(x->a, struct plan_cond), *keys = arena_new(x->a, struct plan_cond);

	*keys = (struct plan_cond){ .kind = x->nkeys ? COND_KEYS : COND_FALSE,
				    .left = { .node = root },
				    .key = x->key,
				    .values = x->keys,
				    .nvalues = x->nkeys };
	all->kind = COND_AND;
	all->nkids = 1;
	all->kids = arena_array(x->a, struct plan_cond *, 1);
	all->kids[0] = keys;
	root->where = all;
	root->in_order_of = x->nkeys && x->nkeys <= ORDERED_KEYS ? keys : NULL;
}

/* --- INSERT --- */

static bool read_step(struct writing *x)
{
	static const enum db_fetch fetch[] = { FETCH_UINT };
	struct db_statement st = { .text = SLICE("SELECT @@auto_increment_increment"),
				   .columns = fetch,
				   .ncolumns = 1 };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	if (!db_query(x->a, x->conn, &st, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW)
		x->step = cells[0].u;
	return step == DB_END;
}

static bool prepare_keys(struct writing *x)
{
	if (x->w->ret == RETURN_MINIMAL)
		return true;
	x->key = usable_key(x->w->table);
	x->keep_keys = x->key && find_made_column(x);
	if (x->keep_keys)
		return x->made_column == SIZE_MAX || read_step(x);
	return x->w->ret != RETURN_REPRESENTATION ||
	       cannot_show(x, x->key ? "Their key is made by a default of the table." : "The table has no unique key.");
}

static bool insert_rows(struct writing *x)
{
	struct db_statement statement;
	uint64_t met, made;

	if (!x->nrows)
		return true;
	/* Bodies may be long: the time limit is that of streams. */
	db_streaming(x->conn);
	sql_insert(x->batch, x->w, x->rows, x->nrows, &statement);
	if (!db_execute(x->conn, &statement, &met, &made, x->err))
		return false;
	x->affected += met;
	if (x->keep_keys)
		keep_inserted(x, made);
	x->nrows = 0;
	arena_reset(x->batch);
	x->rows = arena_array(x->batch, struct write_cell *, INSERT_ROWS);
	return true;
}

static bool batch_is_full(const struct writing *x)
{
	return x->nrows == INSERT_ROWS || x->nrows * x->w->ncolumns >= INSERT_PARAMS ||
	       arena_used(x->batch) >= INSERT_BYTES;
}

/* After the first fault rows are only checked: nothing will be kept. */
static bool take_row(struct writing *x, const struct body_row *row)
{
	bool first = !x->w->fixed || row->number == 1;
	struct write_cell *cells;

	if (!write_row(x->batch, x->w, row, &cells, x->faults, x->err))
		return x->err->code == ERR_NONE;
	if (x->faults->rows) {
		arena_reset(x->batch);
		x->nrows = 0;
		x->rows = arena_array(x->batch, struct write_cell *, INSERT_ROWS);
		return true;
	}
	if (first && !prepare_keys(x))
		return false;
	x->rows[x->nrows++] = cells;
	return !batch_is_full(x) || insert_rows(x);
}

static const struct column *first_writable(const struct table *t)
{
	size_t i = 0;

	while (i + 1 < t->ncolumns && t->columns[i].generated)
		i++;
	return &t->columns[i];
}

/* Whether the role may write these columns is found without a row. {} names none: any will do. */
static void write_nothing(struct writing *x, struct db_statement *statement)
{
	struct write probe = *x->w;
	const struct column *any = first_writable(x->w->table);

	if (!probe.ncolumns) {
		probe.columns = &any;
		probe.ncolumns = 1;
	}
	if (x->w->kind == WRITE_INSERT) {
		sql_insert_nothing(x->a, &probe, statement);
		return;
	}
	show_keys(x); /* there are none: no row */
	sql_update(x->a, &probe, arena_array(x->a, struct write_cell, probe.ncolumns), statement);
}

/* What is wrong with rows is told only to those who may write them. */
static bool refuse(struct writing *x)
{
	struct db_statement statement;
	uint64_t met, made;

	write_nothing(x, &statement);
	if (!db_execute(x->conn, &statement, &met, &made, x->err) && x->err->code == ERR_DENIED)
		return false;
	return write_refuse(x->faults, x->err);
}

static bool insert(struct writing *x)
{
	struct body_row row;
	enum body_step step;

	x->rows = arena_array(x->batch, struct write_cell *, INSERT_ROWS);
	while ((step = body_next(x->body, &row, x->err)) == BODY_ROW)
		if (!take_row(x, &row))
			return false;
	if (step == BODY_FAILED)
		return false;
	if (x->faults->rows)
		return refuse(x);
	return insert_rows(x);
}

/* --- UPDATE and DELETE --- */

static bool lock_keys(struct writing *x)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	x->key = usable_key(x->w->table);
	if (!x->key)
		return cannot_show(x, "The table has no unique key.");
	sql_lock_keys(x->a, x->w, x->key, &statement);
	if (!db_query(x->a, x->conn, &statement, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW) {
		push_key(x, cells);
		if (arena_used(x->a) > HELD_MAX) {
			db_rows_close(rows);
			return error_set(x->err, ERR_PACKET, "the write meets too many rows to show them all");
		}
	}
	x->keep_keys = true;
	return step == DB_END;
}

/* A statement may not read the table it changes (1093): then the rows are found before. */
static bool reads_own_table(const struct plan_node *node, const struct table *t)
{
	for (size_t i = 0; i < node->nkids; i++)
		if (node->kids[i]->table == t || reads_own_table(node->kids[i], t))
			return true;
	return false;
}

static bool find_rows(struct writing *x)
{
	if (x->w->ret != RETURN_REPRESENTATION && !reads_own_table(x->w->plan->root, x->w->table))
		return true;
	if (!lock_keys(x))
		return false;
	show_keys(x);
	return true;
}

/* Rows whose key was changed are shown by the new one. */
static void follow_keys(struct writing *x, const struct write_cell *cells)
{
	for (size_t i = 0; x->keep_keys && i < x->key->n; i++) {
		size_t at = column_place(x->w, x->key->columns[i]);

		for (size_t k = 0; at < x->w->ncolumns && k < x->nkeys; k++)
			x->keys[k * x->key->n + i] = cells[at].value;
	}
	if (x->keep_keys)
		show_keys(x);
}

static bool execute(struct writing *x, const struct db_statement *statement)
{
	uint64_t made;

	return db_execute(x->conn, statement, &x->affected, &made, x->err);
}

/* The first row of an array counts, as in PostgREST; a row without keys changes nothing. */
static bool update(struct writing *x, bool *nothing)
{
	struct db_statement statement;
	struct write_cell *cells;
	struct body_row row;
	enum body_step step = body_next(x->body, &row, x->err);

	if (step == BODY_FAILED)
		return false;
	*nothing = step == BODY_END || (!row.n && !x->w->by_parameter);
	if (*nothing)
		return true;
	if (!write_row(x->batch, x->w, &row, &cells, x->faults, x->err))
		return x->err->code == ERR_NONE && refuse(x);
	if (!find_rows(x))
		return false;
	if (x->keep_keys && !x->nkeys)
		return true;
	sql_update(x->a, x->w, cells, &statement);
	if (!execute(x, &statement))
		return false;
	follow_keys(x, cells);
	return true;
}

static bool delete_rows(struct writing *x)
{
	struct db_statement statement;

	if (x->keep_keys && !x->nkeys)
		return true;
	sql_delete(x->a, x->w, &statement);
	return execute(x, &statement);
}

/* --- the answer --- */

static bool check_affected(struct writing *x)
{
	const struct query_prefer *p = &x->query->prefer;

	if (!p->has_max_affected || p->handling != HANDLING_STRICT || x->affected <= p->max_affected)
		return true;
	error_set(x->err, ERR_MAX_AFFECTED, "Query result exceeds max-affected preference constraint");
	return error_details(x->err, "The query affects %llu rows", (unsigned long long)x->affected);
}

static void value_text_of(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_INT:
		strbuf_add_i64(b, v->i);
		break;
	case VALUE_UINT:
		strbuf_add_u64(b, v->u);
		break;
	case VALUE_DATE:
		value_add_date(b, &v->t);
		break;
	case VALUE_DATETIME:
		value_add_datetime(b, &v->t);
		break;
	case VALUE_TIME:
		value_add_time(b, &v->t);
		break;
	case VALUE_DOUBLE:
	case VALUE_FLOAT:
		value_add_double(b, v->d);
		break;
	default:
		strbuf_add_slice(b, v->s);
	}
}

/* Where the one new row is found: /table?key=eq.value */
static void location(struct writing *x, struct http_response *rs)
{
	struct strbuf b, value;

	if (x->w->ret != RETURN_HEADERS_ONLY || x->nkeys != 1 || x->key != x->w->table->primary)
		return;
	strbuf_init(&b, x->a, 128);
	strbuf_addc(&b, '/');
	http_url_encode(&b, x->w->table->name);
	for (size_t i = 0; i < x->key->n; i++) {
		strbuf_init(&value, x->a, 32);
		value_text_of(&value, &x->keys[i]);
		strbuf_addc(&b, i ? '&' : '?');
		http_url_encode(&b, x->key->columns[i]->name);
		strbuf_lit(&b, "=eq.");
		http_url_encode(&b, strbuf_slice(&value));
	}
	http_set_header(rs, "Location", "%s", strbuf_cstr(&b));
}

static void content_range(struct writing *x, struct http_response *rs)
{
	if (x->query->prefer.count == COUNT_EXACT)
		http_set_header(rs, "Content-Range", "*/%llu", (unsigned long long)x->affected);
	else if (x->w->ret != RETURN_MINIMAL || x->w->kind == WRITE_INSERT)
		http_set_header(rs, "Content-Range", "*/*");
}

static bool run(struct writing *x, struct render_memory *memory, struct http_response *rs, struct render_result *result)
{
	bool show = x->w->ret == RETURN_REPRESENTATION, nothing = false;

	switch (x->w->kind) {
	case WRITE_INSERT:
		if (!insert(x))
			return false;
		if (show && !x->nkeys)
			x->key = usable_key(x->w->table);
		show_keys(x);
		break;
	case WRITE_UPDATE:
		if (!update(x, &nothing))
			return false;
		if (nothing)
			show_keys(x);
		break;
	case WRITE_DELETE:
		if (!find_rows(x))
			return false;
		if (show && !render_rows(x->a, memory, x->w->plan, x->query, x->conn, rs, result, x->err))
			return false;
		return delete_rows(x) && check_affected(x);
	}
	return check_affected(x) &&
	       (!show || render_rows(x->a, memory, x->w->plan, x->query, x->conn, rs, result, x->err));
}

static bool keep(struct writing *x, struct http_response *rs)
{
	if (x->query->prefer.tx == TX_DO_ROLLBACK && x->w->may_roll_back)
		return true;
	if (db_commit(x->conn, x->err))
		return true;
	http_discard(rs);
	return false;
}

bool render_write(struct arena *a, struct render_memory *memory, struct write *w, const struct query *query,
		  struct body *body, struct db_conn *conn, struct http_response *rs, struct render_result *result_out,
		  struct error *err)
{
	struct writing x = { .a = a, .w = w, .query = query, .body = body, .conn = conn, .err = err };
	bool ok;

	*result_out = (struct render_result){ 0 };
	x.batch = arena_open();
	x.faults = arena_new(a, struct write_faults);
	x.faults->a = a;
	w->date_format = body ? body_date_format(body) : SLICE("");
	ok = db_begin(conn, err) && run(&x, memory, rs, result_out) && keep(&x, rs);
	arena_close(x.batch);
	if (!ok) {
		write_explain(w, err);
		return false;
	}
	if (w->kind == WRITE_INSERT)
		rs->status = 201;
	else
		rs->status = w->ret == RETURN_REPRESENTATION ? 200 : 204;
	result_out->rows = x.affected;
	content_range(&x, rs);
	location(&x, rs);
	return true;
}
