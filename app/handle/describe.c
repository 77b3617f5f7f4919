/* GET /rest/v1/: the OpenAPI description for the caller's role. */
#include "internal.h"

#include "grants.h"

/* application/json for who asks for just that. */
static bool description_media(struct exchange *x, const char **out)
{
	const struct query *q = &x->query;
	const struct media_choice openapi = { .media = MEDIA_OPENAPI };
	struct slice accept;

	for (size_t i = 0; i < q->nmedia; i++)
		if (q->media[i].media == MEDIA_OPENAPI ||
		    (q->media[i].media == MEDIA_JSON && !q->media[i].strip_nulls)) {
			*out = http_media_name(q->media[i].any ? &openapi : &q->media[i]);
			return true;
		}
	http_header(x->rq, "accept", &accept);
	return error_set(x->err, ERR_MEDIA, "None of these media types are available: %.*s", (int)accept.len,
			 accept.ptr);
}

/* In pieces, so that a large text is not held twice. */
static bool send_whole(struct exchange *x, struct slice text)
{
	struct http_response *rs = x->rs;

	if (text.len >= HTTP_HOLD_BACK && !rs->head)
		http_set_header(rs, "Content-Length", "%zu", text.len);
	while (text.len) {
		size_t n = text.len < HTTP_HOLD_BACK ? text.len : HTTP_HOLD_BACK;

		strbuf_add(&rs->body, text.ptr, n);
		text = slice_from(text, n);
		if (!http_commit(rs, x->err))
			return false;
	}
	return true;
}

bool exchange_describe(struct exchange *x)
{
	struct state *s = x->w->state;
	struct openapi_request rq = { .config = &s->config, .role = x->who.role, .host = http_host(x->rq) };
	struct slice etag, known;
	const char *media = NULL;
	struct slice *grants;

	rq.all = s->config.openapi_mode == OPENAPI_IGNORE;
	if (!worker_schema(x->w, x->err) || !plan_schema(&s->config, x->query.profile, &rq.db, x->err) ||
	    !description_media(x, &media))
		return false;
	timing_lap(&x->timing, STAGE_PLAN);
	if (!db_acquire(s->db, x->who.role, http_fd(x->w->server), &x->conn, x->err) || !exchange_prepare(x) ||
	    !grants_lines(x->w->arena, x->conn, &grants, &rq.ngrants, x->err) ||
	    !render_read_override(x->w->arena, x->conn, &x->override, x->err))
		return exchange_explained(x, false);
	rq.schema = s->schema;
	rq.grants = grants;
	timing_lap(&x->timing, STAGE_TRANSACTION);
	etag = openapi_etag(x->w->arena, &rq);
	http_set_header(x->rs, "ETag", "%.*s", (int)etag.len, etag.ptr);
	http_set_header(x->rs, "Cache-Control", "private, no-cache");
	if (s->config.db_schemas.n > 1)
		http_set_header(x->rs, "Content-Profile", "%.*s", (int)rq.db.len, rq.db.ptr);
	x->rs->status = 304;
	/* Behind the quotes, for a proxy that packs the answer makes a weak one of it. */
	if (http_header(x->rq, "if-none-match", &known) && memmem(known.ptr, known.len, etag.ptr, etag.len))
		return true;
	x->rs->status = 200;
	http_set_header(x->rs, "Content-Type", "%s", media);
	return send_whole(x, openapi_make(x->w->arena, s->descriptions, &rq, etag));
}
