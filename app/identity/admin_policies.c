/* admin/policies: which rows a role meets (app/POLICIES.md). What is written is in force for the whole pool at once. */
#include <json-c/json.h>

#include "internal.h"

/* again: with a table or a policy of a moment ago. */
static const struct schema *definitions(struct call *c, bool again)
{
	return c->env->definitions(c->env->worker, again, c->err);
}

/* As they are in force; a policy of a moment ago is among them. */
bool serve_policies(struct call *c)
{
	const struct schema *schema = definitions(c, true);
	struct strbuf *b = &c->rs->body;
	const struct table **tables;
	const char *comma = "";
	size_t n;

	if (!schema)
		return false;
	n = identity_tables(c->env->arena, schema, &tables);
	strbuf_lit(b, "{\"policies\":[");
	for (size_t i = 0; i <= n; i++)
		for (const struct policy *p = i < n ? tables[i]->policies : schema->stray_policies; p; p = p->next) {
			strbuf_adds(b, comma);
			comma = ",";
			identity_policy_json(p, b);
		}
	strbuf_lit(b, "],\"closed\":[");
	comma = "";
	for (size_t i = 0; i < n; i++) {
		if (!tables[i]->reads_policed.len)
			continue;
		strbuf_addf(b, "%s{\"schema\":", comma);
		comma = ",";
		json_string(b, tables[i]->schema);
		strbuf_lit(b, ",\"table\":");
		json_string(b, tables[i]->name);
		strbuf_lit(b, ",\"reads\":");
		json_string(b, tables[i]->reads_policed);
		strbuf_addc(b, '}');
	}
	strbuf_lit(b, "]}");
	return true;
}

/* ["select","insert"] as a SET. */
static bool read_verbs(struct call *c, struct slice *out)
{
	struct json_object *list;
	struct strbuf b;

	if (!json_object_object_get_ex(c->json, "verbs", &list) || !list)
		return true;
	strbuf_init(&b, c->env->arena, 32);
	for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++) {
		struct slice verb = slice_of(json_object_get_string(json_object_array_get_idx(list, i)));

		if (!slice_is(verb, "select") && !slice_is(verb, "insert") && !slice_is(verb, "update") &&
		    !slice_is(verb, "delete"))
			break;
		strbuf_addf(&b, "%s%.*s", b.len ? "," : "", (int)verb.len, verb.ptr);
		if (i + 1 == json_object_array_length(list)) {
			*out = strbuf_slice(&b);
			return true;
		}
	}
	return deny(c->err, 400, "validation_failed", "verbs is a list of select, insert, update, delete");
}

/* What is there takes the place of what was; null empties it. */
static bool read_member(struct call *c, const char *name, struct slice *out)
{
	struct slice text;

	if (!text_member(c, name, &text))
		return false;
	if (json_object_object_get_ex(c->json, name, NULL))
		*out = text;
	return true;
}

static bool read_rules(struct call *c, struct policy_texts *out)
{
	return read_verbs(c, &out->verbs) && read_member(c, "using", &out->using) &&
	       read_member(c, "check", &out->check) && read_member(c, "comment", &out->comment);
}

static bool read_whole(struct call *c, struct policy_texts *out)
{
	static const char *const members[] = { "schema", "table", "role",    "name", "verbs",
					       "using",  "check", "comment", NULL };

	*out = (struct policy_texts){ .verbs = SLICE("select,insert,update,delete") };
	return only_members(c, members) && read_member(c, "schema", &out->schema) &&
	       read_member(c, "table", &out->table) && read_member(c, "role", &out->role) &&
	       read_member(c, "name", &out->name) && read_rules(c, out);
}

bool serve_policy_check(struct call *c)
{
	const struct schema *schema = definitions(c, true);
	struct policy_texts texts;
	struct policy policy;

	if (!schema || !read_whole(c, &texts) ||
	    !identity_policy_check(c->env, schema, c->who.role, &texts, &policy, c->err))
		return false;
	strbuf_addf(&c->rs->body, "{\"valid\":%s", policy.fault ? "false" : "true");
	if (policy.fault) {
		strbuf_lit(&c->rs->body, ",\"fault\":");
		json_string(&c->rs->body, slice_of(policy_fault(&policy)));
	}
	strbuf_addc(&c->rs->body, '}');
	return true;
}

/* The definitions anew: the other workers of the pool follow before their next request. */
static bool in_force(struct call *c, const struct policy *policy)
{
	if (policy)
		identity_policy_json(policy, &c->rs->body);
	else
		strbuf_lit(&c->rs->body, "{}");
	/* What is written is written: without an answer now it is in force within db-schema-poll. */
	(void)definitions(c, true);
	error_init(c->err, c->err->arena);
	return true;
}

bool serve_policy_add(struct call *c)
{
	const struct schema *schema = definitions(c, true);
	struct policy_texts texts;
	struct policy policy;

	return schema && read_whole(c, &texts) &&
	       identity_policy_add(c->env, schema, c->who.role, &texts, &policy, c->err) && in_force(c, &policy);
}

/* admin/policies/SCHEMA/TABLE/ROLE/NAME */
bool serve_policy(struct call *c)
{
	static const char *const members[] = { "verbs", "using", "check", "comment", NULL };
	const struct schema *schema = definitions(c, true);
	struct policy_texts texts = { .verbs = { "", 0 } };
	struct policy policy;
	struct slice parts[4];

	if (!schema || !tail_parts(c, parts, 4))
		return false;
	texts.schema = parts[0];
	texts.table = parts[1];
	texts.role = parts[2];
	texts.name = parts[3];
	if (c->rq->method == HTTP_DELETE)
		return identity_policy_delete(c->env, &texts, c->err) && in_force(c, NULL);
	return only_members(c, members) && identity_policy_find(c->env, &texts, c->err) && read_rules(c, &texts) &&
	       identity_policy_change(c->env, schema, c->who.role, &texts, &policy, c->err) && in_force(c, &policy);
}
