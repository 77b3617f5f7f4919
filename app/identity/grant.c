/* POST token and signup: a session for a password, or for the refresh token of a session. */
#include "internal.h"

/* The session's first or next tokens as the answer. */
static bool give_session(struct call *c, const struct identity_user *user, const struct session_grant *grant)
{
	bool cookie = wants_cookie(c);

	if (!session_json(c->env, user, grant, cookie, &c->rs->body, c->err))
		return false;
	if (cookie)
		set_cookie(c, grant->refresh_token);
	return true;
}

static bool begin_session(struct call *c, struct identity_user *user)
{
	struct session_grant grant;
	struct slice agent;
	bool found;

	http_header(c->rq, "user-agent", &agent);
	if (!db_begin(c->q.conn, c->err) || !session_begin(&c->q, user, c->rq->remote_addr, agent, &grant) ||
	    !user_signed_in(&c->q, user->id) || !user_by(&c->q, "id", user->id, false, user, &found) ||
	    !db_commit(c->q.conn, c->err))
		return false;
	return give_session(c, user, &grant);
}

static bool wrong(struct call *c)
{
	atomic_fetch_add(&c->env->shared->logins_refused, 1);
	return deny(c->err, 400, "invalid_credentials", "Invalid login credentials");
}

/* The same work whether there is such a user or not. */
static bool check_password(struct call *c, const struct identity_user *user, struct slice email, struct slice password)
{
	struct attempt attempt;
	bool known, good;
	size_t slot;

	if (!user_known_at(&c->q, user->id, c->rq->remote_addr, &known) ||
	    !throttle_take(c->env, email, c->rq->remote_addr, known, &attempt, c->err))
		return false;
	if (!hash_begin(c->env, &slot, c->err)) {
		throttle_give_back(c->env, &attempt);
		return false;
	}
	good = password_matches(c->env, password, user->password_hash);
	hash_end(c->env, slot);
	if (!good)
		return wrong(c);
	throttle_give_back(c->env, &attempt);
	return true;
}

static bool by_password(struct call *c)
{
	struct slice email, phone, password;
	struct identity_user user;
	bool found;

	if (!text_member(c, "email", &email) || !text_member(c, "phone", &phone) ||
	    !text_member(c, "password", &password))
		return false;
	if (!email.len)
		return phone.len ? deny(c->err, 400, "phone_provider_disabled", "Phone logins are disabled")
				 : deny(c->err, 400, "validation_failed", "missing email or phone");
	/* What cannot be an address is nobody's. */
	if (password.len > PASSWORD_MAX || !email_normal(c->env->arena, email, &email, c->err))
		return wrong(c);
	if (!store_open(&c->q, c->env, c->err) || !user_by(&c->q, "email", email, false, &user, &found) ||
	    !check_password(c, &user, email, password))
		return false;
	if (user.banned)
		return deny(c->err, 400, "user_banned", "User is banned");
	if (!begin_session(c, &user))
		return false;
	atomic_fetch_add(&c->env->shared->logins, 1);
	return true;
}

static bool by_refresh_token(struct call *c)
{
	struct identity_user user;
	struct session_grant grant;
	struct slice token;
	bool stolen, ok;

	if (!text_member(c, "refresh_token", &token))
		return false;
	if (wants_cookie(c) && (!token.len || slice_is(token, "cookie")))
		token = refresh_cookie(c);
	if (!token.len)
		return deny(c->err, 400, "validation_failed", "refresh_token required");
	if (!store_open(&c->q, c->env, c->err) || !db_begin(c->q.conn, c->err))
		return false;
	ok = session_refresh(&c->q, token, &grant, &user, &stolen);
	if (stolen) {
		struct error refused = *c->err;

		if (!db_commit(c->q.conn, c->err))
			return false;
		revoked_now(c->env);
		*c->err = refused;
	}
	c->drop_cookie = !ok && c->err->code == ERR_AUTH && wants_cookie(c);
	return ok && db_commit(c->q.conn, c->err) && give_session(c, &user, &grant);
}

bool serve_token(struct call *c)
{
	struct slice grant = url_parameter(c, "grant_type");

	if (slice_is(grant, "password"))
		return by_password(c);
	if (slice_is(grant, "refresh_token"))
		return by_refresh_token(c);
	return deny(c->err, 400, "validation_failed", "unsupported_grant_type");
}

bool serve_signup(struct call *c)
{
	const struct config *config = c->env->config;
	struct slice email, password, metadata = SLICE("{}");
	struct json_object *data;
	struct identity_user user;
	struct attempt attempt;

	if (!config->auth_signup_enabled)
		return deny(c->err, 422, "signup_disabled", "Signups not allowed for this instance");
	if (!text_member(c, "email", &email) || !text_member(c, "password", &password))
		return false;
	if (!email.len)
		return deny(c->err, 422, "validation_failed", "Signup requires an email address and a password");
	if (json_object_member(c->json, "data", &data) < 0)
		return deny(c->err, 400, "validation_failed", "data must be an object");
	if (data)
		metadata = json_written(c->env->arena, data);
	if (metadata.len > METADATA_MAX)
		return deny(c->err, 422, "validation_failed", "data has more than %zu bytes", METADATA_MAX);
	if (!password.len)
		return deny(c->err, 422, "validation_failed", "Signup requires a valid password");
	/* Not given back: it limits how many accounts an address makes. */
	if (!throttle_take(c->env, SLICE("signup"), c->rq->remote_addr, true, &attempt, c->err))
		return false;
	if (!identity_user_add(c->env, email, password, slice_of(config->auth_default_role), metadata, &user, c->err)) {
		if (c->err->code == ERR_AUTH && slice_is(slice_of(c->err->sqlstate), "email_exists"))
			deny(c->err, 422, "user_already_exists", "User already registered");
		return false;
	}
	return store_open(&c->q, c->env, c->err) && begin_session(c, &user);
}
