#ifndef ROWGATE_OPENAPI_INTERNAL_H
#define ROWGATE_OPENAPI_INTERNAL_H

#include "grants.h"
#include "openapi.h"
#include "plan.h"

struct entry {
	const struct table *table;
	struct rights rights;
};

/* Parts that many operations share; those that are used are written under components. */
enum parameter_id {
	PAR_SELECT,
	PAR_ORDER,
	PAR_LIMIT,
	PAR_OFFSET,
	PAR_AND,
	PAR_OR,
	PAR_HAVING,
	PAR_COLUMNS,
	PAR_ON_CONFLICT,
	PAR_RANGE,
	PAR_RANGE_UNIT,
	PAR_PREFER_READ,
	PAR_PREFER_INSERT,
	PAR_PREFER_WRITE,
	PAR_PREFER_CALL,
	PAR_IDEMPOTENCY_KEY,
	PAR_ACCEPT_PROFILE,
	PAR_CONTENT_PROFILE,
	PARAMETERS
};

enum header_id { HEADER_CONTENT_RANGE, HEADER_PREFERENCE_APPLIED, HEADER_LOCATION, HEADERS };

struct document {
	struct arena *a;
	struct strbuf *b;
	const struct openapi_request *rq;
	struct grant *grants;
	size_t ngrants;
	struct entry *all; /* every table of every published database, by address */
	size_t nall;
	const struct entry **shown; /* those of the database that the role may use, by name */
	size_t nshown;
	const struct routine **routines; /* the same of routines */
	size_t nroutines;
	unsigned parameters; /* bits of those used */
	unsigned headers;
	uint32_t responses; /* places in the table of responses.c */
};

/* --- text.c --- */

/* text with ' as ", for constants. */
void openapi_lit(struct strbuf *b, const char *text);
/* A name as part of a component's key or an operationId: what is no letter, digit or _ becomes -XX. */
void openapi_key(struct strbuf *b, struct slice name);
/* {"$ref":"#/components/KIND/PREFIXname"} */
void openapi_ref(struct strbuf *b, const char *kind, const char *prefix, struct slice name);
void openapi_names(struct strbuf *b, const struct column *const *columns, size_t n);
/* ,"key":true and ,"key":"text" */
void openapi_flag(struct strbuf *b, const char *key, bool value);
void openapi_text(struct strbuf *b, const char *key, struct slice text);
/* "Example: 42" in a comment, one to a line: those, and the comment without them. */
struct slice openapi_examples(struct arena *a, struct slice comment, struct slice **examples_out, size_t *n_out);

/* --- type.c --- */

/* "type":...,"format":... and so on, as members; nothing for JSON, which may be anything. */
void openapi_type(struct strbuf *b, const struct type *type, struct slice db_type, bool nullable);
/* text as a JSON value of the type; false when it is none. */
bool openapi_value(struct strbuf *b, const struct type *type, struct slice text);
/* An example for types that tell nobody what they look like; false for the others. */
bool openapi_sample(struct strbuf *b, const struct type *type);

/* --- table.c --- */

const struct entry *openapi_entry(const struct document *d, const struct table *table);
bool openapi_may_see(const struct document *d, const struct table *table);
/* Must the role give the column when it inserts a row? */
bool openapi_required(const struct entry *e, size_t column);
/* The table's schemas, as members of components.schemas. */
void openapi_table_schemas(struct document *d, const struct entry *e);

/* --- operations.c, routine.c: members of paths --- */

void openapi_table_path(struct document *d, const struct entry *e);
void openapi_routine_path(struct document *d, const struct routine *routine);
/* rowFilter parameters of the table, as members of components.parameters. */
void openapi_table_parameters(struct document *d, const struct entry *e, const char **comma);
/* The rows a table gives, as members of components.responses. */
void openapi_table_responses(struct document *d, const struct entry *e, const char **comma);

/* --- shared.c --- */

/* version, contact and license, and the end of info; the servers, for api "rest" or "auth"; securitySchemes. */
void openapi_about(struct strbuf *b);
void openapi_server(struct arena *a, const struct config *c, struct slice host, const char *api, struct strbuf *b);
void openapi_security(struct strbuf *b);

/* A reference to a shared parameter, response or header, which is then written too. */
void openapi_parameter(struct document *d, enum parameter_id id);
void openapi_header(struct document *d, enum header_id id);
/* ,"400":{...} for each status; ends with 0. */
void openapi_refusals(struct document *d, const int *statuses);
void openapi_shared_parameters(struct document *d, const char **comma);
void openapi_shared_headers(struct document *d);
void openapi_shared_responses(struct document *d, const char **comma);

/* The profile header that operations of a database beside the first one need; with a comma in front. */
void openapi_profile(struct document *d, bool reads);

#endif
