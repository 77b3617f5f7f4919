#ifndef ROWGATE_QUERY_INTERNAL_H
#define ROWGATE_QUERY_INTERNAL_H

#include "query.h"

#define MAX_TREE_DEPTH 32

/* One text being read from left to right. */
struct parser {
	struct arena *a;
	struct error *err;
	const char *what; /* "filter", "select parameter": for the message */
	struct slice whole;
	struct slice rest;
	unsigned shift; /* characters that count as read before whole: the name of a tree's parameter */
	unsigned depth;
	unsigned max_depth;
	bool having; /* the leaves of a tree may be aggregates */
};

void parser_init(struct parser *p, struct arena *a, struct error *err, const char *what, struct slice text);

/* PGRST100 with the place where reading stopped. Always false. */
bool parser_fail(struct parser *p, const char *expected);

/* The same where word might have stood: it names the character that is not word's. */
bool parser_fail_word(struct parser *p, const char *word, const char *expected);

static inline char parser_peek(const struct parser *p)
{
	return p->rest.len ? p->rest.ptr[0] : '\0';
}

static inline bool parser_at_end(const struct parser *p)
{
	return p->rest.len == 0;
}

/* Goes on behind word when it is next. */
bool parser_take(struct parser *p, const char *word);
bool parser_take_char(struct parser *p, char c);
void parser_blanks(struct parser *p);

/* Whether the quote at the front has its end. */
bool parser_quote_ends(const struct parser *p);

/* "quoted \" text" at the front, unescaped. */
bool parser_quoted(struct parser *p, struct slice *out) MUST_CHECK;

/* A table's or column's name: quoted, or up to a reserved character; *quoted_out may be NULL. */
bool parser_name(struct parser *p, struct slice *out, bool *quoted_out) MUST_CHECK;

/* name->json->>path */
bool parser_field(struct parser *p, struct query_field *out) MUST_CHECK;

/* ::name or ::name(10,2), if there is one (app/query/call.c) */
bool parser_cast(struct parser *p, struct slice *out) MUST_CHECK;

/* [::cast][.part()][.aggregate()[->member][::cast]] behind item->field */
bool parser_calls(struct parser *p, struct query_item *item) MUST_CHECK;

/*
 * A field, or what functions make of it: then *value_out is that, else NULL. count() has no field.
 */
bool parser_value(struct parser *p, struct query_field *field, const struct query_item **value_out) MUST_CHECK;

/* What stands behind the field: [not.]op.value. In a tree values end at a comma or parenthesis. */
bool parser_operation(struct parser *p, bool in_tree, struct query_filter *out) MUST_CHECK;

/* Does text begin with [not.]operator and a point or parenthesis? */
bool parser_is_operation(struct slice text);

/* (a.eq.1,or(...)) */
bool parser_tree(struct parser *p, struct query_logic *out) MUST_CHECK;

/* having=: conditions separated by commas, as kids of out */
bool parser_having(struct parser *p, struct query_logic *out) MUST_CHECK;

/* The items of select=, down to the closing parenthesis or the end. */
bool parser_select(struct parser *p, struct query_node *out) MUST_CHECK;

bool parser_order(struct parser *p, struct query_node *out) MUST_CHECK;

bool query_prefer(struct arena *a, const struct http_request *rq, struct query_prefer *out,
		  struct error *err) MUST_CHECK;

/* Range of the request joined with limit and offset of the root. */
bool query_range(const struct http_request *rq, struct query_node *root, struct error *err) MUST_CHECK;

/* Is it the name of a parameter that is no filter? A column of that name is quoted. */
bool query_is_reserved(struct slice name);

/* Room for one more in an array that grows at powers of two. */
void *query_push(struct arena *a, void *items, size_t n, size_t size);

#endif
