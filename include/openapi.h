#ifndef ROWGATE_OPENAPI_H
#define ROWGATE_OPENAPI_H

#include "schema.h"

/*
 * The OpenAPI 3.1 description of one database as one role may use it, made from the schema cache and the role's
 * grants. Its form is described in app/OPENAPI.md.
 */
struct openapi_request {
	const struct config *config;
	const struct schema *schema;
	struct slice db;            /* one of config->db_schemas */
	struct slice role;          /* empty: none */
	struct slice host;          /* of the request: "api.example.com:8443"; empty: not known */
	bool all;                   /* openapi-mode = ignore-privileges: grants do not count */
	const struct slice *grants; /* the lines of SHOW GRANTS with the role active */
	size_t ngrants;
};

/* Documents made before, by what they were made from. At most eight, and none of more than 4 MiB. */
struct openapi_cache;

struct openapi_cache *openapi_cache_open(void);
void openapi_cache_close(struct openapi_cache *cache);

/*
 * The document and its ETag with quotes. The text lives in the cache until the next call, or in a. a is for what is
 * needed on the way.
 */
void openapi_make(struct arena *a, struct openapi_cache *cache, const struct openapi_request *rq,
		  struct slice *text_out, struct slice *etag_out);

#endif
