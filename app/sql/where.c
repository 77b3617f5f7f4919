/*
 * Conditions. NULL behaves as in PostgreSQL, whose three-valued logic MySQL shares; what differs (case of LIKE, regular
 * expressions, JSON comparison) is written so that both servers mean the same.
 */
#include "internal.h"

#define EXACT " COLLATE utf8mb4_bin"

static bool mariadb(const struct writer *w)
{
	return w->plan->catalogue->mariadb;
}

static unsigned version(const struct writer *w)
{
	return w->plan->catalogue->version;
}

/* A JSON value compared as JSON, not as text. */
static bool is_json(const struct plan_cond *c)
{
	return c->left.type.class == TYPE_JSON;
}

static bool exact_text(const struct writer *w, const struct plan_cond *c)
{
	return w->plan->config->text_compare == COMPARE_EXACT && c->left.type.class == TYPE_TEXT && !c->left.path;
}

/*
 * What is compared. A character that the column's set does not have would be an error; so the column is read in ours,
 * which no index can do, and by the default collation of that.
 */
static void left(struct writer *w, const struct plan_cond *c)
{
	strbuf_adds(&w->text, c->beyond_charset ? "CONVERT(" : "");
	sql_expr(w, &c->left);
	strbuf_adds(&w->text, c->beyond_charset ? " USING utf8mb4)" : "");
}

static void plain_value(struct writer *w, const struct plan_cond *c, const struct value *v)
{
	bool zoned = c->instants && c->instants[v - c->values] && w->plan->timezone.len;

	if (zoned)
		sql_lit(w, "CONVERT_TZ(");
	sql_param(w, *v);
	if (zoned)
		sql_lit(w, ",'+00:00',@@session.time_zone)");
}

/* Under text-compare = exact by its bytes, of which trailing blanks are some: most _bin collations overlook them. */
static void value(struct writer *w, const struct plan_cond *c, const struct value *v)
{
	plain_value(w, c, v);
	if (exact_text(w, c))
		strbuf_adds(&w->text, mariadb(w) ? " COLLATE utf8mb4_nopad_bin" : " COLLATE utf8mb4_0900_bin");
	else if (c->beyond_charset && c->left.column->binary_collation)
		sql_lit(w, EXACT);
}

static const char *comparison(enum query_op op)
{
	switch (op) {
	case OP_NEQ:
		return "<>";
	case OP_GT:
		return ">";
	case OP_GTE:
		return ">=";
	case OP_LT:
		return "<";
	case OP_LTE:
		return "<=";
	default:
		return "=";
	}
}

static void json_compare(struct writer *w, const struct plan_cond *c, const struct value *v)
{
	if (mariadb(w)) {
		sql_mariadb_json(w, &c->left, c->op, v->s);
		return;
	}
	left(w, c);
	strbuf_adds(&w->text, comparison(c->op));
	sql_lit(w, "CAST(");
	sql_param(w, *v);
	sql_lit(w, " AS JSON)");
}

static void like(struct writer *w, const struct plan_cond *c, const struct value *v)
{
	bool insensitive = c->op == OP_ILIKE;
	bool lower = insensitive && mariadb(w) && version(w) < 101000;

	strbuf_adds(&w->text, lower ? "LOWER(" : "");
	left(w, c);
	strbuf_adds(&w->text, lower ? ") LIKE LOWER(" : " LIKE ");
	sql_param(w, *v);
	if (lower)
		sql_lit(w, ")" EXACT);
	else if (insensitive)
		strbuf_adds(&w->text, mariadb(w) ? " COLLATE utf8mb4_uca1400_as_ci" : " COLLATE utf8mb4_0900_as_ci");
	else if (c->left.path || c->beyond_charset || !c->left.column || !c->left.column->binary_collation)
		sql_lit(w, EXACT);
}

static void match(struct writer *w, const struct plan_cond *c, const struct value *v)
{
	bool insensitive = c->op == OP_IMATCH;

	if (!mariadb(w))
		sql_lit(w, "REGEXP_LIKE(");
	left(w, c);
	if (mariadb(w))
		strbuf_adds(&w->text, insensitive ? " REGEXP CONCAT('(?i)'," : " REGEXP CONCAT('(?-i)',");
	else
		strbuf_addc(&w->text, ',');
	sql_param(w, *v);
	if (!mariadb(w))
		strbuf_adds(&w->text, insensitive ? ",'i'" : ",'c'");
	strbuf_addc(&w->text, ')');
}

static void distinct(struct writer *w, const struct plan_cond *c)
{
	if (is_json(c) && mariadb(w)) {
		sql_lit(w, "NOT IFNULL(");
		sql_mariadb_json(w, &c->left, c->op, c->values[0].s);
		sql_lit(w, ",FALSE)");
		return;
	}
	sql_lit(w, "NOT (");
	left(w, c);
	sql_lit(w, " <=> ");
	if (is_json(c))
		sql_lit(w, "CAST(");
	value(w, c, &c->values[0]);
	if (is_json(c))
		sql_lit(w, " AS JSON)");
	strbuf_addc(&w->text, ')');
}

typedef void value_writer(struct writer *w, const struct plan_cond *c, const struct value *v);

static void in_list(struct writer *w, const struct plan_cond *c, value_writer *write)
{
	size_t padded = sql_padded(c->nvalues);

	left(w, c);
	sql_lit(w, " IN (");
	for (size_t i = 0; i < padded; i++) {
		if (i)
			strbuf_addc(&w->text, ',');
		write(w, c, &c->values[i < c->nvalues ? i : c->nvalues - 1]);
	}
	strbuf_addc(&w->text, ')');
}

/* What is equal by its bytes is equal by the column's collation too, whose index finds it. */
static void narrow(struct writer *w, const struct plan_cond *c)
{
	in_list(w, c, plain_value);
	sql_lit(w, " AND ");
}

static void is(struct writer *w, const struct plan_cond *c)
{
	static const char *const words[] = { [IS_NULL] = " IS NULL",
					     [IS_NOT_NULL] = " IS NOT NULL",
					     [IS_TRUE] = " IS TRUE",
					     [IS_FALSE] = " IS FALSE",
					     [IS_UNKNOWN] = " IS NULL" };

	strbuf_addc(&w->text, '(');
	left(w, c);
	strbuf_addc(&w->text, ')');
	strbuf_adds(&w->text, words[c->is]);
}

static void contains(struct writer *w, const struct plan_cond *c)
{
	if (c->left.type.class == TYPE_SET) {
		sql_lit(w, "(TRUE");
		for (size_t i = 0; i < c->nvalues; i++) {
			sql_lit(w, " AND FIND_IN_SET(");
			sql_param(w, c->values[i]);
			strbuf_addc(&w->text, ',');
			left(w, c);
			strbuf_addc(&w->text, ')');
		}
		strbuf_addc(&w->text, ')');
		return;
	}
	sql_lit(w, "JSON_CONTAINS(");
	if (c->op == OP_CD) {
		sql_param(w, c->values[0]);
		strbuf_addc(&w->text, ',');
	}
	left(w, c);
	if (c->op == OP_CS) {
		strbuf_addc(&w->text, ',');
		sql_param(w, c->values[0]);
	}
	strbuf_addc(&w->text, ')');
}

static void overlaps(struct writer *w, const struct plan_cond *c)
{
	bool native = !mariadb(w) || version(w) >= 100900;

	if (native) {
		sql_lit(w, "JSON_OVERLAPS(");
		left(w, c);
		strbuf_addc(&w->text, ',');
		sql_param(w, c->values[0]);
		strbuf_addc(&w->text, ')');
		return;
	}
	sql_lit(w, "EXISTS (SELECT 1 FROM JSON_TABLE(");
	sql_param(w, c->values[0]);
	sql_lit(w, ", '$[*]' COLUMNS (v JSON PATH '$')) AS jt WHERE JSON_CONTAINS(");
	left(w, c);
	sql_lit(w, ", jt.v))");
}

static void fulltext(struct writer *w, const struct plan_cond *c)
{
	sql_lit(w, "MATCH(");
	for (size_t i = 0; i < c->fulltext->n; i++) {
		if (i)
			strbuf_addc(&w->text, ',');
		sql_column(w, c->left.node, c->fulltext->columns[i]);
	}
	sql_lit(w, ") AGAINST (");
	sql_param(w, c->values[0]);
	sql_lit(w, " IN BOOLEAN MODE)");
}

static void one_value(struct writer *w, const struct plan_cond *c, const struct value *v)
{
	switch (c->op) {
	case OP_LIKE:
	case OP_ILIKE:
		like(w, c, v);
		break;
	case OP_MATCH:
	case OP_IMATCH:
		match(w, c, v);
		break;
	default:
		if (is_json(c)) {
			json_compare(w, c, v);
			break;
		}
		left(w, c);
		strbuf_adds(&w->text, c->left.type.class == TYPE_ENUM && v->kind == VALUE_INT ? "+0" : "");
		strbuf_adds(&w->text, comparison(c->op));
		value(w, c, v);
	}
}

static void each_value(struct writer *w, const struct plan_cond *c, const char *word)
{
	strbuf_addc(&w->text, '(');
	for (size_t i = 0; i < c->nvalues; i++) {
		if (i)
			strbuf_adds(&w->text, word);
		one_value(w, c, &c->values[i]);
	}
	strbuf_addc(&w->text, ')');
}

static void compare(struct writer *w, const struct plan_cond *c)
{
	if (exact_text(w, c) && (c->op == OP_EQ || c->op == OP_IN))
		narrow(w, c);
	switch (c->op) {
	case OP_IN:
		if (is_json(c))
			each_value(w, c, " OR ");
		else
			in_list(w, c, value);
		break;
	case OP_IS:
		is(w, c);
		break;
	case OP_ISDISTINCT:
		distinct(w, c);
		break;
	case OP_CS:
	case OP_CD:
		contains(w, c);
		break;
	case OP_OV:
		overlaps(w, c);
		break;
	case OP_FTS:
	case OP_PLFTS:
	case OP_PHFTS:
	case OP_WFTS:
		fulltext(w, c);
		break;
	default:
		if (c->quantifier == QUANT_ANY && c->op == OP_EQ && !is_json(c))
			in_list(w, c, value);
		else
			each_value(w, c, c->quantifier == QUANT_ALL ? " AND " : " OR ");
	}
}

static void exists(struct writer *w, const struct plan_node *node)
{
	sql_lit(w, "EXISTS (SELECT 1 FROM ");
	sql_table(w, node);
	sql_lit(w, " WHERE ");
	for (size_t i = 0; i < node->relation->n; i++) {
		if (i)
			sql_lit(w, " AND ");
		sql_key_column(w, node, i);
		strbuf_addc(&w->text, '=');
		sql_column(w, node->parent, node->relation->from_columns[i]);
	}
	sql_where(w, node, " AND ");
	strbuf_addc(&w->text, ')');
}

/* (a,b) IN ((?,?),(?,?)) */
static void keys(struct writer *w, const struct plan_cond *c)
{
	size_t width = c->key->n, padded = sql_padded(c->nvalues);

	strbuf_adds(&w->text, width > 1 ? "(" : "");
	for (size_t i = 0; i < width; i++) {
		strbuf_adds(&w->text, i ? "," : "");
		sql_column(w, c->left.node, c->key->columns[i]);
	}
	strbuf_adds(&w->text, width > 1 ? ") IN (" : " IN (");
	for (size_t i = 0; i < padded; i++) {
		size_t at = i < c->nvalues ? i : c->nvalues - 1;

		strbuf_adds(&w->text, i ? "," : "");
		strbuf_adds(&w->text, width > 1 ? "(" : "");
		for (size_t k = 0; k < width; k++) {
			strbuf_adds(&w->text, k ? "," : "");
			sql_param(w, c->values[at * width + k]);
		}
		strbuf_adds(&w->text, width > 1 ? ")" : "");
	}
	strbuf_addc(&w->text, ')');
}

void sql_condition(struct writer *w, const struct plan_cond *c)
{
	if (c->negated)
		sql_lit(w, "NOT ");
	strbuf_addc(&w->text, '(');
	switch (c->kind) {
	case COND_TRUE:
		sql_lit(w, "TRUE");
		break;
	case COND_FALSE:
		sql_lit(w, "FALSE");
		break;
	case COND_COMPARE:
		compare(w, c);
		break;
	case COND_EXISTS:
		exists(w, c->embed);
		break;
	case COND_KEYS:
		keys(w, c);
		break;
	case COND_AND:
	case COND_OR:
		for (size_t i = 0; i < c->nkids; i++) {
			if (i)
				strbuf_adds(&w->text, c->kind == COND_AND ? " AND " : " OR ");
			sql_condition(w, c->kids[i]);
		}
		if (!c->nkids)
			strbuf_adds(&w->text, c->kind == COND_AND ? "TRUE" : "FALSE");
		break;
	}
	strbuf_addc(&w->text, ')');
}

/* The top is an AND without its parentheses: most statements have one simple condition. */
static const char *own_conditions(struct writer *w, const struct plan_node *node, const char *before)
{
	const struct plan_cond *all = node->where;

	for (size_t i = 0; all && i < all->nkids; i++) {
		strbuf_adds(&w->text, before);
		sql_condition(w, all->kids[i]);
		before = " AND ";
	}
	return before;
}

/* The policies of a bare node, and its own conditions. CASE keeps their order, AND does not. */
static const char *bare_conditions(struct writer *w, const struct plan_node *node, const char *before)
{
	bool guards = sql_guards(node);

	strbuf_adds(&w->text, before);
	strbuf_adds(&w->text, guards ? "CASE WHEN " : "");
	sql_allowed(w, node);
	if (!guards)
		return own_conditions(w, node, " AND ");
	(void)own_conditions(w, node, " THEN ");
	sql_lit(w, " ELSE FALSE END");
	return " AND ";
}

void sql_where(struct writer *w, const struct plan_node *node, const char *before)
{
	if (node == w->bare && !w->chosen && (node->policy || w->existing))
		before = bare_conditions(w, node, before);
	else
		before = own_conditions(w, node, before);
	for (size_t i = 0; i < node->nkids; i++)
		if (node->kids[i]->inner) {
			strbuf_adds(&w->text, before);
			exists(w, node->kids[i]);
			before = " AND ";
		}
}
