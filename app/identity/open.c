/* What anybody may ask: the description, the public keys, what is offered, whether it works. */
#include <time.h>

#include "internal.h"
#include "openapi.h"

bool serve_description(struct call *c)
{
	if (c->env->config->openapi_mode == OPENAPI_DISABLED)
		return deny(c->err, 404, "not_found", "openapi-mode is disabled");
	c->media = "application/openapi+json";
	openapi_identity(c->env->arena, c->env->config, http_host(c->rq), &c->rs->body);
	return true;
}

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
