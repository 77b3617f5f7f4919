/* application/octet-stream: one row of one value, the body as it is. */
#include "internal.h"

static enum body_step next_octets(struct body *b, struct body_row *row, struct error *err)
{
	if (b->rows)
		return BODY_END;
	while (!b->ended)
		if (!body_fill(b, err))
			return BODY_FAILED;
	*body_member_at(b, 0) = (struct body_member){ .kind = CELL_OCTETS,
						      .name = SLICE(""),
						      .text = { b->buffer + b->from, b->to - b->from } };
	*row = (struct body_row){ .members = b->members, .n = 1, .number = ++b->rows };
	return BODY_ROW;
}

const struct format format_octets = { next_octets };
