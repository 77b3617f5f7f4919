/*
 * Row policies: what the caller's role and claims make of those of each table in a plan. Several that concern the caller
 * are one as good as the other, as in PostgreSQL; where none does, no row is met.
 */
#include "internal.h"

#include <json-c/json.h>

/* One request's claims, parsed when the first placeholder asks for one. */
struct binder {
	struct arena *a;
	const struct principal *who;
	struct json_object *claims;
	bool parsed;
};

static void put(void *object)
{
	json_object_put(object);
}

static struct json_object *claims(struct binder *b)
{
	if (!b->parsed) {
		b->parsed = true;
		b->claims = json_tokener_parse(slice_cstr(b->a, b->who->claims));
		if (b->claims)
			arena_defer(b->a, put, b->claims);
	}
	return b->claims;
}

/*
 * A claim is text whatever its kind in JSON: a number beside a text column would make 0 of every text that is none, and so
 * equal to it. As text it is equal to what has its digits.
 */
static struct value as_text(struct binder *b, struct json_object *o)
{
	struct slice text;

	switch (json_object_get_type(o)) {
	case json_type_null:
		return (struct value){ .kind = VALUE_NULL };
	case json_type_boolean:
		return value_text(slice_of(json_object_get_boolean(o) ? "1" : "0"));
	case json_type_string:
		text = (struct slice){ json_object_get_string(o), (size_t)json_object_get_string_len(o) };
		return value_text(slice_copy(b->a, text));
	default:
		text = slice_of(
			json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		return value_text(slice_copy(b->a, text));
	}
}

static struct value bound(struct binder *b, const struct policy_claim *claim)
{
	struct json_object *o;

	if (claim->role)
		return value_text(b->who->role);
	o = claims(b);
	for (size_t i = 0; i < claim->n && o; i++)
		if (!json_object_is_type(o, json_type_object) ||
		    !json_object_object_get_ex(o, slice_cstr(b->a, claim->path[i]), &o))
			o = NULL;
	return as_text(b, o);
}

static struct plan_allowed allowed(struct binder *b, const struct policy_expression *e)
{
	struct value *values = arena_array(b->a, struct value, e->n);

	for (size_t i = 0; i < e->n; i++)
		values[i] = bound(b, &e->claims[i]);
	return (struct plan_allowed){ e->text, values, e->n };
}

static bool concerns(const struct policy *p, struct slice role)
{
	return slice_is(p->role, "*") || slice_eq(p->role, role);
}

/* The client is told no more than that: what is wrong is in the log, and in `rowgate check`. */
static bool without_fault(const struct table *t, struct slice role, size_t *n_out, struct error *err)
{
	*n_out = 0;
	for (const struct policy *p = t->policies; p; p = p->next) {
		if (!concerns(p, role))
			continue;
		++*n_out;
		if (!p->fault)
			continue;
		error_set(err, ERR_POLICY, "A row policy of table \"%.*s\" cannot be applied", (int)t->name.len,
			  t->name.ptr);
		err->log_detail = arena_printf(err->arena, "policy \"%.*s\" for %.*s: %s", (int)p->name.len,
					       p->name.ptr, (int)p->role.len, p->role.ptr, p->fault);
		return error_hint(err, "The administrator finds the reason by `rowgate check`.");
	}
	return true;
}

static bool resolve(struct binder *b, const struct table *t, enum policy_verb verb, bool check,
		    const struct plan_policy **out, struct error *err)
{
	struct plan_policy *made;
	struct plan_allowed *any;
	size_t room;

	*out = NULL;
	if (!t->policed)
		return true;
	if (!without_fault(t, b->who->role, &room, err))
		return false;
	made = arena_new(b->a, struct plan_policy);
	made->any = any = arena_array(b->a, struct plan_allowed, room);
	for (const struct policy *p = t->policies; p; p = p->next) {
		const struct policy_expression *e = check && p->check ? p->check : p->using;

		if (!concerns(p, b->who->role) || !(p->verbs & verb))
			continue;
		if (e->always)
			return true;
		any[made->n++] = allowed(b, e);
		made->subqueries |= e->subqueries;
	}
	*out = made;
	return true;
}

static bool apply(struct binder *b, struct plan *plan, struct plan_node *node, struct error *err)
{
	const struct table *junction = node->relation ? node->relation->junction : NULL;

	if (!resolve(b, node->table, POLICY_SELECT, false, &node->policy, err) ||
	    (junction && !resolve(b, junction, POLICY_SELECT, false, &node->junction_policy, err)))
		return false;
	plan->policed |= node->policy || node->junction_policy;
	for (size_t i = 0; i < node->nkids; i++)
		if (!apply(b, plan, node->kids[i], err))
			return false;
	return true;
}

bool plan_policies(struct arena *a, struct plan *plan, const struct principal *who, struct error *err)
{
	struct binder b = { .a = a, .who = who };

	return apply(&b, plan, plan->root, err);
}

bool plan_policy(struct arena *a, const struct table *table, const struct principal *who, enum policy_verb verb,
		 bool check, const struct plan_policy **out, struct error *err)
{
	struct binder b = { .a = a, .who = who };

	return resolve(&b, table, verb, check, out, err);
}
