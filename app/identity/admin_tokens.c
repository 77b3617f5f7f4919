/* admin/tokens, admin/revocations: tokens without a sign-in, and tokens that are taken back. */
#include <json-c/json.h>
#include <time.h>

#include "internal.h"

#define TTL_MAX 86400
#define VALUE_MAX ((size_t)1024)
#define CLAIMS_MAX ((size_t)5600) /* with any signature that is a token */

/* --- one token --- */

static bool reserved(const char *name)
{
	static const char *const names[] = { "role", "sub", "iat", "exp", "nbf", "iss", "aud", "jti", "session_id" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool add_claims(struct call *c, struct strbuf *b)
{
	struct json_object *claims;

	if (json_object_member(c->json, "claims", &claims) < 0)
		return deny(c->err, 400, "validation_failed", "claims must be an object");
	if (!claims)
		return true;
	json_object_object_foreach(claims, name, value)
	{
		if (reserved(name))
			return deny(c->err, 400, "validation_failed", "claims may not have \"%s\"", name);
		strbuf_addc(b, ',');
		json_string(b, slice_of(name));
		strbuf_addc(b, ':');
		if (value)
			strbuf_add_slice(b, json_written(c->env->arena, value));
		else
			strbuf_lit(b, "null");
	}
	return true;
}

static bool role_known(struct call *c, struct slice role)
{
	struct slice *list;
	size_t n;

	if (!identity_roles(c->env, c->who.role, &list, &n, c->err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(list[i], role))
			return true;
	return deny(c->err, 400, "validation_failed", "There is no such role that tokens may name");
}

static void text_claim(struct strbuf *b, const char *name, struct slice value)
{
	if (!value.len)
		return;
	strbuf_addf(b, ",\"%s\":", name);
	json_string(b, value);
}

bool serve_token_issue(struct call *c)
{
	static const char *const members[] = { "role", "sub", "ttl", "claims", NULL };
	const struct config *config = c->env->config;
	struct slice role, sub, token, jti = identity_token_id(c->env->arena);
	struct strbuf claims, *b = &c->rs->body;
	int64_t ttl, now, expires;

	if (!only_members(c, members) || !text_member(c, "role", &role) || !text_member(c, "sub", &sub) ||
	    !number_member(c, "ttl", (int64_t)config->auth_access_ttl, 1, TTL_MAX, &ttl) || !role_known(c, role))
		return false;
	if (sub.len > VALUE_MAX)
		return deny(c->err, 400, "validation_failed", "sub is a text of at most %zu bytes", VALUE_MAX);
	now = token_issued_now(c->env, sub);
	expires = now + ttl;
	strbuf_init(&claims, c->env->arena, 512);
	strbuf_addf(&claims, "{\"iat\":%lld,\"exp\":%lld", (long long)now, (long long)expires);
	text_claim(&claims, "iss", slice_of(*config->jwt_issuer ? config->jwt_issuer : "rowgate"));
	text_claim(&claims, "aud", slice_of(*config->jwt_aud ? config->jwt_aud : "authenticated"));
	text_claim(&claims, "sub", sub);
	text_claim(&claims, "jti", jti);
	text_claim(&claims, "role", role);
	if (!add_claims(c, &claims))
		return false;
	strbuf_addc(&claims, '}');
	if (claims.len > CLAIMS_MAX)
		return deny(c->err, 400, "validation_failed", "The claims are too large for a token");
	if (!auth_sign(c->env->arena, c->env->auth, strbuf_slice(&claims), &token, c->err))
		return false;
	strbuf_lit(b, "{\"token\":");
	json_string(b, token);
	text_claim(b, "jti", jti);
	text_claim(b, "role", role);
	text_claim(b, "sub", sub);
	json_instant(b, "expires_at", expires);
	strbuf_addc(b, '}');
	return true;
}

/* --- what is revoked --- */

static void add_revocation(struct strbuf *b, struct slice kind, struct slice value, int64_t before, int64_t expires,
			   struct slice created)
{
	strbuf_lit(b, "{\"kind\":");
	json_string(b, kind);
	strbuf_lit(b, ",\"value\":");
	json_string(b, value);
	if (before != INT64_MAX)
		json_instant(b, "issued_before", before);
	text_claim(b, "created_at", created);
	if (expires)
		json_instant(b, "expires_at", expires);
	strbuf_addc(b, '}');
}

bool serve_revocations(struct call *c)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT, FETCH_INT, FETCH_INT, FETCH_DATETIME };
	static const enum db_fetch count[] = { FETCH_INT };
	struct value params[2], **rows;
	uint64_t page, per_page;
	size_t n;

	if (!page_of(c, &page, &per_page) || !store_open(&c->q, c->env, c->err) ||
	    !store_rows(&c->q, SLICE("SELECT COUNT(*) FROM rowgate.auth_revocation"), NULL, 0, count, 1, &rows, &n))
		return false;
	page_links(c, "revocations", page, per_page, n ? (uint64_t)rows[0][0].i : 0);
	params[0] = value_int((int64_t)per_page);
	params[1] = value_int((int64_t)((page - 1) * per_page));
	if (!store_rows(&c->q,
			SLICE("SELECT kind, value, issued_before, expires_at, created_at FROM rowgate.auth_revocation "
			      "ORDER BY version DESC, number LIMIT ? OFFSET ?"),
			params, 2, fetch, 5, &rows, &n))
		return false;
	strbuf_lit(&c->rs->body, "{\"revocations\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&c->rs->body, ',');
		add_revocation(&c->rs->body, rows[i][0].s, rows[i][1].s,
			       rows[i][2].kind == VALUE_NULL ? INT64_MAX : rows[i][2].i,
			       rows[i][3].kind == VALUE_NULL ? 0 : rows[i][3].i,
			       store_instant(c->env->arena, &rows[i][4]));
	}
	strbuf_lit(&c->rs->body, "]}");
	return true;
}

struct wish {
	enum auth_revocation kind;
	struct slice value;
	int64_t before, expires;
};

/* The id of a token that is good, and when it would have expired. */
static bool read_token(struct call *c, struct slice token, struct wish *out)
{
	struct json_object *claims;
	struct principal who;

	if (!auth_verify(c->env->arena, c->env->auth, token, time(NULL), &who, c->err))
		return deny(c->err, 400, "validation_failed", "The token is not believed as it is: %s",
			    c->err->message);
	claims = json_read(c->env->arena, who.claims);
	if (!claims || json_text_member(claims, "jti", &out->value) <= 0 || !out->value.len)
		return deny(c->err, 400, "validation_failed", "The token has no jti: revoke it by its sub or session");
	out->expires = who.expires == INT64_MAX ? 0 : who.expires + (int64_t)c->env->config->jwt_leeway + 1;
	return true;
}

static bool read_before(struct call *c, int64_t initial, int64_t *out)
{
	struct json_object *member;
	struct slice text;
	struct tm tm = { .tm_isdst = 0 };
	const char *end;

	*out = initial;
	if (!json_object_object_get_ex(c->json, "issued_before", &member) || !member)
		return true;
	if (json_object_is_type(member, json_type_int))
		return number_member(c, "issued_before", initial, 0, INT64_C(253402300799), out);
	if (json_text_member(c->json, "issued_before", &text) > 0) {
		end = strptime(slice_cstr(c->env->arena, text), "%Y-%m-%dT%H:%M:%S", &tm);
		if (end && *end == '.')
			end += 1 + strspn(end + 1, "0123456789");
		if (end && strcmp(end, "Z") == 0) {
			*out = timegm(&tm);
			return true;
		}
	}
	return deny(c->err, 400, "validation_failed",
		    "issued_before is a time in UTC (2026-11-21T15:00:00Z), or seconds since 1970");
}

static bool read_wish(struct call *c, struct wish *out)
{
	static const struct {
		const char *name;
		enum auth_revocation kind;
		bool now; /* means tokens issued until now */
	} ways[] = { { "jti", REVOKE_TOKEN, false },
		     { "session", REVOKE_SESSION, false },
		     { "sub", REVOKE_SUBJECT, true },
		     { "token", REVOKE_TOKEN, false } };
	struct json_object *all;
	struct slice text;
	unsigned n = 0;

	*out = (struct wish){ .value = { "", 0 }, .before = INT64_MAX };
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (!text_member(c, ways[i].name, &text))
			return false;
		if (!text.len)
			continue;
		n++;
		out->kind = ways[i].kind;
		out->value = text;
		out->before = ways[i].now ? time(NULL) + 1 : INT64_MAX;
		if (strcmp(ways[i].name, "token") == 0 && n == 1 && !read_token(c, text, out))
			return false;
	}
	if (json_object_object_get_ex(c->json, "all", &all) && json_object_is_type(all, json_type_boolean) &&
	    json_object_get_boolean(all)) {
		n++;
		out->kind = REVOKE_ALL;
		out->before = time(NULL) + 1;
	}
	if (n != 1 || out->value.len > VALUE_MAX)
		return deny(c->err, 400, "validation_failed",
			    "One of jti, token, session, sub (texts of 1 to %zu bytes) or \"all\": true is to be there",
			    VALUE_MAX);
	return read_before(c, out->before, &out->before);
}

bool serve_revoke(struct call *c)
{
	static const char *const members[] = { "jti", "token", "session", "sub", "all", "issued_before", NULL };
	static const char *const kinds[] = { "token", "session", "subject", "all" };
	struct strbuf created;
	struct wish wish;

	if (!only_members(c, members) || !read_wish(c, &wish) ||
	    !identity_revoke(c->env, wish.kind, wish.value, wish.before, wish.expires, c->err))
		return false;
	strbuf_init(&created, c->env->arena, 32);
	add_instant(&created, time(NULL));
	add_revocation(&c->rs->body, slice_of(kinds[wish.kind]), wish.value, wish.before, wish.expires,
		       strbuf_slice(&created));
	return true;
}
