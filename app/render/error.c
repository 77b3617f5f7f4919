/* A refusal as an answer: the four keys, the status, and the headers that go with it. */
#include "render.h"

void render_error(const struct config *config, const struct error *err, struct http_response *rs)
{
	http_discard(rs);
	rs->status = err->status;
	rs->before_send = NULL;
	http_set_header(rs, "Content-Type", "application/json; charset=utf-8");
	http_set_header(rs, "Proxy-Status", "rowgate; error=%s", err->sqlstate);
	if (err->status == 401 && err->challenge && *err->challenge)
		http_set_header(rs, "WWW-Authenticate", "Bearer error=\"invalid_token\", error_description=\"%s\"",
				err->challenge);
	else if (err->status == 401)
		http_set_header(rs, "WWW-Authenticate", "Bearer");
	if (err->content_range)
		http_set_header(rs, "Content-Range", "%s", err->content_range);
	if (err->retry_after)
		http_set_header(rs, "Retry-After", "%u", err->retry_after);
	error_body(err, config->client_error_terse, &rs->body);
}
