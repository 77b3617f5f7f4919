/* "Could not find the function ...": in PostgREST's words, which clients match. */
#include "internal.h"

static bool precedes(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return order < 0 || (order == 0 && a.len < b.len);
}

void call_want(struct arena *a, struct wanted *w, struct slice name)
{
	struct slice *more;
	size_t at = w->n;

	for (size_t i = 0; i < w->n; i++)
		if (slice_eq(w->names[i], name))
			return;
	if ((w->n & (w->n - 1)) == 0) {
		more = arena_array(a, struct slice, w->n ? w->n * 2 : 1);
		if (w->n)
			memcpy(more, w->names, w->n * sizeof(*more));
		w->names = more;
	}
	for (; at > 0 && precedes(name, w->names[at - 1]); at--)
		w->names[at] = w->names[at - 1];
	w->names[at] = name;
	w->n++;
}

static void list(struct strbuf *b, const struct wanted *w)
{
	for (size_t i = 0; i < w->n; i++) {
		strbuf_adds(b, i ? ", " : "");
		strbuf_add_slice(b, w->names[i]);
	}
}

static const char *names(struct arena *a, const struct wanted *w)
{
	struct strbuf b;

	strbuf_init(&b, a, 64);
	list(&b, w);
	return strbuf_cstr(&b);
}

/* " with parameters a, b or with ..." */
static const char *searched(struct arena *a, const struct wanted *w)
{
	const char *also = w->how == WANTED_BODY ? " or with a single unnamed json/jsonb parameter" : "";

	switch (w->how) {
	case WANTED_JSON:
		return " with a single json/jsonb parameter";
	case WANTED_TEXT:
		return " with a single unnamed text parameter";
	case WANTED_BYTES:
		return " with a single unnamed bytea parameter";
	default:
		break;
	}
	if (!w->n)
		return arena_printf(a, " without parameters%s", also);
	return arena_printf(a, " with parameter%s %s%s", w->n > 1 ? "s" : "", names(a, w), also);
}

static const char *signature(struct arena *a, const struct wanted *w)
{
	if (w->how > WANTED_BODY)
		return "";
	return w->n ? arena_printf(a, "(%s)", names(a, w)) : " without parameters";
}

static void hint(const struct call *call, struct slice name, struct error *err)
{
	const struct routine *r = call->routine;
	struct slice *all, near;
	struct strbuf b;
	size_t n = 0;

	if (r) {
		strbuf_init(&b, err->arena, 64);
		for (size_t i = 0; i < r->nparameters; i++)
			if (schema_is_input(&r->parameters[i])) {
				strbuf_adds(&b, b.len ? ", " : "");
				strbuf_add_slice(&b, r->parameters[i].column.name);
			}
		error_hint(err, "Perhaps you meant to call the function %.*s.%.*s%s%s%s", (int)call->db.len,
			   call->db.ptr, (int)name.len, name.ptr, b.len ? "(" : "", strbuf_cstr(&b), b.len ? ")" : "");
		return;
	}
	all = arena_array(err->arena, struct slice, call->schema->nroutines);
	for (r = call->schema->routines; r; r = r->next)
		if (slice_eq(r->schema, call->db))
			all[n++] = r->name;
	near = schema_nearest(name, all, n);
	if (near.len)
		error_hint(err, "Perhaps you meant to call the function %.*s.%.*s", (int)call->db.len, call->db.ptr,
			   (int)near.len, near.ptr);
}

bool call_not_found(const struct call *call, struct slice name, const struct wanted *w, struct error *err)
{
	struct arena *a = err->arena;
	int dl = (int)call->db.len, nl = (int)name.len;

	error_set(err, ERR_NO_ROUTINE, "Could not find the function %.*s.%.*s%s in the schema cache", dl, call->db.ptr,
		  nl, name.ptr, signature(a, w));
	error_details(err, "Searched for the function %.*s.%.*s%s, but no matches were found in the schema cache.", dl,
		      call->db.ptr, nl, name.ptr, searched(a, w));
	hint(call, name, err);
	return false;
}
