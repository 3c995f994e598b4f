/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEXT_INDEX_H
#define BTRACE_TEXT_INDEX_H

/* Texts with numbers: equal texts have the same one, in order of their coming. Not thread safe. */

#include <stddef.h>
#include <stdint.h>

#include "exporters/base/arena.h"

struct text_index {
	struct slice *texts; /* by number; copies */
	uint32_t n, size;
	uint32_t *places; /* hash table of numbers, + 1 */
	size_t places_size;
	struct arena arena;
	bool failed; /* out of memory; stays, and numbers are 0 from then on */
};

void text_index_init(struct text_index *index);
void text_index_release(struct text_index *index);
uint32_t text_index_add(struct text_index *index, struct slice text);

#endif
