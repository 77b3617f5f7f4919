/*
 * The description of /auth/v1: the same for everybody, from tables. What stands here and what app/identity serves are held
 * together by tests/http/test_openapi_identity.py and tests/openapi.
 */
#include "internal.h"

#define COUNT(of) (sizeof(of) / sizeof(*(of)))

/* Types of members; ' stands for ". */
static const struct {
	const char *word, *text;
} types[] = {
	{ "text", "{'type':'string'}" },
	{ "time", "{'type':'string','format':'date-time'}" },
	{ "uuid", "{'type':'string','format':'uuid'}" },
	{ "email", "{'type':'string','format':'email'}" },
	{ "secret", "{'type':'string','format':'password'}" },
	{ "verb", "{'type':'string','enum':['select','insert','update','delete']}" },
	{ "number", "{'type':'number'}" },
	{ "whole", "{'type':'integer'}" },
	{ "flag", "{'type':'boolean'}" },
	{ "object", "{'type':'object'}" },
	{ "any", "{}" },
	{ "text?", "{'type':['string','null']}" },
	{ "whole?", "{'type':['integer','null']}" },
};

/* Members with their types: a name with ! is required, a type with [] a list of it; another schema's name is a type too. */
static const struct shape {
	const char *name, *members;
	bool closed; /* every member must mean something */
	const char *description;
} schemas[] = {
	{ "error", "code! whole, error_code! text, msg! text, hint text, weak_password object", false,
	  "code is the status, error_code one of Supabase Auth's or of app/IDENTITY.md; hint says what there is to do." },
	{ "credentials", "email email, password secret, refresh_token text", false,
	  "email and password, or the session's refresh_token." },
	{ "signup", "email! email, password! secret, data object", false, "data becomes user_metadata." },
	{ "session",
	  "access_token! text, token_type! text, expires_in! whole, expires_at! whole, refresh_token! text, user! user",
	  false, "access_token is a JWT for Authorization: Bearer; refresh_token is `cookie` where it went into one." },
	{ "user",
	  "id! uuid, aud text, role! text, email! email, phone text, email_confirmed_at time, confirmed_at time, "
	  "last_sign_in_at time, banned_until time, created_at! time, updated_at! time, app_metadata! object, "
	  "user_metadata! object, identities object[], is_anonymous flag",
	  false,
	  "role is the database role of their tokens. Users write user_metadata themselves, administrators alone "
	  "app_metadata." },
	{ "userUpdate", "email email, password secret, data object", false,
	  "data is laid over user_metadata; null takes a member away." },
	{ "userChange",
	  "email email, password secret, role text, user_metadata object, app_metadata object, ban_duration text",
	  false, "ban_duration: `24h`, `1h30m`, `90s`; `none` lifts the ban." },
	{ "users", "users! user[], aud text", false, "A page of users." },
	{ "sessionEntry", "id! uuid, created_at! time, refreshed_at! time, address text, user_agent text", false,
	  "A session." },
	{ "nothing", "", false, "An object without members." },
	{ "openapi", "openapi! text, info! object, paths! object", false, "OpenAPI 3.1." },
	{ "newRole", "name! text", true, "1 to 32 of A-Z a-z 0-9 _ - ." },
	{ "role", "name! text, anonymous! flag, admin! flag, tables! roleTable[], routines! roleRoutine[]", false,
	  "What a role may do in the published databases." },
	{ "roleTable", "schema! text, table! text, view! flag, rights! verb[], policies verb[], columns object", false,
	  "policies: the rights for which row policies hide rows; columns: those of a right that is not one to the whole "
	  "table." },
	{ "roleRoutine", "schema! text, name! text", false, "A routine that the role may call." },
	{ "roles", "roles! role[]", false, "Every role that tokens may name." },
	{ "key", "kid text, alg text, state text, signs flag, created_at time, active_at time, until time", false,
	  "A key that signs or has signed; without members: it is gone." },
	{ "keys", "keys! key[], writable! flag, hint text", false,
	  "writable: whether keys can be made and retired here." },
	{ "newKey", "alg text, activate_in whole", true, "HS, RS or ES 256, 384, 512 (ES256); seconds from now (0)." },
	{ "newToken", "role! text, sub text, ttl whole, claims object", true,
	  "For 1 to 86400 seconds; claims beside those that are set here." },
	{ "token", "token! text, jti! text, role! text, sub text, expires_at! time", false, "A token." },
	{ "newRevocation", "jti text, token text, session text, sub text, all flag, issued_before any", true,
	  "One of jti, token, session, sub, all; issued_before is a time, or seconds since 1970 (of sub and all: now)." },
	{ "revocation", "kind! text, value! text, issued_before time, created_at! time, expires_at time", false,
	  "kind: token, session, subject, all." },
	{ "revocations", "revocations! revocation[]", false, "A page of revocations." },
	{ "newPolicy",
	  "schema! text, table! text, role! text, name! text, verbs verb[], using text?, check text?, comment text",
	  true, "As app/POLICIES.md explains; role `*` is every role." },
	{ "policyChange", "verbs verb[], using text?, check text?, comment text", true, "The members that change." },
	{ "policy",
	  "schema! text, table! text, role! text, name! text, verbs! verb[], using! text?, check! text?, comment! text, "
	  "valid! flag, fault text",
	  false, "A row policy; one that is not valid closes its table to its role." },
	{ "policies", "policies! policy[], closed! closedView[]", false, "Those in force." },
	{ "closedView", "schema! text, table! text, reads! text", false,
	  "A view without policies over a table with some: nobody meets a row of it." },
	{ "verdict", "valid! flag, fault text", false, "Whether a policy would do." },
	{ "statement",
	  "text! text, count! whole, errors! whole, rows! whole, total_ms! number, mean_ms! number, max_ms! number, "
	  "last_at time",
	  false, "A statement as it was prepared." },
	{ "statements", "statements! statement[], since time", false, "Since they were counted anew." },
	{ "worker", "pid! whole, busy_ms! whole?, connections! whole, reloaded_at time", false, "A worker." },
	{ "reloads", "number! whole, done! whole, failed! whole", false,
	  "How many workers have followed the last one." },
	{ "database", "answers! flag, ms! number, server text, msg text", false, "The database." },
	{ "definitions", "tables! whole, routines! whole, loaded_at time, checked_at time", false, "The definitions." },
	{ "pool",
	  "version! text, now! time, workers! worker[], connections! whole, reload! reloads, database! database, "
	  "definitions! definitions",
	  false, "How the pool fares." },
	{ "reload", "number! whole", false, "Done when reload.done of admin/pool is the number of workers." },
	{ "jwks", "keys! object[]", false, "A JSON Web Key Set." },
	{ "settings", "disable_signup! flag, external object, mailer_autoconfirm flag", false,
	  "As auth-js reads them." },
	{ "health", "version! text, name! text, description text", false, "It works." },
};

#define IN_PATH(name, schema) "'name':'" name "','in':'path','required':true,'schema':" schema
#define TEXT "{'type':'string'}"
#define ID "{'type':'string','format':'uuid'}"

static const struct {
	const char *key, *text;
} parameters[] = {
	{ "grantType",
	  "'name':'grant_type','in':'query','required':true,'description':'What the body has.','schema':{'type':"
	  "'string','enum':['password','refresh_token']}" },
	{ "clientSession",
	  "'name':'X-Client-Session','in':'header','description':'`cookie`: the refresh token goes into a "
	  "cookie, and comes from it.','schema':{'type':'string','enum':['cookie']}" },
	{ "scope",
	  "'name':'scope','in':'query','description':'Which sessions end: all, this one, the others.','schema':{"
	  "'type':'string','enum':['global','local','others'],'default':'global'}" },
	{ "page",
	  "'name':'page','in':'query','description':'From 1 on.','schema':{'type':'integer','minimum':1,'default':"
	  "1}" },
	{ "perPage", "'name':'per_page','in':'query','description':'Entries of a page.','schema':{'type':'integer',"
		     "'minimum':1,'maximum':1000,'default':50}" },
	{ "now",
	  "'name':'now','in':'query','description':'Not even what it has signed is believed any more.','schema':{"
	  "'type':'boolean'}" },
	{ "order", "'name':'order','in':'query','description':'Which come first.','schema':{'type':'string','enum':["
		   "'total','mean','max','count'],'default':'total'}" },
	{ "limit", "'name':'limit','in':'query','description':'The most that are wanted.','schema':{'type':'integer',"
		   "'minimum':1,'maximum':1000,'default':50}" },
	{ "user", IN_PATH("user", ID) },
	{ "session", IN_PATH("session", ID) },
	{ "kid", IN_PATH("kid", TEXT) },
	{ "schema", IN_PATH("schema", TEXT) },
	{ "table", IN_PATH("table", TEXT) },
	{ "role", IN_PATH("role", TEXT) },
	{ "name", IN_PATH("name", TEXT) },
};

enum tag { SIGN_IN, ACCOUNT, USERS, RIGHTS, KEYS, INSTANCE, OPEN };

static const struct {
	const char *name, *description;
	bool open; /* no token is asked for */
} tags[] = {
	[SIGN_IN] = { "sign-in", "A session for a password, and its next tokens.", true },
	[ACCOUNT] = { "account", "What users do with their own.", false },
	[USERS] = { "users", "For administrators: users and their sessions.", false },
	[RIGHTS] = { "rights", "For administrators: roles, and which rows they meet.", false },
	[KEYS] = { "tokens", "For administrators: keys, tokens, what is revoked.", false },
	[INSTANCE] = { "instance", "For administrators: how it fares.", false },
	[OPEN] = { "open", "What anybody may ask.", true },
};

/* Those of one path stand together. */
static const struct operation {
	const char *path, *method, *id;
	enum tag tag;
	const char *summary;
	const char *parameters; /* names with commas */
	const char *body;       /* a schema; ? at its end: it may be left out. NULL: none */
	const char *answer;     /* a schema; NULL: 204. Of 202 with a + in front; text/plain: $ */
	const char *refusals;   /* statuses beside 429, 500 and 503, and 401 and 403 where a token is asked for */
} operations[] = {
	{ "/", "get", "describe", OPEN, "This document", "", NULL, "openapi", "404" },
	{ "/token", "post", "sign_in", SIGN_IN, "Sign in, or refresh a session", "grantType,clientSession",
	  "credentials", "session", "400,413" },
	{ "/signup", "post", "sign_up", SIGN_IN, "Make an account (auth-signup-enabled)", "clientSession", "signup",
	  "session", "400,413,422" },
	{ "/user", "get", "read_user", ACCOUNT, "Whose token it is", "", NULL, "user", "" },
	{ "/user", "put", "update_user", ACCOUNT, "Change the password or the metadata", "", "userUpdate", "user",
	  "400,413,422" },
	{ "/logout", "post", "sign_out", ACCOUNT, "End sessions", "scope", NULL, NULL, "400" },
	{ "/sessions", "get", "read_sessions", ACCOUNT, "The user's own sessions", "", NULL, "sessionEntry[]", "" },
	{ "/admin/users", "get", "admin_list_users", USERS, "List users", "page,perPage", NULL, "users", "400" },
	{ "/admin/users", "post", "admin_create_user", USERS, "Make a user", "", "userChange", "user", "400,413,422" },
	{ "/admin/users/{user}", "get", "admin_read_user", USERS, "Read a user", "user", NULL, "user", "404" },
	{ "/admin/users/{user}", "put", "admin_update_user", USERS, "Change a user", "user", "userChange", "user",
	  "400,404,413,422" },
	{ "/admin/users/{user}", "delete", "admin_delete_user", USERS, "Delete a user", "user", NULL, "nothing",
	  "404,422" },
	{ "/admin/users/{user}/sessions", "get", "admin_read_sessions", USERS, "A user's sessions", "user", NULL,
	  "sessionEntry[]", "404" },
	{ "/admin/users/{user}/sessions", "delete", "admin_end_sessions", USERS, "End all of a user's sessions", "user",
	  NULL, NULL, "404" },
	{ "/admin/users/{user}/sessions/{session}", "delete", "admin_end_session", USERS, "End one session",
	  "user,session", NULL, NULL, "404" },
	{ "/admin/roles", "get", "admin_list_roles", RIGHTS, "What each role can do", "", NULL, "roles", "" },
	{ "/admin/roles", "post", "admin_add_role", RIGHTS, "A new role without any right", "", "newRole", "role",
	  "400,409,413" },
	{ "/admin/keys", "get", "admin_list_keys", KEYS, "The keys that sign, without their private halves", "", NULL,
	  "keys", "409" },
	{ "/admin/keys", "post", "admin_new_key", KEYS, "A new key", "", "newKey?", "key", "400,409,413" },
	{ "/admin/keys/{kid}", "delete", "admin_retire_key", KEYS, "Retire a key", "kid,now", NULL, "key", "404,409" },
	{ "/admin/tokens", "post", "admin_issue_token", KEYS, "A token without a sign-in", "", "newToken", "token",
	  "400,413" },
	{ "/admin/revocations", "get", "admin_list_revocations", KEYS, "What is revoked, newest first", "page,perPage",
	  NULL, "revocations", "400" },
	{ "/admin/revocations", "post", "admin_revoke", KEYS, "Revoke tokens: one of jti, token, session, sub, all", "",
	  "newRevocation", "revocation", "400,413" },
	{ "/admin/policies", "get", "admin_list_policies", RIGHTS, "Row policies as they are in force", "", NULL,
	  "policies", "" },
	{ "/admin/policies", "post", "admin_add_policy", RIGHTS, "A new row policy", "", "newPolicy", "policy",
	  "400,409,413" },
	{ "/admin/policies/check", "post", "admin_check_policy", RIGHTS, "Would it do?", "", "newPolicy", "verdict",
	  "400,413" },
	{ "/admin/policies/{schema}/{table}/{role}/{name}", "put", "admin_change_policy", RIGHTS, "Change a row policy",
	  "schema,table,role,name", "policyChange", "policy", "400,404,409,413" },
	{ "/admin/policies/{schema}/{table}/{role}/{name}", "delete", "admin_delete_policy", RIGHTS,
	  "Take a row policy away", "schema,table,role,name", NULL, "nothing", "404,409" },
	{ "/admin/statements", "get", "admin_list_statements", INSTANCE, "The statements that took most", "order,limit",
	  NULL, "statements", "400" },
	{ "/admin/statements", "delete", "admin_forget_statements", INSTANCE, "Count statements anew", "", NULL, NULL,
	  "" },
	{ "/admin/pool", "get", "admin_read_pool", INSTANCE, "Workers, database, definitions", "", NULL, "pool", "" },
	{ "/admin/metrics", "get", "admin_read_metrics", INSTANCE, "What /metrics says", "", NULL, "$", "" },
	{ "/admin/reload", "post", "admin_reload", INSTANCE, "Read configuration, keys and definitions again", "", NULL,
	  "+reload", "400" },
	{ "/.well-known/jwks.json", "get", "read_jwks", OPEN, "The public keys", "", NULL, "jwks", "404" },
	{ "/settings", "get", "read_settings", OPEN, "What is offered", "", NULL, "settings", "404" },
	{ "/health", "get", "read_health", OPEN, "Whether it works", "", NULL, "health", "404" },
};

static const struct {
	const char *status, *text;
} refusals[] = {
	{ "400", "The request cannot be understood, or asks for what cannot be." },
	{ "401", "A token is asked for, and there is none." },
	{ "403", "The token is not believed, or its role is not `auth-admin-role`." },
	{ "404", "There is no such thing, or it is not offered here." },
	{ "409", "Something is in the way, or it cannot be done here: the hint names the command." },
	{ "413", "The body is too large." },
	{ "422", "The password, the address or the metadata will not do." },
	{ "429", "Too many attempts; `Retry-After` says how long to wait." },
	{ "500", "Something went wrong that is no fault of the request." },
	{ "503", "The database cannot be reached, or is busy: try again." },
};

static bool has(const char *list, struct slice what)
{
	struct slice rest = slice_of(list), part;

	while (slice_split(&rest, ',', &part))
		if (slice_eq(part, what))
			return true;
	return false;
}

/* A type's word, or a schema's name; a list of them with [] behind it. */
static void add_type(struct strbuf *b, struct slice word)
{
	bool list = word.len > 2 && word.ptr[word.len - 1] == ']';

	if (list) {
		openapi_lit(b, "{'type':'array','items':");
		word.len -= 2;
	}
	for (size_t i = 0; i < COUNT(types) && word.len; i++)
		if (slice_is(word, types[i].word)) {
			openapi_lit(b, types[i].text);
			word.len = 0;
		}
	if (word.len)
		openapi_ref(b, "schemas", "", word);
	strbuf_adds(b, list ? "}" : "");
}

static void add_schema(struct strbuf *b, const struct shape *s)
{
	struct slice rest = slice_of(s->members), member, name;
	const char *comma = "";

	strbuf_addf(b, "\"%s\":{\"type\":\"object\",\"properties\":{", s->name);
	while (slice_split(&rest, ',', &member) && member.len) {
		member = slice_trim(member);
		slice_split(&member, ' ', &name);
		name.len -= name.ptr[name.len - 1] == '!';
		strbuf_addf(b, "%s\"%.*s\":", comma, (int)name.len, name.ptr);
		add_type(b, member);
		comma = ",";
	}
	strbuf_lit(b, "},\"required\":[");
	rest = slice_of(s->members);
	comma = "";
	while (slice_split(&rest, ',', &member) && member.len) {
		member = slice_trim(member);
		slice_split(&member, ' ', &name);
		if (name.ptr[name.len - 1] != '!')
			continue;
		strbuf_addf(b, "%s\"%.*s\"", comma, (int)name.len - 1, name.ptr);
		comma = ",";
	}
	strbuf_adds(b, s->closed ? "],\"additionalProperties\":false" : "]");
	openapi_text(b, "description", slice_of(s->description));
	strbuf_addc(b, '}');
}

static void add_parameters(struct strbuf *b, const char *list)
{
	struct slice rest = slice_of(list), name;
	const char *comma = "";

	if (!*list)
		return;
	strbuf_lit(b, ",\"parameters\":[");
	while (slice_split(&rest, ',', &name)) {
		strbuf_adds(b, comma);
		openapi_ref(b, "parameters", "", name);
		comma = ",";
	}
	strbuf_addc(b, ']');
}

static void add_body(struct strbuf *b, const char *body)
{
	size_t n = body ? strcspn(body, "?") : 0;

	if (!body)
		return;
	openapi_lit(b, body[n] ? ",'requestBody':{" : ",'requestBody':{'required':true,");
	openapi_lit(b, "'content':{'application/json':{'schema':");
	openapi_ref(b, "schemas", "", (struct slice){ body, n });
	strbuf_lit(b, "}}}");
}

static void add_answer(struct strbuf *b, const struct operation *o)
{
	const char *answer = o->answer;

	if (!answer) {
		openapi_lit(b, "'204':{'description':'Done; there is nothing to show.'}");
		return;
	}
	openapi_lit(b, *answer == '+' ? "'202':{'description':" : "'200':{'description':");
	json_string(b, slice_of(o->summary));
	if (*answer == '$') {
		openapi_lit(b, ",'content':{'text/plain':{'schema':" TEXT "}}}");
		return;
	}
	openapi_lit(b, o->path[1] ? ",'content':{'application/json':{'schema':"
				  : ",'content':{'application/openapi+json':{'schema':");
	add_type(b, slice_of(answer + (*answer == '+')));
	strbuf_lit(b, "}}}");
}

static void add_refusals(struct strbuf *b, const struct operation *o)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const char *always = tags[o->tag].open ? "429,500,503" : "401,403,429,500,503";

		if (!has(always, slice_of(refusals[i].status)) && !has(o->refusals, slice_of(refusals[i].status)))
			continue;
		strbuf_lit(b, ",\"");
		strbuf_adds(b, refusals[i].status);
		strbuf_lit(b, "\":");
		openapi_ref(b, "responses", "refused", slice_of(refusals[i].status));
	}
}

static void add_operation(struct strbuf *b, const struct operation *o)
{
	strbuf_addf(b, "\"%s\":{\"operationId\":\"%s\",\"tags\":[\"%s\"],\"summary\":", o->method, o->id,
		    tags[o->tag].name);
	json_string(b, slice_of(o->summary));
	openapi_text(b, "description", slice_of(tags[o->tag].description));
	if (tags[o->tag].open)
		openapi_lit(b, ",'security':[]");
	add_parameters(b, o->parameters);
	add_body(b, o->body);
	strbuf_lit(b, ",\"responses\":{");
	add_answer(b, o);
	add_refusals(b, o);
	strbuf_lit(b, "}}");
}

static void add_paths(struct strbuf *b)
{
	const char *before = "";

	strbuf_lit(b, ",\"paths\":{");
	for (size_t i = 0; i < COUNT(operations); i++) {
		const struct operation *o = &operations[i];
		bool same = strcmp(before, o->path) == 0;

		if (!same)
			strbuf_addf(b, "%s\"%s\":{", i ? "}," : "", o->path);
		else
			strbuf_addc(b, ',');
		add_operation(b, o);
		before = o->path;
	}
	strbuf_lit(b, "}}");
}

static void add_components(struct strbuf *b)
{
	strbuf_lit(b, ",\"components\":{\"schemas\":{");
	for (size_t i = 0; i < COUNT(schemas); i++) {
		strbuf_adds(b, i ? "," : "");
		add_schema(b, &schemas[i]);
	}
	strbuf_lit(b, "},\"parameters\":{");
	for (size_t i = 0; i < COUNT(parameters); i++) {
		strbuf_addf(b, "%s\"%s\":{", i ? "," : "", parameters[i].key);
		openapi_lit(b, parameters[i].text);
		strbuf_addc(b, '}');
	}
	strbuf_lit(b, "},\"responses\":{");
	for (size_t i = 0; i < COUNT(refusals); i++) {
		strbuf_addf(b, "%s\"refused%s\":{\"description\":", i ? "," : "", refusals[i].status);
		json_string(b, slice_of(refusals[i].text));
		openapi_lit(b, ",'content':{'application/json':{'schema':{'$ref':'#/components/schemas/error'}}}}");
	}
	strbuf_lit(b, "},");
	openapi_security(b);
	strbuf_addc(b, '}');
}

void openapi_identity(struct arena *a, const struct config *config, struct slice host, struct strbuf *b)
{
	openapi_lit(b, "{'openapi':'3.1.0','info':{'title':'Users, sessions, keys','description':'`/auth/v1`, as "
		       "Supabase Auth has it, and what administrators do. Times are UTC.'");
	openapi_about(b);
	openapi_server(a, config, host, "auth", b);
	openapi_lit(b, ",'security':[{'bearer':[]},{'apikey':[]}],'tags':[");
	for (size_t i = 0; i < COUNT(tags); i++) {
		strbuf_addf(b, "%s{\"name\":\"%s\"", i ? "," : "", tags[i].name);
		openapi_text(b, "description", slice_of(tags[i].description));
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
	add_paths(b);
	add_components(b);
	strbuf_addc(b, '}');
}
