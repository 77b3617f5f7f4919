/* Pieces of statements: parameters, columns, JSON paths, casts, aggregates. */
#include <assert.h>

#include "internal.h"

void sql_writer(struct writer *w, struct arena *a, const struct plan *plan)
{
	*w = (struct writer){ .a = a, .plan = plan };
	strbuf_init(&w->text, a, 512);
}

/* Of more tables MySQL, which makes joins of EXISTS, tries orders for seconds, of ten for minutes. */
#define TABLES_TRIED 6

/*
 * MySQL sorts whole rows, JSON and texts with them, and none that is longer than its sort buffer (1038), which is
 * 256 KiB. It takes no more memory than it needs; so much for each who sorts is the most it is let have.
 */
#define WIDE 65535
#define MOST_TO_SORT (8u << 20)

static bool is_wide(const struct type *t)
{
	return t->class == TYPE_JSON || t->class == TYPE_GEOMETRY || t->class == TYPE_VECTOR ||
	       ((t->class == TYPE_TEXT || t->class == TYPE_BYTES) && t->in_bytes && t->length >= WIDE);
}

static struct slice hinted(const struct writer *w, struct slice text)
{
	const char *word = slice_starts(text, "UPDATE ") || slice_starts(text, "DELETE ")
				   ? text.ptr
				   : memmem(text.ptr, text.len, "SELECT ", 7);
	size_t before = word ? (size_t)(word - text.ptr) + 7 : 0;
	bool joins = w->ntables > TABLES_TRIED;
	uint64_t room = w->sorts && w->wide ? w->plan->config->db_max_allowed_packet : 0;
	struct strbuf b;

	if (!word || !(joins || room) || w->plan->catalogue->mariadb)
		return text;
	strbuf_init(&b, w->a, text.len + 128);
	strbuf_add(&b, text.ptr, before);
	strbuf_lit(&b, "/*+ ");
	if (joins)
		strbuf_lit(&b, "SET_VAR(optimizer_search_depth=2) ");
	if (room)
		strbuf_addf(&b, "SET_VAR(sort_buffer_size=%llu) ",
			    (unsigned long long)(room < MOST_TO_SORT ? room : MOST_TO_SORT));
	strbuf_lit(&b, "*/ ");
	strbuf_add_slice(&b, slice_from(text, before));
	return strbuf_slice(&b);
}

void sql_finish(const struct writer *w, struct db_statement *out)
{
	*out = (struct db_statement){ .text = hinted(w, sql_filled(w)),
				      .params = w->params,
				      .nparams = w->nparams,
				      .columns = w->columns,
				      .ncolumns = w->ncolumns };
}

void sql_bind(struct writer *w, struct value v)
{
	if (w->nparams == w->cap) {
		struct value *more = arena_array(w->a, struct value, w->cap ? w->cap * 2 : 16);

		if (w->nparams)
			memcpy(more, w->params, w->nparams * sizeof(*more));
		w->params = more;
		w->cap = w->cap ? w->cap * 2 : 16;
	}
	w->params[w->nparams++] = v;
}

void sql_param(struct writer *w, struct value v)
{
	bool zoned = v.instant && w->plan && w->plan->timezone.len;

	sql_bind(w, v);
	strbuf_adds(&w->text, zoned ? "CONVERT_TZ(?,'+00:00',@@session.time_zone)" : "?");
}

void sql_column(struct writer *w, const struct plan_node *node, const struct column *c)
{
	if (node == w->bare) {
		strbuf_add_slice(&w->text, node->table->quoted);
	} else {
		strbuf_addc(&w->text, 't');
		strbuf_add_u64(&w->text, node->number);
		if (node->policy)
			sql_uses(w, node, c);
	}
	strbuf_addc(&w->text, '.');
	strbuf_add_slice(&w->text, c->quoted);
}

/* Where the last step from an array's end stands in a path, outside of the quotes of keys; path.len: nowhere. */
static size_t step_from_end(struct slice path)
{
	size_t found = path.len;
	bool quoted = false;

	for (size_t i = 0; i + 1 < path.len; i++) {
		if (quoted && path.ptr[i] == '\\')
			i++;
		else if (path.ptr[i] == '"')
			quoted = !quoted;
		else if (!quoted && path.ptr[i] == '[' && path.ptr[i + 1] == '-')
			found = i;
	}
	return found;
}

/* MariaDB before 10.9 knows no [-1]: there the place is counted from the array's length. */
static void json_path(struct writer *w, const struct plan_expr *e, struct slice path)
{
	bool counts = !w->plan->catalogue->mariadb || w->plan->catalogue->version >= 100900;
	size_t at = counts ? path.len : step_from_end(path);
	struct slice rest = slice_from(path, at < path.len ? at + 1 : at), number;
	int64_t index = 0;

	if (at == path.len || !slice_split(&rest, ']', &number) || !parse_i64(number, &index)) {
		sql_param(w, value_text(path));
		return;
	}
	path.len = at;
	sql_lit(w, "CONCAT(");
	json_path(w, e, path);
	sql_lit(w, ",'[',JSON_LENGTH(");
	sql_column(w, e->node, e->column);
	strbuf_addc(&w->text, ',');
	json_path(w, e, path);
	sql_lit(w, ")+");
	sql_param(w, value_int(index));
	sql_lit(w, ",']',");
	sql_param(w, value_text(rest));
	strbuf_addc(&w->text, ')');
}

static void extract(struct writer *w, const struct plan_expr *e, struct slice path)
{
	sql_lit(w, "JSON_EXTRACT(");
	sql_column(w, e->node, e->column);
	strbuf_addc(&w->text, ',');
	json_path(w, e, path);
	strbuf_addc(&w->text, ')');
}

/* A step by index into what is no array is NULL in PostgreSQL; MySQL would take the value itself for [0]. */
static void guarded(struct writer *w, const struct plan_expr *e)
{
	const struct plan_path *p = e->path;

	for (size_t i = 0; i < p->narrays; i++) {
		strbuf_adds(&w->text, i ? " AND JSON_TYPE(" : "CASE WHEN JSON_TYPE(");
		extract(w, e, p->arrays[i]);
		sql_lit(w, ")='ARRAY'");
	}
	if (p->narrays)
		sql_lit(w, " THEN ");
	extract(w, e, p->text);
	if (p->narrays)
		sql_lit(w, " END");
}

/* ->> : JSON null is NULL, not the text 'null'. */
static void unquoted(struct writer *w, const struct plan_expr *e)
{
	sql_lit(w, "CASE JSON_TYPE(");
	guarded(w, e);
	sql_lit(w, ") WHEN 'NULL' THEN NULL ELSE JSON_UNQUOTE(");
	guarded(w, e);
	sql_lit(w, ") END");
}

/* MySQL's JSON is no text to REGEXP and the like. */
static void json_column(struct writer *w, const struct plan_expr *e)
{
	sql_lit(w, "CAST(");
	sql_column(w, e->node, e->column);
	sql_lit(w, " AS CHAR)");
}

static void base(struct writer *w, const struct plan_expr *e)
{
	if (!e->column)
		strbuf_addc(&w->text, '*');
	else if (!e->path && e->column->type.class == TYPE_JSON && e->cast && e->cast->type.class != TYPE_TEXT)
		json_column(w, e);
	else if (!e->path)
		sql_column(w, e->node, e->column);
	else if (e->path->as_text || e->cast)
		unquoted(w, e);
	else
		guarded(w, e);
}

typedef void operand_writer(struct writer *w, const struct plan_expr *e);

static void around(struct writer *w, const struct plan_cast *cast, const struct plan_expr *e, operand_writer *operand)
{
	for (const char *c = cast ? cast->text : "@"; *c; c++) {
		if (*c == '@')
			operand(w, e);
		else
			strbuf_addc(&w->text, *c);
	}
}

static const char *const functions[] = { "",     "COUNT(",          "SUM(",         "AVG(",       "MAX(",
					 "MIN(", "COUNT(DISTINCT ", "STDDEV_SAMP(", "STDDEV_POP(" };

static void aggregate(struct writer *w, const struct plan_expr *e)
{
	/* What is counted here has its operands selected by sql_gather. */
	assert(!plan_is_counted(e));
	if (e->aggregate)
		strbuf_adds(&w->text, functions[e->aggregate]);
	around(w, e->cast, e, base);
	if (e->aggregate)
		strbuf_addc(&w->text, ')');
}

void sql_expr(struct writer *w, const struct plan_expr *e)
{
	around(w, e->aggregate_cast, e, aggregate);
}

void sql_selected(struct writer *w, const struct plan_expr *e)
{
	bool plain = !e->cast && !e->aggregate;

	w->wide |= is_wide(&e->type) || e->path;
	if (e->raw_json && plain) {
		guarded(w, e);
	} else if (e->type.class == TYPE_GEOMETRY && plain) {
		sql_lit(w, "ST_AsGeoJSON(");
		sql_expr(w, e);
		strbuf_addc(&w->text, ')');
	} else if (e->type.class == TYPE_VECTOR && plain) {
		/* MariaDB's client library knows nothing of MySQL's vectors, and their text loses digits. */
		sql_lit(w, "HEX(");
		sql_expr(w, e);
		strbuf_addc(&w->text, ')');
	} else if (e->type.class == TYPE_BOOL && e->type.bit) {
		strbuf_addc(&w->text, '(');
		sql_expr(w, e);
		sql_lit(w, "+0)");
	} else {
		sql_expr(w, e);
	}
}
