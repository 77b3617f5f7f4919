/*
 * The document as a whole. It is made anew when what it is made of is: definitions, grants, host, settings. Their
 * SHA-256 is its ETag and its name in the cache, so that no role is ever given what was made for another.
 */
#include "internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define KEPT 8
#define KEPT_BYTES ((size_t)8 << 20)
#define ETAG_LEN 66 /* 64 digits in quotes */

struct kept {
	char etag[ETAG_LEN];
	struct strbuf text;
	bool used;
};

struct openapi_cache {
	struct kept kept[KEPT]; /* a ring */
	unsigned next;
	size_t bytes;
};

struct openapi_cache *openapi_cache_open(void)
{
	struct openapi_cache *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	return c;
}

void openapi_cache_close(struct openapi_cache *c)
{
	for (unsigned i = 0; c && i < KEPT; i++)
		if (c->kept[i].used)
			strbuf_close(&c->kept[i].text);
	free(c);
}

/* --- what there is to show --- */

static int by_address(const void *left, const void *right)
{
	uintptr_t a = (uintptr_t)((const struct entry *)left)->table,
		  b = (uintptr_t)((const struct entry *)right)->table;

	return (a > b) - (a < b);
}

static int by_bytes(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *left, const void *right)
{
	const struct entry *const *a = left, *const *b = right;

	return by_bytes((*a)->table->name, (*b)->table->name);
}

static int by_routine(const void *left, const void *right)
{
	const struct routine *const *a = left, *const *b = right;

	return by_bytes((*a)->name, (*b)->name);
}

static void read_grants(struct document *d)
{
	const struct openapi_request *rq = d->rq;

	d->grants = arena_array(d->a, struct grant, rq->ngrants + 1);
	if (rq->all)
		d->grants[d->ngrants++] = (struct grant){ .rights = MAY_ALL };
	for (size_t i = 0; i < rq->ngrants; i++)
		d->ngrants += grants_read(d->a, rq->grants[i], &d->grants[d->ngrants]);
}

static void collect_tables(struct document *d)
{
	const struct schema *s = d->rq->schema;

	d->all = arena_array(d->a, struct entry, s->ntables);
	d->shown = arena_array(d->a, const struct entry *, s->ntables);
	for (const struct table *t = schema_next_table(s, NULL); t; t = schema_next_table(s, t))
		d->all[d->nall++].table = t;
	qsort(d->all, d->nall, sizeof(*d->all), by_address);
	for (size_t i = 0; i < d->nall; i++) {
		struct entry *e = &d->all[i];

		grants_table_rights(d->a, d->grants, d->ngrants, e->table, &e->rights);
		if (e->rights.any && slice_eq(e->table->schema, d->rq->db))
			d->shown[d->nshown++] = e;
	}
	qsort(d->shown, d->nshown, sizeof(*d->shown), by_name);
}

/* Of a function and a procedure with one name the function is called: schema_routine finds it. */
static void collect_routines(struct document *d)
{
	const struct schema *s = d->rq->schema;

	d->routines = arena_array(d->a, const struct routine *, s->nroutines);
	for (const struct routine *r = s->routines; r; r = r->next)
		if (slice_eq(r->schema, d->rq->db) && schema_routine(s, r->schema, r->name) == r &&
		    grants_may_call(d->grants, d->ngrants, r))
			d->routines[d->nroutines++] = r;
	qsort(d->routines, d->nroutines, sizeof(*d->routines), by_routine);
}

/* --- its parts --- */

static struct slice database_comment(const struct document *d)
{
	const struct config_list *names = &d->rq->config->db_schemas;

	for (size_t i = 0; i < names->n; i++)
		if (slice_is(d->rq->db, names->items[i]))
			return d->rq->schema->comments[i];
	return (struct slice){ "", 0 };
}

/* The settings, else the first line of the database's comment and what follows it. */
static void add_info(struct document *d)
{
	const struct config *c = d->rq->config;
	struct slice rest = database_comment(d), title = { NULL, 0 };
	struct strbuf *b = d->b;

	if (rest.len)
		slice_split(&rest, '\n', &title);
	if (*c->openapi_title || !title.len)
		title = slice_of(*c->openapi_title ? c->openapi_title
						   : arena_printf(d->a, "%.*s", (int)d->rq->db.len, d->rq->db.ptr));
	rest = *c->openapi_description ? slice_of(c->openapi_description) : slice_trim(rest.ptr ? rest : SLICE(""));
	if (!rest.len)
		rest = slice_of(
			arena_printf(d->a,
				     "Tables, views and routines of the database `%.*s`, as far as the caller may use "
				     "them.",
				     (int)d->rq->db.len, d->rq->db.ptr));
	strbuf_lit(b, "\"info\":{\"title\":");
	json_string(b, title);
	openapi_text(b, "description", rest);
	openapi_about(b);
}

static void add_access(struct document *d)
{
	const struct config *c = d->rq->config;
	struct strbuf *b = d->b;

	strbuf_lit(b, ",\"security\":[{\"bearer\":[]},{\"apikey\":[]}");
	strbuf_adds(b, *c->db_anon_role ? ",{}]" : "]");
	/* For pages made from this document. */
	strbuf_lit(b, ",\"x-database\":");
	json_string(b, d->rq->db);
	if (d->rq->role.len)
		openapi_text(b, "x-role", d->rq->role);
	strbuf_lit(b, ",\"x-databases\":[");
	for (size_t i = 0; i < c->db_schemas.n; i++) {
		strbuf_adds(b, i ? "," : "");
		json_string(b, slice_of(c->db_schemas.items[i]));
	}
	strbuf_addc(b, ']');
}

static void add_tag(struct strbuf *b, struct slice name, struct slice description)
{
	strbuf_lit(b, ",{\"name\":");
	json_string(b, name);
	openapi_text(b, "description", description);
	strbuf_addc(b, '}');
}

static void add_tags(struct document *d)
{
	openapi_lit(d->b, ",'tags':[{'name':'(description)','description':'This document.'}");
	for (size_t i = 0; i < d->nshown; i++) {
		const struct table *t = d->shown[i]->table;

		add_tag(d->b, t->name,
			t->comment.len ? t->comment
			: t->is_view   ? SLICE("A view of the database.")
				       : SLICE("A table of the database."));
	}
	for (size_t i = 0; i < d->nroutines; i++) {
		const struct routine *r = d->routines[i];

		add_tag(d->b, slice_of(arena_printf(d->a, "(rpc) %.*s", (int)r->name.len, r->name.ptr)),
			r->comment.len ? r->comment : SLICE("A routine of the database."));
	}
	strbuf_addc(d->b, ']');
}

static void add_root(struct document *d)
{
	static const int statuses[] = { 401, 403, 404, 406, 429, 500, 503, 504, 0 };

	openapi_lit(d->b,
		    ",'paths':{'/':{'get':{'operationId':'describe','tags':['(description)'],'summary':'This document',"
		    "'description':'What the caller may do, as OpenAPI.'");
	if (!slice_is(d->rq->db, d->rq->config->db_schemas.items[0])) {
		strbuf_lit(d->b, ",\"parameters\":[");
		openapi_parameter(d, PAR_ACCEPT_PROFILE);
		strbuf_addc(d->b, ']');
	}
	openapi_lit(d->b,
		    ",'responses':{'200':{'description':'OpenAPI 3.1','content':{'application/openapi+json':{'schema':"
		    "{'type':'object'}},'application/json':{'schema':{'type':'object'}}}}");
	openapi_refusals(d, statuses);
	strbuf_lit(d->b, "}}}");
}

static void add_paths(struct document *d)
{
	add_root(d);
	for (size_t i = 0; i < d->nshown; i++) {
		strbuf_addc(d->b, ',');
		openapi_table_path(d, d->shown[i]);
	}
	for (size_t i = 0; i < d->nroutines; i++) {
		strbuf_addc(d->b, ',');
		openapi_routine_path(d, d->routines[i]);
	}
	strbuf_addc(d->b, '}');
}

static void add_schemas(struct document *d)
{
	openapi_lit(d->b,
		    ",'components':{'schemas':{'rowgate.error':{'type':'object','description':'Why a request is "
		    "refused.','required':['code','message'],'properties':{'code':{'type':'string','description':'A "
		    "code of PostgREST or an SQLSTATE.'},'message':{'type':'string'},'details':{'description':'More "
		    "of it, as a text or as JSON.'},'hint':{'type':['string','null']}}}");
	for (size_t i = 0; i < d->nshown; i++) {
		strbuf_addc(d->b, ',');
		openapi_table_schemas(d, d->shown[i]);
	}
	strbuf_addc(d->b, '}');
}

static void add_components(struct document *d)
{
	const char *comma = "";

	add_schemas(d);
	strbuf_lit(d->b, ",\"parameters\":{");
	openapi_shared_parameters(d, &comma);
	for (size_t i = 0; i < d->nshown; i++)
		openapi_table_parameters(d, d->shown[i], &comma);
	comma = "";
	strbuf_lit(d->b, "},\"responses\":{");
	openapi_shared_responses(d, &comma);
	for (size_t i = 0; i < d->nshown; i++)
		openapi_table_responses(d, d->shown[i], &comma);
	strbuf_lit(d->b, "},\"headers\":{");
	openapi_shared_headers(d);
	strbuf_lit(d->b, "},");
	openapi_security(d->b);
	strbuf_addc(d->b, '}');
}

static void write_document(struct arena *a, const struct openapi_request *rq, struct strbuf *b)
{
	struct document d = { .a = a, .b = b, .rq = rq };

	read_grants(&d);
	collect_tables(&d);
	collect_routines(&d);
	strbuf_lit(b, "{\"openapi\":\"3.1.0\",");
	add_info(&d);
	openapi_server(a, rq->config, rq->host, "rest", b);
	add_access(&d);
	add_tags(&d);
	add_paths(&d);
	add_components(&d);
	strbuf_addc(b, '}');
}

/* --- the cache --- */

static void absorb(EVP_MD_CTX *md, struct slice s)
{
	uint64_t len = s.len;

	if (EVP_DigestUpdate(md, &len, sizeof(len)) != 1 || EVP_DigestUpdate(md, s.ptr, s.len) != 1)
		abort();
}

struct slice openapi_etag(struct arena *a, const struct openapi_request *rq)
{
	char *etag = arena_alloc(a, ETAG_LEN);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char digest[32];

	if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		abort();
	absorb(md, (struct slice){ (const char *)&rq->schema->digest, sizeof(rq->schema->digest) });
	absorb(md, rq->db);
	absorb(md, rq->role);
	absorb(md, rq->host);
	absorb(md, slice_of(rq->all ? "all" : "granted"));
	absorb(md, slice_of(ROWGATE_VERSION));
	absorb(md, slice_of(rq->config->openapi_title));
	absorb(md, slice_of(rq->config->openapi_description));
	absorb(md, slice_of(rq->config->openapi_server_proxy_uri));
	absorb(md, slice_of(rq->config->db_anon_role));
	for (size_t i = 0; i < rq->config->db_schemas.n; i++)
		absorb(md, slice_of(rq->config->db_schemas.items[i]));
	for (size_t i = 0; i < rq->ngrants; i++)
		absorb(md, rq->grants[i]);
	if (EVP_DigestFinal_ex(md, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free(md);
	etag[0] = etag[ETAG_LEN - 1] = '"';
	for (size_t i = 0; i < sizeof(digest); i++) {
		etag[1 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
		etag[2 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
	}
	return (struct slice){ etag, ETAG_LEN };
}

static const struct kept *find(const struct openapi_cache *c, struct slice etag)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (c->kept[i].used && memcmp(c->kept[i].etag, etag.ptr, ETAG_LEN) == 0)
			return &c->kept[i];
	return NULL;
}

static void drop(struct openapi_cache *c, struct kept *k)
{
	if (!k->used)
		return;
	c->bytes -= k->text.cap;
	strbuf_close(&k->text);
	k->used = false;
}

/* Not much larger than it need be. */
static void trim(struct strbuf *b)
{
	struct strbuf fit;

	if (b->cap < 2 * b->len)
		return;
	strbuf_open(&fit, b->len);
	strbuf_add_slice(&fit, strbuf_slice(b));
	strbuf_close(b);
	*b = fit;
}

/* Over the oldest; of the others the oldest go until there is room. One that is too large goes with the next call. */
static struct slice keep(struct openapi_cache *c, struct slice etag, struct strbuf text)
{
	struct kept *k = &c->kept[c->next++ % KEPT];

	drop(c, k);
	for (unsigned i = 0; i < KEPT && c->bytes && c->bytes + text.cap > KEPT_BYTES; i++)
		drop(c, &c->kept[(c->next + i) % KEPT]);
	memcpy(k->etag, etag.ptr, ETAG_LEN);
	k->text = text;
	k->used = true;
	c->bytes += text.cap;
	return strbuf_slice(&k->text);
}

static void drop_too_large(struct openapi_cache *c)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (c->kept[i].text.cap > KEPT_BYTES)
			drop(c, &c->kept[i]);
}

/* About what it comes to, for growing means copying. */
static size_t expected_size(const struct openapi_request *rq)
{
	size_t columns = 0, tables = 0;

	for (const struct table *t = schema_next_table(rq->schema, NULL); t; t = schema_next_table(rq->schema, t))
		if (slice_eq(t->schema, rq->db)) {
			tables++;
			columns += t->ncolumns;
		}
	return 32768 + tables * 6000 + columns * 700;
}

struct slice openapi_make(struct arena *a, struct openapi_cache *cache, const struct openapi_request *rq,
			  struct slice etag)
{
	const struct kept *k = find(cache, etag);
	struct strbuf b;

	if (k)
		return strbuf_slice(&k->text);
	drop_too_large(cache);
	strbuf_open(&b, expected_size(rq));
	write_document(a, rq, &b);
	trim(&b);
	return keep(cache, etag, b);
}
