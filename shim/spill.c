/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/spill.h"

#include <string.h>

#include "shim/pool.h"

struct spill {
	_Atomic uint32_t next_free;
	uint32_t n;
	char text[SPILL_BYTES];
};

static struct pool spills = { .size = (sizeof(struct spill) + 15) & ~15u, .per_slab = 16 };

uint32_t spill_take(void)
{
	uint32_t spill = pool_take(&spills);

	if (spill > SPILLS_MAX) { /* the free list was empty, so it lies at its bottom from now on */
		pool_give(&spills, spill);
		return 0;
	}
	if (spill)
		((struct spill *)pool_at(&spills, spill))->n = 0;
	return spill;
}

void spill_give(uint32_t spill) { pool_give(&spills, spill); }

void spill_add(uint32_t spill, const char *p, size_t n)
{
	struct spill *s = pool_at(&spills, spill);

	if (n > SPILL_BYTES - s->n)
		n = SPILL_BYTES - s->n;
	memcpy(s->text + s->n, p, n);
	s->n += (uint32_t)n;
}

const char *spill_text(uint32_t spill, size_t *n)
{
	const struct spill *s = pool_at(&spills, spill);

	*n = s->n;
	return s->text;
}
