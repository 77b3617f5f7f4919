/*
 * Prepared statements and their rows: the only file that prepares, and so the only road into MySQL. Statements are kept
 * per connection by their text, the least recently used goes. Rows are read unbuffered, one at a time, into
 * buffers that belong to the statement, in the server's binary form.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "internal.h"

#define FIRST_BUFFER 128
/* Buffers of a statement that large values have made larger than this in sum are given back at the end of the rows. */
#define KEEP_BUFFERS 65536
/* Columns and parameters of all kept statements of a connection: each costs some hundred bytes here and at the server. */
#define KEEP_WEIGHT 8192
#define CURSOR_PREFETCH 1000UL

struct db_rows {
	struct db_conn *conn;
	struct stmt *stmt;
	bool done;
	bool begun;    /* of a CALL: its first set was looked at */
	int64_t since; /* microseconds */
	uint64_t n;    /* rows so far */
};

static uint64_t hash_text(struct slice text)
{
	uint64_t h = 14695981039346656037u;
	size_t i = 0;

	for (; i + 8 <= text.len; i += 8) {
		uint64_t word;

		memcpy(&word, text.ptr + i, 8);
		h = (h ^ word) * 0x9E3779B97F4A7C15u;
		h ^= h >> 29;
	}
	for (; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * 1099511628211u;
	return h;
}

static void unlink_stmt(struct db_conn *conn, struct stmt *s)
{
	*(s->newer ? &s->newer->older : &conn->newest) = s->older;
	*(s->older ? &s->older->newer : &conn->oldest) = s->newer;
	s->newer = s->older = NULL;
	conn->nstmts--;
	conn->stmts_weight -= s->ncolumns + s->nparams;
}

static void link_newest(struct db_conn *conn, struct stmt *s)
{
	s->older = conn->newest;
	*(conn->newest ? &conn->newest->newer : &conn->oldest) = s;
	conn->newest = s;
	conn->nstmts++;
	conn->stmts_weight += s->ncolumns + s->nparams;
}

static void free_columns(struct stmt *s)
{
	for (size_t i = 0; i < s->ncolumns; i++)
		if (s->fetch[i] == FETCH_TEXT)
			free(s->columns[i].buffer);
	free(s->columns);
	free(s->fetch);
	free(s->buffers);
	free(s->lengths);
	free(s->nulls);
	free(s->cells);
}

static void free_stmt(struct stmt *s)
{
	if (s->handle)
		mysql_stmt_close(s->handle);
	free_columns(s);
	free(s->params);
	free(s->param_times);
	free(s);
}

void db_stmts_free(struct db_conn *conn)
{
	if (conn->call)
		free_stmt(conn->call);
	conn->call = NULL;
	for (struct stmt *s = conn->newest, *older; s; s = older) {
		older = s->older;
		free_stmt(s);
	}
	conn->newest = conn->oldest = NULL;
	conn->nstmts = conn->stmts_weight = 0;
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

static const struct {
	enum enum_field_types type;
	unsigned long size;
} fetch_types[] = {
	[FETCH_INT] = { MYSQL_TYPE_LONGLONG, 8 },
	[FETCH_UINT] = { MYSQL_TYPE_LONGLONG, 8 },
	[FETCH_DOUBLE] = { MYSQL_TYPE_DOUBLE, 8 },
	[FETCH_FLOAT] = { MYSQL_TYPE_FLOAT, 4 },
	[FETCH_TEXT] = { MYSQL_TYPE_STRING, FIRST_BUFFER },
	[FETCH_DATE] = { MYSQL_TYPE_DATE, sizeof(MYSQL_TIME) },
	[FETCH_DATETIME] = { MYSQL_TYPE_DATETIME, sizeof(MYSQL_TIME) },
	[FETCH_TIME] = { MYSQL_TYPE_TIME, sizeof(MYSQL_TIME) },
	[FETCH_BIT] = { MYSQL_TYPE_STRING, 8 },
};

static void set_column(struct stmt *s, size_t i, enum db_fetch fetch)
{
	MYSQL_BIND *b = &s->columns[i];

	s->fetch[i] = fetch;
	b->buffer_type = fetch_types[fetch].type;
	b->buffer_length = fetch_types[fetch].size;
	b->buffer = fetch == FETCH_TEXT ? zeroed(1, FIRST_BUFFER) : &s->buffers[i];
	b->length = &s->lengths[i];
	b->is_null = &s->nulls[i];
	b->is_unsigned = fetch == FETCH_UINT;
}

static void make_columns(struct stmt *s, size_t n)
{
	s->ncolumns = n;
	s->columns = zeroed(n, sizeof(*s->columns));
	s->fetch = zeroed(n, sizeof(*s->fetch));
	s->buffers = zeroed(n, sizeof(*s->buffers));
	s->lengths = zeroed(n, sizeof(*s->lengths));
	s->nulls = zeroed(n, sizeof(*s->nulls));
	s->cells = zeroed(n, sizeof(*s->cells));
}

static struct stmt *new_stmt(const struct db_statement *st, uint64_t hash)
{
	struct stmt *s = zeroed(1, sizeof(*s) + st->text.len + 1);
	char *text = (char *)(s + 1);

	memcpy(text, st->text.ptr, st->text.len);
	s->text = (struct slice){ text, st->text.len };
	s->hash = hash;
	s->cursor = st->cursor;
	s->nparams = st->nparams;
	s->params = zeroed(st->nparams, sizeof(*s->params));
	s->param_times = zeroed(st->nparams, sizeof(*s->param_times));
	make_columns(s, st->ncolumns);
	for (size_t i = 0; i < st->ncolumns; i++)
		set_column(s, i, st->columns[i]);
	return s;
}

static bool prepare(struct db_conn *conn, struct stmt *s, struct error *err)
{
	unsigned long cursor = CURSOR_TYPE_READ_ONLY, prefetch = CURSOR_PREFETCH;

	s->handle = mysql_stmt_init(conn->mysql);
	if (!s->handle)
		abort();
	if (s->cursor) {
		mysql_stmt_attr_set(s->handle, STMT_ATTR_CURSOR_TYPE, &cursor);
		mysql_stmt_attr_set(s->handle, STMT_ATTR_PREFETCH_ROWS, &prefetch);
	}
	if (mysql_stmt_prepare(s->handle, s->text.ptr, s->text.len))
		return db_stmt_failed(conn, s->handle, err);
	if (mysql_stmt_param_count(s->handle) != s->nparams)
		return error_set(err, ERR_DB_SYNTAX, "the generated statement has other parameters than planned");
	s->rebind = true;
	return true;
}

/* Makes room for a statement of that weight. */
static void evict(struct db_conn *conn, size_t weight)
{
	struct stmt *s = conn->oldest;

	while (s &&
	       (conn->nstmts >= conn->db->config->db_statement_cache || conn->stmts_weight + weight > KEEP_WEIGHT)) {
		struct stmt *newer = s->newer;

		if (!s->busy) {
			unlink_stmt(conn, s);
			free_stmt(s);
		}
		s = newer;
	}
}

static bool same_columns(const struct stmt *s, const struct db_statement *st)
{
	return s->ncolumns == st->ncolumns &&
	       (!s->ncolumns || memcmp(s->fetch, st->columns, s->ncolumns * sizeof(*s->fetch)) == 0);
}

static struct stmt *find(struct db_conn *conn, const struct db_statement *st, uint64_t hash)
{
	for (struct stmt *s = conn->newest; s; s = s->older)
		if (s->hash == hash && !s->busy && s->cursor == st->cursor && slice_eq(s->text, st->text) &&
		    same_columns(s, st))
			return s;
	return NULL;
}

/* st as it is, or with the comment before it in the connection's buffer. */
static const struct db_statement *commented(struct db_conn *conn, const struct db_statement *st,
					    struct db_statement *copy)
{
	if (!conn->comment.len)
		return st;
	conn->comment.len = conn->comment_len;
	strbuf_add_slice(&conn->comment, st->text);
	*copy = *st;
	copy->text = strbuf_slice(&conn->comment);
	return copy;
}

void db_comment(struct db_conn *conn, struct slice comment)
{
	conn->comment.len = 0;
	strbuf_add_slice(&conn->comment, comment);
	conn->comment_len = comment.len;
}

void db_stmts_forget_commented(struct db_conn *conn)
{
	if (!conn->comment.len)
		return;
	conn->comment.len = conn->comment_len = 0;
	for (struct stmt *s = conn->newest, *older; s; s = older) {
		older = s->older;
		if (!s->commented)
			continue;
		unlink_stmt(conn, s);
		free_stmt(s);
	}
}

static void show(const struct db_conn *conn, struct stmt *s)
{
	s->shown = slice_from(s->text, conn->comment.len ? conn->comment_len : 0);
	s->shape = statement_shape(s->shown);
}

static struct stmt *prepared(struct db_conn *conn, const struct db_statement *wanted, struct error *err)
{
	struct db_statement copy;
	const struct db_statement *st = commented(conn, wanted, &copy);
	uint64_t hash = hash_text(st->text);
	struct stmt *s = find(conn, st, hash);

	if (s) {
		if (s != conn->newest) {
			unlink_stmt(conn, s);
			link_newest(conn, s);
		}
		return s;
	}
	evict(conn, st->ncolumns + st->nparams);
	s = new_stmt(st, hash);
	s->commented = conn->comment.len != 0;
	show(conn, s);
	if (!prepare(conn, s, err)) {
		free_stmt(s);
		return NULL;
	}
	link_newest(conn, s);
	return s;
}

/* What it took, for those that requests asked for. */
static void note(const struct db_conn *conn, const struct stmt *s, int64_t since, uint64_t rows, bool failed)
{
	struct db *db = conn->db;

	if (db->statements && *conn->role)
		statement_note(db->statements, db->place, s->shape, s->shown, (uint64_t)(now_us() - since), rows,
			       failed);
}

static void *unconst(const void *p)
{
	union {
		const void *from;
		void *to;
	} u = { p };

	return u.to;
}

static void bind_time(MYSQL_BIND *b, MYSQL_TIME *t, const struct datetime *d, enum enum_field_types type)
{
	*t = (MYSQL_TIME){ .year = d->year,
			   .month = d->month,
			   .day = d->day,
			   .hour = d->hour,
			   .minute = d->minute,
			   .second = d->second,
			   .second_part = d->micro };
	/* The protocol has a byte for hours and keeps whole days apart. */
	if (type == MYSQL_TYPE_TIME) {
		t->day = d->hour / 24;
		t->hour = d->hour % 24;
	}
	t->neg = d->negative;
	t->time_type = type == MYSQL_TYPE_DATE   ? MYSQL_TIMESTAMP_DATE
		       : type == MYSQL_TYPE_TIME ? MYSQL_TIMESTAMP_TIME
						 : MYSQL_TIMESTAMP_DATETIME;
	b->buffer_type = type;
	b->buffer = t;
	b->buffer_length = sizeof(*t);
}

static void bind_bytes(MYSQL_BIND *b, const struct slice *s, enum enum_field_types type)
{
	b->buffer_type = type;
	b->buffer = unconst(s->len ? s->ptr : "");
	b->buffer_length = s->len;
	b->length_value = s->len;
	b->length = &b->length_value;
}

static void bind_param(struct stmt *s, size_t i, const struct value *v)
{
	MYSQL_BIND *b = &s->params[i];

	memset(b, 0, sizeof(*b));
	switch (v->kind) {
	case VALUE_NULL:
		b->buffer_type = MYSQL_TYPE_NULL;
		break;
	case VALUE_UINT:
	case VALUE_INT:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = unconst(&v->i);
		b->is_unsigned = v->kind == VALUE_UINT;
		break;
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		b->buffer_type = MYSQL_TYPE_DOUBLE;
		b->buffer = unconst(&v->d);
		break;
	case VALUE_DECIMAL:
		bind_bytes(b, &v->s, MYSQL_TYPE_NEWDECIMAL);
		break;
	case VALUE_TEXT:
		bind_bytes(b, &v->s, MYSQL_TYPE_STRING);
		break;
	case VALUE_BYTES:
		bind_bytes(b, &v->s, MYSQL_TYPE_BLOB);
		break;
	case VALUE_DATE:
		bind_time(b, &s->param_times[i], &v->t, MYSQL_TYPE_DATE);
		break;
	case VALUE_DATETIME:
		bind_time(b, &s->param_times[i], &v->t, MYSQL_TYPE_DATETIME);
		break;
	case VALUE_TIME:
		bind_time(b, &s->param_times[i], &v->t, MYSQL_TYPE_TIME);
		break;
	}
}

static bool run(struct db_conn *conn, struct stmt *s, const struct value *params, struct error *err)
{
	for (size_t i = 0; i < s->nparams; i++)
		bind_param(s, i, &params[i]);
	if (s->nparams && mysql_stmt_bind_param(s->handle, s->params))
		return db_stmt_failed(conn, s->handle, err);
	return mysql_stmt_execute(s->handle) == 0 || db_stmt_failed(conn, s->handle, err);
}

static bool execute(struct db_conn *conn, struct stmt *s, const struct value *params, struct error *err)
{
	if (!run(conn, s, params, err))
		return false;
	/* Known for sure only now: MySQL prepares EXPLAIN with the columns of what is explained. */
	if (mysql_stmt_field_count(s->handle) != s->ncolumns) {
		conn->broken = true;
		return error_set(err, ERR_DB_SYNTAX, "the generated statement has other columns than planned");
	}
	if (s->ncolumns && s->rebind && mysql_stmt_bind_result(s->handle, s->columns))
		return db_stmt_failed(conn, s->handle, err);
	s->rebind = false;
	return true;
}

static void discard(struct db_conn *conn, struct stmt *s)
{
	if (s == conn->call)
		conn->call = NULL;
	else
		unlink_stmt(conn, s);
	free_stmt(s);
}

bool db_query(struct arena *a, struct db_conn *conn, const struct db_statement *statement, struct db_rows **rows_out,
	      struct error *err)
{
	int64_t since = now_us();
	struct stmt *s = prepared(conn, statement, err);
	struct db_rows *rows;

	if (!s)
		return false;
	if (!execute(conn, s, statement->params, err)) {
		note(conn, s, since, 0, true);
		discard(conn, s);
		return false;
	}
	s->busy = s->ncolumns > 0;
	rows = arena_new(a, struct db_rows);
	*rows = (struct db_rows){ .conn = conn, .stmt = s, .done = !s->busy, .since = since };
	if (rows->done)
		note(conn, s, since, 0, false);
	*rows_out = rows;
	return true;
}

bool db_execute(struct db_conn *conn, const struct db_statement *statement, uint64_t *met_out, uint64_t *made_out,
		struct error *err)
{
	int64_t since = now_us();
	struct stmt *s = prepared(conn, statement, err);

	if (!s)
		return false;
	if (!execute(conn, s, statement->params, err)) {
		note(conn, s, since, 0, true);
		discard(conn, s);
		return false;
	}
	*met_out = mysql_stmt_affected_rows(s->handle);
	note(conn, s, since, *met_out == UINT64_MAX ? 0 : *met_out, false);
	*made_out = mysql_stmt_insert_id(s->handle);
	return true;
}

/* The buffer of column i was too short for this row's value. */
static bool fetch_long(struct stmt *s, size_t i)
{
	MYSQL_BIND *b = &s->columns[i];
	unsigned long size = FIRST_BUFFER;

	while (size < s->lengths[i])
		size *= 2;
	free(b->buffer);
	b->buffer = zeroed(1, size);
	b->buffer_length = size;
	s->rebind = true;
	return mysql_stmt_fetch_column(s->handle, b, (unsigned)i, 0) == 0;
}

static void read_time(struct value *v, const MYSQL_TIME *t, enum value_kind kind)
{
	v->kind = kind;
	v->t = (struct datetime){ .year = t->year,
				  .month = t->month,
				  .day = t->day,
				  .hour = t->hour,
				  .minute = t->minute,
				  .second = t->second,
				  .micro = (unsigned)t->second_part,
				  .negative = t->neg };
	if (kind == VALUE_TIME) {
		v->t.hour += t->day * 24;
		v->t.year = v->t.month = v->t.day = 0;
	}
}

static bool read_cell(struct stmt *s, size_t i)
{
	struct value *v = &s->cells[i];

	if (s->nulls[i]) {
		v->kind = VALUE_NULL;
		return true;
	}
	switch (s->fetch[i]) {
	case FETCH_INT:
		v->kind = VALUE_INT;
		v->i = s->buffers[i].i;
		break;
	case FETCH_UINT:
		v->kind = VALUE_UINT;
		v->i = s->buffers[i].i;
		break;
	case FETCH_DOUBLE:
		v->kind = VALUE_DOUBLE;
		v->d = s->buffers[i].d;
		break;
	case FETCH_FLOAT:
		v->kind = VALUE_FLOAT;
		v->d = (double)s->buffers[i].f;
		break;
	case FETCH_TEXT:
		if (s->lengths[i] > s->columns[i].buffer_length && !fetch_long(s, i))
			return false;
		v->kind = VALUE_TEXT;
		v->s = (struct slice){ s->columns[i].buffer, s->lengths[i] };
		break;
	case FETCH_DATE:
		read_time(v, &s->buffers[i].t, VALUE_DATE);
		break;
	case FETCH_DATETIME:
		read_time(v, &s->buffers[i].t, VALUE_DATETIME);
		break;
	case FETCH_TIME:
		read_time(v, &s->buffers[i].t, VALUE_TIME);
		break;
	case FETCH_BIT:
		v->kind = VALUE_INT;
		v->i = s->lengths[i] ? ((const unsigned char *)&s->buffers[i])[s->lengths[i] - 1] & 1 : 0;
		break;
	}
	return true;
}

static void shrink(struct stmt *s)
{
	size_t sum = 0;

	for (size_t i = 0; i < s->ncolumns; i++)
		if (s->fetch[i] == FETCH_TEXT)
			sum += s->columns[i].buffer_length - FIRST_BUFFER;
	for (size_t i = 0; i < s->ncolumns && sum > KEEP_BUFFERS; i++)
		if (s->fetch[i] == FETCH_TEXT && s->columns[i].buffer_length > FIRST_BUFFER) {
			free(s->columns[i].buffer);
			s->columns[i].buffer = zeroed(1, FIRST_BUFFER);
			s->columns[i].buffer_length = FIRST_BUFFER;
			s->rebind = true;
		}
}

static enum db_step fetch_failed(struct db_rows *rows, struct error *err)
{
	rows->done = true;
	/* The number may be 0 although the result was cut short (facts.md): still a failure. */
	(void)db_stmt_failed(rows->conn, rows->stmt->handle, err);
	rows->conn->broken = true;
	note(rows->conn, rows->stmt, rows->since, rows->n, true);
	discard(rows->conn, rows->stmt);
	return DB_FAILED;
}

enum db_step db_next(struct db_rows *rows, const struct value **cells_out, struct error *err)
{
	struct stmt *s = rows->stmt;
	int rc;

	if (rows->done)
		return DB_END;
	if (s->rebind) {
		if (mysql_stmt_bind_result(s->handle, s->columns))
			return fetch_failed(rows, err);
		s->rebind = false;
	}
	rc = mysql_stmt_fetch(s->handle);
	if (rc == MYSQL_NO_DATA) {
		rows->done = true;
		if (s != rows->conn->call) { /* whose next set would go with it */
			mysql_stmt_free_result(s->handle);
			note(rows->conn, s, rows->since, rows->n, false);
		}
		s->busy = false;
		shrink(s);
		return DB_END;
	}
	if (rc != 0 && rc != MYSQL_DATA_TRUNCATED)
		return fetch_failed(rows, err);
	for (size_t i = 0; i < s->ncolumns; i++)
		if (!read_cell(s, i))
			return fetch_failed(rows, err);
	*cells_out = s->cells;
	rows->n++;
	return DB_ROW;
}

void db_rows_close(struct db_rows *rows)
{
	if (!rows || rows->done)
		return;
	rows->done = true;
	rows->stmt->busy = false;
	note(rows->conn, rows->stmt, rows->since, rows->n, false);
	if (rows->stmt->cursor) {
		mysql_stmt_free_result(rows->stmt->handle);
		return;
	}
	/* Reading a large rest only to drop it would take as long as sending it; nor may mysql_stmt_close do so. */
	shutdown(client_fd(rows->conn->mysql), SHUT_RDWR);
	rows->conn->broken = rows->conn->unfinished = true;
}

bool db_number(struct arena *a, struct db_conn *conn, struct slice text, int64_t *out, struct error *err)
{
	static const enum db_fetch fetch[] = { FETCH_INT };
	struct db_statement statement = { .text = text, .columns = fetch, .ncolumns = 1 };
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	*out = 0;
	if (!db_query(a, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		if (cells[0].kind == VALUE_INT)
			*out = cells[0].i;
	return step == DB_END;
}

/* --- CALL --- */

bool db_call_open(struct arena *a, struct db_conn *conn, const struct db_statement *statement,
		  struct db_rows **rows_out, struct error *err)
{
	struct db_statement copy;
	struct stmt *s = new_stmt(commented(conn, statement, &copy), 0);
	struct db_rows *rows = arena_new(a, struct db_rows);
	int64_t since = now_us();

	if (conn->call)
		free_stmt(conn->call);
	conn->call = s;
	show(conn, s);
	if (!prepare(conn, s, err) || !run(conn, s, statement->params, err)) {
		note(conn, s, since, 0, true);
		discard(conn, s);
		return false;
	}
	*rows = (struct db_rows){ .conn = conn, .stmt = s, .done = true, .since = since };
	*rows_out = rows;
	return true;
}

/* MariaDB's client library drops what more the server says of a column from a statement's own list of them. */
static const MYSQL_FIELD *on_connection(const struct db_conn *conn, size_t n, size_t i)
{
	return conn->mysql->fields && conn->mysql->field_count == n ? &conn->mysql->fields[i] : NULL;
}

static bool read_fields(struct arena *a, struct db_conn *conn, struct stmt *s, struct db_set *set)
{
	MYSQL_RES *result = mysql_stmt_result_metadata(s->handle);
	struct db_field *fields;
	size_t n;

	if (!result)
		return false;
	n = mysql_num_fields(result);
	fields = arena_array(a, struct db_field, n);
	free_columns(s);
	make_columns(s, n);
	for (size_t i = 0; i < n; i++) {
		const MYSQL_FIELD *f = mysql_fetch_field_direct(result, (unsigned)i);

		fields[i].name = slice_copy(a, (struct slice){ f->name, f->name_length });
		fields[i].type = db_field_type(f, on_connection(conn, n, i));
		set_column(s, i, db_field_fetch(&fields[i].type));
	}
	mysql_free_result(result);
	*set = (struct db_set){ .fields = fields, .n = n };
	return true;
}

/* The mark stands in the server's status; Oracle's client library has it only behind the rows. */
static void mark(const struct db_conn *conn, struct db_set *set)
{
#ifdef CLIENT_MARIADB
	set->parameters = (conn->mysql->server_status & SERVER_PS_OUT_PARAMS) != 0;
#else
	(void)conn;
	set->unmarked = true;
#endif
}

enum db_step db_next_set(struct arena *a, struct db_rows *rows, struct db_set *set_out, struct error *err)
{
	struct stmt *s = rows->stmt;

	for (;;) {
		int rc = rows->begun ? mysql_stmt_next_result(s->handle) : 0;

		rows->begun = true;
		if (rc < 0) {
			rows->conn->ended |= !db_conn_is_open(rows->conn);
			note(rows->conn, s, rows->since, rows->n, false);
			return DB_END;
		}
		if (rc > 0)
			return fetch_failed(rows, err);
		if (mysql_stmt_field_count(s->handle) == 0)
			continue; /* the end of the procedure itself */
		if (!read_fields(a, rows->conn, s, set_out))
			return fetch_failed(rows, err);
		mark(rows->conn, set_out);
		s->rebind = true;
		rows->done = false;
		return DB_ROW;
	}
}
