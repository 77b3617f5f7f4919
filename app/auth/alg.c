/* The algorithms a token may be signed with (RFC 7518 section 3), and a few words with json-c. */
#include <json-c/json.h>

#include "internal.h"
#include "json.h"

const struct alg algs[] = {
	{ "HS256", FAMILY_HMAC, 32, NULL, NULL, 0 },
	{ "HS384", FAMILY_HMAC, 48, NULL, NULL, 0 },
	{ "HS512", FAMILY_HMAC, 64, NULL, NULL, 0 },
	{ "RS256", FAMILY_RSA, 32, NULL, NULL, 0 },
	{ "RS384", FAMILY_RSA, 48, NULL, NULL, 0 },
	{ "RS512", FAMILY_RSA, 64, NULL, NULL, 0 },
	{ "ES256", FAMILY_EC, 32, "P-256", "prime256v1", 32 },
	{ "ES384", FAMILY_EC, 48, "P-384", "secp384r1", 48 },
	{ "ES512", FAMILY_EC, 64, "P-521", "secp521r1", 66 },
};

const size_t nalgs = sizeof(algs) / sizeof(*algs);

const struct alg *alg_find(struct slice name)
{
	for (size_t i = 0; i < nalgs; i++)
		if (slice_is(name, algs[i].name))
			return &algs[i];
	return NULL;
}

struct json_object *object_parse(struct arena *a, struct slice text, unsigned depth)
{
	return json_tree(a, text, depth);
}

bool object_text(struct json_object *o, const char *name, struct slice *out)
{
	struct json_object *member;

	if (!json_object_object_get_ex(o, name, &member) || !json_object_is_type(member, json_type_string))
		return false;
	*out = (struct slice){ json_object_get_string(member), (size_t)json_object_get_string_len(member) };
	return true;
}

bool object_has(struct json_object *o, const char *name)
{
	return json_object_object_get_ex(o, name, NULL);
}
