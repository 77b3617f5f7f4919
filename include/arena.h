#ifndef ROWGATE_ARENA_H
#define ROWGATE_ARENA_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Memory that ends with a request. Everything a request needs is allocated from its arena and released
 * together by arena_reset; nothing is freed one by one. Allocation never returns NULL: a worker that is
 * truly out of memory logs and aborts, and its supervisor starts another.
 */
struct arena;

/* A new arena. It lives until arena_close. */
struct arena *arena_open(void);
void arena_close(struct arena *a);

/* size zeroed bytes, aligned for any type. size may be 0. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* The same, not zeroed: for buffers that are written before they are read. */
void *arena_alloc_raw(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* len bytes of ptr and a NUL behind them. */
char *arena_strndup(struct arena *a, const char *ptr, size_t len) __attribute__((returns_nonnull));

/* Text as printf makes it, NUL terminated. */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* From now until the arena is reset or closed it holds secrets: what is in it is wiped then. */
void arena_secret(struct arena *a);

/* Calls fn(object) when the arena is reset or closed; the last deferred is called first. */
void arena_defer(struct arena *a, void (*fn)(void *), void *object);

/* Ends everything allocated so far. Memory of up to 64 KiB is kept for the next request. */
void arena_reset(struct arena *a);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
