/*
 * Casts by name, from a closed list: the client's word picks a row, it never becomes SQL. Sizes such as numeric(10,2)
 * are checked and put in by number. What a type cannot be cast to is refused, as in PostgreSQL; what a value does not
 * fit fails, where MySQL's CAST would give the nearest number, or 0.
 */
#include "internal.h"

static const struct {
	const char *name;
	enum type_class class;
	unsigned size;
	bool is_unsigned;
} casts[] = {
	{ "text", TYPE_TEXT, 0, false },
	{ "varchar", TYPE_TEXT, 0, false },
	{ "character varying", TYPE_TEXT, 0, false },
	{ "char", TYPE_TEXT, 0, false },
	{ "character", TYPE_TEXT, 0, false },
	{ "int2", TYPE_INT, 2, false },
	{ "smallint", TYPE_INT, 2, false },
	{ "int", TYPE_INT, 4, false },
	{ "int4", TYPE_INT, 4, false },
	{ "integer", TYPE_INT, 4, false },
	{ "int8", TYPE_INT, 8, false },
	{ "bigint", TYPE_INT, 8, false },
	{ "signed", TYPE_INT, 8, false },
	{ "unsigned", TYPE_INT, 8, true },
	{ "numeric", TYPE_DECIMAL, 0, false },
	{ "decimal", TYPE_DECIMAL, 0, false },
	{ "float4", TYPE_DOUBLE, 0, false },
	{ "real", TYPE_DOUBLE, 0, false },
	{ "float8", TYPE_DOUBLE, 0, false },
	{ "float", TYPE_DOUBLE, 0, false },
	{ "double", TYPE_DOUBLE, 0, false },
	{ "double precision", TYPE_DOUBLE, 0, false },
	{ "bool", TYPE_BOOL, 0, false },
	{ "boolean", TYPE_BOOL, 0, false },
	{ "date", TYPE_DATE, 0, false },
	{ "time", TYPE_TIME, 0, false },
	{ "timestamp", TYPE_DATETIME, 0, false },
	{ "datetime", TYPE_DATETIME, 0, false },
	{ "timestamptz", TYPE_TIMESTAMP, 0, false },
	{ "json", TYPE_JSON, 0, false },
	{ "jsonb", TYPE_JSON, 0, false },
	{ "binary", TYPE_BYTES, 0, false },
	{ "bytea", TYPE_BYTES, 0, false },
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

#define CLASS(c) (1u << TYPE_##c)
#define WHOLE (CLASS(INT) | CLASS(BOOL) | CLASS(YEAR) | CLASS(BIT))
#define NUMBERS (WHOLE | CLASS(DECIMAL) | CLASS(FLOAT) | CLASS(DOUBLE))
#define TEXTS (CLASS(TEXT) | CLASS(JSON))

static bool is_one_of(enum type_class class, unsigned classes)
{
	return 1u << class & classes;
}

/* PostgreSQL's rules, and a few more of what both servers do without loss. */
static bool castable(enum type_class from, enum type_class to)
{
	if (from == TYPE_VECTOR)
		return false;
	switch (to) {
	case TYPE_INT:
	case TYPE_DECIMAL:
	case TYPE_DOUBLE:
	case TYPE_BOOL:
		return is_one_of(from, NUMBERS | TEXTS);
	case TYPE_DATE:
	case TYPE_DATETIME:
	case TYPE_TIMESTAMP:
		return is_one_of(from, CLASS(DATE) | CLASS(DATETIME) | CLASS(TIMESTAMP) | TEXTS);
	case TYPE_TIME:
		return is_one_of(from, CLASS(TIME) | CLASS(DATETIME) | CLASS(TIMESTAMP) | TEXTS);
	case TYPE_JSON:
		return !is_one_of(from, CLASS(UUID) | CLASS(INET));
	default:
		return true;
	}
}

/*
 * Nothing in SELECT fails by intent, so these are sums that overflow: error 1690, which db/errors.c tells apart by exp().
 * The operand within keeps the server from adding them up beforehand.
 */
#define BAD_SYNTAX "EXP(710+LENGTH(@))"
#define BAD_RANGE "18446744073709551615+(1+LENGTH(@))"

#define IS_INTEGER "'^ *[-+]?[0-9]+ *$'"
#define IS_NUMBER "'^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *$'"

/* Every value of from is one of to. */
static bool fits(const struct type *from, const struct type *to)
{
	unsigned bits = from->class == TYPE_BIT ? from->size : from->size * 8;
	bool is_unsigned = from->is_unsigned || from->class == TYPE_BIT;

	if (from->class == TYPE_BOOL || from->class == TYPE_YEAR)
		return true;
	if (from->class != TYPE_INT && from->class != TYPE_BIT)
		return false;
	return to->is_unsigned ? is_unsigned : bits < to->size * 8 || (bits == to->size * 8 && !is_unsigned);
}

static const char *to_int(struct arena *a, const struct type *from, const struct type *to)
{
	static const char *const lowest[] = { [2] = "-32768", [4] = "-2147483648", [8] = "-9223372036854775808" };
	static const char *const beyond[] = { [2] = "32768", [4] = "2147483648", [8] = "9223372036854775808" };
	const char *name = to->is_unsigned ? "UNSIGNED" : "SIGNED", *value = "@", *check = "";

	if (fits(from, to))
		return arena_printf(a, "CAST(@ AS %s)", name);
	if (from->class == TYPE_TEXT) {
		check = "WHEN @ NOT REGEXP " IS_INTEGER " THEN ";
		value = "CAST(@ AS DECIMAL(65,0))";
	} else if (from->class == TYPE_JSON) {
		check = "WHEN @ NOT REGEXP " IS_NUMBER " THEN ";
		value = "ROUND(CAST(@ AS DECIMAL(65,30)))";
	} else if (!is_one_of(from->class, WHOLE)) {
		value = "ROUND(@)";
	}
	return arena_printf(a, "CASE %s%sWHEN %s>=%s AND %s<%s THEN CAST(%s AS %s) ELSE CAST(" BAD_RANGE " AS %s) END",
			    check, *check ? arena_printf(a, "CAST(" BAD_SYNTAX " AS %s) ", name) : "", value,
			    to->is_unsigned ? "0" : lowest[to->size], value,
			    to->is_unsigned ? "18446744073709551616" : beyond[to->size],
			    is_one_of(from->class, TEXTS) ? value : "@", name, name);
}

/* Without a size: as many digits as there are, of which the zeros at the end are not shown. */
static const char *to_any_decimal(const struct type *from)
{
	if (is_one_of(from->class, WHOLE))
		return "CAST(@ AS DECIMAL(20,0))";
	if (!is_one_of(from->class, TEXTS))
		return "CASE WHEN ABS(@)<1e35 THEN CAST(@ AS DECIMAL(65,30)) "
		       "ELSE CAST(" BAD_RANGE " AS DECIMAL(65,30)) END";
	return "CASE WHEN @ NOT REGEXP " IS_NUMBER " THEN CAST(" BAD_SYNTAX " AS DECIMAL(65,30)) "
	       "WHEN ABS(@+0e0)<1e35 THEN CAST(@ AS DECIMAL(65,30)) ELSE CAST(" BAD_RANGE " AS DECIMAL(65,30)) END";
}

static const char *to_decimal(struct arena *a, const struct type *from, unsigned precision, unsigned scale)
{
	static const char nines[] = "99999999999999999999999999999999999999999999999999999999999999999";
	const char *to = arena_printf(a, "DECIMAL(%u,%u)", precision, scale), *check = "", *value = "@";

	if (is_one_of(from->class, TEXTS)) {
		check = arena_printf(a, "WHEN @ NOT REGEXP " IS_NUMBER " THEN CAST(" BAD_SYNTAX " AS %s) ", to);
		value = arena_printf(a, "CAST(@ AS DECIMAL(65,%u))", scale);
	} else if (from->class == TYPE_BIT) {
		value = "CAST(@ AS DECIMAL(20,0))";
	}
	return arena_printf(
		a, "CASE %sWHEN ABS(ROUND(%s,%u))<=%.*s.%.*s THEN CAST(@ AS %s) ELSE CAST(" BAD_RANGE " AS %s) END",
		check, value, scale, precision > scale ? (int)(precision - scale) : 1, precision > scale ? nines : "0",
		scale ? (int)scale : 1, scale ? nines : "0", to, to);
}

static const char *to_double(const struct type *from)
{
	if (is_one_of(from->class, TEXTS))
		return "CASE WHEN @ NOT REGEXP " IS_NUMBER " THEN " BAD_SYNTAX " WHEN ABS(@+0e0)<1.79e308 THEN @+0e0 "
		       "ELSE (" BAD_RANGE ")+0e0 END";
	return from->class == TYPE_BIT ? "(CAST(@ AS DECIMAL(20,0))+0e0)" : "(@+0e0)";
}

static const char *to_bool(const struct type *from)
{
	if (!is_one_of(from->class, TEXTS))
		return "(@<>0)";
	return "CASE WHEN LOWER(@) IN ('t','true','y','yes','on','1') THEN 1 "
	       "WHEN LOWER(@) IN ('f','false','n','no','off','0') THEN 0 ELSE CAST(" BAD_SYNTAX " AS SIGNED) END";
}

static const char *to_temporal(struct arena *a, const struct type *from, enum type_class to)
{
	const char *name = to == TYPE_DATE ? "DATE" : to == TYPE_TIME ? "TIME(6)" : "DATETIME(6)";

	if (!is_one_of(from->class, TEXTS))
		return arena_printf(a, "CAST(@ AS %s)", name);
	return arena_printf(a, "COALESCE(CAST(@ AS %s),CAST(" BAD_SYNTAX " AS %s))", name, name);
}

static const char *to_text(struct arena *a, const struct type *from, unsigned length)
{
	const char *text = "@";

	if (from->class == TYPE_BOOL)
		text = "CASE @ WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE CAST(@ AS CHAR) END";
	else if (from->class == TYPE_BYTES)
		text = "CONCAT('\\\\x',LOWER(HEX(@)))";
	else if (from->class == TYPE_BIT)
		text = arena_printf(a, "LPAD(BIN(@+0),%u,'0')", from->size);
	else if (from->class == TYPE_GEOMETRY)
		text = "ST_AsText(@)";
	else if (!length)
		return "CAST(@ AS CHAR)";
	return length ? arena_printf(a, "CAST(%s AS CHAR(%u))", text, length) : text;
}

/* The SQL, with the type it makes in *to; NULL where the value is written well as it is. */
static const char *sql_of(struct arena *a, const struct type *from, struct type *to, unsigned precision, unsigned scale)
{
	switch (to->class) {
	case TYPE_INT:
		return to_int(a, from, to);
	case TYPE_DECIMAL:
		if (!precision)
			return from->class == TYPE_DECIMAL ? NULL : to_any_decimal(from);
		return to_decimal(a, from, precision, scale);
	case TYPE_DOUBLE:
		return to_double(from);
	case TYPE_BOOL:
		return to_bool(from);
	case TYPE_TEXT:
		return to_text(a, from, precision);
	case TYPE_JSON:
		/* An answer has every type as JSON; a text is taken for JSON, or quoted, when it is rendered. */
		return from->class == TYPE_TEXT ? "CAST(@ AS CHAR)" : NULL;
	case TYPE_BYTES:
		return "CAST(@ AS BINARY)";
	default:
		return to_temporal(a, from, to->class);
	}
}

static bool cannot(struct planner *p, const struct type *from, const struct type *to)
{
	error_set(p->err, ERR_NO_OPERATOR, "cannot cast type %s to %s", type_name(from), type_name(to));
	p->err->sqlstate = "42846";
	return false;
}

bool plan_cast(struct planner *p, struct slice name, const struct plan_expr *of, const struct plan_cast **out)
{
	struct plan_cast *c = arena_new(p->a, struct plan_cast);
	struct slice word = name, rest = { NULL, 0 };
	const char *parenthesis = name.len ? memchr(name.ptr, '(', name.len) : NULL;
	const struct type *from = &of->type;
	uint64_t precision = 0, scale = 0;

	if (parenthesis) {
		word.len = (size_t)(parenthesis - name.ptr);
		rest = slice_from(name, word.len);
	}
	for (size_t i = 0; i < sizeof(casts) / sizeof(*casts); i++) {
		if (!slice_ieq(slice_trim(word), slice_of(casts[i].name)))
			continue;
		c->type = (struct type){ .class = casts[i].class,
					 .size = casts[i].size,
					 .is_unsigned = casts[i].is_unsigned };
		if (rest.len && !sizes(rest, casts[i].class, &precision, &scale))
			break;
		if (!castable(from->class, c->type.class))
			return cannot(p, from, &c->type);
		c->from = *from;
		c->precision = (unsigned)precision;
		c->scale = (unsigned)scale;
		c->text = sql_of(p->a, from, &c->type, (unsigned)precision, (unsigned)scale);
		c->trimmed = c->type.class == TYPE_DECIMAL && !precision;
		*out = c->text ? c : NULL;
		return true;
	}
	return error_set(p->err, ERR_UNKNOWN_TYPE, "type \"%.*s\" does not exist", (int)name.len, name.ptr);
}
