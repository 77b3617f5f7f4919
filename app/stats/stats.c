/*
 * From the rows of a level to its groups: what is wanted of a row is listed, one statement asks for it, its rows are
 * counted as they come, and then each aggregate is worked out from the counts.
 */
#include <stdlib.h>

#include "internal.h"

/* --- what is wanted --- */

static size_t conditions(const struct plan_cond *c)
{
	size_t n = 1;

	for (size_t i = 0; c && i < c->nkids; i++)
		n += conditions(c->kids[i]);
	return n;
}

static bool is_number(enum type_class class)
{
	return class == TYPE_INT || class == TYPE_BOOL || class == TYPE_YEAR || class == TYPE_DECIMAL;
}

static enum unit unit_of(enum type_class class)
{
	if (class == TYPE_FLOAT || class == TYPE_DOUBLE)
		return UNIT_DOUBLE;
	return is_number(class) ? UNIT_NUMBER : UNIT_MOMENT;
}

static bool is_text_class(enum type_class class)
{
	return !is_number(class) && class != TYPE_FLOAT && class != TYPE_DOUBLE && class != TYPE_DATE &&
	       class != TYPE_DATETIME && class != TYPE_TIMESTAMP && class != TYPE_TIME;
}

/* The expression within an aggregate. */
static struct plan_expr operand_of(const struct plan_expr *e)
{
	struct plan_expr x = *e;

	x.aggregate = AGG_NONE;
	x.aggregate_cast = NULL;
	x.member = MEMBER_NONE;
	x.number = 0;
	x.decimals = 0;
	x.type = e->operand;
	x.trimmed = e->cast && e->cast->trimmed;
	x.raw_json = e->path && !e->cast;
	return x;
}

static struct sql_wanted *want(struct stats *s, const struct plan_expr *e)
{
	struct sql_wanted *w = &s->wanted[s->nwanted++];

	*w = (struct sql_wanted){ .expr = *e, .weighed = true };
	return w;
}

static struct operand *find_operand(struct stats *s, const struct plan_expr *e)
{
	for (size_t i = 0; i < s->noperands; i++)
		if (plan_same_expr(&s->operands[i].wanted->expr, e))
			return &s->operands[i];
	return NULL;
}

static struct operand *operand(struct stats *s, const struct plan_expr *aggregate)
{
	struct plan_expr e = operand_of(aggregate);
	struct operand *o = find_operand(s, &e);

	if (!o) {
		o = &s->operands[s->noperands++];
		*o = (struct operand){
			.wanted = want(s, &e),
			.how = { unit_of(e.type.class), e.type.class },
			.is_text = is_text_class(e.type.class),
			.trimmed = e.trimmed,
		};
		o->wanted->instant = e.type.class == TYPE_TIMESTAMP && s->plan->timezone.len;
		o->wanted->weighed = false;
	}
	if (o->is_text) {
		o->distinct |= aggregate->aggregate == AGG_COUNT_DISTINCT;
		o->extremes |= aggregate->aggregate == AGG_MIN || aggregate->aggregate == AGG_MAX;
		o->wanted->weighed |= o->distinct || o->extremes;
	} else {
		o->tallied |= plan_is_counted(aggregate) || aggregate->aggregate == AGG_COUNT_DISTINCT;
	}
	return o;
}

static void aggregate(struct stats *s, const struct plan_expr *e)
{
	if (!e->aggregate)
		return;
	for (size_t i = 0; i < s->naggregates; i++)
		if (plan_same_expr(s->aggregates[i].expr, e))
			return;
	s->aggregates[s->naggregates++] = (struct aggregate){ .expr = e, .operand = e->column ? operand(s, e) : NULL };
}

static void aggregates_of(struct stats *s, const struct plan_cond *c)
{
	if (c->kind == COND_COMPARE)
		aggregate(s, &c->left);
	for (size_t i = 0; i < c->nkids; i++)
		aggregates_of(s, c->kids[i]);
}

static void list_wanted(struct stats *s)
{
	const struct plan_node *node = s->node;
	size_t n = node->nitems + node->norder + conditions(node->having);

	s->wanted = arena_array(s->a, struct sql_wanted, node->ngroup + node->norder + n);
	s->operands = arena_array(s->a, struct operand, n);
	s->aggregates = arena_array(s->a, struct aggregate, n);
	for (size_t i = 0; i < node->ngroup; i++)
		want(s, &node->group[i]);
	for (size_t i = 0; i < node->norder; i++)
		if (!node->order[i].expr.aggregate)
			want(s, &node->order[i].expr);
	s->ngroupwanted = s->nwanted;
	for (size_t i = 0; i < node->nitems; i++)
		if (!node->items[i].embed)
			aggregate(s, &node->items[i].expr);
	for (size_t i = 0; i < node->norder; i++)
		aggregate(s, &node->order[i].expr);
	if (node->having)
		aggregates_of(s, node->having);
}

size_t stats_place(const struct stats *s, const struct plan_expr *e, bool weight)
{
	for (size_t i = 0; i < s->naggregates && e->aggregate; i++)
		if (plan_same_expr(s->aggregates[i].expr, e))
			return s->aggregates[i].place;
	for (size_t i = 0; i < s->ngroupwanted; i++)
		if (plan_same_expr(&s->wanted[i].expr, e))
			return weight && s->wanted[i].has_weight ? s->wanted[i].weight_place : s->wanted[i].place;
	return 0;
}

/* --- where it stands --- */

static const struct type bytes_type = { .class = TYPE_BYTES };

static void place_parts(struct stats *s)
{
	const struct plan_node *node = s->node;
	size_t width = node->relation ? node->relation->n : 0;

	s->parts = arena_array(s->a, struct part, width + node->ngroup);
	for (size_t i = 0; i < width; i++)
		s->parts[s->nparts++] = (struct part){ .place = i, .type = &bytes_type };
	s->nparent = width;
	for (size_t i = 0; i < node->ngroup; i++) {
		const struct sql_wanted *w = &s->wanted[i];

		s->parts[s->nparts++] = (struct part){ .place = w->has_weight ? w->weight_place : w->place,
						       .type = w->has_weight ? &bytes_type : &w->expr.type };
	}
}

/* All but what is aggregated alone. */
static void mark_carried(struct stats *s)
{
	s->carried = arena_array(s->a, bool, s->ncolumns);
	for (size_t i = 0; i < s->ncolumns; i++)
		s->carried[i] = true;
	for (size_t i = s->ngroupwanted; i < s->nwanted; i++) {
		s->carried[s->wanted[i].place] = false;
		if (s->wanted[i].has_weight)
			s->carried[s->wanted[i].weight_place] = false;
	}
	for (size_t i = 0; i < s->node->nitems; i++)
		if (!s->node->items[i].embed && !s->node->items[i].expr.aggregate)
			s->carried[s->node->items[i].place] = true;
	for (size_t i = 0; i < s->ngroupwanted; i++)
		s->carried[s->wanted[i].place] = true;
}

static void place_aggregates(struct stats *s)
{
	struct plan_node *node = s->node;

	s->ncolumns = node->nplaces;
	for (size_t i = 0; i < s->naggregates; i++)
		s->aggregates[i].place = node->nplaces++;
	for (size_t i = 0; i < node->nitems; i++) {
		struct plan_item *item = &node->items[i];

		if (item->embed || !item->expr.aggregate)
			continue;
		item->place = stats_place(s, &item->expr, false);
		item->offset_place = 0;
	}
}

/* --- results --- */

/* A decimal as the database shows it: with the column's decimals at least, unless it is trimmed. */
static struct value decimal_value(struct stats *s, const struct operand *o, wide v, unsigned scale)
{
	unsigned declared = o->how.class == TYPE_DECIMAL && !o->trimmed ? o->wanted->expr.type.decimals : 0;
	struct strbuf b;

	declared += scale - o->scale;
	strbuf_init(&b, s->a, 80);
	number_add(&b, v, scale, o->trimmed);
	if (!scale && declared)
		strbuf_addc(&b, '.');
	for (; scale < declared; scale++)
		strbuf_addc(&b, '0');
	return value_text(strbuf_slice(&b));
}

/* A value of the operand's own type. */
static struct value own_value(struct stats *s, const struct operand *o, wide v)
{
	switch (o->how.class) {
	case TYPE_INT:
		if (o->wanted->expr.type.is_unsigned)
			return (struct value){ .kind = VALUE_UINT, .u = (uint64_t)v };
		return value_int((int64_t)v);
	case TYPE_BOOL:
	case TYPE_YEAR:
		return value_int((int64_t)v);
	case TYPE_DECIMAL:
		return decimal_value(s, o, v, o->scale);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return (struct value){ .kind = VALUE_DOUBLE, .d = number_to_double((int64_t)v) };
	default:
		return moment_value((int64_t)v, o->how.class);
	}
}

static struct value average(struct stats *s, const struct operand *o, const struct totals *t)
{
	unsigned more = o->scale + 4 > 30 ? 30 - o->scale : 4;
	wide finer = number_power(more);

	if (o->how.unit == UNIT_DOUBLE)
		return (struct value){ .kind = VALUE_DOUBLE, .d = t->dsum / (double)t->n };
	return decimal_value(s, o, t->sum / (wide)t->n * finer + number_divide(t->sum % (wide)t->n * finer, (wide)t->n),
			     o->scale + more);
}

static struct value plain(struct stats *s, const struct aggregate *a, const struct totals *t)
{
	const struct operand *o = a->operand;
	struct figure f;

	switch (a->expr->aggregate) {
	case AGG_SUM:
		if (o->how.unit == UNIT_DOUBLE)
			return (struct value){ .kind = VALUE_DOUBLE, .d = t->dsum };
		return decimal_value(s, o, t->sum, o->scale);
	case AGG_AVG:
		return average(s, o, t);
	case AGG_MAX:
		return own_value(s, o, t->most);
	case AGG_MIN:
		return own_value(s, o, t->least);
	default:
		f = totals_deviation(t, o->scale, a->expr->aggregate == AGG_STDDEV);
		return show_figure(s->a, &(struct shown){ UNIT_DOUBLE, TYPE_DOUBLE }, &f, false);
	}
}

static struct value of_sample(struct stats *s, const struct aggregate *a, const struct sample *x)
{
	const struct plan_expr *e = a->expr;
	struct figure f;

	if (e->member)
		return show_member(s->a, &a->operand->how, x, e);
	switch (e->aggregate) {
	case AGG_BOXPLOT:
		return show_boxplot(s->a, &a->operand->how, x, e->number);
	case AGG_HISTOGRAM:
		return show_histogram(s->a, &a->operand->how, x, e->number);
	case AGG_QUANTILE:
		f = measure_quantile(x, e->number, e->decimals);
		break;
	default:
		f = measure_quantile(x, 5, 1);
	}
	return show_figure(s->a, &a->operand->how, &f, true);
}

static struct value result(struct stats *s, const struct aggregate *a, const struct group *g, const struct counter *c,
			   const struct sample *x)
{
	if (!a->operand)
		return value_int((int64_t)g->rows);
	switch (a->expr->aggregate) {
	case AGG_COUNT:
		return value_int((int64_t)c->totals.n);
	case AGG_COUNT_DISTINCT:
		return value_int((int64_t)(a->operand->is_text ? texts_distinct(c->texts) : x->n));
	default:
		break;
	}
	if (plan_is_counted(a->expr))
		return of_sample(s, a, x);
	if (!c->totals.n)
		return (struct value){ .kind = VALUE_NULL };
	if (a->operand->is_text)
		return texts_extreme(c->texts, a->expr->aggregate == AGG_MAX);
	return plain(s, a, &c->totals);
}

/* One operand's aggregates for one group; then its values are not needed any more. */
static bool work_out(struct stats *s, struct group *g, size_t at)
{
	const struct operand *o = &s->operands[at];
	struct counter *c = &g->counters[at];
	struct sample x = { .unit = o->how.unit, .scale = o->scale, .total = c->totals.n };
	struct count *sorted;
	size_t text = 0;

	if (!groups_settle(s, c))
		return false;
	x.values = sorted = tally_sorted(&c->tally);
	x.n = c->tally.n;
	if (o->tallied) {
		c->totals = (struct totals){ 0 };
		for (size_t i = 0; i < x.n; i++)
			totals_add(&c->totals, o->how.unit, sorted[i].value, sorted[i].n);
	}
	for (size_t i = 0; i < s->naggregates; i++) {
		struct value *cell = &g->cells[s->aggregates[i].place];

		if (s->aggregates[i].operand != o)
			continue;
		*cell = result(s, &s->aggregates[i], g, c, &x);
		if (!stats_cast(s, s->aggregates[i].expr->aggregate_cast, cell)) {
			free(sorted);
			return false;
		}
		text += cell->kind == VALUE_TEXT ? cell->s.len : 0;
	}
	tally_free(&c->tally);
	free(sorted);
	return groups_take(s, text / VALUE_MEMORY);
}

static bool count_rows(struct stats *s, struct group *g)
{
	for (size_t i = 0; i < s->naggregates; i++) {
		struct value *cell = &g->cells[s->aggregates[i].place];

		if (s->aggregates[i].operand)
			continue;
		*cell = value_int((int64_t)g->rows);
		if (!stats_cast(s, s->aggregates[i].expr->aggregate_cast, cell))
			return false;
	}
	return true;
}

static bool work_out_all(struct stats *s)
{
	for (size_t i = 0; i < s->ngroups; i++) {
		struct group *g = s->groups[i];

		if (!count_rows(s, g))
			return false;
		for (size_t k = 0; k < s->noperands; k++)
			if (!work_out(s, g, k))
				return false;
	}
	return true;
}

static void keep_having(struct stats *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->ngroups; i++)
		if (groups_have(s, s->groups[i]))
			s->groups[n++] = s->groups[i];
	s->ngroups = n;
}

static bool same_parent(const struct group *a, const struct group *b)
{
	return slice_eq((struct slice){ a->key.ptr, a->parent }, (struct slice){ b->key.ptr, b->parent });
}

/* The page; of an embed one for each parent. */
static void cut_page(struct stats *s)
{
	const struct plan_node *node = s->node;
	uint64_t at = 0;
	size_t n = 0;

	s->total = s->ngroups;
	for (size_t i = 0; i < s->ngroups; i++, at++) {
		if (i && !same_parent(s->groups[i], s->groups[i - 1]))
			at = 0;
		if (at >= node->offset && (!node->has_limit || at - node->offset < node->limit))
			s->groups[n++] = s->groups[i];
	}
	s->ngroups = n;
}

static bool read_rows(struct stats *s, const struct sql_keys *keys, struct db_conn *conn, struct error *err)
{
	struct db_statement statement;
	const struct value *cells;
	struct db_rows *rows;
	enum db_step step;

	sql_gather(s->a, s->plan, s->node, keys, s->wanted, s->nwanted, &statement);
	place_aggregates(s);
	place_parts(s);
	mark_carried(s);
	if (!db_query(s->a, conn, &statement, &rows, err))
		return false;
	while ((step = db_next(rows, &cells, err)) == DB_ROW)
		if (!groups_add(s, cells)) {
			db_rows_close(rows);
			return false;
		}
	if (!s->ngroups && !s->nparts)
		groups_add_empty(s);
	return step == DB_END;
}

bool stats_open(struct arena *a, const struct plan *plan, struct plan_node *node, const struct sql_keys *keys,
		struct db_conn *conn, struct stats **out, struct error *err)
{
	struct stats *s = arena_new(a, struct stats);

	*s = (struct stats){ .a = a, .plan = plan, .node = node, .err = err, .limit = plan->config->db_max_distinct };
	strbuf_init(&s->key, a, 64);
	list_wanted(s);
	if (!read_rows(s, keys, conn, err) || !work_out_all(s)) {
		groups_free(s);
		return false;
	}
	keep_having(s);
	groups_order(s);
	cut_page(s);
	*out = s;
	return true;
}

uint64_t stats_total(const struct stats *s)
{
	return s->total;
}

bool stats_next(struct stats *s, const struct value **cells_out)
{
	if (s->at == s->ngroups)
		return false;
	*cells_out = s->groups[s->at++]->cells;
	return true;
}

struct value stats_of_nothing(struct arena *a, const struct plan_expr *e)
{
	struct shown how = { unit_of(e->operand.class), e->operand.class };
	struct sample none = { .unit = how.unit };

	if (e->member)
		return show_member(a, &how, &none, e);
	if (e->aggregate == AGG_BOXPLOT)
		return show_boxplot(a, &how, &none, e->number);
	if (e->aggregate == AGG_HISTOGRAM)
		return show_histogram(a, &how, &none, e->number);
	return (struct value){ .kind = VALUE_NULL };
}
