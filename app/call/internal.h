#ifndef ROWGATE_CALL_INTERNAL_H
#define ROWGATE_CALL_INTERNAL_H

#include "call.h"

/* What was looked for, to be told when it is not found. */
enum wanted_how {
	WANTED_NAMES, /* of a URL */
	WANTED_BODY,  /* of a JSON body, which may also be one argument */
	WANTED_JSON,  /* params=single-object */
	WANTED_TEXT,  /* a body that is one text */
	WANTED_BYTES
};

struct wanted {
	enum wanted_how how;
	struct slice *names; /* sorted */
	size_t n;
};

void call_want(struct arena *a, struct wanted *w, struct slice name);

/* PGRST202 with what comes nearest. Always false. */
bool call_not_found(const struct call *call, struct slice name, const struct wanted *w, struct error *err);

/* Types and relations of that table, for the columns that have its names. */
void call_take_relation(struct arena *a, const struct table *of, struct table *face);

/* The arguments of GET. */
bool call_url(struct arena *a, struct call *call, const struct query *query, struct error *err) MUST_CHECK;

#endif
