#ifndef ROWGATE_SCHEMA_H
#define ROWGATE_SCHEMA_H

#include "config.h"
#include "value.h"

/* The characters a text column is sure to hold. */
enum charset { CHARSET_ALL, CHARSET_BMP, CHARSET_LATIN1, CHARSET_ASCII };

/*
 * What the exposed databases declare, read with the catalogue account. Read-only once loaded; a reload builds
 * a new one and the old one serves until then, so a request may borrow from it freely.
 */
struct column {
	struct slice name;
	struct slice quoted; /* `name`, the only form that may enter SQL text */
	struct type type;
	bool nullable;
	bool has_default; /* a default, AUTO_INCREMENT, or generated */
	bool generated;
	bool auto_increment;
	bool invisible;                  /* not part of `*` */
	struct slice default_expression; /* MySQL: of other columns it knows nothing; empty: none, or a constant */
	struct slice collation;          /* of text; of a table's columns only */
	bool binary_collation;           /* text compares by bytes: a _bin collation */
	enum charset charset;
	struct slice comment;
	struct slice db_type;      /* in the server's words: varchar(50) */
	struct slice default_text; /* the constant, or the expression; ptr NULL: there is none */
	bool default_is_code;      /* it is an expression */
	const struct table *table;
};

struct key {
	struct slice name;
	const struct column **columns;
	size_t n;
	bool partly; /* of some column only the first characters: rows may clash that differ */
};

/* What an expression of a policy asks of the caller: a claim by its path, all of them (n is 0), or the role. */
struct policy_claim {
	bool role;
	const struct slice *path;
	size_t n;
};

/* SQL of an administrator, with a ? for each placeholder. */
struct policy_expression {
	struct slice source; /* as it stands in rowgate.policy */
	struct slice text;
	struct policy_claim *claims;
	size_t n;
	bool always;     /* TRUE: no restriction */
	bool subqueries; /* it reads tables */
	bool calls;      /* functions of a database, which have a name with a dot, or are rowgate's own */
};

enum policy_verb { POLICY_SELECT = 1, POLICY_INSERT = 2, POLICY_UPDATE = 4, POLICY_DELETE = 8 };

/* A row of rowgate.policy: which rows of a table a role meets. */
struct policy {
	struct slice table; /* of the database in the schema cache, or what is no table there */
	struct slice schema;
	struct slice role; /* "*": every role */
	struct slice name;
	struct slice comment;
	unsigned verbs;
	const struct policy_expression *using; /* NULL: none, of what only inserts */
	const struct policy_expression *check; /* NULL: as using */
	const char *fault;                     /* why it cannot be applied; NULL: it can */
	bool servers_fault;                    /* fault is the server's word, in which there may be values */
	bool untried;                          /* fault is that it could not be tried */
	struct policy *next;                   /* of the same table; of those without a table */
};

/* FULLTEXT index or unique key lists are short; a linear look is enough. */
struct table {
	struct slice schema;
	struct slice name;
	struct slice quoted; /* `schema`.`name` */
	struct column *columns;
	size_t ncolumns;
	struct key *unique; /* unique keys; for a view those of its base that it shows whole */
	size_t nunique;
	const struct key *primary; /* NULL: none */
	struct key *fulltext;
	size_t nfulltext;
	struct relation *relations; /* from this table to others */
	size_t nrelations;
	bool is_view;
	bool updatable;
	bool joins;   /* a view of several tables: it can be updated at most, not inserted into or deleted from */
	bool lacks;   /* a view without a column that its table's new rows must have */
	bool policed; /* a role meets only what its policies allow */
	struct policy *policies;
	struct slice
		reads_policed; /* a view without policies of its own: a table it reads that has some; empty: none */
	struct slice comment;
	const struct table *rows_of; /* a procedure's rows: the table they are said to be of; else NULL */
	struct table *next;          /* in its hash bucket */
};

/* A stored procedure or function. */
enum parameter_mode { PARAMETER_IN, PARAMETER_OUT, PARAMETER_INOUT };

struct parameter {
	struct column column; /* of no table, nullable */
	enum parameter_mode mode;
	bool optional; /* NULL when it is not given: @optional in the routine's comment */
};

struct routine {
	struct slice schema;
	struct slice name;
	struct slice quoted; /* `schema`.`name` */
	bool is_function;
	bool writes; /* MODIFIES SQL DATA */
	bool reads;  /* NO SQL or READS SQL DATA: it says that it does not write */
	bool is_deterministic;
	struct parameter *parameters;
	size_t nparameters;
	struct type returns;       /* of a function */
	struct slice returns_type; /* in the server's words */
	struct slice comment;
	struct routine *next;
};

enum cardinality { TO_ONE, ONE_TO_ONE, TO_MANY, MANY_TO_MANY };

/* A foreign key, or two by way of a junction, seen from one of its ends. */
struct relation {
	enum cardinality cardinality;
	const struct table *from;
	const struct table *to;
	struct slice constraint; /* the foreign key; for MANY_TO_MANY that of the junction to from */
	bool at_from;            /* from holds the foreign key's columns */
	size_t n;                /* columns of the key */
	const struct column *const *from_columns;
	const struct column *const *to_columns;
	/* MANY_TO_MANY: from.from_columns = junction.junction_from, junction.junction_to = to.to_columns */
	const struct table *junction;
	const struct column *const *junction_from;
	const struct column *const *junction_to;
	size_t njunction_to;
	struct slice constraint_to;
};

struct schema {
	struct arena *arena;
	bool mariadb;
	unsigned version; /* 101119 for 10.11.19, 90704 for 9.7.4 */
	const struct config_list *names;
	struct slice *comments; /* of the databases, one for each name; MySQL has none */
	struct table **buckets;
	size_t nbuckets;
	size_t ntables;
	struct routine *routines; /* in no order; a function before the procedure of its name */
	size_t nroutines;
	bool request_variables;        /* some code reads @`request....` */
	bool response_variables;       /* some code sets @`response....` */
	bool other_variables;          /* some code sets variables of its own, which stay in the session */
	bool has_policies;             /* rowgate.policy is there */
	bool untried;                  /* a policy could not be tried, for a table was locked: to be read again */
	struct policy *stray_policies; /* of what is no table here */
	uint64_t digest;               /* of all definitions */
};

struct db;
struct db_conn;

/*
 * Reads the definitions of the databases in config->db_schemas over a catalogue connection; policies that read tables or
 * call functions are tried over another one of db's, as their roles. One that cannot be tried, for a table is locked, is what it
 * was before (NULL: there was no schema), or has a fault. NULL on failure. Free with schema_free.
 */
struct schema *schema_load(const struct config *config, struct db *db, struct db_conn *catalogue,
			   const struct schema *before, struct error *err) MUST_CHECK;
void schema_free(struct schema *schema);

/*
 * A hash of all that stands in rowgate.policy: it moves when a policy does, which the server's counters of definitions do
 * not. 0 where there is no such table.
 */
bool schema_policy_hash(struct arena *a, struct db_conn *catalogue, uint64_t *out, struct error *err) MUST_CHECK;

/* One line of text on each policy that cannot be applied, and on each view that nobody may read for want of one. */
typedef void schema_fault_fn(void *context, const char *text);
void schema_policy_faults(struct arena *a, const struct schema *schema, schema_fault_fn *fn, void *context);

/* A row of rowgate.policy as texts; an empty expression is none. verbs: names with commas. */
struct policy_texts {
	struct slice schema, table, role, name, verbs, using, check, comment;
};

/*
 * A policy that is to be, in a: with a fault when it can be seen without the server that it would not do.
 * schema_policy_try asks the server; false when it does not answer. One that reads tables or calls functions is tried as its
 * role, one for all as the first of the n roles that can: that none has the right is a fault.
 */
void schema_policy_read(struct arena *a, const struct schema *schema, const struct policy_texts *texts,
			struct policy *out);
bool schema_policy_try(struct arena *a, const struct schema *schema, struct db *db, const struct slice *roles, size_t n,
		       struct policy *policy, struct error *err) MUST_CHECK;

/*
 * The placeholders of an expression. NULL, or why it is refused: it would not stand alone between parentheses, or has a
 * comment, or a name that stands for nothing.
 */
const char *schema_policy_parse(struct arena *a, struct slice source, struct policy_expression *out) MUST_CHECK;

/* A table by its exact name; a column by its exact name, else by one that differs in letter case alone. NULL: none. */
const struct table *schema_table(const struct schema *schema, struct slice db, struct slice name);
const struct column *schema_column(const struct table *table, struct slice name);

/* A routine by its exact name. NULL: none. */
const struct routine *schema_routine(const struct schema *schema, struct slice db, struct slice name);

/* Does a call give the parameter a value? */
static inline bool schema_is_input(const struct parameter *p)
{
	return p->mode != PARAMETER_OUT;
}

/* The one parameter of r that takes a value; NULL: there are none or several. */
const struct parameter *schema_sole_input(const struct routine *r);

/* many-to-one, one-to-one, one-to-many, many-to-many */
const char *schema_cardinality(const struct relation *r);

/* The name among n names that looks most like what was asked, for "Perhaps you meant"; empty: none is near. */
struct slice schema_nearest(struct slice asked, const struct slice *names, size_t n);

/* Every table of a database, for hints and `rowgate schema`; in no order. next: NULL for the first. */
const struct table *schema_next_table(const struct schema *schema, const struct table *previous);

/*
 * For app/schema only, and its tests: the base columns of a view from its canonical text as information_schema
 * gives it. Calls found(view column position, db, table, column) for each plain column of the select list;
 * returns how many base tables stand in its FROM, 0 when the text is no plain select (UNION, derived table,
 * GROUP BY).
 */
typedef void schema_lineage_fn(void *context, size_t position, struct slice db, struct slice table,
			       struct slice column);
size_t schema_view_lineage(struct arena *a, struct slice text, schema_lineage_fn *found, void *context);

#endif
