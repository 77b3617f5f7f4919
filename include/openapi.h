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

/* Documents made before, by their ETag: a few, and no more than 8 MiB of them. */
struct openapi_cache;

struct openapi_cache *openapi_cache_open(void);
void openapi_cache_close(struct openapi_cache *cache);

/* The ETag with its quotes, in a: a digest of all that the document is made of, so no two roles share one unduly. */
struct slice openapi_etag(struct arena *a, const struct openapi_request *rq);

/* The document of that ETag; good until the next call. a is for what is needed on the way. */
struct slice openapi_make(struct arena *a, struct openapi_cache *cache, const struct openapi_request *rq,
			  struct slice etag);

/* The description of /auth/v1, the same for everybody. host as above. */
void openapi_identity(struct arena *a, const struct config *config, struct slice host, struct strbuf *out);

#endif
