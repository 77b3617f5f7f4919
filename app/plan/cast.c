/*
 * Casts by name, from a closed list: the client's word picks a row, it never becomes SQL. Sizes such as numeric(10,2)
 * are checked and put in by number.
 */
#include "internal.h"

static const struct {
	const char *name;
	const char *open, *close;
	enum type_class class;
	unsigned size;
	bool is_unsigned;
} casts[] = {
	{ "text", "CAST(", " AS CHAR)", TYPE_TEXT, 0, false },
	{ "varchar", "CAST(", " AS CHAR)", TYPE_TEXT, 0, false },
	{ "character varying", "CAST(", " AS CHAR)", TYPE_TEXT, 0, false },
	{ "char", "CAST(", " AS CHAR)", TYPE_TEXT, 0, false },
	{ "character", "CAST(", " AS CHAR)", TYPE_TEXT, 0, false },
	{ "int2", "CAST(", " AS SIGNED)", TYPE_INT, 2, false },
	{ "smallint", "CAST(", " AS SIGNED)", TYPE_INT, 2, false },
	{ "int", "CAST(", " AS SIGNED)", TYPE_INT, 4, false },
	{ "int4", "CAST(", " AS SIGNED)", TYPE_INT, 4, false },
	{ "integer", "CAST(", " AS SIGNED)", TYPE_INT, 4, false },
	{ "int8", "CAST(", " AS SIGNED)", TYPE_INT, 8, false },
	{ "bigint", "CAST(", " AS SIGNED)", TYPE_INT, 8, false },
	{ "signed", "CAST(", " AS SIGNED)", TYPE_INT, 8, false },
	{ "unsigned", "CAST(", " AS UNSIGNED)", TYPE_INT, 8, true },
	{ "numeric", "CAST(", " AS DECIMAL(65,30))", TYPE_DECIMAL, 0, false },
	{ "decimal", "CAST(", " AS DECIMAL(65,30))", TYPE_DECIMAL, 0, false },
	{ "float4", "(", "+0e0)", TYPE_DOUBLE, 0, false },
	{ "real", "(", "+0e0)", TYPE_DOUBLE, 0, false },
	{ "float8", "(", "+0e0)", TYPE_DOUBLE, 0, false },
	{ "float", "(", "+0e0)", TYPE_DOUBLE, 0, false },
	{ "double", "(", "+0e0)", TYPE_DOUBLE, 0, false },
	{ "double precision", "(", "+0e0)", TYPE_DOUBLE, 0, false },
	{ "bool", "(", "<>0)", TYPE_BOOL, 0, false },
	{ "boolean", "(", "<>0)", TYPE_BOOL, 0, false },
	{ "date", "CAST(", " AS DATE)", TYPE_DATE, 0, false },
	{ "time", "CAST(", " AS TIME(6))", TYPE_TIME, 0, false },
	{ "timestamp", "CAST(", " AS DATETIME(6))", TYPE_DATETIME, 0, false },
	{ "datetime", "CAST(", " AS DATETIME(6))", TYPE_DATETIME, 0, false },
	{ "timestamptz", "CAST(", " AS DATETIME(6))", TYPE_TIMESTAMP, 0, false },
	{ "json", "CAST(", " AS CHAR)", TYPE_JSON, 0, false },
	{ "jsonb", "CAST(", " AS CHAR)", TYPE_JSON, 0, false },
	{ "binary", "CAST(", " AS BINARY)", TYPE_BYTES, 0, false },
	{ "bytea", "CAST(", " AS BINARY)", TYPE_BYTES, 0, false },
};

#define MAX_CHARACTERS 10485760 /* PostgreSQL's */

/* "(10,2)" behind the name: precision 1 to 65, scale at most 30 and the precision; a text has a length alone. */
static bool sizes(struct slice text, enum type_class class, uint64_t *precision, uint64_t *scale)
{
	struct slice rest, part;

	*scale = 0;
	if (text.len < 3 || text.ptr[0] != '(' || text.ptr[text.len - 1] != ')')
		return false;
	rest = (struct slice){ text.ptr + 1, text.len - 2 };
	if (!slice_split(&rest, ',', &part) || !parse_u64(slice_trim(part), precision))
		return false;
	if (class == TYPE_TEXT)
		return !rest.ptr && *precision >= 1 && *precision <= MAX_CHARACTERS;
	if (class != TYPE_DECIMAL || (rest.ptr && !parse_u64(slice_trim(rest), scale)))
		return false;
	return *precision >= 1 && *precision <= 65 && *scale <= 30 && *scale <= *precision;
}

/* What reads better in another way than CAST gives it. */
static void special(struct plan_cast *c, const struct plan_expr *of)
{
	enum type_class from = of->type.class;

	if (c->type.class == TYPE_TEXT && from == TYPE_BOOL) {
		c->open = "ELT(1+(";
		c->close = "<>0),'false','true')";
	} else if (c->type.class == TYPE_TEXT && from == TYPE_BYTES) {
		c->open = "CONCAT('\\\\x',LOWER(HEX(";
		c->close = ")))";
	} else if (c->type.class == TYPE_TEXT && from == TYPE_GEOMETRY) {
		c->open = "ST_AsText(";
		c->close = ")";
	} else if (c->type.class == TYPE_BOOL && (from == TYPE_TEXT || from == TYPE_JSON)) {
		c->open = "(LOWER(";
		c->close = ") IN ('t','true','y','yes','on','1'))";
	}
}

bool plan_cast(struct planner *p, struct slice name, const struct plan_expr *of, const struct plan_cast **out)
{
	struct plan_cast *c = arena_new(p->a, struct plan_cast);
	struct slice word = name, rest = { NULL, 0 };
	const char *parenthesis = name.len ? memchr(name.ptr, '(', name.len) : NULL;
	uint64_t precision = 0, scale = 0;

	if (parenthesis) {
		word.len = (size_t)(parenthesis - name.ptr);
		rest = slice_from(name, word.len);
	}
	for (size_t i = 0; i < sizeof(casts) / sizeof(*casts); i++) {
		if (!slice_ieq(slice_trim(word), slice_of(casts[i].name)))
			continue;
		*c = (struct plan_cast){
			casts[i].open,
			casts[i].close,
			{ .class = casts[i].class, .size = casts[i].size, .is_unsigned = casts[i].is_unsigned }
		};
		if (rest.len && !sizes(rest, casts[i].class, &precision, &scale))
			break;
		if (rest.len && c->type.class == TYPE_DECIMAL)
			c->close = arena_printf(p->a, " AS DECIMAL(%u,%u))", (unsigned)precision, (unsigned)scale);
		else if (rest.len)
			c->close = arena_printf(p->a, " AS CHAR(%u))", (unsigned)precision);
		special(c, of);
		*out = c;
		return true;
	}
	return error_set(p->err, ERR_UNKNOWN_TYPE, "type \"%.*s\" does not exist", (int)name.len, name.ptr);
}
