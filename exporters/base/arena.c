/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, FIRST_BLOCK = 64 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t size; /* of bytes[] */
	_Alignas(ALIGNMENT) char bytes[];
};

void arena_init(struct arena *a) { *a = (struct arena){ 0 }; }

__attribute__((cold, noinline)) static bool add_block(struct arena *a, size_t bytes)
{
	size_t size = a->block ? a->block->size : FIRST_BLOCK / 2;
	struct arena_block *block;

	if (bytes > (size_t)PTRDIFF_MAX / 4 || size > (size_t)PTRDIFF_MAX / 4)
		return false;
	size = size * 2 > bytes ? size * 2 : bytes;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return false;
	block->next = a->block;
	block->size = size;
	a->block = block;
	a->used = 0;
	a->total += size;
	return true;
}

void *arena_take(struct arena *a, size_t bytes)
{
	size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *p;

	if (rounded < bytes ||
	    ((!a->block || rounded > a->block->size - a->used) && !add_block(a, rounded))) {
		a->failed = true;
		return NULL;
	}
	p = a->block->bytes + a->used;
	a->used += rounded;
	return p;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	char *p = s.n ? arena_take(a, s.n) : NULL;

	if (!p)
		return (struct slice){ "", 0 };
	memcpy(p, s.p, s.n);
	return (struct slice){ p, s.n };
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
	struct slice s = { "", 0 };
	va_list list, again;
	char *p;
	int n;

	va_start(list, format);
	va_copy(again, list);
	n = vsnprintf(NULL, 0, format, list);
	p = n > 0 ? arena_take(a, (size_t)n + 1) : NULL;
	if (p) {
		vsnprintf(p, (size_t)n + 1, format, again);
		s = (struct slice){ p, (size_t)n };
	}
	va_end(again);
	va_end(list);
	return s;
}

void arena_clear(struct arena *a)
{
	struct arena_block *largest = a->block, *block, *next;

	for (block = a->block; block; block = block->next)
		largest = block->size > largest->size ? block : largest;
	for (block = a->block; block; block = next) {
		next = block->next;
		if (block != largest)
			free(block);
	}
	*a = (struct arena){ .block = largest, .total = largest ? largest->size : 0 };
	if (largest)
		largest->next = NULL;
}

void arena_release(struct arena *a)
{
	arena_clear(a);
	free(a->block);
	arena_init(a);
}
