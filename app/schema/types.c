/* information_schema's DATA_TYPE and COLUMN_TYPE as a struct type. */
#include "internal.h"

static const struct {
	const char *name;
	enum type_class class;
	unsigned size;
} names[] = {
	{ "tinyint", TYPE_INT, 1 },
	{ "smallint", TYPE_INT, 2 },
	{ "mediumint", TYPE_INT, 3 },
	{ "int", TYPE_INT, 4 },
	{ "bigint", TYPE_INT, 8 },
	{ "decimal", TYPE_DECIMAL, 0 },
	{ "float", TYPE_FLOAT, 0 },
	{ "double", TYPE_DOUBLE, 0 },
	{ "date", TYPE_DATE, 0 },
	{ "datetime", TYPE_DATETIME, 0 },
	{ "timestamp", TYPE_TIMESTAMP, 0 },
	{ "time", TYPE_TIME, 0 },
	{ "year", TYPE_YEAR, 0 },
	{ "char", TYPE_TEXT, 0 },
	{ "varchar", TYPE_TEXT, 0 },
	{ "tinytext", TYPE_TEXT, 0 },
	{ "text", TYPE_TEXT, 0 },
	{ "mediumtext", TYPE_TEXT, 0 },
	{ "longtext", TYPE_TEXT, 0 },
	{ "enum", TYPE_ENUM, 0 },
	{ "set", TYPE_SET, 0 },
	{ "binary", TYPE_BYTES, 0 },
	{ "varbinary", TYPE_BYTES, 0 },
	{ "tinyblob", TYPE_BYTES, 0 },
	{ "blob", TYPE_BYTES, 0 },
	{ "mediumblob", TYPE_BYTES, 0 },
	{ "longblob", TYPE_BYTES, 0 },
	{ "bit", TYPE_BIT, 0 },
	{ "json", TYPE_JSON, 0 },
	{ "uuid", TYPE_UUID, 0 },
	{ "inet4", TYPE_INET, 0 },
	{ "inet6", TYPE_INET, 0 },
	{ "vector", TYPE_VECTOR, 0 },
	{ "geometry", TYPE_GEOMETRY, 0 },
	{ "point", TYPE_GEOMETRY, 0 },
	{ "linestring", TYPE_GEOMETRY, 0 },
	{ "polygon", TYPE_GEOMETRY, 0 },
	{ "multipoint", TYPE_GEOMETRY, 0 },
	{ "multilinestring", TYPE_GEOMETRY, 0 },
	{ "multipolygon", TYPE_GEOMETRY, 0 },
	{ "geometrycollection", TYPE_GEOMETRY, 0 },
	{ "geomcollection", TYPE_GEOMETRY, 0 },
};

/* The number at the front of "(10,2) unsigned" behind the parenthesis, or behind the comma. */
static unsigned argument(struct slice type, char before)
{
	const char *at = memchr(type.ptr, before, type.len);
	unsigned v = 0;

	if (!at)
		return 0;
	for (at++; at < type.ptr + type.len && *at >= '0' && *at <= '9'; at++)
		v = v * 10 + (unsigned)(*at - '0');
	return v;
}

/* What a column may hold: "varchar(50)" so many characters, "mediumtext" and "blob" so many bytes. */
static void read_length(struct slice data_type, struct slice column_type, struct type *type)
{
	static const struct {
		const char *prefix;
		uint64_t bytes;
	} kinds[] = {
		{ "tiny", 255 }, { "text", 65535 }, { "blob", 65535 }, { "medium", 16777215 }, { "long", 4294967295 }
	};

	type->in_bytes = true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (slice_starts(data_type, kinds[i].prefix)) {
			type->length = kinds[i].bytes;
			return;
		}
	type->in_bytes = type->class == TYPE_BYTES;
	type->length = argument(column_type, '(');
}

/* The labels of enum('a','it''s'). */
static void read_labels(struct arena *a, struct slice text, struct type *type)
{
	struct slice *labels;
	size_t n = 0, max = 1;

	for (size_t i = 0; i < text.len; i++)
		max += text.ptr[i] == ',';
	labels = arena_array(a, struct slice, max);
	for (size_t i = 0; i < text.len; i++) {
		struct strbuf b;

		if (text.ptr[i] != '\'')
			continue;
		strbuf_init(&b, a, 16);
		for (i++; i < text.len; i++) {
			if (text.ptr[i] == '\'') {
				if (i + 1 >= text.len || text.ptr[i + 1] != '\'')
					break;
				i++;
			}
			strbuf_addc(&b, text.ptr[i]);
		}
		labels[n++] = strbuf_slice(&b);
	}
	type->labels = labels;
	type->nlabels = n;
}

struct type schema_type(struct arena *a, struct slice data_type, struct slice column_type)
{
	struct type type = { .class = TYPE_TEXT };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_is(data_type, names[i].name)) {
			type.class = names[i].class;
			type.size = names[i].size;
			break;
		}
	for (size_t i = 0; i + 8 <= column_type.len; i++)
		type.is_unsigned |= memcmp(column_type.ptr + i, "unsigned", 8) == 0;
	if (type.class == TYPE_BIT)
		type.size = argument(column_type, '(');
	/* MySQL 8.0.19 forgets the (1) of an unsigned one: it is a number on both servers. */
	if ((slice_starts(column_type, "tinyint(1)") && !type.is_unsigned) ||
	    (type.class == TYPE_BIT && type.size <= 1)) {
		type.bit = type.class == TYPE_BIT;
		type.class = TYPE_BOOL;
	}
	if (type.class == TYPE_BYTES && slice_is(data_type, "binary"))
		type.size = argument(column_type, '(');
	if (type.class == TYPE_TEXT || type.class == TYPE_BYTES)
		read_length(data_type, column_type, &type);
	if (type.class == TYPE_DECIMAL)
		type.length = argument(column_type, '(');
	if (type.class == TYPE_DECIMAL)
		type.decimals = argument(column_type, ',');
	if (type.class == TYPE_DATETIME || type.class == TYPE_TIMESTAMP || type.class == TYPE_TIME)
		type.decimals = argument(column_type, '(');
	if (type.class == TYPE_ENUM || type.class == TYPE_SET)
		read_labels(a, column_type, &type);
	return type;
}
