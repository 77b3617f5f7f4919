#ifndef ROWGATE_IDENTITY_H
#define ROWGATE_IDENTITY_H

#include "auth.h"
#include "body.h"
#include "db.h"
#include "schema.h"
#include "shared.h"

/*
 * Users, sessions and what is revoked: the endpoints under /auth/v1 as @supabase/auth-js calls them, and what the
 * commands `rowgate user` and `rowgate token` do. Users and sessions are tables of the database rowgate, reached by
 * an account of their own (db-identity-user); without one none of this is offered.
 */
struct identity_env {
	struct arena *arena;
	const struct config *config;
	struct auth *auth;
	struct db *db;
	struct shared *shared;
	int client_fd; /* watched while statements run; -1: nobody's */

	/* What only a worker has; NULL in commands. The definitions in force, looked for anew when again. NULL with err. */
	const struct schema *(*definitions)(void *worker, bool again, struct error *err);
	/* Would a reload find a configuration and keys to work with? */
	bool (*configuration)(void *worker, struct error *err);
	void *worker;
};

bool identity_offered(const struct config *config);

/* --- HTTP --- */

/*
 * Answers a request whose path (behind /auth/v1) is rq->path. Always leaves a whole answer in rs; err says for the log
 * what was refused. read and context give the body. True when a token was asked for and believed: *who_out is whose.
 */
bool identity_serve(const struct identity_env *env, const struct http_request *rq, body_read_fn *read, void *context,
		    struct http_response *rs, struct principal *who_out, struct error *err);

/* --- what is revoked --- */

/*
 * Brings auth's revocations up to version, which is 0 at first and moved on. Reads as the catalogue account. False when
 * the database does not answer.
 */
bool identity_load_revocations(const struct identity_env *env, uint64_t *version, struct error *err) MUST_CHECK;

/* The version in the database. */
bool identity_revocation_version(const struct identity_env *env, uint64_t *out, struct error *err) MUST_CHECK;

/* Revokes; in force in this pool at once, in others when they look next. before: as auth_revoke; expires 0: never. */
bool identity_revoke(const struct identity_env *env, enum auth_revocation kind, struct slice value, int64_t before,
		     int64_t expires, struct error *err) MUST_CHECK;

/* --- users, for the commands --- */

struct identity_user {
	struct slice id; /* UUID */
	struct slice email;
	struct slice role;
	struct slice password_hash; /* empty: none */
	struct slice user_metadata; /* JSON object */
	struct slice app_metadata;
	struct slice banned_until; /* ISO 8601 in UTC; empty: never banned */
	struct slice confirmed_at, last_sign_in_at, created_at, updated_at;
	bool banned; /* now */
};

struct identity_session {
	struct slice id, address, user_agent, created_at, refreshed_at;
};

/* Fails with ERR_AUTH whose sqlstate is auth-js's code: email_exists, weak_password, user_not_found. */
bool identity_user_add(const struct identity_env *env, struct slice email, struct slice password, struct slice role,
		       struct slice user_metadata, struct identity_user *out, struct error *err) MUST_CHECK;
/* By its id or its email. */
bool identity_user_find(const struct identity_env *env, struct slice name, struct identity_user *out,
			struct error *err) MUST_CHECK;
bool identity_user_list(const struct identity_env *env, uint64_t offset, uint64_t limit,
			struct identity_user **list_out, size_t *n_out, uint64_t *total_out,
			struct error *err) MUST_CHECK;
/* Ends the sessions as well. */
bool identity_user_password(const struct identity_env *env, const struct identity_user *user, struct slice password,
			    struct error *err) MUST_CHECK;
/* seconds 0: lifts the ban. No token of the user's is believed from now on. */
bool identity_user_ban(const struct identity_env *env, const struct identity_user *user, int64_t seconds,
		       struct error *err) MUST_CHECK;
bool identity_user_delete(const struct identity_env *env, const struct identity_user *user,
			  struct error *err) MUST_CHECK;
bool identity_user_sessions(const struct identity_env *env, const struct identity_user *user,
			    struct identity_session **list_out, size_t *n_out, struct error *err) MUST_CHECK;

/* A user as JSON, in the form auth-js expects. */
void identity_user_json(const struct identity_user *user, struct strbuf *out);
void identity_session_json(const struct identity_session *session, struct strbuf *out);

/* --- row policies and roles; as: a role whose login is used to ask which roles there are --- */

bool identity_roles(const struct identity_env *env, struct slice as, struct slice **list_out, size_t *n_out,
		    struct error *err) MUST_CHECK;
/* What `rowgate role add` takes: letters, digits and _ - . in names that both servers have no other use for. */
bool identity_role_name(struct slice name);
/* What a role may do in the published databases, as JSON. */
bool identity_role_json(const struct identity_env *env, const struct schema *schema, struct slice role,
			struct strbuf *out, struct error *err) MUST_CHECK;
/* The tables of all published databases by name. */
size_t identity_tables(struct arena *a, const struct schema *schema, const struct table ***out);

/* Would it do? out has a fault if not. False: texts that are no policy's, or no answer. */
bool identity_policy_check(const struct identity_env *env, const struct schema *schema, struct slice as,
			   const struct policy_texts *texts, struct policy *out, struct error *err) MUST_CHECK;
/* Written when it would do; else ERR_AUTH policy_invalid, policy_exists, policy_not_found. */
bool identity_policy_add(const struct identity_env *env, const struct schema *schema, struct slice as,
			 const struct policy_texts *texts, struct policy *out, struct error *err) MUST_CHECK;
bool identity_policy_change(const struct identity_env *env, const struct schema *schema, struct slice as,
			    const struct policy_texts *texts, struct policy *out, struct error *err) MUST_CHECK;
/* schema, table, role and name say which; the rest is filled. */
bool identity_policy_find(const struct identity_env *env, struct policy_texts *texts, struct error *err) MUST_CHECK;
bool identity_policy_delete(const struct identity_env *env, const struct policy_texts *texts,
			    struct error *err) MUST_CHECK;
void identity_policy_json(const struct policy *policy, struct strbuf *out);
/* ["select","insert"] */
void identity_verbs_json(unsigned verbs, struct strbuf *out);

/* A new token id. */
struct slice identity_token_id(struct arena *a);

/* "24h", "1h30m", "90s", "none": seconds, rounded up. False when it is none of these. */
bool identity_duration(struct slice text, int64_t *seconds_out);

#endif
