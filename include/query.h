#ifndef ROWGATE_QUERY_H
#define ROWGATE_QUERY_H

#include "config.h"
#include "http.h"

/*
 * What a request asks, in the words of the URL: the PostgREST grammar as a tree that knows no tables.
 * Everything lives in the arena given to query_parse; texts are decoded and unquoted.
 */

/* One arrow of a JSON path: data->a->0->>b */
struct query_step {
	bool is_index;
	int64_t index;
	struct slice key;
	bool as_text; /* ->> (only the last step may be) */
};

struct query_field {
	struct slice name;
	struct query_step *steps;
	size_t nsteps;
};

enum query_op {
	OP_EQ,
	OP_NEQ,
	OP_GT,
	OP_GTE,
	OP_LT,
	OP_LTE,
	OP_LIKE,
	OP_ILIKE,
	OP_MATCH,
	OP_IMATCH,
	OP_IN,
	OP_IS,
	OP_ISDISTINCT,
	OP_CS,
	OP_CD,
	OP_OV,
	OP_FTS,
	OP_PLFTS,
	OP_PHFTS,
	OP_WFTS
};

enum query_quantifier { QUANT_NONE, QUANT_ANY, QUANT_ALL };
enum query_is { IS_NULL, IS_NOT_NULL, IS_TRUE, IS_FALSE, IS_UNKNOWN };

struct query_item;

struct query_filter {
	struct query_field field;
	const struct query_item *value; /* in having=: instead of the field; NULL: the field is meant */
	bool negated;
	enum query_op op;
	enum query_quantifier quantifier;
	enum query_is is;      /* OP_IS only */
	struct slice language; /* full text only; empty: none */
	struct slice *values;  /* one; any number for OP_IN and quantified ones; none for OP_IS */
	size_t nvalues;
};

/* A tree of conditions. An OP_IS leaf whose field names an embed tests whether it has rows. */
struct query_logic {
	enum { LOGIC_LEAF, LOGIC_AND, LOGIC_OR } kind;
	bool negated;               /* AND and OR; a leaf has its own */
	struct query_filter filter; /* LOGIC_LEAF */
	struct query_logic **kids;
	size_t nkids;
};

enum query_nulls { NULLS_DEFAULT, NULLS_FIRST, NULLS_LAST };

struct query_order {
	struct slice relation; /* order=rel(col): the to-one embed; else empty */
	struct query_field field;
	const struct query_item *value; /* what functions make of the field; NULL: the field is meant */
	bool descending;
	enum query_nulls nulls;
};

/* From AGG_MEDIAN on they need every value, and are not the database's (stats.h). */
enum query_aggregate {
	AGG_NONE,
	AGG_COUNT,
	AGG_SUM,
	AGG_AVG,
	AGG_MAX,
	AGG_MIN,
	AGG_COUNT_DISTINCT,
	AGG_STDDEV,
	AGG_STDDEV_POP,
	AGG_MEDIAN,
	AGG_QUANTILE,
	AGG_BOXPLOT,
	AGG_HISTOGRAM
};

/* A part of a date or time, or the period it lies in. */
enum query_part {
	PART_NONE,
	PART_YEAR,
	PART_QUARTER,
	PART_MONTH,
	PART_DAY,
	PART_HOUR,
	PART_MINUTE,
	PART_WEEKDAY,
	PART_DATE,
	PART_YEAR_MONTH
};

struct query_embed;

struct query_item {
	enum { ITEM_STAR, ITEM_COLUMN, ITEM_EMBED } kind;
	struct slice alias; /* empty: none */
	/* ITEM_COLUMN; field.name is empty for count() */
	struct query_field field;
	struct slice cast;    /* a.b::text; before an aggregate; empty: none */
	enum query_part part; /* of the value, cast or not */
	enum query_aggregate aggregate;
	uint64_t number;             /* quantile(0.25): 25; histogram(20): 20; boxplot(100): 100 */
	unsigned decimals;           /* quantile(0.25): 2 */
	struct slice member;         /* boxplot()->median; empty: none */
	bool member_as_text;         /* ->> */
	struct slice aggregate_cast; /* behind the aggregate */
	/* ITEM_EMBED */
	struct query_embed *embed;
};

/* One level: the target itself, or an embed. */
struct query_node {
	struct query_item *items;
	size_t nitems;
	struct query_logic **where; /* ANDed */
	size_t nwhere;
	struct query_logic **having; /* ANDed */
	size_t nhaving;
	struct query_order *order;
	size_t norder;
	bool has_limit;
	uint64_t limit;
	uint64_t offset;
};

enum query_join { JOIN_LEFT, JOIN_INNER };

struct query_embed {
	struct slice relation;
	struct slice alias; /* empty: none */
	struct slice hint;  /* empty: none */
	enum query_join join;
	bool spread;
	struct query_node node;
};

enum query_count { COUNT_NONE, COUNT_EXACT, COUNT_PLANNED, COUNT_ESTIMATED };
enum query_return { RETURN_UNSET, RETURN_MINIMAL, RETURN_HEADERS_ONLY, RETURN_REPRESENTATION };
enum query_resolution { RESOLUTION_UNSET, RESOLUTION_MERGE, RESOLUTION_IGNORE };
enum query_missing { MISSING_UNSET, MISSING_DEFAULT, MISSING_NULL };
enum query_handling { HANDLING_UNSET, HANDLING_STRICT, HANDLING_LENIENT };
enum query_tx { TX_UNSET, TX_DO_COMMIT, TX_DO_ROLLBACK };

/* Prefer (RFC 7240), the first of a kind wins. */
struct query_prefer {
	enum query_count count;
	enum query_return ret;
	enum query_resolution resolution;
	enum query_missing missing;
	enum query_handling handling;
	enum query_tx tx;
	struct slice timezone;
	bool single_object; /* params=single-object: the body is one argument */
	bool has_max_affected;
	uint64_t max_affected;
};

/* name=value of GET on a routine. */
struct query_argument {
	struct slice name, value;
};

enum query_target { TARGET_ROOT, TARGET_TABLE, TARGET_ROUTINE };

struct query {
	enum http_method method;
	enum query_target target;
	struct slice name;      /* table or routine */
	struct slice profile;   /* Accept-Profile (GET, HEAD) or Content-Profile; empty: the default schema */
	struct query_node root; /* limit and offset already intersected with Range */
	bool columns_given;     /* columns= stood in the URL */
	struct slice *columns;
	size_t ncolumns;
	struct slice *on_conflict;
	size_t non_conflict;
	bool select_given; /* select= stood in the URL and was not empty */
	struct query_argument *arguments;
	size_t narguments;
	struct query_prefer prefer;
	struct media_choice *media; /* what Accept allows, best first */
	size_t nmedia;
	struct slice
		canonical; /* of a table that is read: the parameters by their names, encoded; ptr NULL: too long */
};

/*
 * Parses path (behind /rest/v1), query string and headers. Fails with ERR_PATH, ERR_METHOD, ERR_PARSE, ERR_RANGE,
 * ERR_MEDIA, ERR_PREFER, ERR_NOT_EMBEDDED or ERR_TOO_LARGE.
 */
bool query_parse(struct arena *a, const struct config *config, const struct http_request *rq, struct query *query_out,
		 struct error *err) MUST_CHECK;

/* Preference-Applied for what was honoured, in PostgREST's order; nothing when b stays empty. */
void query_prefer_applied(const struct query_prefer *prefer, struct strbuf *b);

/* A name as select, order and the keys of filters have it: in quotes where it would else be read as something else. */
void query_add_name(struct strbuf *b, struct slice name);

#endif
