#ifndef ROWGATE_ONCE_INTERNAL_H
#define ROWGATE_ONCE_INTERNAL_H

#include <openssl/evp.h>

#include "once.h"

#define DIGEST 32

/* The body on its way: hashed, and kept up to a bound, so that it can be read again. */
struct tape {
	body_read_fn *read;
	void *context;
	EVP_MD_CTX *hash; /* NULL: nobody asks for it */
	bool gzip;
	uint64_t taken; /* from the client so far */
	bool ended, cut;
	char *kept; /* what was taken, unless it was too much */
	size_t len, cap, at;
	bool lost;
};

void tape_close(void *tape);
int64_t tape_read(struct tape *t, char *to, size_t size);

/* The rest is taken from the client. False when it ends early. */
bool tape_drain(struct tape *t);
bool tape_rewind(struct tape *t);

/* --- SHA-256 of texts that cannot run into each other --- */

EVP_MD_CTX *digest_new(struct arena *a);
void digest_text(EVP_MD_CTX *hash, struct slice text);
void digest_bytes(EVP_MD_CTX *hash, const void *bytes, size_t len);
void digest_end(EVP_MD_CTX *hash, unsigned char out[DIGEST]);

#endif
