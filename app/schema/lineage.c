/*
 * Which base column a view's column shows. information_schema has no column lineage, but it gives every view in a
 * canonical form (names in backticks, tables qualified, columns as `alias`.`column` AS `name`), and that much is
 * read here: the select list for plain columns, the FROM for base tables. Anything else shows no base column.
 */
#include "schema.h"

#define MAX_BASES 64

struct base {
	struct slice db, table, alias;
};

struct lexer {
	struct arena *arena;
	struct slice rest;
};

/* `name` at the front, backticks undoubled. */
static bool name(struct lexer *l, struct slice *out)
{
	struct strbuf b;
	size_t i;

	if (!l->rest.len || l->rest.ptr[0] != '`')
		return false;
	strbuf_init(&b, l->arena, 32);
	for (i = 1; i < l->rest.len; i++) {
		if (l->rest.ptr[i] == '`') {
			if (i + 1 >= l->rest.len || l->rest.ptr[i + 1] != '`')
				break;
			i++;
		}
		strbuf_addc(&b, l->rest.ptr[i]);
	}
	if (i >= l->rest.len)
		return false;
	l->rest = slice_from(l->rest, i + 1);
	*out = strbuf_slice(&b);
	return true;
}

/* `a`.`b`.`c` at the front: up to three names; how many. */
static size_t qualified(struct lexer *l, struct slice parts[3])
{
	size_t n = 0;

	while (n < 3 && name(l, &parts[n])) {
		n++;
		if (!l->rest.len || l->rest.ptr[0] != '.')
			break;
		l->rest = slice_from(l->rest, 1);
	}
	return n;
}

static bool word(struct lexer *l, const char *text)
{
	size_t n = strlen(text);

	if (l->rest.len < n || !slice_ieq((struct slice){ l->rest.ptr, n }, slice_of(text)))
		return false;
	l->rest = slice_from(l->rest, n);
	return true;
}

/* Past a quoted text or name at the front; otherwise past one byte. */
static void step(struct lexer *l)
{
	char quote = l->rest.ptr[0];
	size_t i = 1;

	if (quote == '`' || quote == '\'' || quote == '"') {
		for (; i < l->rest.len; i++) {
			if (l->rest.ptr[i] == '\\' && quote != '`')
				i++;
			else if (l->rest.ptr[i] == quote)
				break;
		}
		i = i < l->rest.len ? i + 1 : l->rest.len;
	}
	l->rest = slice_from(l->rest, i);
}

/* Text up to a word outside parentheses and quotes; the lexer stands behind it. False when it is not there. */
static bool until(struct lexer *l, const char *text, struct slice *before)
{
	const char *start = l->rest.ptr;
	int depth = 0;

	while (l->rest.len) {
		const char *here = l->rest.ptr;

		if (!depth && word(l, text)) {
			*before = (struct slice){ start, (size_t)(here - start) };
			return true;
		}
		if (*here == '(')
			depth++;
		else if (*here == ')')
			depth--;
		step(l);
	}
	return false;
}

static void skip_parentheses(struct lexer *l)
{
	int depth = 0;

	while (l->rest.len) {
		if (l->rest.ptr[0] == '(')
			depth++;
		else if (l->rest.ptr[0] == ')')
			depth--;
		step(l);
		if (depth <= 0)
			return;
	}
}

static bool at_derived(const struct lexer *l)
{
	return slice_starts(l->rest, "(select ") || slice_starts(l->rest, "(with ");
}

/* A derived table and its name; what is asked of it shows no base column. */
static bool skip_derived(struct lexer *l)
{
	struct slice alias;

	skip_parentheses(l);
	if (l->rest.len && l->rest.ptr[0] == ' ')
		l->rest = slice_from(l->rest, 1);
	return name(l, &alias);
}

/*
 * The base tables of FROM; 0 when it holds anything but tables, derived tables and joins. *plain: nothing groups behind
 * it, and it holds no derived table.
 */
static size_t read_from(struct lexer *l, struct base *bases, bool *plain)
{
	static const char *const ends[] = { " where ", " group by ", " having ", " order by ", " limit ", " window " };
	bool derived = false;
	size_t n = 0;

	while (l->rest.len) {
		struct base b = { .alias = { NULL, 0 } };
		struct slice parts[3];

		if (l->rest.ptr[0] == '`') {
			if (qualified(l, parts) != 2 || n == MAX_BASES)
				return 0;
			b.db = parts[0];
			b.table = b.alias = parts[1];
			if (l->rest.len > 1 && l->rest.ptr[0] == ' ' && l->rest.ptr[1] == '`') {
				l->rest = slice_from(l->rest, 1);
				if (!name(l, &b.alias))
					return 0;
			}
			bases[n++] = b;
			continue;
		}
		if (at_derived(l)) {
			if (!skip_derived(l))
				return 0;
			derived = true;
			continue;
		}
		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
			if (word(l, ends[i])) {
				struct slice before;

				*plain = i == 0 ? !until(l, " group by ", &before) : i >= 3;
				*plain &= !derived;
				return n;
			}
		if (word(l, "select "))
			return 0;
		if (word(l, " on(") || word(l, " on (")) {
			l->rest.ptr--;
			l->rest.len++;
			skip_parentheses(l);
			continue;
		}
		step(l);
	}
	*plain &= !derived;
	return n;
}

static const struct base *base_of(const struct base *bases, size_t n, struct slice alias)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(bases[i].alias, alias))
			return &bases[i];
	return NULL;
}

/* One item of the select list: a plain `alias`.`column` AS `name`? */
static void read_item(struct arena *a, struct slice item, size_t position, const struct base *bases, size_t nbases,
		      schema_lineage_fn *found, void *context)
{
	struct lexer l = { a, slice_trim(item) };
	struct slice parts[3], as;
	const struct base *b;
	size_t n = qualified(&l, parts);

	if (n < 2 || !word(&l, " as ") || !name(&l, &as) || l.rest.len)
		return;
	b = base_of(bases, nbases, parts[n - 2]);
	if (b)
		found(context, position, b->db, b->table, parts[n - 1]);
}

size_t schema_view_lineage(struct arena *a, struct slice text, schema_lineage_fn *found, void *context)
{
	struct lexer l = { a, text }, whole = { a, text };
	struct base *bases = arena_array(a, struct base, MAX_BASES);
	struct slice list, item, before;
	bool plain = true;
	size_t n, position = 0;

	if (until(&whole, " union ", &before) || !word(&l, "select "))
		return 0;
	if (word(&l, "distinct "))
		plain = false;
	if (!until(&l, " from ", &list))
		return 0;
	n = read_from(&l, bases, &plain);
	if (!n)
		return 0;
	for (struct lexer items = { a, list }; until(&items, ",", &item); list = items.rest)
		read_item(a, item, position++, bases, n, found, context);
	read_item(a, list, position, bases, n, found, context);
	return plain ? n : n + 1;
}
