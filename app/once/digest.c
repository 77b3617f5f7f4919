/* SHA-256 over several texts: each with its length before it, so that no two lists of texts look the same. */
#include <stdlib.h>

#include "internal.h"

static void release(void *hash)
{
	EVP_MD_CTX_free(hash);
}

EVP_MD_CTX *digest_new(struct arena *a)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
		abort();
	arena_defer(a, release, hash);
	return hash;
}

void digest_bytes(EVP_MD_CTX *hash, const void *bytes, size_t len)
{
	if (len && !EVP_DigestUpdate(hash, bytes, len))
		abort();
}

void digest_text(EVP_MD_CTX *hash, struct slice text)
{
	uint64_t len = text.len;

	digest_bytes(hash, &len, sizeof(len));
	digest_bytes(hash, text.ptr, text.len);
}

void digest_end(EVP_MD_CTX *hash, unsigned char out[DIGEST])
{
	if (!EVP_DigestFinal_ex(hash, out, NULL))
		abort();
}
