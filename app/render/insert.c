/*
 * POST and PUT: rows are taken from the body, checked and written in batches. An upsert looks first which rows are there,
 * by the one key that was named, and locks them: ON DUPLICATE KEY would take any key that clashes, and INSERT IGNORE
 * swallows what is wrong with a row.
 */
#include "writing.h"

/* Rows of one INSERT, and what they may amount to. */
#define INSERT_ROWS 500
#define INSERT_PARAMS 2000
#define INSERT_BYTES ((size_t)1 << 19)
/* Rows of an upsert that are looked for at once: each is compared with each. */
#define UPSERT_ROWS 100
/* Keys of an upsert that are remembered, so that none is met twice. */
#define UPSERT_KEYS ((size_t)1 << 22)

/* How the keys of new rows are learnt. */
enum learn { LEARN_NOTHING, LEARN_FROM_ROWS, LEARN_RETURNED };

/* What became of a row of the batch. */
struct fate {
	bool known;               /* it was there before */
	bool hidden;              /* known: and the caller may not change it */
	const struct value *key;  /* as it is shown */
	const struct value *held; /* known: the value of the conflicting key in the table */
	uint64_t number;          /* of the row in the body, from 1 on */
};

struct inserting {
	struct writing *x;
	struct arena *batch; /* cells of the rows not written yet */
	struct write_cell **rows;
	size_t n;
	uint64_t last; /* of them: its number in the body */
	enum learn learn;
	const struct column *counter; /* of the key: AUTO_INCREMENT makes its values */
	int64_t step;                 /* between two of them */
	bool conflicts;               /* rows may be there already */
	bool shows;                   /* the rows, or their keys */
	bool checks;                  /* policies say what the rows must be */
	struct met met;
};

/* --- what is known before the first row is written --- */

static bool read_step(struct inserting *in)
{
	return db_number(in->x->a, in->x->conn, SLICE("SELECT @@auto_increment_increment"), &in->step, in->x->err);
}

/* On MySQL the keys of new rows must be in the body, be counted, or come of an expression that stands alone. */
static bool learn_from_rows(struct inserting *in)
{
	struct writing *x = in->x;

	for (size_t i = 0; i < x->keys.key->n; i++) {
		const struct column *c = x->keys.key->columns[i];
		bool set = column_place(x->w, c) < x->w->ncolumns;

		if (c->auto_increment)
			in->counter = c;
		else if (!set && !c->default_expression.len)
			return false;
		else if (!set && !write_add_made(x->w, c, x->err))
			return false;
	}
	in->learn = LEARN_FROM_ROWS;
	return true;
}

static bool prepare_keys(struct inserting *in)
{
	struct writing *x = in->x;
	const char *why;

	in->shows = x->w->ret == RETURN_REPRESENTATION || x->w->ret == RETURN_HEADERS_ONLY;
	in->checks = x->w->inserted || x->w->updated ||
		     (x->w->plan->root->policy && (in->shows || x->w->resolution == RESOLUTION_MERGE));
	if (!in->shows && !in->checks)
		return true;
	x->keys.key = usable_key(x->w->table);
	if (x->keys.key && db_is_mariadb(x->conn))
		in->learn = LEARN_RETURNED;
	else if (x->keys.key && !learn_from_rows(in) && x->err->code != ERR_NONE)
		return false;
	x->keep_keys = in->learn != LEARN_NOTHING;
	if (x->keep_keys)
		return in->learn == LEARN_RETURNED || !in->counter || read_step(in);
	why = x->keys.key ? "Their key is made by a default of the table." : "The table has no unique key.";
	if (in->checks)
		return cannot_check(x, why);
	return x->w->ret == RETURN_HEADERS_ONLY || cannot_show(x, why);
}

/* A key that the rows do not set cannot be there already. */
static bool may_conflict(const struct write *w)
{
	if (!w->conflict)
		return false;
	for (size_t i = 0; i < w->conflict->n; i++)
		if (column_place(w, w->conflict->columns[i]) >= w->ncolumns - w->nmade)
			return false;
	return true;
}

/* --- new rows --- */

static const struct value *own_key(struct inserting *in, const struct write_cell *cells, uint64_t made)
{
	const struct key *key = in->x->keys.key;
	struct value *values = arena_array(in->batch, struct value, key->n);

	for (size_t i = 0; i < key->n; i++) {
		size_t at = column_place(in->x->w, key->columns[i]);
		bool set = at < in->x->w->ncolumns && !cells[at].is_default;

		values[i] = set ? cells[at].value : (struct value){ .kind = VALUE_UINT, .u = made };
	}
	return values;
}

static const struct value *copied(struct arena *a, const struct value *cells, size_t n)
{
	struct value *values = arena_array(a, struct value, n);

	for (size_t i = 0; i < n; i++)
		values[i] = value_copy(a, &cells[i]);
	return values;
}

/* Where the database says which row it refuses, the body's number of it is told. Always false. */
static bool refused(struct inserting *in, struct fate *const *fates, size_t n)
{
	struct error *err = in->x->err;
	struct slice column;
	uint64_t row = write_error_row(err, &column);

	if (!row || row > n)
		return false;
	return error_details(err, column.len ? "Row %llu, column \"%.*s\": %s" : "Row %llu%.*s: %s",
			     (unsigned long long)fates[row - 1]->number, (int)column.len, column.ptr,
			     err->details ? err->details : err->message);
}

/* INSERT ... RETURNING of MariaDB */
static bool insert_returning(struct inserting *in, struct write_cell *const *rows, struct fate *const *fates, size_t n)
{
	struct writing *x = in->x;
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *result;
	enum db_step step;
	size_t r = 0;

	sql_insert(in->batch, x->w, rows, n, x->keys.key, &statement);
	if (!db_query(in->batch, x->conn, &statement, &result, x->err))
		return refused(in, fates, n);
	while ((step = db_next(result, &cells, x->err)) == DB_ROW && r < n)
		fates[r++]->key = copied(in->batch, cells, x->keys.key->n);
	x->inserted += r;
	return step == DB_END || refused(in, fates, n);
}

/* All of them leave the counter to count, or none does. */
static bool insert_alike(struct inserting *in, struct write_cell *const *rows, struct fate *const *fates, size_t n)
{
	struct writing *x = in->x;
	struct db_statement statement;
	uint64_t met, made;

	if (in->learn == LEARN_RETURNED)
		return insert_returning(in, rows, fates, n);
	sql_insert(in->batch, x->w, rows, n, NULL, &statement);
	if (!db_execute(x->conn, &statement, &met, &made, x->err))
		return refused(in, fates, n);
	x->inserted += met;
	for (size_t r = 0; in->learn == LEARN_FROM_ROWS && r < n; r++)
		fates[r]->key = own_key(in, rows[r], made + r * (uint64_t)in->step);
	return true;
}

/* Defaults of the key that are expressions, as uuid(): worked out before, for the row could not be found behind. */
static bool make_defaults(struct inserting *in, struct write_cell *const *rows, size_t n, size_t at)
{
	struct writing *x = in->x;
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *result;

	for (size_t r = 0; r < n; r++) {
		if (!rows[r][at].is_default)
			continue;
		sql_default(in->batch, x->w->columns[at], &statement);
		if (!db_query(in->batch, x->conn, &statement, &result, x->err))
			return false;
		while (db_next(result, &cells, x->err) == DB_ROW)
			rows[r][at] = (struct write_cell){ .value = *copied(in->batch, cells, 1) };
		if (x->err->code != ERR_NONE)
			return false;
	}
	return true;
}

static bool make_all_defaults(struct inserting *in, struct write_cell *const *rows, size_t n)
{
	const struct writing *x = in->x;

	for (size_t i = 0; in->learn == LEARN_FROM_ROWS && i < x->keys.key->n; i++) {
		const struct column *c = x->keys.key->columns[i];
		size_t at = column_place(x->w, c);

		if (c != in->counter && c->default_expression.len && at < x->w->ncolumns &&
		    !make_defaults(in, rows, n, at))
			return false;
	}
	return true;
}

/* Values given and values counted in one statement: only the rows one by one tell theirs. */
static bool is_mixed(const struct inserting *in)
{
	return in->learn == LEARN_FROM_ROWS && in->counter && in->x->w->default_missing &&
	       column_place(in->x->w, in->counter) < in->x->w->ncolumns;
}

static bool insert_new(struct inserting *in, struct write_cell *const *rows, struct fate *const *fates, size_t n)
{
	if (!n)
		return true;
	if (!make_all_defaults(in, rows, n))
		return false;
	if (!is_mixed(in))
		return insert_alike(in, rows, fates, n);
	for (size_t r = 0; r < n; r++)
		if (!insert_alike(in, rows + r, fates + r, 1))
			return false;
	return true;
}

/* --- rows that are there --- */

static bool find_known(struct inserting *in, struct write_cell *const *rows, struct fate *fates, size_t n)
{
	struct writing *x = in->x;
	size_t held = x->w->conflict->n, shown = x->keep_keys ? x->keys.key->n : 0;
	bool policed = x->w->resolution == RESOLUTION_MERGE && write_is_policed(x->w);
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *result;
	enum db_step step;

	sql_conflicts(in->batch, x->w, rows, n, x->keep_keys ? x->keys.key : NULL, &statement);
	if (!db_query(in->batch, x->conn, &statement, &result, x->err))
		return false;
	while ((step = db_next(result, &cells, x->err)) == DB_ROW) {
		struct fate *f = &fates[cells[0].u - 1];

		f->known = true;
		f->hidden = policed && !cells[1 + held + shown].i;
		f->held = copied(in->batch, cells + 1, held);
		f->key = copied(in->batch, cells + 1 + held, shown);
	}
	return step == DB_END;
}

/* The new values of the key, as the table has them behind the update. */
static void follow(struct inserting *in, const struct write_cell *cells, struct fate *f)
{
	const struct key *key = in->x->keys.key;
	struct value *values = arena_array(in->batch, struct value, key->n);

	for (size_t i = 0; i < key->n; i++) {
		size_t at = column_place(in->x->w, key->columns[i]);
		bool set = at < in->x->w->ncolumns && !cells[at].is_default;
		bool held = false;

		for (size_t c = 0; c < in->x->w->conflict->n; c++)
			held |= in->x->w->conflict->columns[c] == key->columns[i];
		values[i] = set && !held ? cells[at].value : f->key[i];
	}
	f->key = values;
}

static bool merge(struct inserting *in, const struct write_cell *cells, struct fate *f)
{
	struct writing *x = in->x;
	struct db_statement statement;
	uint64_t met;

	x->affected++;
	/* Nothing beyond the key: nothing to change. */
	if (x->w->ncolumns - x->w->nmade == x->w->conflict->n)
		return true;
	sql_merge(in->batch, x->w, cells, f->held, &statement);
	if (!run_statement(x, &statement, &met))
		return false;
	if (x->keep_keys)
		follow(in, cells, f);
	return true;
}

/* As PostgreSQL's ON CONFLICT: a row may be met once. */
static bool meet_once(struct inserting *in, const struct write_cell *cells, const struct fate *f)
{
	const struct write *w = in->x->w;
	struct value *values = arena_array(in->batch, struct value, w->conflict->n);

	for (size_t i = 0; i < w->conflict->n; i++) {
		values[i] = f->known ? f->held[i] : cells[column_place(w, w->conflict->columns[i])].value;
		if (values[i].kind == VALUE_NULL)
			return true;
	}
	if (in->met.n == UPSERT_KEYS)
		return error_set(in->x->err, ERR_PACKET, "an upsert may bring %zu rows", UPSERT_KEYS);
	return met_first(in->x->a, in->batch, &in->met, values, w->conflict->n) || write_met_twice(in->x->err);
}

/* --- batches --- */

static bool settle(struct inserting *in, struct write_cell *const *rows, struct fate *fates, size_t n)
{
	struct write_cell **fresh = arena_array(in->batch, struct write_cell *, n);
	struct fate **fresh_fates = arena_array(in->batch, struct fate *, n);
	bool merging = in->x->w->resolution == RESOLUTION_MERGE;
	size_t nfresh = 0;

	if (in->conflicts && !find_known(in, rows, fates, n))
		return false;
	for (size_t r = 0; r < n; r++) {
		if (fates[r].hidden)
			return write_violates_policy(in->x->w, in->x->err);
		if (in->conflicts && merging && !meet_once(in, rows[r], &fates[r]))
			return false;
		if (fates[r].known)
			continue;
		fresh[nfresh] = rows[r];
		fresh_fates[nfresh++] = &fates[r];
	}
	/* Whoever may insert nothing learns nothing by trying. */
	if (nfresh && in->x->w->inserted && !in->x->w->inserted->n)
		return write_violates_policy(in->x->w, in->x->err);
	if (!insert_new(in, fresh, fresh_fates, nfresh))
		return false;
	for (size_t r = 0; r < n; r++)
		if (merging && fates[r].known && !merge(in, rows[r], &fates[r]))
			return false;
	return true;
}

static void next_batch(struct inserting *in)
{
	arena_reset(in->batch);
	in->rows = arena_array(in->batch, struct write_cell *, INSERT_ROWS);
	in->n = 0;
}

/* Two rows of the batch may have one key, which the table did not have: one after the other they are told apart. */
static bool settle_singly(struct inserting *in, struct fate *fates)
{
	error_init(in->x->err, in->x->err->arena);
	for (size_t r = 0; r < in->n; r++) {
		fates[r] = (struct fate){ .number = fates[r].number };
		if (!settle(in, in->rows + r, fates + r, 1))
			return false;
	}
	return true;
}

/* --- row policies --- */

/* The new rows, or those that were there and have been changed. */
static bool check_some(struct inserting *in, const struct fate *fates, bool known)
{
	struct writing *x = in->x;
	size_t width = x->keys.key->n, n = 0;
	struct value *keys = arena_array(in->batch, struct value, in->n * width);

	for (size_t r = 0; r < in->n; r++)
		if (fates[r].key && fates[r].known == known)
			memcpy(keys + n++ * width, fates[r].key, width * sizeof(*keys));
	return check_policy(x, in->batch, known ? x->w->updated : x->w->inserted, known || in->shows, keys, n);
}

static bool check_batch(struct inserting *in, const struct fate *fates)
{
	if (!in->checks)
		return true;
	return check_some(in, fates, false) &&
	       (in->x->w->resolution != RESOLUTION_MERGE || check_some(in, fates, true));
}

/* The values of a unique key that the rows set themselves. */
static size_t clashing_keys(struct inserting *in, const struct key *key, struct value *values)
{
	const struct write *w = in->x->w;
	size_t n = 0;

	for (size_t r = 0; r < in->n; r++) {
		size_t i = 0;

		for (; i < key->n; i++) {
			size_t at = column_place(w, key->columns[i]);

			if (at == w->ncolumns || in->rows[r][at].is_default)
				break;
			values[n * key->n + i] = in->rows[r][at].value;
		}
		n += i == key->n;
	}
	return n;
}

static bool clashes_with_visible(struct inserting *in, const struct key *key, bool *clashes)
{
	struct writing *x = in->x;
	struct value *values = arena_array(in->batch, struct value, in->n * key->n);
	size_t n = clashing_keys(in, key, values);
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	if (!n)
		return true;
	sql_count_allowed(in->batch, x->w, NULL, true, key, values, n, &statement);
	if (!db_query(in->batch, x->conn, &statement, &rows, x->err))
		return false;
	while ((step = db_next(rows, &cells, x->err)) == DB_ROW)
		*clashes |= cells[0].i > 0;
	return step == DB_END;
}

/*
 * A row that the caller may not see must not show by what clashes with it: a clash with one that is seen is told, without
 * which row or key it is; any other is answered as the policy would answer. Always false.
 */
static bool hide_clash(struct inserting *in)
{
	const struct table *t = in->x->w->table;
	struct error *err = in->x->err;
	bool clashes = false;

	if (err->code != ERR_DUPLICATE || !(in->checks || in->x->w->plan->root->policy))
		return false;
	for (size_t i = 0; i < t->nunique && !clashes; i++)
		if (!clashes_with_visible(in, &t->unique[i], &clashes))
			return false;
	return clashes ? error_set(err, ERR_DUPLICATE, "duplicate key value violates unique constraint")
		       : write_violates_policy(in->x->w, err);
}

static bool flush(struct inserting *in)
{
	struct writing *x = in->x;
	struct fate *fates;

	if (!in->n)
		return true;
	/* Bodies may be long: the time limit is that of streams. */
	db_streaming(x->conn);
	fates = arena_array(in->batch, struct fate, in->n);
	for (size_t r = 0; r < in->n; r++)
		fates[r].number = in->last - in->n + r + 1;
	if (!settle(in, in->rows, fates, in->n)) {
		bool again = x->err->code == ERR_DUPLICATE && x->w->resolution == RESOLUTION_IGNORE && in->conflicts &&
			     in->n > 1;

		if (!again || !settle_singly(in, fates))
			return hide_clash(in);
	}
	if (!check_batch(in, fates))
		return false;
	for (size_t r = 0; in->shows && x->keep_keys && r < in->n; r++)
		if (fates[r].key && (!fates[r].known || x->w->resolution == RESOLUTION_MERGE))
			push_key(x, fates[r].key);
	if (x->keys.n * (x->keep_keys ? x->keys.key->n : 0) > SHOWN_KEYS && x->w->ret == RETURN_REPRESENTATION)
		return error_set(x->err, ERR_PACKET, "the write has too many rows to show them all");
	next_batch(in);
	return true;
}

static bool batch_is_full(const struct inserting *in)
{
	/* What is mixed is written row by row, and could not be begun again. */
	if (in->x->w->resolution == RESOLUTION_IGNORE && is_mixed(in))
		return true;
	return in->n == (in->conflicts ? UPSERT_ROWS : INSERT_ROWS) || in->n * in->x->w->ncolumns >= INSERT_PARAMS ||
	       arena_used(in->batch) >= INSERT_BYTES;
}

/* --- rows --- */

static bool not_named(struct inserting *in)
{
	return error_set(in->x->err, ERR_PUT_KEY, "Payload values do not match URL in primary key column(s)");
}

/* PUT: one row, and the one that the URL names. */
static bool is_named_row(struct inserting *in, const struct body_row *row, const struct write_cell *cells)
{
	if (!in->x->w->put || (row->number == 1 && write_is_named(in->x->w, cells)))
		return true;
	return not_named(in);
}

static bool begin_rows(struct inserting *in)
{
	if (!prepare_keys(in))
		return false;
	in->conflicts = may_conflict(in->x->w);
	/* A row that is there already would not tell. */
	return !in->conflicts || may_write(in->x);
}

/* After the first fault rows are only checked: nothing will be kept. */
static bool take_row(struct inserting *in, const struct body_row *row)
{
	struct writing *x = in->x;
	struct write_cell *cells;

	if (!write_row(in->batch, x->w, row, &cells, x->faults, x->err))
		return x->err->code == ERR_NONE;
	if (x->faults->rows) {
		next_batch(in);
		return true;
	}
	if (!is_named_row(in, row, cells))
		return false;
	if (row->number == 1) {
		if (!begin_rows(in))
			return false;
		write_extend(in->batch, x->w, &cells);
	}
	in->rows[in->n++] = cells;
	in->last = row->number;
	return !batch_is_full(in) || flush(in);
}

static bool insert(struct inserting *in)
{
	struct writing *x = in->x;
	struct body_row row;
	enum body_step step;

	next_batch(in);
	while ((step = body_next(x->body, &row, x->err)) == BODY_ROW)
		if (!take_row(in, &row))
			return false;
	if (step == BODY_FAILED)
		return false;
	if (x->faults->rows)
		return refuse_rows(x);
	if (!flush(in))
		return false;
	x->affected += x->inserted;
	return !x->w->put || x->affected == 1 || not_named(in);
}

bool insert_all(struct writing *x)
{
	struct inserting in = { .x = x, .batch = arena_open() };
	bool ok = insert(&in);

	arena_close(in.batch);
	return ok;
}
