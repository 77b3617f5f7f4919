/*
 * A parsed query as one line of text, so that a table can say what a URL means:
 *
 *     id,pay:sum.sum()::text,division!inner(name where id eq <5>) where a in <1> <2>; not or(b is null; c lt <3>)
 *     order x desc nullsfirst, division(name) limit 5 offset 10
 *
 * Names that are no plain words stand between ' and '. A refusal is its code and message.
 */
#ifndef QUERY_DUMP_H
#define QUERY_DUMP_H

#include <ctype.h>

#include "query.h"

static inline void dump_name(struct strbuf *b, struct slice s)
{
	bool plain = s.len > 0;

	for (size_t i = 0; i < s.len; i++)
		plain &= isalnum((unsigned char)s.ptr[i]) || s.ptr[i] == '_';
	strbuf_adds(b, plain ? "" : "'");
	strbuf_add_slice(b, s);
	strbuf_adds(b, plain ? "" : "'");
}

static inline void dump_field(struct strbuf *b, const struct query_field *f)
{
	dump_name(b, f->name);
	for (size_t i = 0; i < f->nsteps; i++) {
		const struct query_step *s = &f->steps[i];

		strbuf_adds(b, s->as_text ? "->>" : "->");
		if (s->is_index)
			strbuf_addf(b, "[%lld]", (long long)s->index);
		else
			dump_name(b, s->key);
	}
}

static const char *const dump_ops[] = { "eq",    "neq",   "gt",     "gte",   "lt",    "lte",        "like",
					"ilike", "match", "imatch", "in",    "is",    "isdistinct", "cs",
					"cd",    "ov",    "fts",    "plfts", "phfts", "wfts" };
static const char *const dump_is[] = { "null", "not_null", "true", "false", "unknown" };
static const char *const dump_quantifiers[] = { "", " any", " all" };
static const char *const dump_aggregates[] = { "",         "count()",         "sum()",    "avg()",        "max()",
					       "min()",    "count(distinct)", "stddev()", "stddev_pop()", "median()",
					       "quantile", "boxplot",         "histogram" };
static const char *const dump_parts[] = { "",     "year",   "quarter", "month", "day",
					  "hour", "minute", "weekday", "date",  "year_month" };

static inline void dump_item(struct strbuf *b, const struct query_item *i);

static inline void dump_logic(struct strbuf *b, const struct query_logic *l)
{
	const struct query_filter *f = &l->filter;

	if (l->kind != LOGIC_LEAF) {
		strbuf_addf(b, "%s%s(", l->negated ? "not " : "", l->kind == LOGIC_AND ? "and" : "or");
		for (size_t i = 0; i < l->nkids; i++) {
			strbuf_adds(b, i ? "; " : "");
			dump_logic(b, l->kids[i]);
		}
		strbuf_addc(b, ')');
		return;
	}
	strbuf_adds(b, f->negated ? "not " : "");
	if (f->value)
		dump_item(b, f->value);
	else
		dump_field(b, &f->field);
	strbuf_addf(b, " %s%s", dump_ops[f->op], dump_quantifiers[f->quantifier]);
	if (f->language.len)
		strbuf_addf(b, "(%.*s)", (int)f->language.len, f->language.ptr);
	if (f->op == OP_IS)
		strbuf_addf(b, " %s", dump_is[f->is]);
	for (size_t i = 0; i < f->nvalues; i++)
		strbuf_addf(b, " <%.*s>", (int)f->values[i].len, f->values[i].ptr);
}

static inline void dump_node(struct strbuf *b, const struct query_node *n);

static inline void dump_item(struct strbuf *b, const struct query_item *i)
{
	if (i->kind == ITEM_STAR) {
		strbuf_addc(b, '*');
		return;
	}
	if (i->kind == ITEM_EMBED) {
		const struct query_embed *e = i->embed;

		strbuf_adds(b, e->spread ? "..." : "");
		if (e->alias.len) {
			dump_name(b, e->alias);
			strbuf_addc(b, ':');
		}
		dump_name(b, e->relation);
		if (e->hint.len) {
			strbuf_addc(b, '!');
			dump_name(b, e->hint);
		}
		strbuf_adds(b, e->join == JOIN_INNER ? "!inner(" : "(");
		dump_node(b, &e->node);
		strbuf_addc(b, ')');
		return;
	}
	if (i->alias.len) {
		dump_name(b, i->alias);
		strbuf_addc(b, ':');
	}
	if (i->field.name.len)
		dump_field(b, &i->field);
	if (i->cast.len)
		strbuf_addf(b, "::%.*s", (int)i->cast.len, i->cast.ptr);
	if (i->part)
		strbuf_addf(b, ".%s()", dump_parts[i->part]);
	if (i->aggregate)
		strbuf_addf(b, "%s%s", i->field.name.len ? "." : "", dump_aggregates[i->aggregate]);
	if (i->aggregate >= AGG_QUANTILE)
		strbuf_addf(b, "(%llu/%u)", (unsigned long long)i->number, i->decimals);
	if (i->member.len)
		strbuf_addf(b, "->%s%.*s", i->member_as_text ? ">" : "", (int)i->member.len, i->member.ptr);
	if (i->aggregate_cast.len)
		strbuf_addf(b, "::%.*s", (int)i->aggregate_cast.len, i->aggregate_cast.ptr);
}

static inline void dump_order(struct strbuf *b, const struct query_order *o)
{
	if (o->relation.len) {
		dump_name(b, o->relation);
		strbuf_addc(b, '(');
	}
	if (o->value)
		dump_item(b, o->value);
	else
		dump_field(b, &o->field);
	strbuf_adds(b, o->relation.len ? ")" : "");
	strbuf_adds(b, o->descending ? " desc" : "");
	strbuf_adds(b, o->nulls == NULLS_FIRST ? " nullsfirst" : o->nulls == NULLS_LAST ? " nullslast" : "");
}

static inline void dump_node(struct strbuf *b, const struct query_node *n)
{
	for (size_t i = 0; i < n->nitems; i++) {
		strbuf_adds(b, i ? "," : "");
		dump_item(b, &n->items[i]);
	}
	for (size_t i = 0; i < n->nwhere; i++) {
		strbuf_adds(b, i ? "; " : " where ");
		dump_logic(b, n->where[i]);
	}
	for (size_t i = 0; i < n->nhaving; i++) {
		strbuf_adds(b, i ? "; " : " having ");
		dump_logic(b, n->having[i]);
	}
	for (size_t i = 0; i < n->norder; i++) {
		strbuf_adds(b, i ? ", " : " order ");
		dump_order(b, &n->order[i]);
	}
	if (n->has_limit)
		strbuf_addf(b, " limit %llu", (unsigned long long)n->limit);
	if (n->offset)
		strbuf_addf(b, " offset %llu", (unsigned long long)n->offset);
}

static inline struct config query_config(void)
{
	return (struct config){ .max_embed_depth = 12, .max_url_length = 131072 };
}

/* "Name: value" lines as the headers of a request; names are written in lower case. */
static inline void request_headers(struct arena *a, struct http_request *rq, const char *lines)
{
	struct slice rest = slice_of(lines), line, name;

	rq->headers = arena_array(a, struct http_header, strlen(lines) + 1);
	while (rest.len && slice_split(&rest, '\n', &line)) {
		slice_split(&line, ':', &name);
		rq->headers[rq->nheaders++] = (struct http_header){ name, slice_trim(line) };
	}
}

static inline enum http_method method_of(const char *text)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS" };
	int m = 0;

	while (m < HTTP_OTHER && strcmp(text, names[m]) != 0)
		m++;
	return (enum http_method)m;
}

/* url: path?query. */
static inline struct http_request request_of(struct arena *a, const char *method, const char *url, const char *headers)
{
	struct http_request rq = { .method = method_of(method), .method_text = slice_of(method) };
	struct slice rest = slice_of(url);

	slice_split(&rest, '?', &rq.path);
	rq.query = rest.ptr ? rest : slice_of("");
	request_headers(a, &rq, headers);
	return rq;
}

static inline const char *refusal_text(struct arena *a, const struct error *err)
{
	return arena_printf(a, "%s %s", err->sqlstate, err->message);
}

/* What GET /t?query means, or why it is refused. */
static inline const char *query_text(struct arena *a, const char *query)
{
	struct config config = query_config();
	struct http_request rq = request_of(a, "GET", "/t", "");
	struct query q;
	struct error err;
	struct strbuf b;

	error_init(&err, a);
	rq.query = slice_of(query);
	if (!query_parse(a, &config, &rq, &q, &err))
		return refusal_text(a, &err);
	strbuf_init(&b, a, 256);
	dump_node(&b, &q.root);
	return strbuf_cstr(&b);
}

#endif
