/* When the answer leaves: what is held back until then, and how much of it there may be. */
#include "internal.h"

bool render_may_hold(struct reader *r, size_t bytes)
{
	if (r->failed || bytes <= HELD_MAX)
		return !r->failed;
	r->failed = true;
	error_set(r->err, ERR_PACKET, "the answer needs more than %zu MiB of memory at once", HELD_MAX >> 20);
	return error_hint(r->err, "Ask for fewer rows or columns: limit= works on embedded resources as well.");
}

bool render_commit(struct reader *r)
{
	struct http_response *rs = r->rs;

	if (r->failed || rs->body.len < HTTP_HOLD_BACK)
		return !r->failed;
	if (r->held)
		return render_may_hold(r, rs->body.len);
	r->streamed = true;
	db_streaming(r->conn);
	r->failed = !db_in_time(r->conn, r->err) || !http_flush(rs, r->err);
	return !r->failed;
}
