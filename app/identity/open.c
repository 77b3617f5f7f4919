/* What anybody may ask: the public keys, what is offered, whether it works. */
#include <time.h>

#include "internal.h"

bool serve_jwks(struct call *c)
{
	auth_jwks(c->env->arena, c->env->auth, time(NULL), &c->rs->body);
	http_set_header(c->rs, "Cache-Control", "public, max-age=600");
	return true;
}

bool serve_settings(struct call *c)
{
	strbuf_addf(
		&c->rs->body,
		"{\"external\":{\"email\":true,\"phone\":false,\"anonymous_users\":false},\"disable_signup\":%s,"
		"\"mailer_autoconfirm\":true,\"phone_autoconfirm\":false,\"sms_provider\":\"\",\"saml_enabled\":false}",
		c->env->config->auth_signup_enabled ? "false" : "true");
	return true;
}

bool serve_health(struct call *c)
{
	if (!store_open(&c->q, c->env, c->err))
		return false;
	strbuf_lit(&c->rs->body, "{\"version\":\"v" ROWGATE_VERSION
				 "\",\"name\":\"Rowgate\",\"description\":\"users and sessions\"}");
	return true;
}
