/*
 * Procedures and functions with their parameters, and what the code of the databases does with user variables: what
 * nobody reads need not be set, and what nobody sets need not be looked at.
 */
#include "internal.h"

/* In the text of a statement a question mark is a parameter. */
#define MARK "',CHAR(63 USING utf8mb4),'"
#define REQUEST "CONCAT('(^|[^@])@[`''\"]" MARK "request[.]')"
#define RESPONSE "CONCAT('(^|[^@])@[`''\"]" MARK "response[.]')"
/* Any other variable; what stands in front tells it from a mail address or a user@host. */
#define OTHER                                                                              \
	"CONCAT('(^|[^@A-Za-z0-9_.`''\"])@(" MARK "![`''\"]" MARK "(request|response)[.])" \
	"[`''\"A-Za-z0-9_$.]')"

static bool has_word(struct slice text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.len; i++)
		if (memcmp(text.ptr + i, word, n) == 0)
			return true;
	return false;
}

/* MariaDB's JSON is LONGTEXT of this collation. */
static struct type type_of(struct loader *l, struct slice data_type, struct slice whole, struct slice collation)
{
	struct type type = schema_type(l->schema->arena, data_type, whole);

	if (l->schema->mariadb && slice_is(data_type, "longtext") && slice_is(collation, "utf8mb4_bin"))
		type.class = TYPE_JSON;
	return type;
}

/* f: db, name, type, SQL_DATA_ACCESS, IS_DETERMINISTIC, DATA_TYPE, DTD_IDENTIFIER, COLLATION_NAME, comment */
static void add_routine(struct loader *l, const struct slice *f)
{
	struct arena *a = l->schema->arena;
	struct routine *r = arena_new(a, struct routine);
	struct strbuf b;

	r->schema = slice_copy(a, f[0]);
	r->name = slice_copy(a, f[1]);
	r->is_function = slice_is(f[2], "FUNCTION");
	r->writes = slice_is(f[3], "MODIFIES SQL DATA");
	r->reads = slice_is(f[3], "NO SQL") || slice_is(f[3], "READS SQL DATA");
	r->is_deterministic = slice_is(f[4], "YES");
	r->comment = slice_copy(a, f[8]);
	if (r->is_function)
		r->returns = type_of(l, f[5], f[6], f[7]);
	r->returns_type = slice_copy(a, f[6]);
	strbuf_init(&b, a, f[0].len + f[1].len + 8);
	strbuf_add_slice(&b, schema_quoted(l->scratch, f[0]));
	strbuf_addc(&b, '.');
	strbuf_add_slice(&b, schema_quoted(l->scratch, f[1]));
	r->quoted = strbuf_slice(&b);
	/* Rows come with procedures first: a function goes before the procedure of its name. */
	r->next = l->schema->routines;
	l->schema->routines = r;
	l->schema->nroutines++;
}

static struct routine *find(struct schema *s, struct slice db, struct slice name, bool is_function)
{
	struct routine *r = s->routines;

	while (r && !(r->is_function == is_function && slice_eq(r->name, name) && slice_eq(r->schema, db)))
		r = r->next;
	return r;
}

/* @optional: all parameters; @optional(a, b): these. */
static bool is_optional(struct slice comment, struct slice name)
{
	static const char mark[] = "@optional";
	struct slice rest, part;

	for (size_t i = 0; i + strlen(mark) <= comment.len; i++) {
		if (memcmp(comment.ptr + i, mark, strlen(mark)) != 0)
			continue;
		rest = slice_from(comment, i + strlen(mark));
		if (!rest.len || rest.ptr[0] != '(')
			return true;
		rest = slice_from(rest, 1);
		slice_split(&rest, ')', &part);
		rest = part;
		while (slice_split(&rest, ',', &part))
			if (slice_ieq(slice_trim(part), name))
				return true;
	}
	return false;
}

/* f: db, routine, type, PARAMETER_MODE, PARAMETER_NAME, DATA_TYPE, DTD_IDENTIFIER, COLLATION_NAME */
static void add_parameter(struct loader *l, const struct slice *f)
{
	struct routine *r = find(l->schema, f[0], f[1], slice_is(f[2], "FUNCTION"));
	struct arena *a = l->schema->arena;
	struct parameter *p;

	if (!r)
		return;
	/* Room doubles at powers of two. */
	if ((r->nparameters & (r->nparameters - 1)) == 0) {
		p = arena_array(a, struct parameter, r->nparameters ? r->nparameters * 2 : 1);
		if (r->nparameters)
			memcpy(p, r->parameters, r->nparameters * sizeof(*p));
		r->parameters = p;
	}
	p = &r->parameters[r->nparameters++];
	*p = (struct parameter){ .mode = slice_is(f[3], "OUT")     ? PARAMETER_OUT
					 : slice_is(f[3], "INOUT") ? PARAMETER_INOUT
								   : PARAMETER_IN,
				 .optional = is_optional(r->comment, f[4]),
				 .column = { .name = slice_copy(a, f[4]),
					     .type = type_of(l, f[5], f[6], f[7]),
					     .db_type = slice_copy(a, f[6]),
					     .nullable = true,
					     .binary_collation = has_word(f[7], "_bin") } };
}

static void note_routines(struct loader *l, const struct slice *f)
{
	l->schema->request_variables |= slice_is(f[0], "1");
	l->schema->response_variables |= slice_is(f[1], "1");
	l->schema->other_variables |= slice_is(f[2], "1");
}

/* Code in any database counts, for published code may call it. */
static bool load_variables(struct loader *l)
{
	return schema_each_row(l,
			       "SELECT COALESCE(MAX(ROUTINE_DEFINITION REGEXP " REQUEST "),0), "
			       "COALESCE(MAX(ROUTINE_DEFINITION REGEXP " RESPONSE "),0), "
			       "COALESCE(MAX(ROUTINE_DEFINITION REGEXP " OTHER "),0) FROM information_schema.ROUTINES "
			       "WHERE ROUTINE_SCHEMA NOT IN ('mysql','sys','information_schema','performance_schema',"
			       "'rowgate')",
			       3, note_routines) &&
	       (schema_each_row(l,
				"SELECT COALESCE(MAX(rowgate.trigger_matches(SCHEMA_NAME, " REQUEST ")),0), "
				"COALESCE(MAX(rowgate.trigger_matches(SCHEMA_NAME, " RESPONSE ")),0), "
				"COALESCE(MAX(rowgate.trigger_matches(SCHEMA_NAME, " OTHER ")),0) "
				"FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (?)",
				3, note_routines) ||
		schema_without_function(l));
}

bool schema_load_routines(struct loader *l)
{
	return schema_each_row(
		       l,
		       "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, SQL_DATA_ACCESS, IS_DETERMINISTIC, DATA_TYPE, "
		       "DTD_IDENTIFIER, COLLATION_NAME, ROUTINE_COMMENT FROM information_schema.ROUTINES "
		       "WHERE ROUTINE_SCHEMA IN (?) AND ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') "
		       "ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE DESC",
		       9, add_routine) &&
	       schema_each_row(l,
			       "SELECT SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, PARAMETER_MODE, PARAMETER_NAME, "
			       "DATA_TYPE, DTD_IDENTIFIER, COLLATION_NAME FROM information_schema.PARAMETERS "
			       "WHERE SPECIFIC_SCHEMA IN (?) AND ORDINAL_POSITION > 0 "
			       "ORDER BY SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION",
			       8, add_parameter) &&
	       load_variables(l);
}
