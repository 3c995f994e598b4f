/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POOL_H
#define BTRACE_POOL_H

/*
 * Type-stable objects of one size: memory once used for a kind of object is
 * never used for anything else and never unmapped, so a stale index can be
 * read safely and told apart by the object's own generation. Index 0 is "none".
 * Lock-free, async-signal-safe; a new slab costs one mmap every `per_slab`
 * objects. Private memory: after fork each process has its own copy.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_SLABS 4096u

struct pool {
	uint32_t size;     /* bytes of an object, a multiple of 8; its first word is the pool's while free */
	uint32_t per_slab; /* a power of two */
	_Atomic uint64_t free;  /* index | tag << 32 */
	_Atomic uint32_t fresh; /* objects ever handed out, less one */
	_Atomic(uint8_t *) slab[POOL_SLABS];
};

uint32_t pool_take(struct pool *p); /* 0: no memory. The object is zeroed only when it is new. */
void pool_give(struct pool *p, uint32_t index);

/* The highest index ever handed out: every object lies at or below it. */
static inline uint32_t pool_high(struct pool *p)
{
	return atomic_load_explicit(&p->fresh, memory_order_acquire);
}

/* size and per_slab: as the pool has them, for callers who know them as constants. */
static inline void *pool_place(struct pool *p, uint32_t index, size_t size, uint32_t per_slab)
{
	return atomic_load_explicit(&p->slab[index / per_slab], memory_order_acquire) +
	       (index & (per_slab - 1)) * size;
}

static inline void *pool_at(struct pool *p, uint32_t index)
{
	return pool_place(p, index, p->size, p->per_slab);
}

/* For those who walk over all objects: NULL where there is no memory yet. */
static inline void *pool_seen(struct pool *p, uint32_t index)
{
	uint8_t *slab = index / p->per_slab < POOL_SLABS
				? atomic_load_explicit(&p->slab[index / p->per_slab], memory_order_acquire)
				: NULL;

	return slab ? slab + (index & (p->per_slab - 1)) * (uint64_t)p->size : NULL;
}

#endif
