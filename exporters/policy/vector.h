/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_VECTOR_H
#define BTRACE_POLICY_VECTOR_H

/* Growing arrays for the regex compiler. Not thread safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Room for `more` elements behind the first n of `items` (*size: how many it
 * holds now). The array, perhaps elsewhere, never NULL even for nothing; or
 * NULL without memory, then the old one is as it was.
 */
static inline void *vector_grow(void *items, uint32_t *size, uint32_t n, uint32_t more, size_t element)
{
	uint32_t want = n + more;

	if (want < n || want > UINT32_MAX / 2)
		return NULL;
	if (want <= *size && items)
		return items;
	want += want / 2 + 16;
	items = realloc(items, (size_t)want * element);
	if (items)
		*size = want;
	return items;
}

/* The same for an array in a variable: false without memory. */
#define VECTOR_ROOM(items, size, n, more)                                                      \
	({                                                                                     \
		void *grown_ = vector_grow((items), &(size), (n), (more), sizeof((items)[0])); \
		if (grown_)                                                                    \
			(items) = grown_;                                                      \
		grown_ != NULL;                                                                \
	})

#endif
