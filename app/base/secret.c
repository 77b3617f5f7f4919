#include "secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* For the private halves of keys, which OpenSSL keeps there: 16 of RSA 4096 fit. */
#define KEY_HEAP ((size_t)65536)
#define KEY_HEAP_MIN ((size_t)16)

struct header {
	_Alignas(16) size_t size; /* of the mapping */
};

static bool unlocked;

void *secret_copy(const void *bytes, size_t len)
{
	size_t size = sizeof(struct header) + len + 1;
	struct header *h = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (h == MAP_FAILED)
		abort();
	unlocked |= mlock(h, size) != 0;
	(void)madvise(h, size, MADV_DONTDUMP);
	h->size = size;
	if (len)
		memcpy(h + 1, bytes, len);
	return h + 1;
}

void secret_free(void *secret)
{
	struct header *h = secret;
	size_t size;

	if (!secret)
		return;
	size = (--h)->size;
	explicit_bzero(h, size);
	munmap(h, size);
}

bool secret_locked(void)
{
	return !unlocked;
}

static void *take(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return size ? malloc(size) : NULL;
}

static void give(void *p, const char *file, int line)
{
	(void)file, (void)line;
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *grow(void *p, size_t size, const char *file, int line)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *more;

	if (!size) {
		give(p, file, line);
		return NULL;
	}
	if (p && size <= old && size > old / 2)
		return p;
	more = malloc(size);
	if (more && p) {
		memcpy(more, p, old < size ? old : size);
		give(p, file, line);
	}
	return more;
}

void secret_process(void)
{
	static const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)CRYPTO_set_mem_functions(take, grow, give);
	unlocked |= CRYPTO_secure_malloc_init(KEY_HEAP, KEY_HEAP_MIN) != 1;
}
