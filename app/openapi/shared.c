/* Parts that operations share, each written under components when something refers to it: linters mind the others. */
#include "internal.h"

/* ' stands for ". */
static const struct {
	const char *key;
	const char *text;
} parameters[PARAMETERS] = {
	[PAR_SELECT] = { "select",
			 "'name':'select','in':'query','description':'Columns, embedded tables, JSON paths, casts "
			 "and aggregates: `id,name,orders(total),data->>key,amount.sum()`. Beside `count()`, `sum()`, "
			 "`avg()`, `min()`, `max()`: `median()`, `quantile(0.9)`, `stddev()`, `boxplot()`, "
			 "`histogram(20)`; what is not aggregated forms the groups, dates by `year()`, `month()`, "
			 "`weekday()`, `hour()` and others. All columns when it is left out.','schema':{'type':'string'}" },
	[PAR_ORDER] = { "order", "'name':'order','in':'query','description':'`a.desc.nullslast,b`','schema':{'type':"
				 "'string'}" },
	[PAR_LIMIT] = { "limit", "'name':'limit','in':'query','description':'The most rows that are wanted.','schema':"
				 "{'type':'integer','minimum':0}" },
	[PAR_OFFSET] = { "offset", "'name':'offset','in':'query','description':'Rows to pass over.','schema':{'type':"
				   "'integer','minimum':0}" },
	[PAR_AND] = { "and", "'name':'and','in':'query','description':'Conditions that must all hold: "
			     "`(a.gt.1,or(b.eq.2,c.is.null))`','schema':{'type':'string'}" },
	[PAR_HAVING] = { "having", "'name':'having','in':'query','description':'Conditions on groups: "
				   "`count().gt.5,amount.avg().lt.9`','schema':{'type':'string'}" },
	[PAR_OR] = { "or", "'name':'or','in':'query','description':'Conditions of which one must hold: "
			   "`(a.eq.1,b.not.in.(2,3))`','schema':{'type':'string'}" },
	[PAR_COLUMNS] = { "columns", "'name':'columns','in':'query','description':'The columns that the body gives; "
				     "other members of it are passed over.','schema':{'type':'string'}" },
	[PAR_ON_CONFLICT] = { "on_conflict",
			      "'name':'on_conflict','in':'query','description':'Columns of the unique key "
			      "that finds rows that are there already, with `Prefer: resolution=`; else the "
			      "primary key.','schema':{'type':'string'}" },
	[PAR_RANGE] = { "range", "'name':'Range','in':'header','description':'First and last row, from 0 on: `0-24`',"
				 "'schema':{'type':'string','pattern':'^[0-9]+-[0-9]*$'}" },
	[PAR_RANGE_UNIT] = { "rangeUnit",
			     "'name':'Range-Unit','in':'header','description':'Of Range.','schema':{'type':"
			     "'string','enum':['items'],'default':'items'}" },
	[PAR_PREFER_READ] = { "preferRead",
			      "'name':'Prefer','in':'header','description':'Any of `count=exact`, "
			      "`count=planned`, `count=estimated`, `handling=strict`, `timezone=...`, with "
			      "commas between.','schema':{'type':'string'}" },
	[PAR_PREFER_INSERT] = { "preferInsert", "'name':'Prefer','in':'header','description':'Any of "
						"`return=representation`, `return=headers-only`, `return=minimal`, "
						"`resolution=merge-duplicates`, `resolution=ignore-duplicates`, "
						"`missing=default`, `count=exact`, `handling=strict`, with commas "
						"between.','schema':{'type':'string'}" },
	[PAR_PREFER_WRITE] = { "preferWrite",
			       "'name':'Prefer','in':'header','description':'Any of "
			       "`return=representation`, `return=headers-only`, `return=minimal`, "
			       "`count=exact`, `max-affected=1`, `handling=strict`, with commas between.',"
			       "'schema':{'type':'string'}" },
	[PAR_PREFER_CALL] = { "preferCall", "'name':'Prefer','in':'header','description':'Any of `count=exact`, "
					    "`timezone=...`, `handling=strict`, with commas between.','schema':{'type':"
					    "'string'}" },
	[PAR_IDEMPOTENCY_KEY] = { "idempotencyKey",
				  "'name':'Idempotency-Key','in':'header','description':'The same request "
				  "with the same key is done once, and its answer comes again. A UUID, "
				  "say.','schema':{'type':'string','minLength':1,'maxLength':255}" },
	/* Written by hand: they name the database. */
	[PAR_ACCEPT_PROFILE] = { "acceptProfile", NULL },
	[PAR_CONTENT_PROFILE] = { "contentProfile", NULL },
};

static const struct {
	const char *key;
	const char *text;
} headers[HEADERS] = {
	[HEADER_CONTENT_RANGE] = { "contentRange",
				   "'description':'First and last row and, where it is known, how many there "
				   "are: `0-24/3573`, `*/*`','schema':{'type':'string'}" },
	[HEADER_PREFERENCE_APPLIED] = { "preferenceApplied",
					"'description':'What was heeded of `Prefer`.','schema':{'type':"
					"'string'}" },
	[HEADER_LOCATION] = { "location", "'description':'Where the new row is, with `Prefer: return=headers-only`.',"
					  "'schema':{'type':'string'}" },
};

static const struct {
	int status;
	const char *key;
	const char *text;
} refusals[] = {
	{ 204, "done", "Done; there is nothing to show." },
	{ 300, "ambiguous", "More than one relation is meant by an embedded name." },
	{ 400, "badRequest", "The request cannot be understood, or the database refuses what it says." },
	{ 401, "unauthorized", "The token is missing or is not believed, or the anonymous role may not do this." },
	{ 403, "forbidden", "The role may not do this." },
	{ 404, "notFound", "There is no such thing." },
	{ 405, "notAllowed", "This cannot be done here." },
	{ 406, "notAcceptable", "No such form of answer, no such schema, or not exactly one row." },
	{ 409, "conflict", "A unique key or a foreign key stands against it." },
	{ 413, "tooLarge", "The body, a row or the answer is too large." },
	{ 415, "unsupported", "The body is packed in a way that is not known." },
	{ 416, "noSuchRange", "There are fewer rows than the offset." },
	{ 422, "keyUsed", "The Idempotency-Key stands for another request." },
	{ 429, "tooMany", "Too many requests." },
	{ 500, "internal", "Something went wrong that is no fault of the request." },
	{ 503, "unavailable", "The database cannot be reached, or is busy: try again." },
	{ 504, "timeout", "It took too long." },
};
#define NREFUSALS (sizeof(refusals) / sizeof(*refusals))

void openapi_parameter(struct document *d, enum parameter_id id)
{
	d->parameters |= 1u << id;
	openapi_ref(d->b, "parameters", parameters[id].key, (struct slice){ NULL, 0 });
}

void openapi_header(struct document *d, enum header_id id)
{
	d->headers |= 1u << id;
	openapi_ref(d->b, "headers", headers[id].key, (struct slice){ NULL, 0 });
}

void openapi_refusals(struct document *d, const int *statuses)
{
	for (; *statuses; statuses++)
		for (size_t i = 0; i < NREFUSALS; i++)
			if (refusals[i].status == *statuses) {
				d->responses |= 1u << i;
				strbuf_addf(d->b, ",\"%d\":", *statuses);
				openapi_ref(d->b, "responses", refusals[i].key, (struct slice){ NULL, 0 });
			}
}

void openapi_profile(struct document *d, bool reads)
{
	if (slice_is(d->rq->db, d->rq->config->db_schemas.items[0]))
		return;
	strbuf_addc(d->b, ',');
	openapi_parameter(d, reads ? PAR_ACCEPT_PROFILE : PAR_CONTENT_PROFILE);
}

static void add_profile(struct document *d, enum parameter_id id)
{
	struct strbuf *b = d->b;

	openapi_lit(b, id == PAR_ACCEPT_PROFILE ? "'name':'Accept-Profile'" : "'name':'Content-Profile'");
	openapi_lit(b,
		    ",'in':'header','required':true,'description':'The database.','schema':{'type':'string','enum':[");
	json_string(b, d->rq->db);
	openapi_lit(b, "],'default':");
	json_string(b, d->rq->db);
	strbuf_addc(b, '}');
}

void openapi_shared_parameters(struct document *d, const char **comma)
{
	struct strbuf *b = d->b;

	for (unsigned i = 0; i < PARAMETERS; i++) {
		if (!(d->parameters & 1u << i))
			continue;
		strbuf_addf(b, "%s\"%s\":{", *comma, parameters[i].key);
		if (parameters[i].text)
			openapi_lit(b, parameters[i].text);
		else
			add_profile(d, (enum parameter_id)i);
		strbuf_addc(b, '}');
		*comma = ",";
	}
}

void openapi_shared_headers(struct document *d)
{
	const char *comma = "";

	for (unsigned i = 0; i < HEADERS; i++) {
		if (!(d->headers & 1u << i))
			continue;
		strbuf_addf(d->b, "%s\"%s\":{", comma, headers[i].key);
		openapi_lit(d->b, headers[i].text);
		strbuf_addc(d->b, '}');
		comma = ",";
	}
}

void openapi_shared_responses(struct document *d, const char **comma)
{
	for (unsigned i = 0; i < NREFUSALS; i++) {
		if (!(d->responses & 1u << i))
			continue;
		strbuf_addf(d->b, "%s\"%s\":{\"description\":\"%s\"", *comma, refusals[i].key, refusals[i].text);
		if (refusals[i].status >= 300)
			openapi_lit(d->b, ",'content':{'application/json':{'schema':{'$ref':"
					  "'#/components/schemas/rowgate.error'}}}");
		strbuf_addc(d->b, '}');
		*comma = ",";
	}
}

/* --- of every document --- */

void openapi_about(struct strbuf *b)
{
	openapi_lit(b, ",'version':'" ROWGATE_VERSION
		       "','contact':{'name':'Whoever runs this instance'},'license':{'name':"
		       "'MIT','identifier':'MIT'}}");
}

/* What the setting says is /rest/v1; the other stands beside it. */
void openapi_server(struct arena *a, const struct config *c, struct slice host, const char *api, struct strbuf *b)
{
	struct slice url = slice_of(c->openapi_server_proxy_uri);
	struct slice end = SLICE("/rest/v1");

	strbuf_lit(b, ",\"servers\":[{\"url\":");
	while (url.len > 1 && url.ptr[url.len - 1] == '/')
		url.len--;
	if (url.len && strcmp(api, "rest") == 0) {
		json_string(b, url);
	} else if (url.len >= end.len && slice_eq(slice_from(url, url.len - end.len), end)) {
		json_string(b, slice_of(arena_printf(a, "%.*s/%s/v1", (int)(url.len - end.len), url.ptr, api)));
	} else if (host.len) {
		json_string(b, slice_of(arena_printf(a, "https://%.*s/%s/v1", (int)host.len, host.ptr, api)));
	} else {
		strbuf_addf(b, "\"/%s/v1\"", api);
	}
	strbuf_lit(b, "}]");
}

void openapi_security(struct strbuf *b)
{
	openapi_lit(b,
		    "'securitySchemes':{'bearer':{'type':'http','scheme':'bearer','bearerFormat':'JWT','description':"
		    "'`POST /auth/v1/token?grant_type=password` gives one.'},'apikey':{'type':'apiKey','in':'header',"
		    "'name':'apikey','description':'The same token, where there is no Authorization.'}}");
}
