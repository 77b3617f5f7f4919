/* How one request is followed through the logs of several programs: its id, and W3C's traceparent. */
#include "http.h"

static bool hexadecimal(struct slice s, size_t from, size_t n)
{
	bool zero = true;

	for (size_t i = from; i < from + n; i++) {
		char c = s.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		zero = zero && c == '0';
	}
	return !zero || n == 2;
}

/* version-trace-parent-flags; a version to come may be longer, and is then none of ours. */
bool http_traceparent(const struct http_request *rq, struct slice *out, bool *sampled_out)
{
	struct slice s;

	*out = (struct slice){ "", 0 };
	*sampled_out = false;
	if (!http_header(rq, "traceparent", &s) || s.len != 55 || s.ptr[2] != '-' || s.ptr[35] != '-' ||
	    s.ptr[52] != '-' || !hexadecimal(s, 0, 2) || !hexadecimal(s, 3, 32) || !hexadecimal(s, 36, 16) ||
	    !hexadecimal(s, 53, 2) || (s.ptr[0] == 'f' && s.ptr[1] == 'f') || http_header_count(rq, "traceparent") != 1)
		return false;
	*out = s;
	*sampled_out = s.ptr[54] % 2 == 1 ? s.ptr[54] <= '9' : s.ptr[54] >= 'a' && s.ptr[54] % 2 == 0;
	return true;
}

/*
 * The only text of a client that stands in SQL, and so copied sign by sign from an alphabet that can end no comment. An id
 * is nginx's, or the client's where it is as harmless.
 */
static void copy(struct strbuf *b, struct slice s)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	for (size_t i = 0; i < s.len && i < 64; i++) {
		const char *c = s.ptr[i] ? strchr(alphabet, s.ptr[i]) : NULL;

		strbuf_addc(b, c ? *c : '_');
	}
}

struct slice http_trace_comment(struct arena *a, const struct http_request *rq)
{
	struct slice parent;
	struct strbuf b;
	bool sampled;

	strbuf_init(&b, a, 192);
	strbuf_lit(&b, "/* rowgate id='");
	copy(&b, rq->id);
	if (http_traceparent(rq, &parent, &sampled)) {
		strbuf_lit(&b, "',traceparent='");
		copy(&b, parent);
	}
	strbuf_lit(&b, "' */ ");
	return strbuf_slice(&b);
}
