/* What functions make of a column: casts, parts of dates, aggregates, and the types these have. */
#include "internal.h"

static const char *const aggregate_names[] = { "",         "count",   "sum",      "avg",        "max",
					       "min",      "count",   "stddev",   "stddev_pop", "median",
					       "quantile", "boxplot", "histogram" };

static const struct {
	const char *name;
	const char *text;
	enum type_class class;
	bool of_date, of_time;
} parts[] = {
	[PART_YEAR] = { "year", "YEAR(@)", TYPE_INT, true, false },
	[PART_QUARTER] = { "quarter", "QUARTER(@)", TYPE_INT, true, false },
	[PART_MONTH] = { "month", "MONTH(@)", TYPE_INT, true, false },
	[PART_DAY] = { "day", "DAYOFMONTH(@)", TYPE_INT, true, false },
	[PART_HOUR] = { "hour", "HOUR(@)", TYPE_INT, false, true },
	[PART_MINUTE] = { "minute", "MINUTE(@)", TYPE_INT, false, true },
	[PART_WEEKDAY] = { "weekday", "(WEEKDAY(@)+1)", TYPE_INT, true, false },
	[PART_DATE] = { "date", "CAST(@ AS DATE)", TYPE_DATE, true, false },
	[PART_YEAR_MONTH] = { "year_month", "CONCAT(LPAD(YEAR(@),4,'0'),'-',LPAD(MONTH(@),2,'0'))", TYPE_TEXT, true,
			      false },
};

const char *plan_function_name(const struct query_item *q)
{
	return q->aggregate ? aggregate_names[q->aggregate] : parts[q->part].name;
}

static bool no_function(struct planner *p, const char *name, const struct type *of, const char *hint)
{
	error_set(p->err, ERR_NO_OPERATOR, "function %s(%s) does not exist", name, type_name(of));
	return hint ? error_hint(p->err, "%s", hint) : false;
}

/* The text of a cast with another one in the place of what it casts. */
static const char *nested(struct arena *a, const char *outer, const char *inner)
{
	struct strbuf b;

	strbuf_init(&b, a, 128);
	for (const char *c = outer; *c; c++) {
		if (*c == '@')
			strbuf_adds(&b, inner);
		else
			strbuf_addc(&b, *c);
	}
	return strbuf_cstr(&b);
}

bool plan_part(struct planner *p, enum query_part part, struct plan_expr *e)
{
	struct plan_cast *c = arena_new(p->a, struct plan_cast);
	enum type_class class = e->type.class;
	bool moment = class == TYPE_DATETIME || class == TYPE_TIMESTAMP;

	if (!moment && !(class == TYPE_DATE && parts[part].of_date) && !(class == TYPE_TIME && parts[part].of_time))
		return no_function(p, parts[part].name, &e->type,
				   "Cast the column to a date or time first, as in col::timestamp.year()");
	c->text = nested(p->a, parts[part].text, e->cast ? e->cast->text : "@");
	c->type = (struct type){ .class = parts[part].class, .size = parts[part].class == TYPE_INT ? 4 : 0 };
	e->cast = c;
	e->part = true;
	e->type = c->type;
	e->raw_json = e->text_json = e->trimmed = false;
	return true;
}

static bool is_numeric(const struct type *t)
{
	return t->class == TYPE_INT || t->class == TYPE_DECIMAL || t->class == TYPE_FLOAT || t->class == TYPE_DOUBLE ||
	       t->class == TYPE_BOOL || t->class == TYPE_YEAR;
}

static bool is_temporal(const struct type *t)
{
	return t->class == TYPE_DATE || t->class == TYPE_DATETIME || t->class == TYPE_TIMESTAMP ||
	       t->class == TYPE_TIME;
}

/* Between two dates lies a time of day. */
static void between(struct plan_expr *e)
{
	bool floating = e->type.class == TYPE_FLOAT || e->type.class == TYPE_DOUBLE;

	if (e->type.class == TYPE_DATE)
		e->type = (struct type){ .class = TYPE_DATETIME, .decimals = 6 };
	else if (!is_temporal(&e->type))
		e->type = (struct type){ .class = floating ? TYPE_DOUBLE : TYPE_DECIMAL };
	e->trimmed = e->type.class == TYPE_DECIMAL;
}

/* What is neither greater nor less than another. */
static bool is_shape(const struct type *t)
{
	return t->class == TYPE_GEOMETRY || t->class == TYPE_VECTOR;
}

static bool aggregate_type(struct planner *p, struct plan_expr *e)
{
	bool floating = e->type.class == TYPE_FLOAT || e->type.class == TYPE_DOUBLE;
	const char *name = aggregate_names[e->aggregate];

	e->operand = e->type;
	switch (e->aggregate) {
	case AGG_COUNT:
	case AGG_COUNT_DISTINCT:
		if (e->aggregate == AGG_COUNT_DISTINCT && is_shape(&e->type))
			return no_function(p, name, &e->type, NULL);
		e->type = (struct type){ .class = TYPE_INT, .size = 8 };
		e->trimmed = false;
		break;
	case AGG_MAX:
	case AGG_MIN:
		if (is_shape(&e->type))
			return no_function(p, name, &e->type, NULL);
		break;
	case AGG_SUM:
	case AGG_AVG:
	case AGG_STDDEV:
	case AGG_STDDEV_POP:
		if (!is_numeric(&e->type))
			return no_function(
				p, name, &e->type,
				arena_printf(p->a, "Cast the column to a number first, as in col::numeric.%s()", name));
		floating |= e->aggregate == AGG_STDDEV || e->aggregate == AGG_STDDEV_POP;
		e->type = (struct type){ .class = floating ? TYPE_DOUBLE : TYPE_DECIMAL };
		break;
	default:
		if (!is_numeric(&e->type) && !is_temporal(&e->type))
			return no_function(
				p, name, &e->type,
				arena_printf(p->a, "Cast the column to a number or date first, as in col::numeric.%s()",
					     name));
		if (e->aggregate == AGG_BOXPLOT || e->aggregate == AGG_HISTOGRAM)
			e->type = (struct type){ .class = TYPE_JSON };
		else
			between(e);
	}
	return true;
}

static const struct {
	const char *name;
	enum plan_member member;
	bool of_boxplot, of_histogram;
} members[] = {
	{ "n", MEMBER_N, true, false },
	{ "min", MEMBER_MIN, true, true },
	{ "q1", MEMBER_Q1, true, false },
	{ "median", MEMBER_MEDIAN, true, false },
	{ "q3", MEMBER_Q3, true, false },
	{ "max", MEMBER_MAX, true, true },
	{ "mean", MEMBER_MEAN, true, false },
	{ "lower_whisker", MEMBER_LOWER_WHISKER, true, false },
	{ "upper_whisker", MEMBER_UPPER_WHISKER, true, false },
	{ "outlier_count", MEMBER_OUTLIER_COUNT, true, false },
	{ "width", MEMBER_WIDTH, false, true },
};

static void member_type(struct plan_expr *e)
{
	e->type = e->operand;
	switch (e->member) {
	case MEMBER_N:
	case MEMBER_OUTLIER_COUNT:
		e->type = (struct type){ .class = TYPE_INT, .size = 8 };
		break;
	case MEMBER_WIDTH:
		if (is_temporal(&e->type)) /* seconds */
			e->type = (struct type){ .class = TYPE_DECIMAL };
		between(e);
		break;
	case MEMBER_Q1:
	case MEMBER_MEDIAN:
	case MEMBER_Q3:
	case MEMBER_MEAN:
		between(e);
		break;
	default:
		if (!is_temporal(&e->type))
			between(e);
	}
}

static bool apply_cast(struct planner *p, struct slice name, struct plan_expr *e, const struct plan_cast **out);

/* e, a box plot or histogram, becomes a figure of it. */
static bool member(struct planner *p, struct slice name, bool as_text, struct plan_expr *e)
{
	bool box = e->aggregate == AGG_BOXPLOT;

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (!(box ? members[i].of_boxplot : members[i].of_histogram) || !slice_is(name, members[i].name))
			continue;
		e->member = members[i].member;
		if (box) /* whatever it lists */
			e->number = 0;
		member_type(e);
		return !as_text || apply_cast(p, SLICE("text"), e, &e->aggregate_cast);
	}
	error_set(p->err, ERR_UNKNOWN_COLUMN, "%s() has no figure \"%.*s\"", aggregate_names[e->aggregate],
		  (int)name.len, name.ptr);
	return error_hint(p->err, box ? "It has n, min, q1, median, q3, max, mean, lower_whisker, upper_whisker and "
					"outlier_count."
				      : "It has min, max and width.");
}

/* *out: NULL when the value is of that type already. */
static bool apply_cast(struct planner *p, struct slice name, struct plan_expr *e, const struct plan_cast **out)
{
	const struct plan_cast *cast = NULL;

	if (!name.len)
		return true;
	if (!plan_cast(p, name, e, &cast))
		return false;
	*out = cast;
	if (!cast)
		return true;
	e->type = cast->type;
	e->raw_json = false;
	e->text_json = cast->type.class == TYPE_JSON;
	e->trimmed = cast->trimmed;
	return true;
}

bool plan_value(struct planner *p, const struct plan_node *node, const struct query_item *q, struct plan_expr *e)
{
	*e = (struct plan_expr){ .node = node, .type = { .class = TYPE_INT, .size = 8 } };
	if (q->field.name.len && !plan_field(p, node, &q->field, e))
		return false;
	if (!apply_cast(p, q->cast, e, &e->cast) || (q->part && !plan_part(p, q->part, e)))
		return false;
	if (!q->aggregate)
		return true;
	if (!p->config->db_aggregates_enabled)
		return error_set(p->err, ERR_AGGREGATES_OFF, "Use of aggregate functions is not allowed");
	e->aggregate = q->aggregate;
	e->number = q->number;
	e->decimals = q->decimals;
	return aggregate_type(p, e) && (!q->member.len || member(p, q->member, q->member_as_text, e)) &&
	       apply_cast(p, q->aggregate_cast, e, &e->aggregate_cast);
}

static bool has_members(const struct plan_expr *e)
{
	return (e->aggregate == AGG_BOXPLOT || e->aggregate == AGG_HISTOGRAM) && !e->member && !e->aggregate_cast;
}

const struct plan_item *plan_named(const struct plan_node *node, const struct query_field *field)
{
	for (size_t i = 0; i < node->nitems; i++) {
		const struct plan_item *item = &node->items[i];

		if (item->embed || !(item->expr.aggregate || item->expr.part) || !slice_eq(item->key, field->name))
			continue;
		if (!field->nsteps || (field->nsteps == 1 && !field->steps[0].is_index && has_members(&item->expr)))
			return item;
	}
	return NULL;
}

bool plan_named_value(struct planner *p, const struct plan_item *item, const struct query_field *field,
		      struct plan_expr *out)
{
	*out = item->expr;
	return !field->nsteps || member(p, field->steps[0].key, field->steps[0].as_text, out);
}

static bool same_path(const struct plan_path *a, const struct plan_path *b)
{
	return a == b || (a && b && slice_eq(a->text, b->text) && a->as_text == b->as_text);
}

static bool same_cast(const struct plan_cast *a, const struct plan_cast *b)
{
	return a == b || (a && b && strcmp(a->text, b->text) == 0);
}

bool plan_same_expr(const struct plan_expr *a, const struct plan_expr *b)
{
	return a->node == b->node && a->column == b->column && same_path(a->path, b->path) &&
	       same_cast(a->cast, b->cast) && a->aggregate == b->aggregate && a->number == b->number &&
	       a->decimals == b->decimals && a->member == b->member && same_cast(a->aggregate_cast, b->aggregate_cast);
}
