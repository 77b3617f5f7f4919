/* Forms: one row, whose values are texts (WHATWG URL standard, section 5.1). */
#include "internal.h"

static enum body_step next_form(struct body *b, struct body_row *row, struct error *err)
{
	struct slice rest, part, name;
	size_t n = 0;

	if (b->rows)
		return BODY_END;
	while (!b->ended)
		if (!body_fill(b, err))
			return BODY_FAILED;
	rest = (struct slice){ b->buffer + b->from, b->to - b->from };
	if (!rest.len)
		rest.ptr = NULL;
	while (slice_split(&rest, '&', &part)) {
		struct body_member *m;
		struct slice value = part;

		if (!part.len)
			continue;
		slice_split(&value, '=', &name);
		m = body_member_at(b, n++);
		*m = (struct body_member){ .kind = CELL_TEXT };
		if (!http_url_decode(b->row, name, true, &m->name, err) ||
		    !http_url_decode(b->row, value.ptr ? value : SLICE(""), true, &m->text, err)) {
			error_set(err, ERR_BODY, "Invalid form data");
			return BODY_FAILED;
		}
	}
	*row = (struct body_row){ .members = b->members, .n = n, .number = ++b->rows };
	return BODY_ROW;
}

const struct format format_form = { next_form };
