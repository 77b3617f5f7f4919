#ifndef ROWGATE_SCHEMA_INTERNAL_H
#define ROWGATE_SCHEMA_INTERNAL_H

#include "db.h"
#include "schema.h"

struct foreign_key {
	struct foreign_key *next;
	struct slice name;
	struct table *table;
	struct table *target;
	size_t n;
	const struct column **columns;
	const struct column **target_columns;
};

/* While loading: where each view column comes from. */
struct origin {
	const struct column *base;
};

/* One pass over the rows of a catalogue query. */
struct loader {
	struct schema *schema;
	struct arena *scratch;
	struct db *db;
	struct db_conn *conn;
	struct db_conn *apart;     /* of the roles that policies are for; NULL until it is needed */
	const struct slice *roles; /* that policies for all are tried as */
	size_t nroles;
	const struct schema *before; /* NULL: none */
	unsigned waits;              /* for locks, of policies that are tried */
	bool hurried;                /* conn does not wait long for locks */
	bool to_be;                  /* policies are not written yet */
	struct value *databases;
	size_t ndatabases;
	bool no_function;    /* of sql/core is installed */
	struct table *table; /* of the last row: rows come ordered by table */
	struct foreign_key *keys;
	struct view *views;
	struct error *err;
};

/* A row as texts; NULL is an empty slice with a NULL ptr. */
typedef void row_fn(struct loader *l, const struct slice *f);

/* Runs text, in which ? stands for the exposed databases, and hands every row to fn. */
bool schema_each_row(struct loader *l, const char *text, size_t nfields, row_fn *fn) MUST_CHECK;

/* After a failure: true when it was for want of a function of sql/core, or of the right to call it. */
bool schema_without_function(struct loader *l) MUST_CHECK;

/* The same, where each ? of text stands for the n values. */
bool schema_each_row_of(struct loader *l, const struct value *values, size_t n, const char *text, size_t nfields,
			row_fn *fn) MUST_CHECK;

/* Makes text part of what tells whether definitions have changed. */
void schema_digest(struct schema *s, struct slice text);

/* rowgate.policy, each expression tried (app/schema/policy.c). */
bool schema_load_policies(struct loader *l) MUST_CHECK;

/* policy_try.c: the server's word on a policy in its fault. False when it does not answer. */
bool schema_try_policy(struct loader *l, const struct table *t, struct policy *p) MUST_CHECK;
void schema_end_tries(struct loader *l);

/* `name` */
struct slice schema_quoted(struct arena *a, struct slice name);

/* Procedures, functions and their parameters; and which variables the code of the databases uses. */
bool schema_load_routines(struct loader *l) MUST_CHECK;

struct view {
	struct view *next;
	struct table *table;
	struct origin *origins; /* one for each of its columns */
	size_t nbases;
	struct slice text;
};

/* Of a name in a database. */
uint64_t schema_hash(struct slice db, struct slice name);

struct column *schema_find_column(struct table *table, struct slice name);
struct table *schema_find_table(const struct schema *schema, struct slice db, struct slice name);

/* From the foreign keys of tables: those of views, then what each table can embed. */
void schema_relate(struct schema *schema, struct foreign_key *keys, const struct view *views);

/* information_schema's words to a type; labels live in a. */
struct type schema_type(struct arena *a, struct slice data_type, struct slice column_type);

#endif
