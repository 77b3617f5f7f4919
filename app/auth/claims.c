/*
 * What a verified payload says, and whether it may be believed now. libjwt 1.x checks no claim at all, so every
 * check is here, with PostgREST's messages. Stricter than PostgREST: times are whole seconds between 1970 and
 * 9999, a token without aud is refused when one is asked for, a role is a plain name, and null is no number.
 */
#include <json-c/json.h>

#include "internal.h"

#define SUBJECT_MAX ((size_t)1024)
#define ROLE_MAX ((size_t)128)
#define YEAR_9999 INT64_C(253402300799)
#define PAYLOAD_DEPTH 32

static bool is_plain_key(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '$' ||
	       c == '@';
}

/* The text up to the next quote; *rest is on the opening one and ends behind the closing one. */
static bool quoted(struct slice *rest, struct slice *out)
{
	const char *end;

	if (!rest->len || rest->ptr[0] != '"')
		return false;
	*rest = slice_from(*rest, 1);
	end = memchr(rest->ptr, '"', rest->len);
	if (!end)
		return false;
	*out = (struct slice){ rest->ptr, (size_t)(end - rest->ptr) };
	*rest = slice_from(*rest, out->len + 1);
	return true;
}

static bool key_step(struct slice *rest, struct path_step *step)
{
	size_t n = 0;

	step->kind = STEP_KEY;
	if (rest->len && rest->ptr[0] == '"')
		return quoted(rest, &step->text);
	while (n < rest->len && is_plain_key(rest->ptr[n]))
		n++;
	step->text = (struct slice){ rest->ptr, n };
	*rest = slice_from(*rest, n);
	return n > 0;
}

static void skip_blanks(struct slice *rest)
{
	while (rest->len && rest->ptr[0] == ' ')
		*rest = slice_from(*rest, 1);
}

static bool skip(struct slice *rest, const char *text)
{
	if (!slice_starts(*rest, text))
		return false;
	*rest = slice_from(*rest, strlen(text));
	return true;
}

/* Behind "[?(@": an operator, a text, ")]". */
static bool filter_step(struct slice *rest, struct path_step *step)
{
	static const struct {
		const char *text;
		enum step_kind kind;
	} operators[] = {
		{ "==^", STEP_SUFFIX }, { "==", STEP_EQUAL }, { "!=", STEP_DIFFERENT },
		{ "^==", STEP_PREFIX }, { "*==", STEP_PART },
	};
	size_t i = 0;

	skip_blanks(rest);
	while (i < sizeof(operators) / sizeof(*operators) && !skip(rest, operators[i].text))
		i++;
	if (i == sizeof(operators) / sizeof(*operators))
		return false;
	step->kind = operators[i].kind;
	skip_blanks(rest);
	if (!quoted(rest, &step->text))
		return false;
	skip_blanks(rest);
	return skip(rest, ")]") && rest->len == 0;
}

static bool index_step(struct slice *rest, struct path_step *step)
{
	uint64_t index;
	size_t n = 0;

	if (skip(rest, "?(@"))
		return filter_step(rest, step);
	while (n < rest->len && rest->ptr[n] != ']')
		n++;
	if (!parse_u64((struct slice){ rest->ptr, n }, &index))
		return false;
	*rest = slice_from(*rest, n);
	step->kind = STEP_INDEX;
	step->index = (size_t)index;
	return skip(rest, "]");
}

/* jwt-role-claim-key: .a.b[0]."quoted key", also $.a; a list may be searched: .roles[?(@ == "admin")] */
static bool parse_path(struct arena *a, struct slice text, struct claim_rules *out, struct error *err)
{
	struct slice rest = text;

	if (rest.len && rest.ptr[0] == '$')
		rest = slice_from(rest, 1);
	out->path = arena_array(a, struct path_step, text.len + 1);
	out->nsteps = 0;
	while (rest.len) {
		struct path_step *step = &out->path[out->nsteps++];

		if (!(skip(&rest, ".") ? key_step(&rest, step) : skip(&rest, "[") && index_step(&rest, step)))
			out->nsteps = rest.len = 0;
	}
	if (out->nsteps)
		return true;
	return error_set(err, ERR_INTERNAL, "jwt-role-claim-key: '%.*s' is no path such as .role or .a.b[0]",
			 (int)text.len, text.ptr);
}

bool claims_rules(struct arena *a, const struct config *config, struct claim_rules *out, struct error *err)
{
	struct slice path = slice_of(*config->jwt_role_claim_key ? config->jwt_role_claim_key : ".role");

	out->audience = slice_copy(a, slice_of(config->jwt_aud));
	out->issuer = slice_copy(a, slice_of(config->jwt_issuer));
	out->anonymous = slice_copy(a, slice_of(config->db_anon_role));
	out->required = slice_copy(a, slice_of(config->jwt_required_claims));
	if (slice_is(slice_trim(out->required), "none"))
		out->required.len = 0;
	out->leeway = (int64_t)config->jwt_leeway;
	return parse_path(a, slice_copy(a, path), out, err);
}

static bool has_required(struct arena *a, struct slice required, struct json_object *claims, struct error *err)
{
	struct slice name;

	while (required.len && slice_split(&required, ',', &name)) {
		struct json_object *claim;

		name = slice_trim(name);
		if (name.len && (!json_object_object_get_ex(claims, slice_cstr(a, name), &claim) || !claim))
			return refuse(err, ERR_JWT_CLAIMS, "The JWT '%.*s' claim is required", (int)name.len, name.ptr);
	}
	return true;
}

/* A NumericDate in whole seconds; *out stays as it is when the claim is absent. */
static bool read_time(struct json_object *claims, const char *name, int64_t *out, struct error *err)
{
	struct json_object *claim;
	int64_t seconds;

	if (!json_object_object_get_ex(claims, name, &claim))
		return true;
	if (!json_object_is_type(claim, json_type_int) && !json_object_is_type(claim, json_type_double))
		return refuse(err, ERR_JWT_CLAIMS, "The JWT '%s' claim must be a number", name);
	seconds = json_object_get_int64(claim);
	if (!json_object_is_type(claim, json_type_int) || seconds < 0 || seconds > YEAR_9999)
		return refuse(err, ERR_JWT_CLAIMS, "The JWT '%s' claim must be a number of whole seconds since 1970",
			      name);
	*out = seconds;
	return true;
}

static struct slice text_of(struct json_object *o)
{
	return (struct slice){ json_object_get_string(o), (size_t)json_object_get_string_len(o) };
}

/* Well-typed, and ours when there is one to ask for. */
static bool check_audience(struct slice ours, struct json_object *claims, struct error *err)
{
	static const char wrong_type[] = "The JWT 'aud' claim must be a string or an array of strings";
	struct json_object *aud = NULL;
	bool found = false;

	json_object_object_get_ex(claims, "aud", &aud);
	if (json_object_is_type(aud, json_type_string)) {
		found = slice_eq(text_of(aud), ours);
	} else if (json_object_is_type(aud, json_type_array)) {
		for (size_t i = 0; i < (size_t)json_object_array_length(aud); i++) {
			struct json_object *one = json_object_array_get_idx(aud, i);

			if (!json_object_is_type(one, json_type_string))
				return refuse(err, ERR_JWT_CLAIMS, wrong_type);
			found |= slice_eq(text_of(one), ours);
		}
	} else if (aud) {
		return refuse(err, ERR_JWT_CLAIMS, wrong_type);
	}
	return found || !ours.len ? true : refuse(err, ERR_JWT_CLAIMS, "JWT not in audience");
}

static bool check_issuer(struct slice ours, struct json_object *claims, struct error *err)
{
	struct slice issuer;

	if (!ours.len || (object_text(claims, "iss", &issuer) && slice_eq(issuer, ours)))
		return true;
	return refuse(err, ERR_JWT_CLAIMS, "JWT not from the expected issuer");
}

static bool read_subject(struct arena *a, struct json_object *claims, struct slice *out, struct error *err)
{
	*out = (struct slice){ "", 0 };
	if (!object_has(claims, "sub"))
		return true;
	if (!object_text(claims, "sub", out))
		return refuse(err, ERR_JWT_CLAIMS, "The JWT 'sub' claim must be a string");
	if (out->len > SUBJECT_MAX)
		return refuse(err, ERR_JWT_CLAIMS, "The JWT 'sub' claim is longer than %zu bytes", SUBJECT_MAX);
	*out = slice_copy(a, *out);
	return true;
}

/* Only asked for when tokens are revoked: what is no text, or too long for one, names nothing. */
static void read_id(struct arena *a, struct json_object *claims, const char *name, struct slice *out)
{
	if (object_text(claims, name, out) && out->len <= SUBJECT_MAX)
		*out = slice_copy(a, *out);
	else
		*out = (struct slice){ "", 0 };
}

static bool matches(const struct path_step *step, struct slice text)
{
	size_t n = step->text.len;

	switch (step->kind) {
	case STEP_EQUAL:
		return slice_eq(text, step->text);
	case STEP_DIFFERENT:
		return !slice_eq(text, step->text);
	case STEP_PREFIX:
		return text.len >= n && slice_eq((struct slice){ text.ptr, n }, step->text);
	case STEP_SUFFIX:
		return text.len >= n && slice_eq(slice_from(text, text.len - n), step->text);
	case STEP_PART:
		return n == 0 || memmem(text.ptr, text.len, step->text.ptr, n) != NULL;
	default:
		return false;
	}
}

static struct json_object *search(const struct path_step *step, struct json_object *list)
{
	for (size_t i = 0; i < (size_t)json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (json_object_is_type(one, json_type_string) && matches(step, text_of(one)))
			return one;
	}
	return NULL;
}

/* NULL when there is nothing at the end of the path. */
static struct json_object *walk(struct arena *a, const struct claim_rules *rules, struct json_object *at)
{
	for (size_t i = 0; i < rules->nsteps && at; i++) {
		const struct path_step *step = &rules->path[i];
		struct json_object *next = NULL;

		if (step->kind == STEP_KEY) {
			if (json_object_is_type(at, json_type_object))
				json_object_object_get_ex(at, slice_cstr(a, step->text), &next);
		} else if (json_object_is_type(at, json_type_array)) {
			if (step->kind != STEP_INDEX)
				next = search(step, at);
			else if (step->index < (size_t)json_object_array_length(at))
				next = json_object_array_get_idx(at, step->index);
		}
		at = next;
	}
	return at;
}

static bool role_valid(struct slice role)
{
	if (!role.len || role.len > ROLE_MAX)
		return false;
	for (size_t i = 0; i < role.len; i++)
		if ((unsigned char)role.ptr[i] < 0x20 || role.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool read_role(struct arena *a, const struct claim_rules *rules, struct json_object *claims, struct slice *out,
		      struct error *err)
{
	struct json_object *role = NULL;

	if (rules->own)
		json_object_object_get_ex(claims, "role", &role);
	else
		role = walk(a, rules, claims);
	if (!role) {
		*out = rules->anonymous;
		return out->len ? true : error_set(err, ERR_JWT_REQUIRED, "Anonymous access is disabled");
	}
	if (!json_object_is_type(role, json_type_string) || !role_valid(text_of(role)))
		return refuse(err, ERR_JWT_CLAIMS, "The JWT role claim must be a string of 1 to %zu bytes", ROLE_MAX);
	*out = slice_copy(a, text_of(role));
	return true;
}

/* The payload as it came, but with the role that counts as its member role (as PostgREST hands claims on). */
static struct slice with_role(struct arena *a, struct slice payload, struct json_object *claims, struct slice role)
{
	const char *brace = memchr(payload.ptr, '{', payload.len);
	struct slice there, rest;
	struct strbuf b;

	if (object_text(claims, "role", &there) && slice_eq(there, role))
		return payload;
	if (object_has(claims, "role")) {
		json_object_object_add(claims, "role", json_object_new_string_len(role.ptr, (int)role.len));
		return slice_copy(a, slice_of(json_object_to_json_string_ext(
					     claims, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	}
	rest = slice_from(payload, (size_t)(brace - payload.ptr) + 1);
	strbuf_init(&b, a, payload.len + role.len + 16);
	strbuf_lit(&b, "{\"role\":");
	json_string(&b, role);
	if (json_object_object_length(claims))
		strbuf_addc(&b, ',');
	strbuf_add_slice(&b, rest);
	return strbuf_slice(&b);
}

bool claims_read(struct arena *a, const struct claim_rules *rules, struct slice payload, struct identity *out,
		 struct error *err)
{
	struct json_object *claims = object_parse(a, payload, PAYLOAD_DEPTH);

	if (!claims)
		return refuse(err, ERR_JWT_CLAIMS, "Parsing claims failed");
	*out = (struct identity){ .expires = INT64_MAX, .not_before = INT64_MIN, .issued = INT64_MIN };
	if (!has_required(a, rules->required, claims, err) || !read_time(claims, "exp", &out->expires, err) ||
	    !read_time(claims, "nbf", &out->not_before, err) || !read_time(claims, "iat", &out->issued, err) ||
	    !check_audience(rules->audience, claims, err) || !check_issuer(rules->issuer, claims, err) ||
	    !read_subject(a, claims, &out->subject, err) || !read_role(a, rules, claims, &out->role, err))
		return false;
	read_id(a, claims, "jti", &out->token);
	read_id(a, claims, "session_id", &out->session);
	out->claims = with_role(a, payload, claims, out->role);
	return true;
}

bool claims_current(const struct claim_rules *rules, const struct identity *id, int64_t now, struct error *err)
{
	if (now - rules->leeway >= id->expires)
		return refuse(err, ERR_JWT_CLAIMS, "JWT expired");
	if (now + rules->leeway < id->not_before)
		return refuse(err, ERR_JWT_CLAIMS, "JWT not yet valid");
	if (now + rules->leeway < id->issued)
		return refuse(err, ERR_JWT_CLAIMS, "JWT issued at future");
	return true;
}
