#ifndef ROWGATE_IDENTITY_INTERNAL_H
#define ROWGATE_IDENTITY_INTERNAL_H

#include "identity.h"

struct json_object;

#define UUID_LEN 36
#define BODY_MAX ((size_t)65536)
#define METADATA_MAX ((size_t)16384)     /* bytes of each */
#define METADATA_IN_TOKEN ((size_t)2048) /* bytes of both; else the token goes without */
#define PASSWORD_MAX ((size_t)1024)

/* refusal.c: err as auth-js knows it. Always false. */
bool deny(struct error *err, int status, const char *code, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* random.c */
struct slice uuid_new(struct arena *a);
bool uuid_valid(struct slice text);
/* n letters of base64url, six random bits each. */
struct slice random_text(struct arena *a, size_t n);
void sha256(struct slice text, unsigned char out[32]);

/* json.c: strict JSON objects. */
struct json_object *json_read(struct arena *a, struct slice text);
/* The member's text: 1; absent or null: 0; something else: -1. */
int json_text_member(struct json_object *o, const char *name, struct slice *out);
/* The same for an object. */
int json_object_member(struct json_object *o, const char *name, struct json_object **out);
struct slice json_written(struct arena *a, struct json_object *o);
/* changes laid over base: a null takes a member away. */
/* The member's number: 1; absent or null: 0; something else: -1. */
int json_number_member(struct json_object *o, const char *name, int64_t *out);
/* "2026-11-21T15:00:00Z"; json_instant: as a member, with a comma before it. */
void add_instant(struct strbuf *b, int64_t seconds);
void json_instant(struct strbuf *b, const char *name, int64_t seconds);
struct slice json_merged(struct arena *a, struct slice base, struct json_object *changes);

/* store.c: statements of the identity account. */
struct store {
	const struct identity_env *env;
	struct db_conn *conn;
	struct error *err;
};

bool store_open(struct store *q, const struct identity_env *env, struct error *err) MUST_CHECK;
void store_close(struct store *q);
/* All rows; fetch has ncolumns entries. */
bool store_rows(struct store *q, struct slice text, const struct value *params, size_t nparams,
		const enum db_fetch *fetch, size_t ncolumns, struct value ***rows_out, size_t *n_out) MUST_CHECK;
/* "2026-11-21T10:00:00.123456Z"; empty for NULL. */
struct slice store_instant(struct arena *a, const struct value *v);
/* A statement without rows; met_out may be NULL. */
bool store_run(struct store *q, struct slice text, const struct value *params, size_t nparams,
	       uint64_t *met_out) MUST_CHECK;

/* password.c */
/* A slot among those that may hash at once. False with over_request_rate_limit. */
bool hash_begin(const struct identity_env *env, size_t *slot_out, struct error *err) MUST_CHECK;
void hash_end(const struct identity_env *env, size_t slot);
bool password_hash(const struct identity_env *env, struct slice password, struct slice *out,
		   struct error *err) MUST_CHECK;
/* Takes as long for an empty hash as for any. */
bool password_matches(const struct identity_env *env, struct slice password, struct slice hash);
bool password_fit(const struct config *config, struct slice password, struct error *err) MUST_CHECK;

/* throttle.c: wrong passwords cost; right ones are given back. */
struct attempt {
	size_t n;
	struct {
		uint64_t key;
		uint64_t cost; /* milliseconds */
	} taken[3];
};

/* known: the account has a session that began at this address. False with over_request_rate_limit. */
bool throttle_take(const struct identity_env *env, struct slice email, struct slice address, bool known,
		   struct attempt *out, struct error *err) MUST_CHECK;
void throttle_give_back(const struct identity_env *env, const struct attempt *attempt);

/* users.c */
bool email_normal(struct arena *a, struct slice text, struct slice *out, struct error *err) MUST_CHECK;
bool role_fit(struct slice role, struct error *err) MUST_CHECK;
bool user_by(struct store *q, const char *column, struct slice value, bool lock, struct identity_user *out,
	     bool *found_out) MUST_CHECK;
bool user_insert(struct store *q, struct slice email, struct slice hash, struct slice role, struct slice user_metadata,
		 struct slice app_metadata, struct identity_user *out) MUST_CHECK;
bool user_set(struct store *q, const struct identity_user *user) MUST_CHECK; /* all but times */
bool user_set_ban(struct store *q, struct slice id, int64_t seconds) MUST_CHECK;
bool user_signed_in(struct store *q, struct slice id) MUST_CHECK;
bool user_known_at(struct store *q, struct slice id, struct slice address, bool *out) MUST_CHECK;
extern const char default_app_metadata[];

/* sessions.c */
struct session_grant {
	struct slice session; /* UUID */
	struct slice refresh_token;
	int64_t began; /* seconds since 1970: the sign-in */
};

bool session_begin(struct store *q, const struct identity_user *user, struct slice address, struct slice user_agent,
		   struct session_grant *out) MUST_CHECK;
/* The next refresh token for this one. Denies; *stolen_out: the session was ended, which has to be committed. */
bool session_refresh(struct store *q, struct slice refresh_token, struct session_grant *out,
		     struct identity_user *user_out, bool *stolen_out) MUST_CHECK;
bool session_lives(struct store *q, struct slice session, struct slice user, bool *out) MUST_CHECK;
bool sessions_of(struct store *q, struct slice user, struct identity_session **list_out, size_t *n_out) MUST_CHECK;

void sessions_json(const struct identity_session *list, size_t n, struct strbuf *out);

enum logout_scope { LOGOUT_LOCAL, LOGOUT_OTHERS, LOGOUT_GLOBAL };

/* Deletes the sessions and revokes their access tokens. session may be empty for LOGOUT_GLOBAL. */
bool sessions_end(struct store *q, struct slice user, struct slice session, enum logout_scope scope) MUST_CHECK;

/* revoke.c: inside a transaction; call told afterwards. */
bool revoke(struct store *q, enum auth_revocation kind, const struct slice *values, size_t n, int64_t before,
	    int64_t expires) MUST_CHECK;
/* After the commit: other workers of the pool read what is new. */
void revoked_now(const struct identity_env *env);
/* When the last access token given out until now has expired. */
int64_t last_access(const struct config *config);

/* token.c */
/* The iat of a token for that subject: now, or behind what of theirs is revoked. */
int64_t token_issued_now(const struct identity_env *env, struct slice subject);
bool session_json(const struct identity_env *env, const struct identity_user *user, const struct session_grant *grant,
		  bool cookie, struct strbuf *out, struct error *err) MUST_CHECK;

/* A request of /auth/v1. */
struct call {
	const struct identity_env *env;
	const struct http_request *rq;
	struct http_response *rs;
	struct error *err;
	struct store q;
	struct slice body;
	struct json_object *json; /* body as an object; never NULL where a body is taken */
	struct slice tail;        /* the path behind the route's */
	struct principal who;     /* where a token is asked for */
	bool known;               /* who is filled */
	bool drop_cookie;         /* a refusal takes the cookie away */
	const char *media;        /* of the answer; NULL: JSON */
};

/* A parameter of the URL's query; empty when it is absent. */
struct slice url_parameter(struct call *c, const char *name);
bool text_member(struct call *c, const char *name, struct slice *out) MUST_CHECK; /* empty when absent */
bool number_member(struct call *c, const char *name, int64_t initial, int64_t min, int64_t max,
		   int64_t *out) MUST_CHECK;
/* The body has no member but these; NULL ends them. */
bool only_members(struct call *c, const char *const *names) MUST_CHECK;
/* The tail as n names with slashes between them, percent-decoded. False: there is nothing at this path. */
bool tail_parts(struct call *c, struct slice *out, size_t n) MUST_CHECK;
/* page and per_page of the URL, and the headers that tell the pages of admin/LIST. */
bool page_of(struct call *c, uint64_t *page_out, uint64_t *per_page_out) MUST_CHECK;
void page_links(struct call *c, const char *list, uint64_t page, uint64_t per_page, uint64_t total);
bool call_user(struct call *c, bool lock, struct identity_user *out) MUST_CHECK; /* whose token it is */
void set_cookie(struct call *c, struct slice refresh_token);
void clear_cookie(struct call *c);
bool wants_cookie(const struct call *c);
struct slice refresh_cookie(const struct call *c);

/* policy.c: why a policy would not do, for whoever asks over HTTP; NULL: it would. */
const char *policy_fault(const struct policy *p);

/* grant.c, account.c, admin*.c, open.c: the endpoints. False with err. */
bool serve_description(struct call *c);
bool serve_token(struct call *c);
bool serve_signup(struct call *c);
bool serve_user(struct call *c);
bool serve_update(struct call *c);
bool serve_logout(struct call *c);
bool serve_sessions(struct call *c);
bool serve_admin_list(struct call *c);
bool serve_admin_create(struct call *c);
bool serve_admin_user(struct call *c);
bool serve_roles(struct call *c);
bool serve_role_add(struct call *c);
bool serve_keys(struct call *c);
bool serve_key_new(struct call *c);
bool serve_key_retire(struct call *c);
bool serve_token_issue(struct call *c);
bool serve_revocations(struct call *c);
bool serve_revoke(struct call *c);
bool serve_policies(struct call *c);
bool serve_policy_add(struct call *c);
bool serve_policy_check(struct call *c);
bool serve_policy(struct call *c);
bool serve_statements(struct call *c);
bool serve_pool(struct call *c);
bool serve_metrics(struct call *c);
bool serve_reload(struct call *c);
bool serve_jwks(struct call *c);
bool serve_settings(struct call *c);
bool serve_health(struct call *c);

#endif
