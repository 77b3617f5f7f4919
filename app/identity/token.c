/* What a sign-in gives: an access token with the claims that auth-js and its users look for, and the session as JSON. */
#include <time.h>

#include "internal.h"

static void text_claim(struct strbuf *b, const char *name, struct slice value)
{
	strbuf_addf(b, ",\"%s\":", name);
	json_string(b, value);
}

struct slice identity_token_id(struct arena *a)
{
	return random_text(a, 22);
}

/* iat is never within a revocation of all of the subject's tokens: this one is newer. */
int64_t token_issued_now(const struct identity_env *env, struct slice subject)
{
	int64_t now = time(NULL), floor = auth_issued_floor(env->auth, subject);

	return floor > now && floor <= now + 2 ? floor : now;
}

static struct slice claims_of(const struct identity_env *env, const struct identity_user *user,
			      const struct session_grant *grant, int64_t now)
{
	const struct config *c = env->config;
	int64_t expires = now + (int64_t)c->auth_access_ttl;
	bool metadata = user->user_metadata.len + user->app_metadata.len <= METADATA_IN_TOKEN;
	struct strbuf b;

	strbuf_init(&b, env->arena, 1024);
	strbuf_addf(&b, "{\"iat\":%lld,\"exp\":%lld", (long long)now, (long long)expires);
	text_claim(&b, "iss", slice_of(*c->jwt_issuer ? c->jwt_issuer : "rowgate"));
	text_claim(&b, "aud", slice_of(*c->jwt_aud ? c->jwt_aud : "authenticated"));
	text_claim(&b, "sub", user->id);
	text_claim(&b, "jti", identity_token_id(env->arena));
	text_claim(&b, "session_id", grant->session);
	text_claim(&b, "role", user->role);
	text_claim(&b, "email", user->email);
	strbuf_lit(&b, ",\"phone\":\"\",\"is_anonymous\":false,\"aal\":\"aal1\"");
	strbuf_addf(&b, ",\"amr\":[{\"method\":\"password\",\"timestamp\":%lld}]", (long long)grant->began);
	if (metadata) {
		strbuf_lit(&b, ",\"app_metadata\":");
		strbuf_add_slice(&b, user->app_metadata);
		strbuf_lit(&b, ",\"user_metadata\":");
		strbuf_add_slice(&b, user->user_metadata);
	}
	strbuf_addc(&b, '}');
	return strbuf_slice(&b);
}

bool session_json(const struct identity_env *env, const struct identity_user *user, const struct session_grant *grant,
		  bool cookie, struct strbuf *out, struct error *err)
{
	int64_t now = token_issued_now(env, user->id), expires = now + (int64_t)env->config->auth_access_ttl;
	struct slice token;

	if (!auth_sign(env->arena, env->auth, claims_of(env, user, grant, now), &token, err))
		return false;
	strbuf_lit(out, "{\"access_token\":");
	json_string(out, token);
	strbuf_addf(out, ",\"token_type\":\"bearer\",\"expires_in\":%llu,\"expires_at\":%lld,\"refresh_token\":",
		    (unsigned long long)env->config->auth_access_ttl, (long long)expires);
	json_string(out, cookie ? SLICE("cookie") : grant->refresh_token);
	strbuf_lit(out, ",\"user\":");
	identity_user_json(user, out);
	strbuf_addc(out, '}');
	return true;
}
