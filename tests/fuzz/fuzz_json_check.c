/*
 * Any bytes -> json_check. What it accepts, json-c must read whole, and must write down as a text that is accepted
 * again. Nesting of 32 is allowed, so the C stack of json-c is never at stake.
 */
#include <json-c/json.h>
#include <stdlib.h>

#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json_object *parse(struct slice text)
{
	struct json_tokener *tokener = json_tokener_new_ex(34);
	struct json_object *o;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	/* A bare number may go on, as far as json-c knows. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		o = json_tokener_parse_ex(tokener, "", 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		abort();
	json_tokener_free(tokener);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	struct slice text = { (const char *)data, size };
	struct json_fault fault;
	struct json_object *o;

	if (!arena)
		arena = arena_open();
	if (json_check(arena, text, 32, &fault)) {
		struct slice written;

		o = parse(text);
		written = slice_of(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
		if (!json_check(arena, written, 32, &fault))
			abort();
		json_object_put(o);
	} else if (fault.offset > size || !fault.reason) {
		abort();
	}
	arena_reset(arena);
	return 0;
}
