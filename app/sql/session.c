/* What a request tells the database about itself: user variables for functions, views and triggers that read them. */
#include "internal.h"

void sql_request_variables(struct arena *a, const struct sql_variable *variables, size_t n, bool response,
			   struct db_statement *out)
{
	struct writer w;

	sql_writer(&w, a, NULL);
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(&w.text, "%s@`request.%s`=", i ? "," : "SET ", variables[i].name);
		sql_param(&w, value_text(variables[i].value));
	}
	if (response)
		sql_lit(&w, ",@`response.status`=NULL,@`response.headers`=NULL,@`response.error`=NULL");
	sql_finish(&w, out);
}

void sql_call(struct slice db, struct slice name, struct strbuf *out)
{
	struct slice rest = name, part;
	struct slice parts[2] = { db, name };

	if (slice_split(&rest, '.', &part) && rest.ptr) {
		parts[0] = part;
		parts[1] = rest;
	}
	strbuf_lit(out, "CALL ");
	for (size_t i = 0; i < 2; i++) {
		strbuf_adds(out, i ? ".`" : "`");
		for (size_t k = 0; k < parts[i].len; k++) {
			if (parts[i].ptr[k] == '`')
				strbuf_addc(out, '`');
			strbuf_addc(out, parts[i].ptr[k]);
		}
		strbuf_addc(out, '`');
	}
	strbuf_lit(out, "()");
}
