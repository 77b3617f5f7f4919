/* Rows of the body as cells of the columns, and what is wrong with them. */
#include "internal.h"

#define SHOWN 60 /* bytes of a value in a report */

static struct slice cut(struct arena *a, struct slice s)
{
	size_t n = s.len < SHOWN ? s.len : SHOWN;

	while (n && n < s.len && ((unsigned char)s.ptr[n] & 0xC0) == 0x80)
		n--;
	return slice_copy(a, (struct slice){ s.ptr, n });
}

static void add_fault(struct write_faults *f, const struct body_row *row, struct slice column, struct slice value,
		      const struct error *err)
{
	struct write_fault *fault;

	if (f->n == MAX_FAULTS)
		return;
	fault = &f->list[f->n++];
	*fault = (struct write_fault){ .row = row->number,
				       .line = row->line,
				       .column = column,
				       .value = cut(f->a, value),
				       .reason = slice_copy(f->a, slice_of(err->message)),
				       .status = err->status,
				       .sqlstate = err->sqlstate,
				       .details = err->details ? slice_copy(f->a, slice_of(err->details)) : SLICE("") };
}

static const struct body_member *member_of(const struct body_row *row, const struct column *c, size_t hint)
{
	if (row->n == 1 && row->members[0].kind == CELL_OCTETS)
		return &row->members[0];
	if (hint < row->n && slice_eq(row->members[hint].name, c->name))
		return &row->members[hint];
	for (size_t i = 0; i < row->n; i++)
		if (slice_eq(row->members[i].name, c->name))
			return &row->members[i];
	/* Names of columns may be written in another case (schema_column). */
	for (size_t i = 0; i < row->n; i++)
		if (slice_ieq(row->members[i].name, c->name))
			return &row->members[i];
	return NULL;
}

/* The first row says which columns all rows set. */
static bool fix_columns(struct arena *a, struct write *w, const struct body_row *row, struct error *err)
{
	for (size_t i = 0; i < row->n; i++)
		if (!write_add_column(a, w, row->members[i].name, err))
			return false;
	w->fixed = true;
	return true;
}

static bool same_keys(const struct write *w, const struct body_row *row, struct error *err)
{
	size_t n = w->ncolumns - w->nmade;
	bool same = row->n == n;

	for (size_t i = 0; same && i < n; i++)
		same = member_of(row, w->columns[i], i) != NULL;
	if (same)
		return true;
	error_set(err, ERR_BODY, "All object keys must match");
	error_details(err, "Row %llu has other keys than the first.", (unsigned long long)row->number);
	return error_hint(err, "Name the columns with ?columns=a,b: what a row does not have is null then.");
}

/* Bytes have no name: the URL gives it. */
static bool one_column(const struct write *w, struct error *err)
{
	if (w->by_parameter && w->ncolumns - w->nmade == 1)
		return true;
	error_set(err, ERR_BODY, "A body of application/octet-stream is the value of one column");
	return error_hint(err, "Name it with ?columns=");
}

static bool all_columns(const struct write *w, const struct body_row *row, struct error *err)
{
	const struct column *c;

	for (size_t i = 0; i < row->n; i++)
		if (!write_column(w->table, row->members[i].name, &c, err))
			return false;
	return true;
}

/* What a row that lacks the column puts into it. */
static bool missing_cell(const struct write *w, const struct column *c, struct write_cell *out, struct error *err)
{
	static const struct body_member null = { .kind = CELL_NULL };

	*out = (struct write_cell){ .value = { .kind = VALUE_NULL }, .is_default = w->default_missing };
	if (w->default_missing && (c->has_default || c->nullable))
		return true;
	return write_cell(NULL, c, &null, (struct slice){ NULL, 0 }, out, err);
}

/* INSERT: a column without default that no row sets cannot stay empty. */
static bool check_unset(const struct write *w, const struct body_row *row, struct write_faults *faults,
			struct error *scratch)
{
	bool ok = true;

	for (size_t i = 0; w->kind == WRITE_INSERT && !w->table->is_view && i < w->table->ncolumns; i++) {
		const struct column *c = &w->table->columns[i];
		bool set = c->nullable || c->has_default;

		for (size_t k = 0; !set && k < w->ncolumns; k++)
			set = w->columns[k] == c;
		if (set)
			continue;
		error_set(scratch, ERR_NULL,
			  "null value in column \"%.*s\" of relation \"%.*s\" violates not-null constraint",
			  (int)c->name.len, c->name.ptr, (int)c->table->name.len, c->table->name.ptr);
		add_fault(faults, row, c->name, (struct slice){ NULL, 0 }, scratch);
		ok = false;
	}
	return ok;
}

bool write_row(struct arena *a, struct write *w, const struct body_row *row, struct write_cell **cells_out,
	       struct write_faults *faults, struct error *err)
{
	struct write_cell *cells;
	struct error scratch;
	bool ok;

	if (row->n == 1 && row->members[0].kind == CELL_OCTETS && !one_column(w, err))
		return false;
	if (!w->fixed && !fix_columns(w->arena, w, row, err))
		return false;
	if (!w->by_parameter && !same_keys(w, row, err))
		return false;
	if (w->whole && !all_columns(w, row, err))
		return false;
	error_init(&scratch, faults->a);
	ok = check_unset(w, row, faults, &scratch);
	cells = arena_array(a, struct write_cell, w->ncolumns);
	for (size_t i = w->ncolumns - w->nmade; i < w->ncolumns; i++)
		cells[i] = (struct write_cell){ .is_default = true };
	for (size_t i = 0; i < w->ncolumns - w->nmade; i++) {
		const struct body_member *m = member_of(row, w->columns[i], i);

		if (m ? write_cell(a, w->columns[i], m, w->date_format, &cells[i], &scratch)
		      : missing_cell(w, w->columns[i], &cells[i], &scratch))
			continue;
		add_fault(faults, row, w->columns[i]->name, m && m->kind != CELL_NULL ? m->text : SLICE(""), &scratch);
		ok = false;
	}
	faults->rows += !ok;
	*cells_out = cells;
	return ok;
}

bool write_add_made(struct write *w, const struct column *column, struct error *err)
{
	if (!write_add_column(w->arena, w, column->name, err))
		return false;
	w->nmade++;
	return true;
}

void write_extend(struct arena *a, const struct write *w, struct write_cell **cells)
{
	size_t n = w->ncolumns - w->nmade;
	struct write_cell *more = arena_array(a, struct write_cell, w->ncolumns);

	if (n)
		memcpy(more, *cells, n * sizeof(*more));
	for (size_t i = n; i < w->ncolumns; i++)
		more[i] = (struct write_cell){ .is_default = true };
	*cells = more;
}

static void describe(struct strbuf *b, const struct write_fault *f)
{
	strbuf_addf(b, "%sRow %llu", b->len ? "\n" : "", (unsigned long long)f->row);
	if (f->line)
		strbuf_addf(b, " (line %llu)", (unsigned long long)f->line);
	strbuf_addf(b, ", column \"%.*s\"", (int)f->column.len, f->column.ptr);
	if (f->value.len)
		strbuf_addf(b, ", value \"%.*s\"", (int)f->value.len, f->value.ptr);
	strbuf_addf(b, ": %.*s", (int)f->reason.len, f->reason.ptr);
	if (f->details.len)
		strbuf_addf(b, " (%.*s)", (int)f->details.len, f->details.ptr);
}

bool write_refuse(const struct write_faults *faults, struct error *err)
{
	const struct write_fault *first = &faults->list[0];
	struct strbuf b;

	error_set(err, ERR_BAD_LITERAL, "%.*s", (int)first->reason.len, first->reason.ptr);
	err->sqlstate = first->sqlstate;
	err->status = first->status;
	strbuf_init(&b, err->arena, 1024);
	for (size_t i = 0; i < faults->n; i++)
		describe(&b, &faults->list[i]);
	error_details(err, "%s", strbuf_cstr(&b));
	if (faults->rows > 1)
		error_hint(err, "%llu rows cannot be written; nothing was.%s", (unsigned long long)faults->rows,
			   faults->n == MAX_FAULTS ? " The first hundred faults are listed." : "");
	return false;
}
