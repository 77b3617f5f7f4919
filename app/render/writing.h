#ifndef ROWGATE_RENDER_WRITING_H
#define ROWGATE_RENDER_WRITING_H

/* One write on its way: what the files of writing share. */
#include "internal.h"

#include "write.h"

/* Values of keys that a statement may name. */
#define SHOWN_KEYS 60000

/* Keys of rows, in the order in which they are shown. */
struct key_list {
	const struct key *key;
	struct value *values; /* key->n each */
	size_t n, cap;
};

struct writing {
	struct arena *a;
	struct write *w;
	const struct query *query;
	struct body *body;
	struct db_conn *conn;
	struct write_faults *faults;
	uint64_t affected; /* rows met: inserted, updated, deleted */
	uint64_t inserted;
	bool keep_keys; /* of the rows, for they are asked for */
	struct key_list keys;
	struct error *err;
};

/* --- app/render/keys.c --- */

/* The primary key, or a unique one without NULL; NULL: none. */
const struct key *usable_key(const struct table *t);

void push_key(struct writing *x, const struct value *values);

/* The plan's rows are those of the keys from now on. */
void show_keys(struct writing *x);

/* The rows of this write cannot be shown, and why. Always false. */
bool cannot_show(struct writing *x, const char *why);

/* A policy says what the rows must be, and they could not be found again. Always false. */
bool cannot_check(struct writing *x, const char *why);

/*
 * Are all n rows as a policy wants them (NULL: it wants nothing), and such as the caller reads when that is to be?
 * ERR_DENIED when one is not, or is not found by its key.
 */
bool check_policy(struct writing *x, struct arena *a, const struct plan_policy *policy, bool read,
		  const struct value *keys, size_t n) MUST_CHECK;

/* Where among the columns that are set; ncolumns: it is not. */
size_t column_place(const struct write *w, const struct column *c);

/* --- app/render/met.c --- */

struct met {
	uint64_t *places;
	size_t n, cap;
};

/* Remembers a key of n values in a; false when it was met before. */
bool met_first(struct arena *a, struct arena *scratch, struct met *m, const struct value *values, size_t n);

/* --- app/render/insert.c: rows of the body as they come; app/render/change.c: the rows that filters name --- */

bool insert_all(struct writing *x) MUST_CHECK;
bool find_rows(struct writing *x) MUST_CHECK;
bool delete_rows(struct writing *x) MUST_CHECK;

/* *nothing: the body says nothing to change. */
bool update_rows(struct writing *x, bool *nothing) MUST_CHECK;

/* False with ERR_DENIED when the role may not write these columns. */
bool may_write(struct writing *x) MUST_CHECK;

/* What is wrong with rows is told only to those who may write them. Always false. */
bool refuse_rows(struct writing *x) MUST_CHECK;

bool run_statement(struct writing *x, const struct db_statement *statement, uint64_t *met_out) MUST_CHECK;

#endif
