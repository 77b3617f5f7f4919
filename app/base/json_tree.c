/*
 * A text as json-c's objects, behind the strict check. json-c leaves copies of what it reads in memory that it frees:
 * here the buffer it collects texts in is made large enough at once, and it and every text are wiped.
 */
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <limits.h>
#include <string.h>

#include "json.h"

static void wipe_texts(struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_string:
		explicit_bzero((char *)(uintptr_t)json_object_get_string(o), (size_t)json_object_get_string_len(o));
		break;
	case json_type_array:
		for (size_t i = 0; i < (size_t)json_object_array_length(o); i++)
			wipe_texts(json_object_array_get_idx(o, i));
		break;
	case json_type_object: {
		json_object_object_foreach(o, name, member)
		{
			(void)name;
			wipe_texts(member);
		}
		break;
	}
	default:
		break;
	}
}

static void forget(void *o)
{
	wipe_texts(o);
	json_object_put(o);
}

static struct json_object *parse(struct json_tokener *tokener, struct slice text)
{
	struct json_object *o;

	/* Grows it, and says that nothing is in it. */
	if (printbuf_memset(tokener->pb, 0, 0, (int)text.len + 1))
		return NULL;
	printbuf_reset(tokener->pb);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(o);
		o = NULL;
	}
	explicit_bzero(tokener->pb->buf, (size_t)tokener->pb->size);
	return o;
}

struct json_object *json_tree(struct arena *a, struct slice text, unsigned depth)
{
	struct json_tokener *tokener;
	struct json_fault fault;
	struct json_object *o;

	if (text.len >= INT_MAX / 2 || json_kind(text) != '{' || !json_check(a, text, depth, &fault))
		return NULL;
	tokener = json_tokener_new_ex((int)depth + 1);
	if (!tokener)
		return NULL;
	o = parse(tokener, text);
	json_tokener_free(tokener);
	if (o)
		arena_defer(a, forget, o);
	return o;
}
