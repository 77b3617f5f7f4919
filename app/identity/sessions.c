/*
 * Sessions and their refresh tokens. Each use of a token begins the session's next generation; the tokens of a
 * generation are equal among themselves. The one before counts for some seconds more (auth-refresh-reuse): two tabs, or
 * a client whose answer was lost, may come with it, and get a token of the present generation. Anything older is a copy
 * that somebody kept: the session ends, and with it whatever the thief or the victim still holds.
 */
#include <time.h>

#include "internal.h"

#define TOKEN_LETTERS 40 /* 240 bits */
/* Used tokens that are remembered, so that their coming again is noticed. */
#define REMEMBERED 500
#define SESSIONS_MAX 200

static struct slice cut(struct slice s, size_t len)
{
	while (len && s.len > len && ((unsigned char)s.ptr[len] & 0xc0) == 0x80)
		len--;
	return s.len > len ? (struct slice){ s.ptr, len } : s;
}

/* What a client says of itself may be no UTF-8. */
static struct slice printable(struct arena *a, struct slice text)
{
	char *copy = slice_cstr(a, text);
	bool utf8 = utf8_valid(text);

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)copy[i] < 0x20 || (!utf8 && (unsigned char)copy[i] >= 0x7f))
			copy[i] = '?';
	return (struct slice){ copy, text.len };
}

static bool add_token(struct store *q, struct slice session, int64_t generation, struct slice *token_out)
{
	struct slice token = random_text(q->env->arena, TOKEN_LETTERS);
	unsigned char hash[32];
	struct value params[] = { { .kind = VALUE_BYTES, .s = { (const char *)hash, sizeof(hash) } },
				  value_text(session),
				  value_int(generation) };

	sha256(token, hash);
	*token_out = token;
	return store_run(
		q, SLICE("INSERT INTO rowgate.auth_refresh_token (hash, session_id, generation) VALUES (?, ?, ?)"),
		params, 3, NULL);
}

/* Sessions that nobody has used for long go when their user signs in. */
static bool forget_old(struct store *q, struct slice user)
{
	struct value params[] = { value_text(user), value_int((int64_t)q->env->config->auth_refresh_ttl) };

	return store_run(q,
			 SLICE("DELETE FROM rowgate.auth_session WHERE user_id = ? AND "
			       "refreshed_at < TIMESTAMPADD(SECOND, -?, UTC_TIMESTAMP(6))"),
			 params, 2, NULL);
}

/* And of a user who signs in again and again without ever signing out, those used longest ago. */
static bool keep_few(struct store *q, struct slice user)
{
	static const enum db_fetch fetch[] = { FETCH_INT };
	struct value params[] = { value_text(user), { .kind = VALUE_NULL } };
	struct value **rows;
	size_t n;

	if (!store_rows(q, SLICE("SELECT COUNT(*) FROM rowgate.auth_session WHERE user_id = ?"), params, 1, fetch, 1,
			&rows, &n))
		return false;
	if (!n || rows[0][0].i < SESSIONS_MAX)
		return true;
	params[1] = value_int(rows[0][0].i - SESSIONS_MAX + 1);
	return store_run(q, SLICE("DELETE FROM rowgate.auth_session WHERE user_id = ? ORDER BY refreshed_at LIMIT ?"),
			 params, 2, NULL);
}

bool session_begin(struct store *q, const struct identity_user *user, struct slice address, struct slice user_agent,
		   struct session_grant *out)
{
	struct arena *a = q->env->arena;
	struct value params[] = { { .kind = VALUE_NULL },
				  value_text(user->id),
				  value_text(cut(address, 45)),
				  value_text(cut(printable(a, user_agent), 255)) };

	out->session = uuid_new(a);
	out->began = time(NULL);
	params[0] = value_text(out->session);
	return forget_old(q, user->id) && keep_few(q, user->id) &&
	       store_run(q,
			 SLICE("INSERT INTO rowgate.auth_session (id, user_id, address, user_agent, created_at, "
			       "refreshed_at) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"),
			 params, 4, NULL) &&
	       add_token(q, out->session, 0, &out->refresh_token);
}

/* Of a refresh token and its session, which is locked. */
struct found {
	int64_t generation, current;
	int64_t age_us; /* since the present generation began */
	struct slice user;
};

static bool find_token(struct store *q, struct slice token, struct found *out, struct session_grant *grant_out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT, FETCH_INT, FETCH_INT, FETCH_INT, FETCH_INT };
	unsigned char hash[32];
	struct value param = { .kind = VALUE_BYTES, .s = { (const char *)hash, sizeof(hash) } };
	struct value **rows;
	size_t n;

	sha256(token, hash);
	if (!store_rows(q,
			SLICE("SELECT s.id, s.user_id, t.generation, s.generation, "
			      "TIMESTAMPDIFF(MICROSECOND, s.refreshed_at, UTC_TIMESTAMP(6)), "
			      "TIMESTAMPDIFF(SECOND, '1970-01-01', s.created_at) "
			      "FROM rowgate.auth_refresh_token t JOIN rowgate.auth_session s ON s.id = t.session_id "
			      "WHERE t.hash = ? FOR UPDATE"),
			&param, 1, fetch, 6, &rows, &n))
		return false;
	if (!n)
		return deny(q->err, 400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
	grant_out->session = rows[0][0].s;
	grant_out->began = rows[0][5].i;
	*out = (struct found){
		.generation = rows[0][2].i, .current = rows[0][3].i, .age_us = rows[0][4].i, .user = rows[0][1].s
	};
	return true;
}

static bool next_generation(struct store *q, struct slice session, int64_t current)
{
	struct value params[] = { value_text(session), value_int(current - REMEMBERED) };
	bool ok = store_run(q,
			    SLICE("UPDATE rowgate.auth_session SET generation = generation + 1, "
				  "refreshed_at = UTC_TIMESTAMP(6) WHERE id = ?"),
			    params, 1, NULL);

	if (ok && current > REMEMBERED && current % 50 == 0)
		ok = store_run(q,
			       SLICE("DELETE FROM rowgate.auth_refresh_token WHERE session_id = ? AND generation < ?"),
			       params, 2, NULL);
	return ok;
}

bool session_refresh(struct store *q, struct slice refresh_token, struct session_grant *out,
		     struct identity_user *user_out, bool *stolen_out)
{
	const struct config *config = q->env->config;
	struct found token = { .age_us = 0 };
	bool found, again;

	*stolen_out = false;
	if (!find_token(q, refresh_token, &token, out) || !user_by(q, "id", token.user, false, user_out, &found))
		return false;
	if (token.age_us > (int64_t)config->auth_refresh_ttl * 1000000)
		return deny(q->err, 400, "session_expired", "Invalid Refresh Token: Session Expired");
	if (user_out->banned)
		return deny(q->err, 400, "user_banned", "Invalid Refresh Token: User Banned");
	again = token.generation + 1 == token.current && token.age_us <= (int64_t)config->auth_refresh_reuse * 1000000;
	if (token.generation != token.current && !again) {
		*stolen_out = sessions_end(q, token.user, out->session, LOGOUT_LOCAL);
		return *stolen_out
			       ? deny(q->err, 400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
			       : false;
	}
	if (!again && !next_generation(q, out->session, token.current))
		return false;
	return add_token(q, out->session, again ? token.current : token.current + 1, &out->refresh_token);
}

bool session_lives(struct store *q, struct slice session, struct slice user, bool *out)
{
	static const enum db_fetch fetch[] = { FETCH_INT };
	struct value params[] = { value_text(session), value_text(user) };
	struct value **rows;
	size_t n;

	if (!store_rows(q, SLICE("SELECT COUNT(*) FROM rowgate.auth_session WHERE id = ? AND user_id = ?"), params, 2,
			fetch, 1, &rows, &n))
		return false;
	*out = n && rows[0][0].i > 0;
	return true;
}

bool sessions_of(struct store *q, struct slice user, struct identity_session **list_out, size_t *n_out)
{
	static const enum db_fetch fetch[] = { FETCH_TEXT, FETCH_TEXT, FETCH_TEXT, FETCH_DATETIME, FETCH_DATETIME };
	struct value param = value_text(user);
	struct identity_session *list;
	struct value **rows;

	if (!store_rows(q,
			SLICE("SELECT id, address, user_agent, created_at, refreshed_at FROM rowgate.auth_session "
			      "WHERE user_id = ? ORDER BY refreshed_at DESC, id LIMIT 1000"),
			&param, 1, fetch, 5, &rows, n_out))
		return false;
	list = arena_array(q->env->arena, struct identity_session, *n_out);
	for (size_t i = 0; i < *n_out; i++)
		list[i] = (struct identity_session){ .id = rows[i][0].s,
						     .address = rows[i][1].s,
						     .user_agent = rows[i][2].s,
						     .created_at = store_instant(q->env->arena, &rows[i][3]),
						     .refreshed_at = store_instant(q->env->arena, &rows[i][4]) };
	*list_out = list;
	return true;
}

/* Which sessions a scope means, under lock. */
static bool ending(struct store *q, struct slice user, struct slice session, enum logout_scope scope,
		   struct slice **ids_out, size_t *n_out)
{
	static const char *const conditions[] = {
		[LOGOUT_LOCAL] = " AND id = ?", [LOGOUT_OTHERS] = " AND id <> ?", [LOGOUT_GLOBAL] = " AND ? IS NOT NULL"
	};
	static const enum db_fetch fetch[] = { FETCH_TEXT };
	struct value params[] = { value_text(user), value_text(session) };
	struct value **rows;

	if (!store_rows(q,
			slice_of(arena_printf(q->env->arena,
					      "SELECT id FROM rowgate.auth_session WHERE user_id = ?%s FOR UPDATE",
					      conditions[scope])),
			params, 2, fetch, 1, &rows, n_out))
		return false;
	*ids_out = arena_array(q->env->arena, struct slice, *n_out);
	for (size_t i = 0; i < *n_out; i++)
		(*ids_out)[i] = rows[i][0].s;
	return true;
}

bool sessions_end(struct store *q, struct slice user, struct slice session, enum logout_scope scope)
{
	struct slice *ids;
	size_t n;

	if (!ending(q, user, session, scope, &ids, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct value param = value_text(ids[i]);

		if (!store_run(q, SLICE("DELETE FROM rowgate.auth_session WHERE id = ?"), &param, 1, NULL))
			return false;
	}
	return !n || revoke(q, REVOKE_SESSION, ids, n, INT64_MAX, last_access(q->env->config));
}

void identity_session_json(const struct identity_session *session, struct strbuf *out)
{
	strbuf_lit(out, "{\"id\":");
	json_string(out, session->id);
	strbuf_lit(out, ",\"created_at\":");
	json_string(out, session->created_at);
	strbuf_lit(out, ",\"refreshed_at\":");
	json_string(out, session->refreshed_at);
	strbuf_lit(out, ",\"address\":");
	json_string(out, session->address);
	strbuf_lit(out, ",\"user_agent\":");
	json_string(out, session->user_agent);
	strbuf_addc(out, '}');
}

void sessions_json(const struct identity_session *list, size_t n, struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(out, ',');
		identity_session_json(&list[i], out);
	}
	strbuf_addc(out, ']');
}
