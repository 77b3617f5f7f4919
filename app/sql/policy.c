/*
 * Row policies in statements. Their expressions are an administrator's SQL, in which a column is one of the table's own,
 * bare or behind the table's name, in sub-queries of theirs too. So they stand where nothing else is in reach: behind
 * WHERE when the table is alone in its statement and goes by its own name; else in a derived table, which the servers
 * merge into the statement. Of its columns that lists those in use, for a role may have the right to these alone.
 */
#include "internal.h"

/* A cast fails by what it meets, and a regular expression takes long by it: they shall not meet what is hidden. */
static bool tells(const struct plan_cond *c)
{
	bool found = c && c->kind == COND_COMPARE && (c->op == OP_MATCH || c->op == OP_IMATCH || c->left.cast);

	for (size_t i = 0; c && i < c->nkids && !found; i++)
		found = tells(c->kids[i]);
	return found;
}

bool sql_guards(const struct plan_node *node)
{
	return tells(node->where);
}

bool sql_alone(const struct plan_node *node)
{
	if (!node->policy || (node->relation && node->relation->junction))
		return false;
	for (size_t i = 0; i < node->nkids; i++)
		if (node->kids[i]->joined)
			return false;
	return true;
}

void sql_policy(struct writer *w, const struct plan_policy *policy)
{
	if (!policy->n) {
		sql_lit(w, "FALSE");
		return;
	}
	w->ntables += policy->subqueries ? policy->n : 0;
	for (size_t i = 0; i < policy->n; i++) {
		const struct plan_allowed *p = &policy->any[i];

		strbuf_adds(&w->text, policy->n == 1 ? "(" : i ? " OR (" : "((");
		strbuf_add_slice(&w->text, p->text);
		strbuf_addc(&w->text, ')');
		for (size_t k = 0; k < p->n; k++)
			sql_bind(w, p->values[k]);
	}
	if (policy->n > 1)
		strbuf_addc(&w->text, ')');
}

void sql_allowed(struct writer *w, const struct plan_node *node)
{
	strbuf_addc(&w->text, '(');
	if (node->policy)
		sql_policy(w, node->policy);
	if (node->policy && w->existing)
		sql_lit(w, " AND ");
	if (w->existing)
		sql_policy(w, w->existing);
	if (!node->policy && !w->existing)
		sql_lit(w, "TRUE");
	strbuf_addc(&w->text, ')');
}

/* --- derived tables --- */

void sql_uses(struct writer *w, const struct plan_node *node, const struct column *c)
{
	if (!w->used)
		w->used = arena_array(w->a, bool *, w->plan->nnodes);
	if (!w->used[node->number])
		w->used[node->number] = arena_array(w->a, bool, node->table->ncolumns);
	w->used[node->number][c - node->table->columns] = true;
}

static void add_hole(struct writer *w, const struct plan_node *node)
{
	struct hole *h = arena_new(w->a, struct hole);

	*h = (struct hole){ .node = node, .at = w->text.len };
	*(w->holes ? &w->last_hole->next : &w->holes) = h;
	w->last_hole = h;
}

void sql_derived(struct writer *w, const struct plan_node *node)
{
	sql_lit(w, "(SELECT ");
	add_hole(w, node);
	sql_lit(w, " FROM ");
	strbuf_add_slice(&w->text, node->table->quoted);
	sql_lit(w, " WHERE ");
	sql_policy(w, node->policy);
	/* With a LIMIT nothing is merged, nor pushed down: what is asked of the rows is asked of these alone. */
	if (sql_guards(node))
		sql_lit(w, " LIMIT 18446744073709551615");
	strbuf_addc(&w->text, ')');
}

static void name(struct strbuf *b, const struct column *c, size_t *n)
{
	strbuf_adds(b, (*n)++ ? "," : "");
	strbuf_add_slice(b, c->quoted);
}

void sql_derived_junction(struct writer *w, const struct plan_node *node)
{
	const struct relation *r = node->relation;
	size_t n = 0;

	sql_lit(w, "(SELECT ");
	for (size_t i = 0; i < r->n; i++)
		name(&w->text, r->junction_from[i], &n);
	for (size_t i = 0; i < r->njunction_to; i++) {
		size_t k = 0;

		while (k < r->n && r->junction_from[k] != r->junction_to[i])
			k++;
		if (k == r->n)
			name(&w->text, r->junction_to[i], &n);
	}
	sql_lit(w, " FROM ");
	strbuf_add_slice(&w->text, r->junction->quoted);
	sql_lit(w, " WHERE ");
	sql_policy(w, node->junction_policy);
	strbuf_addc(&w->text, ')');
}

static void fill(const struct writer *w, const struct plan_node *node, struct strbuf *out)
{
	const bool *used = w->used ? w->used[node->number] : NULL;
	size_t n = 0;

	for (size_t i = 0; used && i < node->table->ncolumns; i++)
		if (used[i])
			name(out, &node->table->columns[i], &n);
	if (!n)
		strbuf_addc(out, '1');
}

struct slice sql_filled(const struct writer *w)
{
	struct slice text = strbuf_slice(&w->text);
	struct strbuf b;
	size_t from = 0;

	if (!w->holes)
		return text;
	strbuf_init(&b, w->a, text.len + 256);
	for (const struct hole *h = w->holes; h; h = h->next) {
		strbuf_add(&b, text.ptr + from, h->at - from);
		fill(w, h->node, &b);
		from = h->at;
	}
	strbuf_add(&b, text.ptr + from, text.len - from);
	return strbuf_slice(&b);
}
