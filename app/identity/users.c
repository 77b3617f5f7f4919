/* Rows of auth_user. */
#include <time.h>

#include "internal.h"

const char default_app_metadata[] = "{\"provider\":\"email\",\"providers\":[\"email\"]}";

#define COLUMNS                                                                                     \
	"id, email, role, COALESCE(password_hash, ''), user_metadata, app_metadata, banned_until, " \
	"email_confirmed_at, last_sign_in_at, created_at, updated_at, "                             \
	"banned_until IS NOT NULL AND banned_until > UTC_TIMESTAMP(6) AS banned"

static const enum db_fetch columns[] = { FETCH_TEXT,     FETCH_TEXT,     FETCH_TEXT,     FETCH_TEXT,
					 FETCH_TEXT,     FETCH_TEXT,     FETCH_DATETIME, FETCH_DATETIME,
					 FETCH_DATETIME, FETCH_DATETIME, FETCH_DATETIME, FETCH_INT };

#define NCOLUMNS (sizeof(columns) / sizeof(*columns))

static void read_user(struct arena *a, const struct value *v, struct identity_user *out)
{
	*out = (struct identity_user){ .id = v[0].s,
				       .email = v[1].s,
				       .role = v[2].s,
				       .password_hash = v[3].s,
				       .user_metadata = v[4].s,
				       .app_metadata = v[5].s,
				       .banned_until = store_instant(a, &v[6]),
				       .confirmed_at = store_instant(a, &v[7]),
				       .last_sign_in_at = store_instant(a, &v[8]),
				       .created_at = store_instant(a, &v[9]),
				       .updated_at = store_instant(a, &v[10]),
				       .banned = v[11].i != 0 };
}

static bool ascii(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return false;
	return true;
}

static bool email_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),:;<>[\\]@", c);
}

/* ASCII in lower case: two spellings of one address must not be two accounts. */
bool email_normal(struct arena *a, struct slice text, struct slice *out, struct error *err)
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
	char *copy;

	if (!ascii(text))
		return deny(err, 400, "email_address_invalid",
			    "Unable to validate email address: letters beyond ASCII are not supported");
	if (!at || at == text.ptr || text.len > 254 || at + 1 == text.ptr + text.len)
		return deny(err, 400, "email_address_invalid", "Unable to validate email address: invalid format");
	copy = slice_cstr(a, text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr + i != at && !email_char(text.ptr[i]))
			return deny(err, 400, "email_address_invalid",
				    "Unable to validate email address: invalid format");
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] + 'a' - 'A');
	}
	*out = (struct slice){ copy, text.len };
	return true;
}

bool role_fit(struct slice role, struct error *err)
{
	bool ok = role.len > 0 && role.len <= 128 && utf8_valid(role);

	for (size_t i = 0; i < role.len; i++)
		ok = ok && (unsigned char)role.ptr[i] >= 0x20 && role.ptr[i] != 0x7f;
	return ok || deny(err, 422, "validation_failed", "A role is a name of 1 to 128 bytes");
}

/* column is a constant of the caller. */
bool user_by(struct store *q, const char *column, struct slice value, bool lock, struct identity_user *out,
	     bool *found_out)
{
	struct value param = value_text(value);
	struct value **rows;
	size_t n;

	if (!store_rows(q,
			slice_of(arena_printf(q->env->arena, "SELECT " COLUMNS " FROM rowgate.auth_user WHERE %s = ?%s",
					      column, lock ? " FOR UPDATE" : "")),
			&param, 1, columns, NCOLUMNS, &rows, &n))
		return false;
	*found_out = n == 1;
	if (n)
		read_user(q->env->arena, rows[0], out);
	else
		*out = (struct identity_user){ .id = { "", 0 } };
	return true;
}

bool user_insert(struct store *q, struct slice email, struct slice hash, struct slice role, struct slice user_metadata,
		 struct slice app_metadata, struct identity_user *out)
{
	struct slice id = uuid_new(q->env->arena);
	struct value params[] = { value_text(id),   value_text(email),         value_text(hash),
				  value_text(role), value_text(user_metadata), value_text(app_metadata) };
	bool found;

	if (!hash.len)
		params[2].kind = VALUE_NULL;
	if (!store_run(
		    q,
		    SLICE("INSERT INTO rowgate.auth_user (id, email, password_hash, role, user_metadata, app_metadata, "
			  "email_confirmed_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), "
			  "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"),
		    params, sizeof(params) / sizeof(*params), NULL)) {
		if (q->err->code == ERR_DUPLICATE)
			return deny(q->err, 422, "email_exists",
				    "A user with this email address has already been registered");
		return false;
	}
	return user_by(q, "id", id, false, out, &found);
}

bool user_set(struct store *q, const struct identity_user *user)
{
	struct value params[] = { value_text(user->email),        value_text(user->password_hash),
				  value_text(user->role),         value_text(user->user_metadata),
				  value_text(user->app_metadata), value_text(user->id) };

	if (!user->password_hash.len)
		params[1].kind = VALUE_NULL;
	if (store_run(q,
		      SLICE("UPDATE rowgate.auth_user SET email = ?, password_hash = ?, role = ?, user_metadata = ?, "
			    "app_metadata = ?, updated_at = UTC_TIMESTAMP(6) WHERE id = ?"),
		      params, sizeof(params) / sizeof(*params), NULL))
		return true;
	if (q->err->code == ERR_DUPLICATE)
		deny(q->err, 422, "email_exists", "A user with this email address has already been registered");
	return false;
}

bool user_set_ban(struct store *q, struct slice id, int64_t seconds)
{
	struct value params[] = { value_int(seconds), value_int(seconds), value_text(id) };

	return store_run(
		q,
		SLICE("UPDATE rowgate.auth_user SET banned_until = CASE WHEN ? > 0 THEN TIMESTAMPADD(SECOND, ?, "
		      "UTC_TIMESTAMP(6)) END, updated_at = UTC_TIMESTAMP(6) WHERE id = ?"),
		params, 3, NULL);
}

bool user_signed_in(struct store *q, struct slice id)
{
	struct value param = value_text(id);

	return store_run(q, SLICE("UPDATE rowgate.auth_user SET last_sign_in_at = UTC_TIMESTAMP(6) WHERE id = ?"),
			 &param, 1, NULL);
}

bool user_known_at(struct store *q, struct slice id, struct slice address, bool *out)
{
	static const enum db_fetch fetch[] = { FETCH_INT };
	struct value params[] = { value_text(id), value_text(address) };
	struct value **rows;
	size_t n;

	if (!store_rows(q,
			SLICE("SELECT EXISTS (SELECT 1 FROM rowgate.auth_session WHERE user_id = ? AND address = ?)"),
			params, 2, fetch, 1, &rows, &n))
		return false;
	*out = n && rows[0][0].i != 0;
	return true;
}

/* --- for the commands and the administrator --- */

bool identity_user_list(const struct identity_env *env, uint64_t offset, uint64_t limit,
			struct identity_user **list_out, size_t *n_out, uint64_t *total_out, struct error *err)
{
	static const enum db_fetch count[] = { FETCH_INT };
	struct value params[] = { value_int((int64_t)limit), value_int((int64_t)offset) };
	struct identity_user *list;
	struct value **rows;
	struct store q;
	size_t n = 0, ncounts;
	bool ok;

	if (!store_open(&q, env, err))
		return false;
	ok = store_rows(&q, SLICE("SELECT COUNT(*) FROM rowgate.auth_user"), NULL, 0, count, 1, &rows, &ncounts);
	*total_out = ok && ncounts ? (uint64_t)rows[0][0].i : 0;
	ok = ok && store_rows(&q,
			      SLICE("SELECT " COLUMNS
				    " FROM rowgate.auth_user ORDER BY created_at DESC, id LIMIT ? OFFSET ?"),
			      params, 2, columns, NCOLUMNS, &rows, &n);
	store_close(&q);
	if (!ok)
		return false;
	list = arena_array(env->arena, struct identity_user, n);
	for (size_t i = 0; i < n; i++)
		read_user(env->arena, rows[i], &list[i]);
	*list_out = list;
	*n_out = n;
	return true;
}

bool identity_user_find(const struct identity_env *env, struct slice name, struct identity_user *out, struct error *err)
{
	struct slice email = name;
	bool found, ok, by_id = uuid_valid(name);
	struct store q;

	if (!by_id && !email_normal(env->arena, name, &email, err))
		return false;
	if (!store_open(&q, env, err))
		return false;
	ok = user_by(&q, by_id ? "id" : "email", email, false, out, &found);
	store_close(&q);
	if (ok && !found)
		return deny(err, 404, "user_not_found", "User not found");
	return ok;
}

bool identity_user_add(const struct identity_env *env, struct slice email, struct slice password, struct slice role,
		       struct slice user_metadata, struct identity_user *out, struct error *err)
{
	struct slice hash = { "", 0 };
	struct store q;
	bool ok;

	if (!email_normal(env->arena, email, &email, err) || !role_fit(role, err))
		return false;
	if (password.len && (!password_fit(env->config, password, err) || !password_hash(env, password, &hash, err)))
		return false;
	if (!store_open(&q, env, err))
		return false;
	ok = user_insert(&q, email, hash, role, user_metadata, slice_of(default_app_metadata), out);
	store_close(&q);
	return ok;
}

bool identity_user_password(const struct identity_env *env, const struct identity_user *user, struct slice password,
			    struct error *err)
{
	struct identity_user changed = *user;
	struct slice none = { "", 0 };
	struct store q;
	bool ok;

	if (!password_fit(env->config, password, err) || !password_hash(env, password, &changed.password_hash, err) ||
	    !store_open(&q, env, err))
		return false;
	ok = db_begin(q.conn, err) && user_set(&q, &changed) && sessions_end(&q, user->id, none, LOGOUT_GLOBAL) &&
	     db_commit(q.conn, err);
	store_close(&q);
	if (ok)
		revoked_now(env);
	return ok;
}

bool identity_user_ban(const struct identity_env *env, const struct identity_user *user, int64_t seconds,
		       struct error *err)
{
	struct store q;
	bool ok;

	if (!store_open(&q, env, err))
		return false;
	ok = db_begin(q.conn, err) && user_set_ban(&q, user->id, seconds) &&
	     (seconds <= 0 || revoke(&q, REVOKE_SUBJECT, &user->id, 1, time(NULL) + 1, last_access(env->config))) &&
	     db_commit(q.conn, err);
	store_close(&q);
	if (ok)
		revoked_now(env);
	return ok;
}

bool identity_user_delete(const struct identity_env *env, const struct identity_user *user, struct error *err)
{
	struct value id = value_text(user->id);
	struct store q;
	bool ok;

	if (!store_open(&q, env, err))
		return false;
	ok = db_begin(q.conn, err) &&
	     store_run(&q, SLICE("DELETE FROM rowgate.auth_user WHERE id = ?"), &id, 1, NULL) &&
	     revoke(&q, REVOKE_SUBJECT, &user->id, 1, INT64_MAX, last_access(env->config)) && db_commit(q.conn, err);
	store_close(&q);
	if (ok)
		revoked_now(env);
	return ok;
}

bool identity_user_sessions(const struct identity_env *env, const struct identity_user *user,
			    struct identity_session **list_out, size_t *n_out, struct error *err)
{
	struct store q;
	bool ok;

	if (!store_open(&q, env, err))
		return false;
	ok = sessions_of(&q, user->id, list_out, n_out);
	store_close(&q);
	return ok;
}

/* --- as JSON --- */

static void time_member(struct strbuf *out, const char *name, struct slice instant_text)
{
	if (!instant_text.len)
		return;
	strbuf_addf(out, ",\"%s\":", name);
	json_string(out, instant_text);
}

void identity_user_json(const struct identity_user *user, struct strbuf *out)
{
	strbuf_lit(out, "{\"id\":");
	json_string(out, user->id);
	strbuf_lit(out, ",\"aud\":\"authenticated\",\"role\":");
	json_string(out, user->role);
	strbuf_lit(out, ",\"email\":");
	json_string(out, user->email);
	time_member(out, "email_confirmed_at", user->confirmed_at);
	strbuf_lit(out, ",\"phone\":\"\"");
	time_member(out, "confirmed_at", user->confirmed_at);
	time_member(out, "last_sign_in_at", user->last_sign_in_at);
	strbuf_lit(out, ",\"app_metadata\":");
	strbuf_add_slice(out, user->app_metadata);
	strbuf_lit(out, ",\"user_metadata\":");
	strbuf_add_slice(out, user->user_metadata);
	strbuf_lit(out, ",\"identities\":[]");
	time_member(out, "created_at", user->created_at);
	time_member(out, "updated_at", user->updated_at);
	time_member(out, "banned_until", user->banned_until);
	strbuf_lit(out, ",\"is_anonymous\":false}");
}
