#ifndef ROWGATE_WRITE_H
#define ROWGATE_WRITE_H

#include "body.h"
#include "plan.h"

/*
 * Writes: what a request would change, with names resolved, and the rows it brings as typed values. Everything a row can
 * be refused for without asking the database is found here.
 */
enum write_kind { WRITE_INSERT, WRITE_UPDATE, WRITE_DELETE };

/* A cell on its way into a column: a value, or the column's own default. */
struct write_cell {
	struct value value;
	bool is_default;
	bool geojson; /* GEOMETRY: the text is GeoJSON, else WKT */
	bool instant; /* TIMESTAMP: the value is in UTC, for its text had an offset */
};

struct write {
	enum write_kind kind;
	const struct table *table;
	struct plan *plan;             /* of the representation; its root has the filters of UPDATE and DELETE */
	const struct column **columns; /* that the rows set; of the first row unless columns= fixed them */
	size_t ncolumns;
	bool fixed;        /* the columns are known */
	bool by_parameter; /* by columns=, or all of PUT: rows may lack some, and have more */
	size_t nmade;      /* the last of them no row sets: their defaults are made one by one */
	enum query_resolution resolution;
	const struct key *conflict;         /* upsert: the key by which rows are there already; NULL: a plain INSERT */
	const struct plan_policy *existing; /* rows it may change, beside those it may read: UPDATE, DELETE, upsert */
	const struct plan_policy *inserted; /* what new rows must be */
	const struct plan_policy *updated;  /* what changed rows must be */
	bool chosen; /* the plan's conditions are keys of rows that were found under its policies */
	bool put;
	bool whole;                /* PUT: the row sets all columns, those it does not name to NULL */
	const struct value *named; /* PUT: what the URL says of the primary key */
	struct arena *arena;
	bool default_missing; /* Prefer: missing=default */
	enum query_return ret;
	bool roll_back;           /* when all is done, for Prefer: tx=rollback or db-tx-end */
	struct slice date_format; /* of CSV: strptime's, as %m/%d/%y; empty: ISO 8601 */
};

/* The table and columns of a POST, PATCH or DELETE. Fails like plan_read, and with ERR_WRITE_COLUMN (PGRST204). */
bool write_plan(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
		struct write **out, struct error *err) MUST_CHECK;

/* The caller's row policies on the rows of a write, and on what it shows. Fails as plan_policies. */
bool write_policies(struct arena *a, struct write *w, const struct principal *who, struct error *err) MUST_CHECK;

/* Do policies say which rows the caller may change, or read? */
bool write_is_policed(const struct write *w);

/* The refusal of a row that a policy does not allow, which says nothing else. Always false. */
bool write_violates_policy(const struct write *w, struct error *err);

/* Is what a request writes not kept, by db-tx-end and Prefer: tx? */
bool write_rolls_back(enum tx_end end, enum query_tx asked);

/* Rows that cannot be written, with the reasons of the first hundred. */
#define MAX_FAULTS 100

struct write_fault {
	uint64_t row, line; /* line: 0 when the form has none */
	struct slice column;
	struct slice value; /* cut */
	struct slice reason, details;
	int status;
	const char *sqlstate;
};

struct write_faults {
	struct arena *a;
	struct write_fault list[MAX_FAULTS];
	size_t n;
	uint64_t rows; /* with faults */
};

/*
 * The cells of a row in the order of w->columns, in memory of a. False when something is wrong with it; then faults has
 * one fault more for each cell. When err is set, the whole body cannot be taken (keys that differ, unknown columns).
 */
bool write_row(struct arena *a, struct write *w, const struct body_row *row, struct write_cell **cells_out,
	       struct write_faults *faults, struct error *err) MUST_CHECK;

/* A column more that no row sets: its cells are defaults to be made. */
bool write_add_made(struct write *w, const struct column *column, struct error *err) MUST_CHECK;

/* The cells of a row that was read before such columns were added, with room for them. */
void write_extend(struct arena *a, const struct write *w, struct write_cell **cells);

/* PUT: is it the row that the URL names? */
bool write_is_named(const struct write *w, const struct write_cell *cells);

/* All faults as one refusal. Always false. */
bool write_refuse(const struct write_faults *faults, struct error *err);

/* Upsert: the body has a key twice. Always false. */
bool write_met_twice(struct error *err);

/* Which row of an INSERT a database error speaks of, from 1 on, and which column; 0: it does not say. */
uint64_t write_error_row(const struct error *err, struct slice *column_out);

/* A database error about a constraint, in words that name it and its columns. */
void write_explain(const struct write *w, struct error *err);

/* One cell for a column: false with err when the column cannot hold it. */
bool write_cell(struct arena *a, const struct column *column, const struct body_member *member,
		struct slice date_format, struct write_cell *out, struct error *err) MUST_CHECK;

/* --- as statements (app/sql/write.c) --- */

struct db_statement;

/* n rows at once. returning: a key whose values are the result (MariaDB), or NULL. */
void sql_insert(struct arena *a, const struct write *write, struct write_cell *const *rows, size_t n,
		const struct key *returning, struct db_statement *out);

/*
 * Which of n rows are there by write->conflict; they are locked. A result row is the row's number from 1 on, the key's
 * values, those of shown when it is not NULL, and, of a merge under policies, whether they allow it.
 */
void sql_conflicts(struct arena *a, const struct write *write, struct write_cell *const *rows, size_t n,
		   const struct key *shown, struct db_statement *out);

/* A row that is there takes the values of row, but for the key; held: the key's values in the table. */
void sql_merge(struct arena *a, const struct write *write, const struct write_cell *row, const struct value *held,
	       struct db_statement *out);

/* A value of the column's default_expression. */
void sql_default(struct arena *a, const struct column *column, struct db_statement *out);

/* The same of no rows, or of an upsert: may the role write these columns at all? */
void sql_insert_nothing(struct arena *a, const struct write *write, struct db_statement *out);

/* The rows that the plan's conditions name. */
void sql_update(struct arena *a, const struct write *write, const struct write_cell *cells, struct db_statement *out);
void sql_delete(struct arena *a, const struct write *write, struct db_statement *out);

/* How many of the rows of n keys a policy allows, and, when they are to be read, the one on reading too (FETCH_INT). */
void sql_count_allowed(struct arena *a, const struct write *write, const struct plan_policy *policy, bool read,
		       const struct key *key, const struct value *values, size_t n, struct db_statement *out);

/* The key of each of these rows, which are locked until the transaction ends. */
void sql_lock_keys(struct arena *a, const struct write *write, const struct key *key, struct db_statement *out);

#endif
