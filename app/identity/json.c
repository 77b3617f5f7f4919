/* JSON objects of requests and of metadata columns, behind the strict check (json.h). */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"
#include "json.h"

#define DEPTH 16

static void put(void *object)
{
	json_object_put(object);
}

/* json-c makes the nearest it can hold of a number that is too large, and the database refuses some. */
static bool number_fits(struct arena *a, struct slice literal)
{
	uint64_t natural;
	int64_t whole;

	for (size_t i = 0; i < literal.len; i++)
		if (strchr(".eE", literal.ptr[i]))
			return isfinite(strtod(slice_cstr(a, literal), NULL));
	return parse_i64(literal, &whole) || parse_u64(literal, &natural);
}

/* text is well-formed. */
static bool numbers_fit(struct arena *a, struct slice text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		size_t n = 0;

		if (text.ptr[i] == '"')
			quoted = !quoted;
		else if (quoted && text.ptr[i] == '\\')
			i++;
		if (quoted)
			continue;
		while (i + n < text.len && strchr("+-.0123456789eE", text.ptr[i + n]))
			n++;
		/* The e of true and false is none. */
		if (n && text.ptr[i] != 'e' && text.ptr[i] != 'E' && !number_fits(a, (struct slice){ text.ptr + i, n }))
			return false;
		i += n ? n - 1 : 0;
	}
	return true;
}

struct json_object *json_read(struct arena *a, struct slice text)
{
	struct json_object *o = json_tree(a, text, DEPTH);

	return o && numbers_fit(a, text) ? o : NULL;
}

int json_text_member(struct json_object *o, const char *name, struct slice *out)
{
	struct json_object *member;

	*out = (struct slice){ "", 0 };
	if (!json_object_object_get_ex(o, name, &member) || !member)
		return 0;
	if (!json_object_is_type(member, json_type_string))
		return -1;
	*out = (struct slice){ json_object_get_string(member), (size_t)json_object_get_string_len(member) };
	return 1;
}

int json_object_member(struct json_object *o, const char *name, struct json_object **out)
{
	*out = NULL;
	if (!json_object_object_get_ex(o, name, out) || !*out)
		return 0;
	return json_object_is_type(*out, json_type_object) ? 1 : -1;
}

int json_number_member(struct json_object *o, const char *name, int64_t *out)
{
	struct json_object *member;

	if (!json_object_object_get_ex(o, name, &member) || !member)
		return 0;
	*out = json_object_get_int64(member);
	return json_object_is_type(member, json_type_int) ? 1 : -1;
}

void add_instant(struct strbuf *b, int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[48];
	struct tm tm;

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		strbuf_adds(b, text);
}

void json_instant(struct strbuf *b, const char *name, int64_t seconds)
{
	strbuf_addf(b, ",\"%s\":\"", name);
	add_instant(b, seconds);
	strbuf_addc(b, '"');
}

struct slice json_written(struct arena *a, struct json_object *o)
{
	return slice_copy(a, slice_of(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
										JSON_C_TO_STRING_NOSLASHESCAPE)));
}

struct slice json_merged(struct arena *a, struct slice base, struct json_object *changes)
{
	struct json_object *whole = json_read(a, base);

	if (!whole) {
		whole = json_object_new_object();
		arena_defer(a, put, whole);
	}
	json_object_object_foreach(changes, name, value)
	{
		if (value)
			json_object_object_add(whole, name, json_object_get(value));
		else
			json_object_object_del(whole, name);
	}
	return json_written(a, whole);
}
