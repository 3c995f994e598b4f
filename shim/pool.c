/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "shim/engine.h"
#include "shim/sys.h"

static bool slab_ready(struct pool *p, uint32_t number)
{
	uint8_t *none = NULL;
	size_t bytes = (size_t)p->size * p->per_slab;
	long mapped;

	if (atomic_load_explicit(&p->slab[number], memory_order_acquire))
		return true;
	if (atomic_load_explicit(&shim.locked, memory_order_relaxed) == SHIM_STRICT)
		return false;
	mapped = sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(mapped))
		return false;
	if (!atomic_compare_exchange_strong_explicit(&p->slab[number], &none, (uint8_t *)mapped,
						     memory_order_acq_rel, memory_order_acquire))
		sys2(SYS_munmap, mapped, bytes); /* another thread was faster */
	return true;
}

uint32_t pool_take(struct pool *p)
{
	uint64_t old = atomic_load_explicit(&p->free, memory_order_acquire);
	uint32_t index;

	while ((uint32_t)old) {
		_Atomic uint32_t *next = pool_at(p, (uint32_t)old);
		/* the tag in the upper half makes a pop fail that slept while others popped and pushed */
		uint64_t new = atomic_load_explicit(next, memory_order_relaxed) | ((old >> 32) + 1) << 32;

		if (atomic_compare_exchange_weak_explicit(&p->free, &old, new, memory_order_acq_rel,
							  memory_order_acquire))
			return (uint32_t)old;
	}
	index = atomic_fetch_add_explicit(&p->fresh, 1, memory_order_relaxed) + 1;
	if (index >= POOL_SLABS * p->per_slab || !slab_ready(p, index / p->per_slab)) {
		atomic_fetch_sub_explicit(&p->fresh, 1, memory_order_relaxed);
		return 0;
	}
	return index;
}

void pool_give(struct pool *p, uint32_t index)
{
	_Atomic uint32_t *next = pool_at(p, index);
	uint64_t old = atomic_load_explicit(&p->free, memory_order_relaxed);
	uint64_t new;

	do {
		atomic_store_explicit(next, (uint32_t)old, memory_order_relaxed);
		new = index | ((old >> 32) + 1) << 32;
	} while (!atomic_compare_exchange_weak_explicit(&p->free, &old, new, memory_order_acq_rel,
							memory_order_relaxed));
}
