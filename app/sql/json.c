/*
 * MariaDB has no JSON type: its JSON is text, and `=` would compare quotes and blanks. Here a value is compared by its
 * JSON type and then as what it is, so that the answer is the one MySQL gives: three-valued for SQL's NULL alone, and
 * types in MySQL's order.
 */
#include "internal.h"

#include "json.h"

#define BYTES " COLLATE utf8mb4_nopad_bin"

static const char *symbol(enum query_op op)
{
	switch (op) {
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

/* What JSON_TYPE() calls literals of a kind, and their places in ORDER. */
struct kind {
	const char *types;
	unsigned first, last;
};

#define ORDER "'NULL','INTEGER','DOUBLE','STRING','OBJECT','ARRAY','BOOLEAN'"

static struct kind kind_of(char first)
{
	switch (first) {
	case 'n':
		return (struct kind){ "'NULL'", 1, 1 };
	case '"':
		return (struct kind){ "'STRING'", 4, 4 };
	case '{':
		return (struct kind){ "'OBJECT'", 5, 5 };
	case '[':
		return (struct kind){ "'ARRAY'", 6, 6 };
	case 't':
	case 'f':
		return (struct kind){ "'BOOLEAN'", 7, 7 };
	default:
		return (struct kind){ "'INTEGER','DOUBLE'", 2, 3 };
	}
}

static void call(struct writer *w, const char *function, const struct plan_expr *left)
{
	strbuf_adds(&w->text, function);
	strbuf_addc(&w->text, '(');
	sql_expr(w, left);
	strbuf_addc(&w->text, ')');
}

/* A text plus 0 is a double, which holds 15 digits; longer ones are compared as decimals. */
static void number(struct writer *w, const struct plan_expr *left, enum query_op op, struct slice literal)
{
	bool exact =
		literal.len > 15 && !memchr(literal.ptr, 'e', literal.len) && !memchr(literal.ptr, 'E', literal.len);

	strbuf_adds(&w->text, exact ? "CAST(" : "");
	sql_expr(w, left);
	strbuf_addf(&w->text, "%s%s", exact ? " AS DECIMAL(65,30))" : "+0", symbol(op));
	sql_param(w, (struct value){ .kind = VALUE_DECIMAL, .s = literal });
}

static void text(struct writer *w, const char *function, const struct plan_expr *left, enum query_op op,
		 struct slice literal)
{
	call(w, function, left);
	strbuf_addf(&w->text, "%s%s(", symbol(op), function);
	sql_param(w, value_text(literal));
	sql_lit(w, ")" BYTES);
}

/* Both are of one type. */
static void same_type(struct writer *w, const struct plan_expr *left, enum query_op op, struct slice literal)
{
	switch (literal.ptr[0]) {
	case 'n':
		strbuf_adds(&w->text, op == OP_GT || op == OP_LT ? "FALSE" : "TRUE");
		break;
	case 't':
	case 'f':
		strbuf_addc(&w->text, '(');
		call(w, "JSON_COMPACT", left);
		strbuf_addf(&w->text, "='true')%s%s", symbol(op), literal.ptr[0] == 't' ? "TRUE" : "FALSE");
		break;
	case '"':
		text(w, "JSON_UNQUOTE", left, op, literal);
		break;
	case '{':
	case '[':
		if (w->plan->catalogue->version < 100700 || *symbol(op) != '=') {
			text(w, "JSON_COMPACT", left, op, literal);
			break;
		}
		sql_lit(w, "JSON_EQUALS(");
		sql_expr(w, left);
		strbuf_addc(&w->text, ',');
		sql_param(w, value_text(literal));
		strbuf_addc(&w->text, ')');
		break;
	default:
		number(w, left, op, literal);
	}
}

void sql_mariadb_json(struct writer *w, const struct plan_expr *left, enum query_op op, struct slice literal)
{
	struct slice trimmed = slice_trim(literal);
	struct kind kind = kind_of(json_kind(trimmed));
	bool ordered = op == OP_GT || op == OP_GTE || op == OP_LT || op == OP_LTE;

	strbuf_adds(&w->text, op == OP_NEQ ? "NOT (" : ordered ? "CASE WHEN " : "(");
	call(w, "JSON_TYPE", left);
	strbuf_addf(&w->text, " IN (%s)%s", kind.types, ordered ? " THEN " : " AND ");
	same_type(w, left, op, trimmed);
	if (ordered) {
		sql_lit(w, " WHEN ");
		sql_expr(w, left);
		sql_lit(w, " IS NOT NULL THEN FIELD(");
		call(w, "JSON_TYPE", left);
		strbuf_addf(&w->text, "," ORDER ")%c%u END", *symbol(op), *symbol(op) == '>' ? kind.last : kind.first);
	} else {
		strbuf_addc(&w->text, ')');
	}
}
