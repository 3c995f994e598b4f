/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ARENA_H
#define BTRACE_ARENA_H

/*
 * Memory of one batch: taken piece by piece, given back all at once. Not thread
 * safe. Out of memory: NULL, and arena->failed stays set, so that a caller may
 * build a whole batch and look once.
 */

#include <stdbool.h>
#include <stddef.h>

#include "exporters/base/slice.h"

struct arena_block;
struct arena {
	struct arena_block *block; /* the newest; it heads the list of all */
	size_t used;               /* bytes taken from it */
	size_t total;              /* bytes of all blocks, for memory accounts */
	bool failed;
};

void arena_init(struct arena *a);
void *arena_take(struct arena *a, size_t bytes);          /* aligned to 16, not cleared */
struct slice arena_copy(struct arena *a, struct slice s); /* the copy; empty slice if no memory */
struct slice arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_clear(struct arena *a); /* keeps the largest block for the next batch */
void arena_release(struct arena *a);

#endif
