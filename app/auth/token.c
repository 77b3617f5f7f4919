/*
 * The strict look at a token before libjwt sees it.
 *
 * libjwt 1.x trusts the header's algorithm, ignores crit, takes the last of two equal names, writes behind an
 * empty segment and puts the token on the stack (security.md section 0). So what reaches it has passed here:
 * at most TOKEN_MAX bytes, three canonical base64url segments, a header object whose alg is one of ours and
 * that names no extension, a payload that is one well-formed object. Messages are PostgREST's; they do not tell
 * which of the checks failed.
 */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"
#include "json.h"

#define HEADER_DEPTH 4
#define PAYLOAD_DEPTH 32

static const char broken[] = "JWT cryptographic operation failed";
static const char wrong_alg[] = "Wrong or unsupported encoding algorithm";
static const char no_key[] = "No suitable key or wrong key type";

/* Header members that change what the token means, or where its key comes from. */
static const char *const forbidden[] = { "crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c" };

bool refuse(struct error *err, enum error_code code, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(err, code, "%s", text);
	err->challenge = err->message;
	return false;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool kid_valid(struct slice kid)
{
	if (!kid.len || kid.len > KID_MAX)
		return false;
	for (size_t i = 0; i < kid.len; i++)
		if (!is_alnum(kid.ptr[i]) && !strchr("._-", kid.ptr[i]))
			return false;
	return memchr(kid.ptr, '\0', kid.len) == NULL;
}

static size_t count_parts(struct slice text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '.';
	return n;
}

/* alg, typ and kid. A token that is not signed at all is told so, as PostgREST does. */
static bool read_header(struct arena *a, struct slice text, struct token *out, struct error *err)
{
	struct json_object *header = object_parse(a, text, HEADER_DEPTH);
	struct slice alg, typ;

	if (!header)
		return refuse(err, ERR_JWT_INVALID, broken);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		if (object_has(header, forbidden[i]))
			return refuse(err, ERR_JWT_INVALID, "Unsupported token type");
	if (!object_text(header, "alg", &alg))
		return refuse(err, ERR_JWT_INVALID, wrong_alg);
	out->alg = alg_find(alg);
	if (!out->alg)
		return refuse(err, ERR_JWT_INVALID, wrong_alg);
	out->access_type = false;
	if (object_has(header, "typ")) {
		if (!object_text(header, "typ", &typ))
			return refuse(err, ERR_JWT_INVALID, "Unsupported token type");
		out->access_type = slice_ieq(typ, SLICE("at+jwt"));
		if (!out->access_type && !slice_ieq(typ, SLICE("JWT")))
			return refuse(err, ERR_JWT_INVALID, "Unsupported token type");
	}
	out->kid = (struct slice){ "", 0 };
	if (object_has(header, "kid") && (!object_text(header, "kid", &out->kid) || !kid_valid(out->kid)))
		return refuse(err, ERR_JWT_INVALID, no_key);
	return true;
}

/* ES and HS have one length each; that of RS is the key's. */
static bool length_fits(const struct alg *alg, size_t len)
{
	switch (alg->family) {
	case FAMILY_HMAC:
		return len == alg->hash_len;
	case FAMILY_EC:
		return len == 2 * alg->field_len;
	case FAMILY_RSA:
		return len >= 256 && len <= 2048;
	}
	return false;
}

bool token_parse(struct arena *a, struct slice text, struct token *out, struct error *err)
{
	struct slice rest = text, header, payload, signature, bytes;
	struct json_fault fault;

	if (!text.len)
		return refuse(err, ERR_JWT_INVALID, "Empty JWT is sent in Authorization header");
	if (text.len > TOKEN_MAX)
		return refuse(err, ERR_JWT_INVALID, "JWT is longer than %zu bytes", TOKEN_MAX);
	if (count_parts(text) != 3)
		return refuse(err, ERR_JWT_INVALID, "Expected 3 parts in JWT; got %zu", count_parts(text));
	if (!slice_split(&rest, '.', &header) || !slice_split(&rest, '.', &payload) ||
	    !slice_split(&rest, '.', &signature) || !header.len || !payload.len)
		return refuse(err, ERR_JWT_INVALID, broken);
	*out = (struct token){ .text = text, .signing = { text.ptr, header.len + 1 + payload.len } };
	if (!base64url_decode(a, header, &bytes))
		return refuse(err, ERR_JWT_INVALID, broken);
	if (!read_header(a, bytes, out, err))
		return false;
	if (!base64url_decode(a, payload, &out->payload) || !base64url_decode(a, signature, &out->signature) ||
	    !length_fits(out->alg, out->signature.len))
		return refuse(err, ERR_JWT_INVALID, broken);
	if (json_kind(out->payload) != '{' || !json_check(a, out->payload, PAYLOAD_DEPTH, &fault))
		return refuse(err, ERR_JWT_CLAIMS, "Parsing claims failed");
	return true;
}
