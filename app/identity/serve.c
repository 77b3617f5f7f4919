/*
 * From a request of /auth/v1 to its endpoint: the table of routes, the token where one is asked for, the body as a JSON
 * object, and the answer in the form auth-js reads: {"code","error_code","msg"} when it is a refusal.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "internal.h"

#define ATTEMPTS 3
#define PER_PAGE_MAX 1000

enum access { OPEN, TOKEN, ADMIN };
enum body_wish { NO_BODY, MAY_BODY, BODY };

static const struct endpoint {
	enum http_method method;
	const char *path; /* one that ends in '/' has a tail, but for the root */
	enum access access;
	enum body_wish body;
	bool (*serve)(struct call *c);
} endpoints[] = {
	{ HTTP_GET, "/", OPEN, NO_BODY, serve_description },
	{ HTTP_POST, "/token", OPEN, BODY, serve_token },
	{ HTTP_POST, "/signup", OPEN, BODY, serve_signup },
	{ HTTP_GET, "/user", TOKEN, NO_BODY, serve_user },
	{ HTTP_PUT, "/user", TOKEN, BODY, serve_update },
	{ HTTP_POST, "/logout", TOKEN, NO_BODY, serve_logout },
	{ HTTP_GET, "/sessions", TOKEN, NO_BODY, serve_sessions },
	{ HTTP_GET, "/admin/users", ADMIN, NO_BODY, serve_admin_list },
	{ HTTP_POST, "/admin/users", ADMIN, BODY, serve_admin_create },
	{ HTTP_GET, "/admin/users/", ADMIN, NO_BODY, serve_admin_user },
	{ HTTP_PUT, "/admin/users/", ADMIN, BODY, serve_admin_user },
	{ HTTP_DELETE, "/admin/users/", ADMIN, MAY_BODY, serve_admin_user },
	{ HTTP_GET, "/admin/roles", ADMIN, NO_BODY, serve_roles },
	{ HTTP_POST, "/admin/roles", ADMIN, BODY, serve_role_add },
	{ HTTP_GET, "/admin/keys", ADMIN, NO_BODY, serve_keys },
	{ HTTP_POST, "/admin/keys", ADMIN, MAY_BODY, serve_key_new },
	{ HTTP_DELETE, "/admin/keys/", ADMIN, NO_BODY, serve_key_retire },
	{ HTTP_POST, "/admin/tokens", ADMIN, BODY, serve_token_issue },
	{ HTTP_GET, "/admin/revocations", ADMIN, NO_BODY, serve_revocations },
	{ HTTP_POST, "/admin/revocations", ADMIN, BODY, serve_revoke },
	{ HTTP_GET, "/admin/policies", ADMIN, NO_BODY, serve_policies },
	{ HTTP_POST, "/admin/policies", ADMIN, BODY, serve_policy_add },
	{ HTTP_POST, "/admin/policies/check", ADMIN, BODY, serve_policy_check },
	{ HTTP_PUT, "/admin/policies/", ADMIN, BODY, serve_policy },
	{ HTTP_DELETE, "/admin/policies/", ADMIN, NO_BODY, serve_policy },
	{ HTTP_GET, "/admin/statements", ADMIN, NO_BODY, serve_statements },
	{ HTTP_DELETE, "/admin/statements", ADMIN, NO_BODY, serve_statements },
	{ HTTP_GET, "/admin/pool", ADMIN, NO_BODY, serve_pool },
	{ HTTP_GET, "/admin/metrics", ADMIN, NO_BODY, serve_metrics },
	{ HTTP_POST, "/admin/reload", ADMIN, MAY_BODY, serve_reload },
	{ HTTP_GET, "/.well-known/jwks.json", OPEN, NO_BODY, serve_jwks },
	{ HTTP_GET, "/settings", OPEN, NO_BODY, serve_settings },
	{ HTTP_GET, "/health", OPEN, NO_BODY, serve_health },
};

#define NENDPOINTS (sizeof(endpoints) / sizeof(*endpoints))

bool identity_offered(const struct config *config)
{
	return *config->db_identity_user != '\0';
}

/* --- what endpoints ask for --- */

struct slice url_parameter(struct call *c, const char *name)
{
	struct slice rest = c->rq->query, part, value, key;
	struct error ignored;

	error_init(&ignored, c->env->arena);
	while (slice_split(&rest, '&', &part)) {
		value = part;
		if (slice_split(&value, '=', &key) && slice_is(key, name) && value.ptr &&
		    http_url_decode(c->env->arena, value, true, &value, &ignored))
			return value;
	}
	return (struct slice){ "", 0 };
}

bool text_member(struct call *c, const char *name, struct slice *out)
{
	return json_text_member(c->json, name, out) >= 0 ||
	       deny(c->err, 400, "validation_failed", "%s must be a string", name);
}

bool number_member(struct call *c, const char *name, int64_t initial, int64_t min, int64_t max, int64_t *out)
{
	*out = initial;
	return (json_number_member(c->json, name, out) >= 0 && *out >= min && *out <= max) ||
	       deny(c->err, 400, "validation_failed", "%s must be a number from %lld to %lld", name, (long long)min,
		    (long long)max);
}

bool only_members(struct call *c, const char *const *names)
{
	json_object_object_foreach(c->json, name, value)
	{
		size_t i = 0;

		(void)value;
		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (!names[i])
			return deny(c->err, 400, "validation_failed", "\"%s\" means nothing here", name);
	}
	return true;
}

bool tail_parts(struct call *c, struct slice *out, size_t n)
{
	struct slice rest = c->tail, part;
	struct error ignored;
	size_t i = 0;

	error_init(&ignored, c->env->arena);
	while (i < n && slice_split(&rest, '/', &part) && part.len &&
	       http_url_decode(c->env->arena, part, false, &out[i], &ignored))
		i++;
	return (i == n && !rest.ptr) || deny(c->err, 404, "not_found", "There is nothing at this path");
}

static bool page_number(struct call *c, const char *name, uint64_t initial, uint64_t max, uint64_t *out)
{
	struct slice text = url_parameter(c, name);

	*out = initial;
	if (!text.len)
		return true;
	if (!parse_u64(text, out) || !*out || *out > max)
		return deny(c->err, 400, "validation_failed", "Bad Pagination Parameters: %s is 1 to %llu", name,
			    (unsigned long long)max);
	return true;
}

bool page_of(struct call *c, uint64_t *page_out, uint64_t *per_page_out)
{
	return page_number(c, "page", 1, INT32_MAX, page_out) &&
	       page_number(c, "per_page", 50, PER_PAGE_MAX, per_page_out);
}

static void page_link(struct strbuf *b, const char *list, uint64_t page, uint64_t per_page, const char *rel)
{
	strbuf_addf(b, "%s</auth/v1/admin/%s?page=%llu&per_page=%llu>; rel=\"%s\"", b->len ? ", " : "", list,
		    (unsigned long long)page, (unsigned long long)per_page, rel);
}

void page_links(struct call *c, const char *list, uint64_t page, uint64_t per_page, uint64_t total)
{
	uint64_t last = total ? (total + per_page - 1) / per_page : 1;
	struct strbuf links;

	strbuf_init(&links, c->env->arena, 256);
	if (page < last)
		page_link(&links, list, page + 1, per_page, "next");
	page_link(&links, list, last, per_page, "last");
	http_set_header(c->rs, "Link", "%s", strbuf_cstr(&links));
	http_set_header(c->rs, "X-Total-Count", "%llu", (unsigned long long)total);
}

static bool session_gone(struct error *err)
{
	return deny(err, 403, "session_not_found", "Session from session_id claim in JWT does not exist");
}

bool call_user(struct call *c, bool lock, struct identity_user *out)
{
	bool found, lives = true;

	if (c->who.foreign)
		return deny(c->err, 403, "bad_jwt", "Users of other providers have no account here");
	if (!uuid_valid(c->who.subject))
		return deny(c->err, 403, "bad_jwt", "invalid claim: missing sub claim");
	if (!user_by(&c->q, "id", c->who.subject, lock, out, &found))
		return false;
	if (!found)
		return deny(c->err, 403, "user_not_found", "User from sub claim in JWT does not exist");
	if (c->who.session.len)
		lives = uuid_valid(c->who.session);
	if (c->who.session.len && lives && !session_lives(&c->q, c->who.session, c->who.subject, &lives))
		return false;
	if (!lives)
		return session_gone(c->err);
	return !out->banned || deny(c->err, 403, "user_banned", "User is banned");
}

/* --- the cookie of browsers --- */

#define COOKIE "__Secure-rowgate-refresh"
#define COOKIE_RULES "; Path=/auth/v1/; Secure; HttpOnly; SameSite=Strict"

/* A page of another site cannot send this header without a preflight. */
bool wants_cookie(const struct call *c)
{
	struct slice value;

	return http_header(c->rq, "x-client-session", &value) && slice_ieq(value, SLICE("cookie"));
}

void set_cookie(struct call *c, struct slice refresh_token)
{
	http_set_header(c->rs, "Set-Cookie", COOKIE "=%.*s; Max-Age=%llu" COOKIE_RULES, (int)refresh_token.len,
			refresh_token.ptr, (unsigned long long)c->env->config->auth_refresh_ttl);
}

void clear_cookie(struct call *c)
{
	http_set_header(c->rs, "Set-Cookie", COOKIE "=; Max-Age=0" COOKIE_RULES);
}

struct slice refresh_cookie(const struct call *c)
{
	struct slice rest, part, name;

	if (http_header(c->rq, "cookie", &rest))
		while (slice_split(&rest, ';', &part)) {
			part = slice_trim(part);
			if (slice_split(&part, '=', &name) && slice_is(name, COOKIE) && part.ptr)
				return part;
		}
	return (struct slice){ "", 0 };
}

/* --- the stages of a call --- */

static const struct endpoint *find_route(struct call *c, bool *path_known_out)
{
	const struct endpoint *found = NULL;

	*path_known_out = false;
	for (size_t i = 0; i < NENDPOINTS && !found; i++) {
		const struct endpoint *r = &endpoints[i];
		size_t len = strlen(r->path);
		bool tailed = len > 1 && r->path[len - 1] == '/';

		if (tailed ? !slice_starts(c->rq->path, r->path) || c->rq->path.len == len
			   : !slice_is(c->rq->path, r->path))
			continue;
		*path_known_out = true;
		c->tail = slice_from(c->rq->path, len);
		if (r->method == c->rq->method || (r->method == HTTP_GET && c->rq->method == HTTP_HEAD))
			found = r;
	}
	return found;
}

static bool no_route(struct call *c, bool path_known)
{
	if (path_known)
		return deny(c->err, 405, "method_not_allowed", "Method not allowed");
	return deny(c->err, 404, "not_found", "There is nothing at this path");
}

static bool check_token(struct call *c)
{
	struct slice value;

	if (!(http_header(c->rq, "authorization", &value) && value.len) &&
	    !(http_header(c->rq, "apikey", &value) && value.len))
		return deny(c->err, 401, "no_authorization", "This endpoint requires a valid Bearer token");
	c->known = auth_check(c->env->arena, c->env->auth, c->rq, time(NULL), &c->who, c->err);
	if (c->known)
		return true;
	if (c->err->code == ERR_JWT_REVOKED)
		return session_gone(c->err);
	return deny(c->err, 403, "bad_jwt", "invalid JWT: %s", c->err->message);
}

static bool allowed(struct call *c, enum access access)
{
	if (access == OPEN)
		return true;
	if (!check_token(c))
		return false;
	return access == TOKEN || slice_is(c->who.role, c->env->config->auth_admin_role) ||
	       deny(c->err, 403, "not_admin", "User not allowed");
}

static bool read_body(struct call *c, enum body_wish wish, body_read_fn *read, void *context)
{
	char *text;
	size_t len = 0;
	int64_t n;

	if (wish == NO_BODY)
		return true;
	text = arena_alloc_raw(c->env->arena, BODY_MAX + 1);
	while ((n = read(context, text + len, BODY_MAX + 1 - len)) > 0)
		len += (size_t)n;
	if (len > BODY_MAX)
		return deny(c->err, 413, "request_too_large", "The request body is too large");
	c->body = (struct slice){ text, len };
	c->json = n < 0 ? NULL : json_read(c->env->arena, len || wish == BODY ? c->body : SLICE("{}"));
	return c->json || deny(c->err, 400, "bad_json", "Could not parse request body as JSON");
}

static bool call_run(struct call *c, const struct endpoint *route)
{
	bool ok = route->serve(c);

	if (c->q.conn)
		store_close(&c->q);
	return ok;
}

/* Two requests of one session may lock its rows in each other's way: nothing was done then. */
static bool worth_retry(const struct error *err)
{
	return err->code == ERR_DEADLOCK || err->code == ERR_LOCK_WAIT;
}

static bool answer(struct call *c, body_read_fn *read, void *context)
{
	bool path_known, ok = false;
	const struct endpoint *route = find_route(c, &path_known);

	if (!route)
		return no_route(c, path_known);
	if (!allowed(c, route->access) || !read_body(c, route->body, read, context))
		return false;
	for (int i = 0; i < ATTEMPTS && !ok; i++) {
		if (i && !worth_retry(c->err))
			break;
		http_discard(c->rs);
		error_init(c->err, c->err->arena);
		ok = call_run(c, route);
	}
	return ok;
}

/* What is not ours to explain is a failure of the server's, told without its words. */
static void refuse_in_form(struct call *c)
{
	struct error *err = c->err;
	bool ours = err->code == ERR_AUTH;
	struct strbuf *b = &c->rs->body;

	http_discard(c->rs);
	c->media = NULL;
	c->rs->status = err->status;
	if (c->drop_cookie)
		clear_cookie(c);
	if (err->retry_after)
		http_set_header(c->rs, "Retry-After", "%u", err->retry_after);
	if (err->status == 401)
		http_set_header(c->rs, "WWW-Authenticate", "Bearer");
	strbuf_addf(b, "{\"code\":%d,\"error_code\":", err->status);
	json_string(b, slice_of(ours ? err->sqlstate : "unexpected_failure"));
	strbuf_lit(b, ",\"msg\":");
	json_string(b, slice_of(ours || err->status == 503 ? err->message : "The request could not be served"));
	if (ours && err->details)
		strbuf_addf(b, ",\"%s\":%s", err->sqlstate, err->details);
	if (ours && err->hint) {
		strbuf_lit(b, ",\"hint\":");
		json_string(b, slice_of(err->hint));
	}
	strbuf_addc(b, '}');
}

static void wipe(struct slice s)
{
	if (s.len)
		explicit_bzero((void *)(uintptr_t)s.ptr, s.len);
}

/* Passwords and refresh tokens stay no longer than they are needed. */
static void forget_secrets(struct call *c)
{
	static const char *const names[] = { "password", "refresh_token", "token" };
	struct slice text;

	wipe(c->body);
	for (size_t i = 0; c->json && i < sizeof(names) / sizeof(*names); i++)
		if (json_text_member(c->json, names[i], &text) > 0)
			wipe(text);
}

bool identity_serve(const struct identity_env *env, const struct http_request *rq, body_read_fn *read, void *context,
		    struct http_response *rs, struct principal *who_out, struct error *err)
{
	struct call c = { .env = env, .rq = rq, .rs = rs, .err = err };

	rs->status = 200;
	rs->head = rq->method == HTTP_HEAD;
	if (!identity_offered(env->config))
		deny(err, 404, "not_found", "/auth/v1 is not offered here: db-identity-user is not set");
	else if (answer(&c, read, context))
		error_init(err, err->arena);
	forget_secrets(&c);
	if (err->code != ERR_NONE)
		refuse_in_form(&c);
	if (rs->status != 204)
		http_set_header(rs, "Content-Type", "%s; charset=utf-8", c.media ? c.media : "application/json");
	if (!slice_is(rq->path, "/.well-known/jwks.json") || err->code != ERR_NONE)
		http_set_header(rs, "Cache-Control", "no-store");
	*who_out = c.who;
	return c.known;
}
