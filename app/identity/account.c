/* What users do with their own account: user, logout, sessions. */
#include "internal.h"

static void put_user(struct call *c, const struct identity_user *user)
{
	identity_user_json(user, &c->rs->body);
}

bool serve_user(struct call *c)
{
	struct identity_user user;

	if (!store_open(&c->q, c->env, c->err) || !call_user(c, false, &user))
		return false;
	put_user(c, &user);
	return true;
}

/* A hash for the new password, which is not the old one. */
static bool new_hash(struct call *c, struct identity_user *user, struct slice password)
{
	size_t slot;
	bool same;

	if (!password_fit(c->env->config, password, c->err) || !hash_begin(c->env, &slot, c->err))
		return false;
	same = user->password_hash.len && password_matches(c->env, password, user->password_hash);
	hash_end(c->env, slot);
	if (same)
		return deny(c->err, 422, "same_password", "New password should be different from the old password.");
	return password_hash(c->env, password, &user->password_hash, c->err);
}

static bool apply(struct call *c, struct identity_user *user, struct slice password)
{
	struct slice email;
	struct json_object *data;

	if (!text_member(c, "email", &email))
		return false;
	if (email.len && !slice_ieq(email, user->email))
		return deny(c->err, 422, "validation_failed", "Email addresses are changed by an administrator");
	if (json_object_member(c->json, "data", &data) < 0)
		return deny(c->err, 400, "validation_failed", "data must be an object");
	if (data)
		user->user_metadata = json_merged(c->env->arena, user->user_metadata, data);
	if (user->user_metadata.len > METADATA_MAX)
		return deny(c->err, 422, "validation_failed", "data has more than %zu bytes", METADATA_MAX);
	return !password.len || new_hash(c, user, password);
}

bool serve_update(struct call *c)
{
	struct identity_user user;
	struct slice password;
	bool found;

	if (!text_member(c, "password", &password) || !store_open(&c->q, c->env, c->err) ||
	    !db_begin(c->q.conn, c->err) || !call_user(c, true, &user) || !apply(c, &user, password) ||
	    !user_set(&c->q, &user) || (password.len && !sessions_end(&c->q, user.id, c->who.session, LOGOUT_OTHERS)) ||
	    !user_by(&c->q, "id", user.id, false, &user, &found) || !db_commit(c->q.conn, c->err))
		return false;
	if (password.len)
		revoked_now(c->env);
	put_user(c, &user);
	return true;
}

static bool scope_of(struct call *c, enum logout_scope *out)
{
	struct slice scope = url_parameter(c, "scope");

	*out = slice_is(scope, "local") ? LOGOUT_LOCAL : slice_is(scope, "others") ? LOGOUT_OTHERS : LOGOUT_GLOBAL;
	return !scope.len || slice_is(scope, "global") || *out != LOGOUT_GLOBAL ||
	       deny(c->err, 400, "validation_failed", "Unsupported logout scope \"%.*s\"", (int)scope.len, scope.ptr);
}

bool serve_logout(struct call *c)
{
	struct identity_user user;
	enum logout_scope scope;

	if (!scope_of(c, &scope) || !store_open(&c->q, c->env, c->err) || !call_user(c, false, &user))
		return false;
	if (!c->who.session.len)
		scope = LOGOUT_GLOBAL;
	if (!db_begin(c->q.conn, c->err) || !sessions_end(&c->q, user.id, c->who.session, scope) ||
	    !db_commit(c->q.conn, c->err))
		return false;
	revoked_now(c->env);
	if (scope != LOGOUT_OTHERS && refresh_cookie(c).len)
		clear_cookie(c);
	c->rs->status = 204;
	return true;
}

bool serve_sessions(struct call *c)
{
	struct identity_session *list;
	struct identity_user user;
	size_t n;

	if (!store_open(&c->q, c->env, c->err) || !call_user(c, false, &user) ||
	    !sessions_of(&c->q, user.id, &list, &n))
		return false;
	sessions_json(list, n, &c->rs->body);
	return true;
}
