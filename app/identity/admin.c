/* admin/users: users as an administrator sees and changes them. */
#include <time.h>

#include "internal.h"

bool serve_admin_list(struct call *c)
{
	uint64_t page, per_page, total;
	struct identity_user *list;
	struct strbuf *b = &c->rs->body;
	size_t n;

	if (!page_of(c, &page, &per_page) ||
	    !identity_user_list(c->env, (page - 1) * per_page, per_page, &list, &n, &total, c->err))
		return false;
	page_links(c, "users", page, per_page, total);
	strbuf_lit(b, "{\"users\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		identity_user_json(&list[i], b);
	}
	strbuf_lit(b, "],\"aud\":\"authenticated\"}");
	return true;
}

/* What a create or an update brings. Texts are empty, objects NULL when absent. */
struct change {
	struct slice email, password, role, ban;
	struct json_object *user_metadata, *app_metadata;
	int64_t ban_seconds;
};

static bool read_change(struct call *c, struct change *out)
{
	*out = (struct change){ .ban_seconds = 0 };
	if (!text_member(c, "email", &out->email) || !text_member(c, "password", &out->password) ||
	    !text_member(c, "role", &out->role) || !text_member(c, "ban_duration", &out->ban))
		return false;
	if (json_object_member(c->json, "user_metadata", &out->user_metadata) < 0 ||
	    json_object_member(c->json, "app_metadata", &out->app_metadata) < 0)
		return deny(c->err, 400, "validation_failed", "user_metadata and app_metadata must be objects");
	if (out->ban.len && !identity_duration(out->ban, &out->ban_seconds))
		return deny(c->err, 400, "validation_failed", "invalid format for ban duration: \"%.*s\"",
			    (int)out->ban.len, out->ban.ptr);
	return (!out->role.len || role_fit(out->role, c->err)) &&
	       (!out->email.len || email_normal(c->env->arena, out->email, &out->email, c->err)) &&
	       (!out->password.len || password_fit(c->env->config, out->password, c->err));
}

/* Everything but the ban, which has its own statement. */
static bool lay_over(struct call *c, const struct change *change, struct identity_user *user)
{
	if (change->email.len)
		user->email = change->email;
	if (change->role.len)
		user->role = change->role;
	if (change->user_metadata)
		user->user_metadata = json_merged(c->env->arena, user->user_metadata, change->user_metadata);
	if (change->app_metadata)
		user->app_metadata = json_merged(c->env->arena, user->app_metadata, change->app_metadata);
	if (user->user_metadata.len > METADATA_MAX || user->app_metadata.len > METADATA_MAX)
		return deny(c->err, 422, "validation_failed", "metadata has more than %zu bytes", METADATA_MAX);
	return !change->password.len || password_hash(c->env, change->password, &user->password_hash, c->err);
}

bool serve_admin_create(struct call *c)
{
	struct identity_user user = { .role = slice_of(c->env->config->auth_default_role),
				      .user_metadata = SLICE("{}"),
				      .app_metadata = slice_of(default_app_metadata),
				      .password_hash = { "", 0 } };
	struct change change;
	bool found;

	if (!read_change(c, &change))
		return false;
	if (!change.email.len)
		return deny(c->err, 400, "validation_failed", "Cannot create a user without an email address");
	if (!lay_over(c, &change, &user) || !store_open(&c->q, c->env, c->err) || !db_begin(c->q.conn, c->err) ||
	    !user_insert(&c->q, user.email, user.password_hash, user.role, user.user_metadata, user.app_metadata,
			 &user) ||
	    (change.ban_seconds > 0 && !user_set_ban(&c->q, user.id, change.ban_seconds)) ||
	    !user_by(&c->q, "id", user.id, false, &user, &found) || !db_commit(c->q.conn, c->err))
		return false;
	identity_user_json(&user, &c->rs->body);
	return true;
}

/* Tokens that say what is no longer so. */
static bool end_tokens(struct call *c, const struct change *change, const struct identity_user *before,
		       const struct identity_user *after)
{
	struct slice none = { "", 0 };

	if (change->password.len && !sessions_end(&c->q, after->id, none, LOGOUT_GLOBAL))
		return false;
	if (change->ban_seconds <= 0 && slice_eq(before->role, after->role))
		return true;
	return revoke(&c->q, REVOKE_SUBJECT, &after->id, 1, time(NULL) + 1, last_access(c->env->config));
}

static bool update(struct call *c)
{
	struct identity_user user, before;
	struct change change;
	bool found;

	if (!read_change(c, &change) || !store_open(&c->q, c->env, c->err) || !db_begin(c->q.conn, c->err) ||
	    !user_by(&c->q, "id", c->tail, true, &user, &found))
		return false;
	if (!found)
		return deny(c->err, 404, "user_not_found", "User not found");
	before = user;
	if (!lay_over(c, &change, &user) || !user_set(&c->q, &user) ||
	    (change.ban.len && !user_set_ban(&c->q, user.id, change.ban_seconds)) ||
	    !end_tokens(c, &change, &before, &user) || !user_by(&c->q, "id", user.id, false, &user, &found) ||
	    !db_commit(c->q.conn, c->err))
		return false;
	revoked_now(c->env);
	identity_user_json(&user, &c->rs->body);
	return true;
}

static bool soft(struct call *c)
{
	struct slice text = json_written(c->env->arena, c->json);

	return memmem(text.ptr, text.len, "\"should_soft_delete\":true", 25) != NULL;
}

static bool list_sessions(struct call *c, const struct identity_user *user)
{
	struct identity_session *list;
	size_t n;

	if (!identity_user_sessions(c->env, user, &list, &n, c->err))
		return false;
	sessions_json(list, n, &c->rs->body);
	return true;
}

static bool end_sessions(struct call *c, const struct identity_user *user)
{
	struct slice none = { "", 0 };

	if (!store_open(&c->q, c->env, c->err) || !db_begin(c->q.conn, c->err) ||
	    !sessions_end(&c->q, user->id, none, LOGOUT_GLOBAL) || !db_commit(c->q.conn, c->err))
		return false;
	revoked_now(c->env);
	c->rs->status = 204;
	return true;
}

/* admin/users/ID/sessions/SESSION */
static bool end_session(struct call *c, struct slice user, struct slice session)
{
	bool lives;

	if (!uuid_valid(session))
		return deny(c->err, 404, "session_not_found", "There is no such session of this user");
	if (!store_open(&c->q, c->env, c->err) || !db_begin(c->q.conn, c->err) ||
	    !session_lives(&c->q, session, user, &lives))
		return false;
	if (!lives)
		return deny(c->err, 404, "session_not_found", "There is no such session of this user");
	if (!sessions_end(&c->q, user, session, LOGOUT_LOCAL) || !db_commit(c->q.conn, c->err))
		return false;
	revoked_now(c->env);
	c->rs->status = 204;
	return true;
}

/* admin/users/ID, admin/users/ID/sessions */
bool serve_admin_user(struct call *c)
{
	static const char sessions[] = "/sessions";
	struct identity_user user;
	bool of_one = c->tail.len > UUID_LEN && slice_starts(slice_from(c->tail, UUID_LEN), "/sessions/");
	struct slice session = of_one ? slice_from(c->tail, UUID_LEN + sizeof(sessions)) : SLICE("");
	bool of_sessions =
		c->tail.len == UUID_LEN + strlen(sessions) && slice_is(slice_from(c->tail, UUID_LEN), sessions);

	if (of_sessions || of_one)
		c->tail.len = UUID_LEN;
	if (!uuid_valid(c->tail))
		return deny(c->err, 404, "validation_failed", "user_id must be an UUID");
	if ((of_sessions && c->rq->method == HTTP_PUT) || (of_one && c->rq->method != HTTP_DELETE))
		return deny(c->err, 405, "method_not_allowed", "Method not allowed");
	if (of_one)
		return end_session(c, c->tail, session);
	if (c->rq->method == HTTP_PUT)
		return update(c);
	if (!identity_user_find(c->env, c->tail, &user, c->err))
		return false;
	if (of_sessions)
		return c->rq->method == HTTP_DELETE ? end_sessions(c, &user) : list_sessions(c, &user);
	if (c->rq->method == HTTP_DELETE) {
		if (soft(c))
			return deny(c->err, 422, "validation_failed", "Users are deleted whole or banned");
		if (!identity_user_delete(c->env, &user, c->err))
			return false;
		strbuf_lit(&c->rs->body, "{}");
		return true;
	}
	identity_user_json(&user, &c->rs->body);
	return true;
}
