/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/conn.h"
#include "shim/outgoing.h"

#include <stddef.h>
#include <string.h>

#include "shim/carry.h"
#include "shim/spill.h"

struct pool conn_pool = { .size = CONN_BYTES, .per_slab = CONNS_A_SLAB };
struct pool pending_pool = { .size = PENDING_BYTES, .per_slab = PENDINGS_A_SLAB };
struct pool ring_pool = { .size = (sizeof(struct pending_ring) + 15) & ~15u, .per_slab = 16 };
struct pool proxy_pool = { .size = (sizeof(struct conn_proxy) + 15) & ~15u, .per_slab = 16 };

struct pool path_pool = { .size = (sizeof(struct conn_path) + 15) & ~15u, .per_slab = 16 };

_Static_assert(offsetof(struct conn, next_free) == 0, "the pool's word");
_Static_assert(offsetof(struct pending, next_free) == 0, "the pool's word");

#define BUSY (CONN_IN_BUSY | CONN_OUT_BUSY)

static uint32_t epoch_now(void) { return (uint32_t)self_get()->epoch << CONN_EPOCH_SHIFT; }

enum ledger conn_counter(uint8_t role, enum ledger what)
{
	if (role == CONN_SERVER)
		return what;
	switch (what) {
	case LEDGER_REQUESTS: return LEDGER_CLIENT_REQUESTS;
	case LEDGER_CLAIMED: return LEDGER_CLIENT_CLAIMED;
	case LEDGER_SAMPLED_OUT: return LEDGER_CLIENT_SAMPLED_OUT;
	case LEDGER_EXCLUDED: return LEDGER_CLIENT_EXCLUDED;
	case LEDGER_DROPPED_TABLE_FULL:
	case LEDGER_DROPPED_PIPELINE:
	case LEDGER_DROPPED_OFF: return LEDGER_CLIENT_DROPPED;
	case LEDGER_OPAQUE_NOT_HTTP:
	case LEDGER_OPAQUE_TLS:
	case LEDGER_OPAQUE_BROKEN:
	case LEDGER_OPAQUE_CONTENDED:
	case LEDGER_OPAQUE_NO_MEMORY:
	case LEDGER_ORPHAN_RESPONSES: return LEDGER_CLIENT_OPAQUE;
	default: return what;
	}
}

uint32_t conn_new(enum conn_role role)
{
	uint32_t index = pool_take(&conn_pool);
	struct conn *c;

	if (!index)
		return 0;
	c = conn_at(index);
	/* all but the pool's word and the generation, which outlives the connection */
	atomic_store_explicit(&c->use, epoch_now(), memory_order_relaxed);
	memset((char *)c + offsetof(struct conn, references), 0,
	       sizeof(*c) - offsetof(struct conn, references));
	http1_init(&c->in, HTTP1_REQUEST);
	http1_init(&c->out, HTTP1_RESPONSE);
	c->index = index;
	atomic_store_explicit(&c->role, (uint8_t)role, memory_order_relaxed);
	c->number = atomic_fetch_add_explicit(&shim.connections, 1, memory_order_relaxed) + 1;
	atomic_store_explicit(&c->references, 1, memory_order_release);
	return index;
}

/*
 * After a fork the child's copy may carry the busy bit of a thread that does
 * not exist there; what that thread left half done cannot be trusted.
 */
static uint32_t without_foreign_bits(uint32_t use, uint32_t epoch)
{
	uint32_t state = use & CONN_STATE;

	if ((use & ~CONN_STATE) == epoch)
		return use;
	if (state & BUSY)
		state = (state & ~BUSY) | CONN_OPAQUE;
	return epoch | state;
}

bool conn_try_enter(struct conn *c, unsigned direction)
{
	uint32_t epoch = epoch_now();
	uint32_t old = atomic_load_explicit(&c->use, memory_order_relaxed);
	uint32_t clean;

	do {
		clean = without_foreign_bits(old, epoch);
		if (clean & (CONN_CLOSING | CONN_OPAQUE | direction))
			return false;
		/* acquire: pairs with the release in conn_leave of whoever was inside before */
	} while (!atomic_compare_exchange_weak_explicit(&c->use, &old, clean | direction,
							memory_order_acquire, memory_order_relaxed));
	return true;
}

bool conn_enter_slowly(struct conn *c, uint32_t generation, unsigned direction)
{
	uint32_t use;

	if (conn_try_enter(c, direction)) {
		if (atomic_load_explicit(&c->generation, memory_order_relaxed) == generation)
			return true;
		conn_leave(c, direction);
		return false;
	}
	use = without_foreign_bits(atomic_load_explicit(&c->use, memory_order_relaxed), epoch_now());
	/* Not if the object has been reused under us: its new connection is no matter of ours.
	 * (Reused from here on, it becomes opaque for nothing, and is counted.) */
	if (use & direction && !(use & (CONN_CLOSING | CONN_OPAQUE)) &&
	    atomic_load_explicit(&c->generation, memory_order_acquire) == generation)
		conn_give_up(c, LEDGER_OPAQUE_CONTENDED);
	return false;
}

/* Sets `set` if all of `need` is there and none of `not`; exactly one caller gets true. */
static bool claim_step(struct conn *c, uint32_t need, uint32_t not, uint32_t set)
{
	uint32_t old = atomic_load_explicit(&c->use, memory_order_relaxed);

	do {
		if (old & not || !(old & need))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&c->use, &old, old | set, memory_order_acq_rel,
							memory_order_relaxed));
	return true;
}

static void try_free(struct conn *c)
{
	uint32_t use = atomic_load_explicit(&c->use, memory_order_acquire);

	if (!(use & CONN_ENDED) || !claim_step(c, CONN_CLOSING, BUSY | CONN_FREED, CONN_FREED))
		return;
	if (c->more)
		pool_give(&ring_pool, c->more);
	c->more = 0;
	carry_drop(&c->in_carry);
	carry_drop(&c->out_carry);
	if (c->spill)
		spill_give(c->spill);
	c->spill = 0;
	if (c->proxy)
		pool_give(&proxy_pool, c->proxy);
	c->proxy = 0;
	if (c->rewrite)
		pool_give(&rewrite_pool, c->rewrite);
	c->rewrite = 0;
	if (c->role == CONN_CLIENT && c->path)
		pool_give(&path_pool, c->path);
	atomic_fetch_add_explicit(&c->generation, 1, memory_order_release);
	pool_give(&conn_pool, c->index);
}

/* End once, free once. */
void conn_settle(struct conn *c)
{
	if (claim_step(c, CONN_CLOSING | CONN_OPAQUE, BUSY | CONN_ENDING, CONN_ENDING)) {
		exchange_end_all(c);
		atomic_fetch_or_explicit(&c->use, CONN_ENDED, memory_order_release);
	}
	try_free(c);
}

void conn_give_up(struct conn *c, enum ledger why)
{
	uint32_t old = atomic_fetch_or_explicit(&c->use, CONN_OPAQUE, memory_order_acq_rel);

	if (!(old & CONN_OPAQUE))
		ledger_count(conn_counter(c->role, why));
	if (!(old & BUSY))
		conn_settle(c);
}

void conn_hold(struct conn *c) { atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed); }

void conn_drop(uint32_t index)
{
	struct conn *c = conn_at(index);
	uint32_t use, clean;

	if (atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
		return;
	use = atomic_load_explicit(&c->use, memory_order_relaxed);
	do {
		clean = without_foreign_bits(use, epoch_now()) | CONN_CLOSING;
	} while (!atomic_compare_exchange_weak_explicit(&c->use, &use, clean, memory_order_acq_rel,
							memory_order_relaxed));
	conn_settle(c);
}

static struct pending_ring *ring_at(uint32_t more) { return pool_at(&ring_pool, more); }

static uint32_t take_more(void)
{
	uint32_t more = pool_take(&ring_pool);

	if (more) {
		atomic_store_explicit(&ring_at(more)->head, 0, memory_order_relaxed);
		atomic_store_explicit(&ring_at(more)->tail, 0, memory_order_relaxed);
	}
	return more;
}

bool ring_push_more(struct conn *c, uint32_t pending)
{
	uint32_t more = atomic_load_explicit(&c->more, memory_order_relaxed);
	uint8_t ring_tail = atomic_load_explicit(&c->ring_tail, memory_order_relaxed);
	struct pending_ring *ring;
	uint16_t tail, waiting;

	if (!more && !(more = take_more()))
		return false;
	/* release: the out side finds an empty one there */
	atomic_store_explicit(&c->more, more, memory_order_release);
	ring = ring_at(more);
	tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	waiting = (uint16_t)(tail - atomic_load_explicit(&ring->head, memory_order_acquire));
	if (!waiting &&
	    (uint8_t)(ring_tail - atomic_load_explicit(&c->ring_head, memory_order_acquire)) < CONN_RING) {
		c->ring[ring_tail % CONN_RING] = pending;
		atomic_store_explicit(&c->ring_tail, (uint8_t)(ring_tail + 1), memory_order_release);
		return true;
	}
	if (waiting >= CONN_RING_MORE)
		return false;
	ring->item[tail % CONN_RING_MORE] = pending;
	atomic_store_explicit(&ring->tail, (uint16_t)(tail + 1), memory_order_release);
	return true;
}

uint32_t ring_front_more(struct conn *c)
{
	uint32_t more = atomic_load_explicit(&c->more, memory_order_acquire);
	uint8_t head = atomic_load_explicit(&c->ring_head, memory_order_relaxed);
	struct pending_ring *ring;
	uint16_t first;

	if (!more)
		return 0;
	ring = ring_at(more);
	first = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (first == atomic_load_explicit(&ring->tail, memory_order_acquire))
		return 0;
	/* what came since the caller looked went first into the connection's own ring, and only then here */
	if (head != atomic_load_explicit(&c->ring_tail, memory_order_acquire))
		return c->ring[head % CONN_RING];
	return ring->item[first % CONN_RING_MORE];
}

void ring_pop_more(struct conn *c)
{
	struct pending_ring *ring = ring_at(atomic_load_explicit(&c->more, memory_order_relaxed));
	uint16_t first = atomic_load_explicit(&ring->head, memory_order_relaxed);

	atomic_store_explicit(&ring->head, (uint16_t)(first + 1), memory_order_release);
}
