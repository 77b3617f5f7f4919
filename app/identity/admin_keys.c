/* admin/keys: the keys that sign what /auth/v1 gives out; never their private halves. */
#include <stdlib.h>
#include <time.h>

#include "internal.h"

#define ACTIVATE_MAX (366 * 86400)

static void add_key(const struct auth_key *k, bool signs, struct strbuf *out)
{
	strbuf_lit(out, "{\"kid\":");
	json_string(out, k->kid);
	strbuf_addf(out, ",\"alg\":\"%s\",\"state\":\"%s\",\"signs\":%s", k->alg, k->state, signs ? "true" : "false");
	json_instant(out, "created_at", k->created);
	json_instant(out, "active_at", k->active);
	if (k->until != INT64_MAX)
		json_instant(out, "until", k->until);
	strbuf_addc(out, '}');
}

/* The newest that is active. */
static const struct auth_key *signer(const struct auth_key *list, size_t n)
{
	const struct auth_key *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].state, "active") == 0 && (!found || list[i].active >= found->active))
			found = &list[i];
	return found;
}

static bool read_keys(struct call *c, struct auth_key **list_out, size_t *n_out)
{
	if (!*c->env->config->auth_signing_keys) {
		deny(c->err, 409, "not_possible_here", "auth-signing-keys is not set: jwt-secret signs");
		return error_hint(c->err, "rowgate key new makes the file that auth-signing-keys names.");
	}
	return auth_key_list(c->env->arena, c->env->config, list_out, n_out, c->err);
}

static const char hint[] = "On the machine that keeps the file: rowgate key new, rowgate key retire KID.";

static bool writable(struct call *c)
{
	if (auth_key_writable(c->env->arena, c->env->config))
		return true;
	deny(c->err, 409, "not_possible_here", "The workers may read auth-signing-keys, and not write it");
	return error_hint(c->err, "%s", hint);
}

bool serve_keys(struct call *c)
{
	bool can = auth_key_writable(c->env->arena, c->env->config);
	struct strbuf *b = &c->rs->body;
	struct auth_key *list;
	size_t n;

	if (!read_keys(c, &list, &n))
		return false;
	strbuf_lit(b, "{\"keys\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		add_key(&list[i], &list[i] == signer(list, n), b);
	}
	strbuf_addf(b, "],\"writable\":%s", can ? "true" : "false");
	if (!can) {
		strbuf_lit(b, ",\"hint\":");
		json_string(b, slice_of(hint));
	}
	strbuf_addc(b, '}');
	return true;
}

/* The one of that name, after a change; {} when it is gone. */
static bool answer(struct call *c, struct slice kid)
{
	struct auth_key *list;
	size_t n;

	auth_refresh_keys(c->env->auth);
	if (!read_keys(c, &list, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(list[i].kid, kid)) {
			add_key(&list[i], &list[i] == signer(list, n), &c->rs->body);
			return true;
		}
	strbuf_lit(&c->rs->body, "{}");
	return true;
}

static bool not_changed(struct call *c)
{
	return deny(c->err, 409, "key_not_changed", "%s", c->err->message);
}

static bool alg_fit(struct slice alg)
{
	static const char *const known[] = { "HS256", "HS384", "HS512", "RS256", "RS384",
					     "RS512", "ES256", "ES384", "ES512" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is(alg, known[i]))
			return true;
	return false;
}

bool serve_key_new(struct call *c)
{
	static const char *const members[] = { "alg", "activate_in", NULL };
	struct slice alg, kid;
	struct auth_key *list;
	int64_t delay;
	size_t n;

	if (!only_members(c, members) || !text_member(c, "alg", &alg) ||
	    !number_member(c, "activate_in", 0, 0, ACTIVATE_MAX, &delay) || !read_keys(c, &list, &n) || !writable(c))
		return false;
	if (!alg.len)
		alg = SLICE("ES256");
	if (!alg_fit(alg))
		return deny(c->err, 400, "validation_failed", "alg is one of HS, RS or ES 256, 384, 512");
	if (!auth_key_new(c->env->arena, c->env->config, slice_cstr(c->env->arena, alg), time(NULL) + delay, &kid,
			  c->err))
		return not_changed(c);
	return answer(c, kid);
}

bool serve_key_retire(struct call *c)
{
	struct slice now = url_parameter(c, "now"), kid;
	struct auth_key *list;
	bool found = false, another = false;
	size_t n;

	if (!tail_parts(c, &kid, 1) || !read_keys(c, &list, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		found |= slice_eq(list[i].kid, kid);
		another |= !slice_eq(list[i].kid, kid) && strcmp(list[i].state, "active") == 0;
	}
	if (!found)
		return deny(c->err, 404, "key_not_found", "There is no such key");
	if (!another)
		return deny(c->err, 409, "last_key", "No other key signs now: make one first");
	if (!writable(c))
		return false;
	if (!auth_key_retire(c->env->arena, c->env->config, kid, slice_is(now, "true"), c->err))
		return not_changed(c);
	return answer(c, kid);
}
