#ifndef ROWGATE_HASH_H
#define ROWGATE_HASH_H

#include "strbuf.h"

/*
 * SipHash-1-3 of s under a key drawn once per process: whoever chooses the text cannot choose which texts
 * collide. Not the same from one process to the next, so never to be stored.
 */
uint64_t hash_text(struct slice s);

#endif
