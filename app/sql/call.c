/*
 * Calls, and rows of a call as a table: they go back to the server as one JSON parameter, which JSON_TABLE makes rows
 * of. So filters, order, casts and aggregates mean for them what they mean for a table, collations and all, no right is
 * needed for it (a temporary table would need one), and it works within a read-only transaction.
 */
#include "internal.h"

#include "call.h"

static void argument(struct writer *w, const struct parameter *p, const struct write_cell *cell, bool zoned)
{
	bool shape = p->column.type.class == TYPE_GEOMETRY && cell->value.kind != VALUE_NULL;

	if (zoned && cell->instant) {
		sql_lit(w, "CONVERT_TZ(");
		sql_param(w, cell->value);
		sql_lit(w, ",'+00:00',@@session.time_zone)");
		return;
	}
	if (shape)
		strbuf_adds(&w->text, cell->geojson ? "ST_GeomFromGeoJSON(" : "ST_GeomFromText(");
	sql_param(w, cell->value);
	if (shape)
		strbuf_addc(&w->text, ')');
}

static void invocation(struct writer *w, const struct call *call, bool zoned)
{
	const struct routine *r = call->routine;

	strbuf_add_slice(&w->text, r->quoted);
	strbuf_addc(&w->text, '(');
	for (size_t i = 0; i < r->nparameters; i++) {
		strbuf_adds(&w->text, i ? "," : "");
		argument(w, &r->parameters[i], &call->arguments[i], zoned);
	}
	strbuf_addc(&w->text, ')');
}

/* LIMIT keeps the function from being called once for each column. */
static void zoned_function(struct writer *w, const struct call *call)
{
	sql_lit(w, "SELECT ");
	sql_place(w, FETCH_DATETIME);
	sql_lit(w, "v");
	sql_place(w, FETCH_INT);
	sql_lit(w, "CAST(FLOOR(UNIX_TIMESTAMP(v)) AS SIGNED) FROM (SELECT ");
	invocation(w, call, true);
	sql_lit(w, " AS v LIMIT 1) AS r");
}

static void function(struct writer *w, const struct call *call, bool zoned)
{
	const struct type *type = &call->routine->returns;
	const char *before = type->class == TYPE_GEOMETRY ? "ST_AsGeoJSON(" : type->bit ? "(" : "";
	const char *after = type->class == TYPE_GEOMETRY ? ")" : type->bit ? "+0)" : "";

	sql_lit(w, "SELECT ");
	sql_place(w, sql_fetch(type));
	strbuf_adds(&w->text, before);
	invocation(w, call, zoned);
	strbuf_adds(&w->text, after);
}

void sql_call_routine(struct arena *a, const struct call *call, bool zoned, struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, NULL);
	if (!call->routine->is_function) {
		sql_lit(&w, "CALL ");
		invocation(&w, call, zoned);
	} else if (zoned && call->routine->returns.class == TYPE_TIMESTAMP) {
		zoned_function(&w, call);
	} else {
		function(&w, call, zoned);
	}
	sql_finish(&w, out);
}

void sql_response_variables(struct db_statement *out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT };

	*out = (struct db_statement){ .text = SLICE("SELECT CAST(@`response.status` AS CHAR),"
						    "CAST(@`response.headers` AS CHAR)"),
				      .columns = fetch,
				      .ncolumns = 2 };
}

void sql_response_error(struct db_statement *out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT };

	*out = (struct db_statement){ .text = SLICE("SELECT CAST(@`response.error` AS CHAR)"),
				      .columns = fetch,
				      .ncolumns = 1 };
}

/* --- rows as a table --- */

/* What JSON_TABLE reads a value as, and what is made of that ("@"). */
struct reading {
	const char *type;
	const char *made;
};

static struct reading reading(const struct type *t, bool mariadb)
{
	switch (t->class) {
	case TYPE_INT:
		return (struct reading){ t->is_unsigned ? "BIGINT UNSIGNED" : "BIGINT", "@" };
	case TYPE_BOOL:
		return (struct reading){ "TINYINT(1)", "@" };
	case TYPE_YEAR:
		return (struct reading){ "SMALLINT UNSIGNED", "@" };
	case TYPE_FLOAT:
		return (struct reading){ "FLOAT", "@" };
	case TYPE_DOUBLE:
		return (struct reading){ "DOUBLE", "@" };
	case TYPE_DATE:
		return (struct reading){ "VARCHAR(40)", "CAST(@ AS DATE)" };
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
		return (struct reading){ "VARCHAR(40)", "CAST(@ AS DATETIME(6))" };
	case TYPE_TIME:
		return (struct reading){ "VARCHAR(40)", "CAST(@ AS TIME(6))" };
	case TYPE_BYTES:
		return (struct reading){ "LONGTEXT", "UNHEX(@)" };
	case TYPE_JSON:
		return (struct reading){ "LONGTEXT CHARACTER SET utf8mb4", mariadb ? "@" : "CAST(@ AS JSON)" };
	default:
		return (struct reading){ "LONGTEXT CHARACTER SET utf8mb4", "@" };
	}
}

#define MAX_SCALE 30

static void column_type(struct writer *w, const struct type *t)
{
	if (t->class == TYPE_DECIMAL)
		strbuf_addf(&w->text, "DECIMAL(65,%u)", t->decimals < MAX_SCALE ? t->decimals : MAX_SCALE);
	else
		strbuf_adds(&w->text, reading(t, false).type);
}

/* Text of a table's column compares as it does there. */
static void collated(struct writer *w, struct slice collation, size_t i)
{
	struct slice rest = collation, charset;

	slice_split(&rest, '_', &charset);
	strbuf_addf(&w->text, "CONVERT(j.c%zu USING %.*s) COLLATE %.*s", i, (int)charset.len, charset.ptr,
		    (int)collation.len, collation.ptr);
}

static void made(struct writer *w, const struct column *c, size_t i)
{
	if (c->type.class == TYPE_TEXT && c->collation.len) {
		collated(w, c->collation, i);
		return;
	}
	for (const char *p = reading(&c->type, w->plan->catalogue->mariadb).made; *p; p++) {
		if (*p == '@')
			strbuf_addf(&w->text, "j.c%zu", i);
		else
			strbuf_addc(&w->text, *p);
	}
}

void sql_source(struct writer *w, const struct plan_node *node)
{
	const struct table *t = node->table;

	for (size_t i = 0; i < t->ncolumns; i++) {
		strbuf_adds(&w->text, i ? "," : "(SELECT ");
		made(w, &t->columns[i], i);
		strbuf_addf(&w->text, " AS c%zu", i);
	}
	sql_lit(w, " FROM JSON_TABLE(");
	sql_param(w, value_text(w->plan->source));
	for (size_t i = 0; i < t->ncolumns; i++) {
		strbuf_addf(&w->text, "%sc%zu ", i ? "," : ",'$[*]' COLUMNS(", i);
		column_type(w, &t->columns[i].type);
		strbuf_addf(&w->text, " PATH '$[%zu]' ERROR ON ERROR", i);
	}
	sql_lit(w, ")) AS j)");
}
