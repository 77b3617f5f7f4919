#ifndef ROWGATE_SECRET_H
#define ROWGATE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory for keys and passwords: pages of their own that are not swapped and in no core dump, as far as the limits of
 * the process allow (RLIMIT_MEMLOCK), and wiped before they are given back.
 */

/* A copy of len bytes with a NUL behind them. Never NULL; it lives until secret_free, which takes NULL too. */
void *secret_copy(const void *bytes, size_t len) __attribute__((returns_nonnull));
void secret_free(void *secret);

/* Was every secret so far locked in memory? */
bool secret_locked(void);

/*
 * To be called first of all: this process leaves no core dump, other processes of its user cannot look into it, and
 * what OpenSSL frees is wiped.
 */
void secret_process(void);

#endif
