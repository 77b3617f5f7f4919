#ifndef ROWGATE_JSON_H
#define ROWGATE_JSON_H

#include "strbuf.h"

/*
 * The strict check that stands before json-c and libjwt, both of which accept too much: one pass over
 * RFC 8259 text. Refused besides bad grammar: invalid UTF-8, lone surrogates, U+0000 in names or values,
 * the same name twice in one object (after unescaping), nesting beyond a limit, numbers beyond 128
 * characters, NaN and Infinity, anything behind the value.
 */
struct json_fault {
	size_t offset;      /* of the byte that is wrong */
	const char *reason; /* a constant, for people */
};

/* True when text is one JSON value within the rules. depth: levels of nesting allowed (1: a flat object). */
bool json_check(struct arena *a, struct slice text, unsigned depth, struct json_fault *fault_out) MUST_CHECK;

/* What the raw text between the quotes of a well-formed JSON string means. */
void json_unescape(struct strbuf *b, struct slice raw);
/* The same as a text of its own in a; raw itself when it has no escapes. */
struct slice json_unescaped(struct arena *a, struct slice raw);

/*
 * Text that MariaDB takes for JSON, as JSON: it lets a backslash stand before any character, where it means nothing,
 * and a number end in its point.
 */
void json_mend(struct strbuf *b, struct slice text);

/* First byte of the value that is no blank: '{', '[', '"', a digit, '-', 't', 'f', 'n'; 0 for blank text. */
char json_kind(struct slice text);

/* An object's text as json-c's objects, checked first; they end with a, wiped. NULL when it is none. */
struct json_object;
struct json_object *json_tree(struct arena *a, struct slice text, unsigned depth);

#endif
