/* Names and texts as OpenAPI wants them. */
#include "internal.h"

void openapi_lit(struct strbuf *b, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "'");

		strbuf_add(b, text, n);
		if (!text[n])
			return;
		strbuf_addc(b, '"');
		text += n + 1;
	}
}

/* Never two names with one key, and no dot: the parts of a longer key stand between dots. */
void openapi_key(struct strbuf *b, struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
			strbuf_addc(b, (char)c);
		else
			strbuf_addf(b, "-%02X", c);
	}
}

void openapi_ref(struct strbuf *b, const char *kind, const char *prefix, struct slice name)
{
	strbuf_lit(b, "{\"$ref\":\"#/components/");
	strbuf_adds(b, kind);
	strbuf_addc(b, '/');
	strbuf_adds(b, prefix);
	openapi_key(b, name);
	strbuf_lit(b, "\"}");
}

void openapi_names(struct strbuf *b, const struct column *const *columns, size_t n)
{
	strbuf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		json_string(b, columns[i]->name);
	}
	strbuf_addc(b, ']');
}

void openapi_flag(struct strbuf *b, const char *key, bool value)
{
	strbuf_lit(b, ",\"");
	strbuf_adds(b, key);
	strbuf_adds(b, value ? "\":true" : "\":false");
}

void openapi_text(struct strbuf *b, const char *key, struct slice text)
{
	strbuf_lit(b, ",\"");
	strbuf_adds(b, key);
	strbuf_lit(b, "\":");
	json_string(b, text);
}

/* Where "Example:" stands at the front of a line, or behind a blank. */
static bool find_example(struct slice s, size_t *at)
{
	for (size_t i = 0; i < s.len; i++)
		if (slice_starts(slice_from(s, i), "Example:") && (!i || s.ptr[i - 1] == ' ' || s.ptr[i - 1] == '\n')) {
			*at = i;
			return true;
		}
	return false;
}

static void push(struct arena *a, struct slice **list, size_t *n, struct slice s)
{
	struct slice *more = arena_array(a, struct slice, *n + 1);

	if (*n)
		memcpy(more, *list, *n * sizeof(*more));
	more[(*n)++] = s;
	*list = more;
}

static struct slice trimmed(struct slice s)
{
	while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct slice openapi_examples(struct arena *a, struct slice comment, struct slice **examples_out, size_t *n_out)
{
	struct strbuf rest;
	struct slice line;
	size_t at;

	*n_out = 0;
	if (!find_example(comment, &at))
		return comment;
	strbuf_init(&rest, a, comment.len);
	do {
		strbuf_add(&rest, comment.ptr, at);
		comment = slice_from(comment, at + strlen("Example:"));
		slice_split(&comment, '\n', &line);
		push(a, examples_out, n_out, slice_trim(trimmed(line)));
		if (!comment.ptr)
			comment = (struct slice){ "", 0 };
	} while (find_example(comment, &at));
	strbuf_add_slice(&rest, comment);
	return trimmed(strbuf_slice(&rest));
}
