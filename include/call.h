#ifndef ROWGATE_CALL_H
#define ROWGATE_CALL_H

#include "body.h"
#include "plan.h"
#include "write.h"

/*
 * Calls of routines (/rpc/name): which one is meant, and its arguments as typed values. What a procedure gives is known
 * only when it runs; its rows are then planned like those of a table.
 */
struct call {
	const struct routine *routine;
	const struct config *config;
	const struct schema *schema;
	const struct principal *who; /* whose row policies are on what its rows embed */
	struct slice db;
	const struct write_cell *arguments; /* one for each parameter, NULL for OUT */
	bool writes;    /* its transaction may write: POST of what does not say that it only reads */
	bool roll_back; /* what it writes is not kept: db-tx-end, Prefer: tx=rollback */
	bool read_body; /* of the request: it cannot be read again */
};

/* The routine alone. Fails with ERR_SCHEMA or ERR_NO_ROUTINE (PGRST202). */
bool call_find(const struct config *config, const struct schema *schema, const struct query *query,
	       const struct routine **out, struct error *err) MUST_CHECK;

/* The same without a word about what is not found: NULL. */
const struct routine *call_routine(const struct config *config, const struct schema *schema, const struct query *query);

/* "OPTIONS,POST", with GET and HEAD for what says that it does not write. */
const char *call_allow(const struct routine *routine);

/*
 * The routine, and of GET and HEAD the arguments, which stand in the URL. Fails like call_find, with what is wrong with a
 * value, or with ERR_READ_ONLY for GET on what says that it writes.
 */
bool call_plan(struct arena *a, const struct config *config, const struct schema *schema, const struct query *query,
	       struct call **out, struct error *err) MUST_CHECK;

/* The arguments of a POST, from its body. */
bool call_body(struct arena *a, struct call *call, const struct query *query, const struct http_request *rq,
	       body_read_fn *read, void *context, struct error *err) MUST_CHECK;

/*
 * Rows of these columns as what a query asks of them. Fails like plan_read. They embed what the table embeds whose rows
 * they are by the routine's comment, "@returns setof TABLE".
 */
bool call_page(struct arena *a, const struct call *call, const struct query *query, struct column *columns,
	       size_t ncolumns, struct plan **out, struct error *err) MUST_CHECK;

/* The table whose rows the procedure gives, by its comment; NULL: none. Of call, routine and schema are looked at. */
const struct table *call_relation(const struct call *call);

/* Does the plan take rows as they come, but for its limit and offset? Then they need not be known at once. */
bool call_is_plain(const struct plan *plan);

/* --- as statements (app/sql/call.c) --- */

struct db_statement;

/* CALL; or SELECT of a function, with one column, and under a time zone an instant's seconds since 1970 as another. */
void sql_call_routine(struct arena *a, const struct call *call, bool zoned, struct db_statement *out);

/* SELECT of the variables that code of the database answers with: response.status, response.headers; FETCH_TEXT. */
void sql_response_variables(struct db_statement *out);

/* SELECT of @`response.error`: the whole of an error that code of the database raises; FETCH_TEXT. */
void sql_response_error(struct db_statement *out);

#endif
