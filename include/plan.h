#ifndef ROWGATE_PLAN_H
#define ROWGATE_PLAN_H

#include "auth.h"
#include "query.h"
#include "schema.h"

/*
 * A query with every name resolved: pointers into the schema cache and typed values, no client names any more.
 * Lives in the request's arena.
 */
struct plan_node;

/* JSON path in the server's syntax, bound as a parameter. */
struct plan_path {
	struct slice text;          /* $."a"[0] */
	const struct slice *arrays; /* paths that must be arrays, or an index step would take a scalar as one */
	size_t narrays;
	bool as_text; /* ->> */
};

/* What a cast makes, from a closed list. */
struct plan_cast {
	const char *text; /* "CAST(@ AS SIGNED)": what is cast stands at each @ */
	struct type from, type;
	unsigned precision, scale; /* numeric(10,2), varchar(3); precision 0: any */
	bool trimmed;              /* DECIMAL of a scale of our own, shown without the zeros at its end */
};

/* The rows of a table that the caller meets, as SQL on the table itself: those of any of n conditions; n is 0: none. */
struct plan_allowed {
	struct slice text;
	const struct value *values; /* for each ? of it */
	size_t n;
};

struct plan_policy {
	const struct plan_allowed *any;
	size_t n;
	bool subqueries; /* they read tables */
};

/* A figure of boxplot() or histogram() by itself. */
enum plan_member {
	MEMBER_NONE,
	MEMBER_N,
	MEMBER_MIN,
	MEMBER_Q1,
	MEMBER_MEDIAN,
	MEMBER_Q3,
	MEMBER_MAX,
	MEMBER_MEAN,
	MEMBER_LOWER_WHISKER,
	MEMBER_UPPER_WHISKER,
	MEMBER_OUTLIER_COUNT,
	MEMBER_WIDTH
};

struct plan_expr {
	const struct plan_node *node; /* whose alias qualifies the column */
	const struct column *column;  /* NULL: count() of rows */
	const struct plan_path *path;
	const struct plan_cast *cast;
	bool part; /* the cast takes a part of a date */
	enum query_aggregate aggregate;
	uint64_t number; /* what the aggregate is told: see query_item */
	unsigned decimals;
	enum plan_member member;
	struct type operand; /* what is aggregated */
	const struct plan_cast *aggregate_cast;
	struct type type; /* of the result */
	bool raw_json;    /* JSON_EXTRACT's text, unquoted in C when path->as_text */
	bool text_json;   /* a text cast to JSON, which may be none */
	bool trimmed;     /* DECIMAL without the zeros at its end */
};

struct plan_item {
	struct slice key;    /* as the client sees it */
	struct slice prefix; /* ,"key": ready for JSON */
	struct plan_expr expr;
	struct plan_node *embed; /* instead of expr */
	size_t place;            /* of the value in the result row */
	size_t offset_place;     /* TIMESTAMP under Prefer: timezone: place of its UNIX_TIMESTAMP; else 0 */
};

enum plan_cond_kind { COND_TRUE, COND_FALSE, COND_AND, COND_OR, COND_COMPARE, COND_EXISTS, COND_KEYS };

struct plan_cond {
	enum plan_cond_kind kind;
	bool negated;
	struct plan_cond **kids;
	size_t nkids;
	/* COND_COMPARE */
	struct plan_expr left;
	enum query_op op;
	enum query_quantifier quantifier;
	enum query_is is;
	const struct value *values;
	size_t nvalues;
	const bool *instants;       /* which values are UTC instants, under a session time zone; NULL: none */
	bool beyond_charset;        /* some value has characters the column's character set may not have */
	const struct key *fulltext; /* OP_FTS and kin */
	/* COND_KEYS: rows by a key of left.node's table; values are nvalues tuples of its width */
	const struct key *key;
	/* COND_EXISTS */
	const struct plan_node *embed;
};

struct plan_order {
	struct plan_expr expr;
	bool descending;
	bool nulls_first; /* as asked or by default */
	bool nullable;
};

struct plan_node {
	const struct table *table;
	unsigned number; /* alias in SQL: t0, t1 ... */
	struct plan_node *parent;
	const struct relation *relation; /* from parent; NULL for the root */
	struct slice key;                /* name in the answer */
	bool inner;
	bool spread;
	bool columnar; /* within a to-many spread: values are kept apart */
	bool joined;   /* LEFT JOINed into its parent's statement: order, or grouping */
	bool hoisted;  /* joined, and its items are its parent's now */
	struct plan_item *items;
	size_t nitems;
	struct plan_node **kids; /* embeds, in the order of the items */
	size_t nkids;
	struct plan_node **embeds; /* those with statements of their own: kids, those of hoisted ones in their place */
	size_t nembeds;
	const struct plan_cond *in_order_of; /* COND_KEYS: where no order is asked for, rows come as its values do */
	struct plan_cond *where;             /* NULL: none. Does not contain the inner embeds' EXISTS */
	struct plan_order *order;
	size_t norder;
	bool has_limit;
	uint64_t limit; /* db-max-rows included */
	uint64_t offset;
	const struct plan_policy *policy;          /* on the table; NULL: all rows */
	const struct plan_policy *junction_policy; /* on the relation's junction */
	bool aggregated;
	bool counted; /* and some of it needs every value: rows come one by one, to be counted here (stats.h) */
	struct plan_cond *having; /* NULL: none; an AND */
	struct plan_expr *group;  /* of the statement, hoisted ones included */
	size_t ngroup;
	/* Columns of the result row beside the items' (set by sql): */
	size_t nplaces;
	size_t *key_places; /* relation->n places of the key to the parent's (leading) */
	bool weighted;      /* some key column compares by collation: WEIGHT_STRING is matched */
};

static inline bool plan_is_counted(const struct plan_expr *e)
{
	return e->aggregate >= AGG_MEDIAN;
}

/* The same value of the same rows? */
bool plan_same_expr(const struct plan_expr *a, const struct plan_expr *b);

struct plan {
	struct plan_node *root;
	const struct table *table;
	struct slice schema;
	const struct schema *catalogue;
	const struct config *config;
	enum query_count count;
	struct slice timezone; /* Prefer: timezone, or empty */
	bool strict;           /* Prefer: handling=strict */
	struct slice source;   /* the rows, as a JSON array of arrays: they are no table's */
	bool of_write;         /* it shows what was written */
	bool policed;          /* some rows are hidden from the caller: nothing may tell how many */
	bool held;             /* nothing may be sent before all of the answer is known */
	unsigned nnodes;
};

bool plan_read(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
	       struct plan **plan_out, struct error *err) MUST_CHECK;

/* The same of rows that are no table's: table is their face. */
bool plan_given(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
		const struct table *table, struct plan **plan_out, struct error *err) MUST_CHECK;

/*
 * The caller's row policies on every table of a plan: sets them in its nodes. Fails with ERR_POLICY where one that
 * concerns the caller cannot be applied.
 */
bool plan_policies(struct arena *a, struct plan *plan, const struct principal *who, struct error *err) MUST_CHECK;

/*
 * What the caller's policies on a table say of a verb. check: of what a row must be behind it, else of the rows it is
 * for. *out: NULL when nothing is said. Fails as plan_policies.
 */
bool plan_policy(struct arena *a, const struct table *table, const struct principal *who, enum policy_verb verb,
		 bool check, const struct plan_policy **out, struct error *err) MUST_CHECK;

/* The exposed database a profile names, or the default one. Fails with ERR_SCHEMA. */
bool plan_schema(const struct config *config, struct slice profile, struct slice *schema_out,
		 struct error *err) MUST_CHECK;

/* The table a request names. Fails with ERR_NO_TABLE and a hint. */
bool plan_table(const struct schema *schema, struct slice db, struct slice name, const struct table **table_out,
		struct error *err) MUST_CHECK;

/* How select names a relation so that no other is meant (orders, orders!fk, fk), in a; empty: there is no way. */
struct slice plan_relation_name(struct arena *a, const struct config *config, const struct relation *relation);

/* text as a value of type, or ERR_BAD_LITERAL, ERR_BAD_DATETIME, ERR_OUT_OF_RANGE. instant_out: an offset was given. */
bool plan_literal(struct arena *a, const struct type *type, struct slice text, struct value *out, bool *instant_out,
		  struct error *err) MUST_CHECK;

/* The place of a label of an ENUM or SET, from 1 on; 0 for '', which stands for no label. */
int64_t plan_enum_position(const struct type *type, struct slice text);

#endif
