/*
 * Base64 (RFC 4648). A token has one spelling only: no padding, no blank, no bits left over, so that two
 * different texts are never the same token.
 */
#include "internal.h"

#define NONE 64

static unsigned value_of(char c, bool any)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	if (c == '-' || (any && c == '+'))
		return 62;
	if (c == '_' || (any && c == '/'))
		return 63;
	return NONE;
}

static bool decode(struct arena *a, struct slice text, bool any, struct slice *out)
{
	unsigned char *to = arena_alloc(a, text.len / 4 * 3 + 3);
	unsigned bits = 0, nbits = 0;
	size_t len = 0;

	if (text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned v = value_of(text.ptr[i], any);

		if (v == NONE)
			return false;
		bits = bits << 6 | v;
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			to[len++] = (unsigned char)(bits >> nbits);
			bits &= (1u << nbits) - 1;
		}
	}
	if (bits)
		return false;
	*out = (struct slice){ (const char *)to, len };
	return true;
}

bool base64url_decode(struct arena *a, struct slice text, struct slice *out)
{
	return decode(a, text, false, out);
}

bool base64_decode_any(struct arena *a, struct slice text, struct slice *out)
{
	size_t whole = text.len;

	while (text.len && whole - text.len < 2 && (text.ptr[text.len - 1] == '=' || text.ptr[text.len - 1] == '.'))
		text.len--;
	if (text.len != whole && whole % 4)
		return false;
	return decode(a, text, true, out);
}

void base64url_encode(struct strbuf *b, struct slice bytes)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0, nbits = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		bits = bits << 8 | (unsigned char)bytes.ptr[i];
		for (nbits += 8; nbits >= 6;) {
			nbits -= 6;
			strbuf_addc(b, letters[bits >> nbits & 63]);
		}
		bits &= (1u << nbits) - 1;
	}
	if (nbits)
		strbuf_addc(b, letters[bits << (6 - nbits) & 63]);
}
