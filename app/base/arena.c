/*
 * A request's memory: chunks that are filled from the front and given back together. The first chunk is kept
 * between requests, so that an ordinary request never calls malloc. Under AddressSanitizer the bytes not handed
 * out are poisoned.
 */
#include "arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define FIRST_CHUNK ((size_t)64 * 1024)
#define ALIGN 16

struct chunk {
	struct chunk *next; /* older */
	size_t size;
	size_t used;
	_Alignas(ALIGN) char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *object;
};

struct arena {
	struct chunk *top;
	struct deferred *deferred;
	size_t used;
	bool secret;
};

static struct chunk *chunk_new(size_t size, struct chunk *next)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (!c) {
		fputs("{\"level\":\"crit\",\"msg\":\"out of memory\"}\n", stderr);
		abort();
	}
	c->next = next;
	c->size = size;
	c->used = 0;
	POISON(c->data, size);
	return c;
}

struct arena *arena_open(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->top = chunk_new(FIRST_CHUNK, NULL);
	return a;
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
	size_t need = (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
	struct chunk *c = a->top;
	void *p;

	if (need < size) /* wrapped: a size nobody can have */
		abort();
	if (c->size - c->used < need) {
		size_t grow = c->size < (size_t)1 << 20 ? c->size * 2 : c->size;

		c = a->top = chunk_new(need > grow ? need : grow, c);
	}
	p = c->data + c->used;
	UNPOISON(p, size);
	c->used += need;
	a->used += need;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(arena_alloc_raw(a, size), 0, size);
}

char *arena_strndup(struct arena *a, const char *ptr, size_t len)
{
	char *s = arena_alloc_raw(a, len + 1);

	if (len)
		memcpy(s, ptr, len);
	s[len] = '\0';
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *object)
{
	struct deferred *d = arena_new(a, struct deferred);

	d->fn = fn;
	d->object = object;
	d->next = a->deferred;
	a->deferred = d;
}

static void run_deferred(struct arena *a)
{
	struct deferred *d = a->deferred;

	a->deferred = NULL;
	for (; d; d = d->next)
		d->fn(d->object);
}

void arena_secret(struct arena *a)
{
	a->secret = true;
}

static void wipe(struct arena *a)
{
	for (struct chunk *c = a->top; c; c = c->next) {
		UNPOISON(c->data, c->used);
		explicit_bzero(c->data, c->used);
	}
	a->secret = false;
}

void arena_reset(struct arena *a)
{
	run_deferred(a);
	if (a->secret)
		wipe(a);
	while (a->top->next) {
		struct chunk *older = a->top->next;

		free(a->top);
		a->top = older;
	}
	a->top->used = 0;
	a->used = 0;
	POISON(a->top->data, a->top->size);
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a->top);
	free(a);
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
