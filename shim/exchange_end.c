/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/exchange.h"

#include <errno.h>

#include "shim/client.h"

/*
 * The end of a request, and whose it is to make after a fork.
 *
 * A process closes a connection whose request it has not answered, and has forked since
 * that request came: a child may be about to answer it, on a socket that stays open there.
 * Nobody can be asked. So the end "no response" is written into the slot, but the slot
 * stays OPEN for a while: a child that writes takes it over and makes the true end, and
 * else this one holds. Its owner makes it at a later accept() or close(), the exporter
 * when the owner dies.
 */

#define LEFT_SLOTS   32u
#define LEFT_TIME_NS UINT64_C(60000000000)

/* word 0: free. Copied by fork; whose slots they are the words tell. */
static struct left {
	_Atomic uint32_t busy;
	uint32_t slot;
	_Atomic uint64_t word;
	uint64_t since_ns;
} left[LEFT_SLOTS];
static _Atomic uint32_t lefts; /* about so many are in use */

void exchange_fill(struct span_record *r, struct pending *p, const struct response *response,
		   enum span_end end, uint64_t end_ns)
{
	r->end_ns = end_ns;
	r->response_start_ns = response->start_ns;
	r->response_body_bytes = response->body;
	r->response_head_bytes = response->head;
	r->status = response->status;
	r->request_end_ns = atomic_load_explicit(&p->request_end_ns, memory_order_relaxed);
	r->request_body_bytes = atomic_load_explicit(&p->request_body, memory_order_relaxed);
	r->flags &= ~(uint32_t)SPAN_FLAG_REQUEST_BODY_CUT;
	if (!atomic_load_explicit(&p->request_done, memory_order_acquire))
		r->flags |= SPAN_FLAG_REQUEST_BODY_CUT;
	r->end = (uint8_t)end;
}

/* False: in a forked child that never answered, or a child has taken it over and will end it. */
static bool ours(const struct pending *p)
{
	return p->slot != TABLE_NO_SLOT && p->process == self_get()->index &&
	       table_owns(&shim.table, p->slot, p->word);
}

static void hand_over(uint32_t slot, uint64_t word, uint8_t role)
{
	if (shim.table.slot[slot].head.flags & SPAN_FLAG_TRUNCATED)
		ledger_count(LEDGER_TRUNCATED);
	ledger_count(table_finish(&shim.table, slot, word) ? conn_counter(role, LEDGER_CLAIMED)
							   : LEDGER_SLOT_LOST);
}

void exchange_finish(struct pending *p, enum span_end end, uint64_t end_ns)
{
	if (!ours(p))
		return;
	exchange_fill(&shim.table.slot[p->slot].head, p, &p->response, end, end_ns);
	if (p->role == CONN_CLIENT)
		client_ended(&shim.table.slot[p->slot], end, end_ns);
	hand_over(p->slot, p->word, p->role);
}

void exchange_make_end(struct pending *p)
{
	uint32_t wanted = PENDING_END_WANTED;

	if (atomic_compare_exchange_strong_explicit(&p->phase, &wanted, PENDING_ENDED, memory_order_acq_rel,
						    memory_order_relaxed))
		exchange_finish(p, (enum span_end)p->end, p->end_ns);
}

void exchange_output_failed(struct conn *c, int error)
{
	uint8_t alive = CONN_ALIVE;
	uint8_t fate = error == ETIMEDOUT ? CONN_TIMED_OUT : CONN_RESET;

	if (!atomic_compare_exchange_strong_explicit(&c->fate, &alive, fate, memory_order_relaxed,
						     memory_order_relaxed) &&
	    alive == CONN_PEER_CLOSED)
		atomic_store_explicit(&c->fate, fate, memory_order_relaxed);
}

enum span_end exchange_end_by_fate(const struct conn *c, const struct pending *p)
{
	switch (atomic_load_explicit(&c->fate, memory_order_relaxed)) {
	case CONN_RESET: return SPAN_END_RESET;
	case CONN_TIMED_OUT: return SPAN_END_TIMEOUT;
	case CONN_REFUSED: return SPAN_END_REFUSED;
	case CONN_UNREACHED: return SPAN_END_CONNECT_FAILED;
	case CONN_PEER_CLOSED:
		if (p->role == CONN_CLIENT)
			return SPAN_END_NO_RESPONSE;
		return atomic_load_explicit(&p->request_done, memory_order_relaxed)
			       ? SPAN_END_CLIENT_CLOSED
			       : SPAN_END_REQUEST_INCOMPLETE;
	default: return p->role == CONN_CLIENT ? SPAN_END_CLIENT_CLOSED : SPAN_END_NO_RESPONSE;
	}
}

/* Keeps one for its time; false: no room. */
static bool leave_open(const struct pending *p, uint64_t now_ns)
{
	for (struct left *l = left; l < left + LEFT_SLOTS; l++) {
		uint32_t free = 0;

		if (!atomic_compare_exchange_strong_explicit(&l->busy, &free, 1, memory_order_acquire,
							     memory_order_relaxed))
			continue;
		l->slot = p->slot;
		l->since_ns = now_ns;
		atomic_fetch_add_explicit(&lefts, 1, memory_order_relaxed);
		/* release: pairs with the acquire in exchange_end_left() */
		atomic_store_explicit(&l->word, p->word, memory_order_release);
		return true;
	}
	return false;
}

void exchange_finish_at_close(struct pending *p, enum span_end end, uint64_t end_ns)
{
	bool forked = p->forks != atomic_load_explicit(&shim.forks, memory_order_relaxed);

	if (!ours(p))
		return;
	if (!forked || p->role != CONN_SERVER || end != SPAN_END_NO_RESPONSE || p->response.start_ns) {
		exchange_finish(p, end, end_ns);
		return;
	}
	exchange_fill(&shim.table.slot[p->slot].head, p, &p->response, end, end_ns);
	if (!leave_open(p, end_ns))
		hand_over(p->slot, p->word, p->role);
}

void exchange_end_left(void)
{
	uint64_t now_ns, word;

	if (__builtin_expect(!atomic_load_explicit(&lefts, memory_order_relaxed), 1))
		return;
	now_ns = clock_now_ns();
	for (struct left *l = left; l < left + LEFT_SLOTS; l++) {
		bool mine;

		word = atomic_load_explicit(&l->word, memory_order_acquire);
		if (!word)
			continue;
		mine = slot_word_owner(word) == self_get()->index;
		if (mine && table_owns(&shim.table, l->slot, word) && now_ns - l->since_ns < LEFT_TIME_NS)
			continue;
		if (!atomic_compare_exchange_strong_explicit(&l->word, &word, 0, memory_order_acq_rel,
							     memory_order_relaxed))
			continue; /* another thread makes it */
		if (mine && table_owns(&shim.table, l->slot, word))
			hand_over(l->slot, word, CONN_SERVER);
		atomic_fetch_sub_explicit(&lefts, 1, memory_order_relaxed);
		atomic_store_explicit(&l->busy, 0, memory_order_release);
	}
}
