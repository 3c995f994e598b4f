/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/unreached.h"

#include <sys/socket.h>

#include "shim/client.h"
#include "shim/exchange.h"
#include "shim/request.h"

/*
 * Hashes of addresses, 0: free. Two addresses with one hash of 64 bits are not to be expected; they would
 * cost no more than a span for a connection of something else.
 */
#define SPOKEN_MAX 64u
static _Atomic uint64_t spoken[SPOKEN_MAX];

static uint64_t add(uint64_t hash, const void *p, size_t n)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < n; i++)
		hash = policy_key_add(hash, bytes[i]);
	return hash;
}

/* 0: it has no address. */
static uint64_t hash_of(const struct conn *c)
{
	uint64_t hash = add(policy_key_hash(NULL, 0), &c->peer, sizeof(c->peer));

	if (c->peer.family == AF_UNIX && !c->path)
		return 0;
	if (c->path)
		hash = add(hash, ((struct conn_path *)pool_at(&path_pool, c->path))->text,
			   sizeof(((struct conn_path *)0)->text));
	return hash;
}

static void remember(uint64_t hash)
{
	for (unsigned i = 0; hash && i < SPOKEN_MAX; i++) {
		uint64_t have = atomic_load_explicit(&spoken[i], memory_order_relaxed);

		if (!have && atomic_compare_exchange_strong_explicit(
				     &spoken[i], &have, hash, memory_order_relaxed, memory_order_relaxed))
			return;
		if (have == hash) /* known, or another thread was faster */
			return;
	}
	if (hash)
		atomic_store_explicit(&spoken[hash % SPOKEN_MAX], hash, memory_order_relaxed);
}

bool unreached_known(const struct conn *c)
{
	uint64_t hash = hash_of(c);

	for (unsigned i = 0; hash && i < SPOKEN_MAX; i++)
		if (atomic_load_explicit(&spoken[i], memory_order_relaxed) == hash)
			return true;
	return false;
}

bool unreached_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENOENT: return true; /* of a UNIX socket */
	default: return false;
	}
}

/* A span without a request. */
static void make_span(struct conn *c, uint64_t begun_ns, enum span_end end)
{
	const struct policy *policy = table_policy(&shim.table);
	struct pending *p;
	uint32_t index;

	if (!policy || policy->mode != POLICY_ON || !(policy->flags & POLICY_FLAG_CLIENT_SPANS) ||
	    !unreached_known(c))
		return;
	index = request_open(c, "", 0, begun_ns);
	ledger_count(LEDGER_CLIENT_REQUESTS);
	if (!index || pending_at(index)->slot == TABLE_NO_SLOT) {
		ledger_count(LEDGER_CLIENT_DROPPED);
	} else {
		p = pending_at(index);
		atomic_store_explicit(&p->request_done, 1, memory_order_relaxed); /* nothing of it was cut */
		client_judge(c, p, policy);
		exchange_finish(p, end, clock_now_ns());
	}
	if (index)
		exchange_forget(index);
}

static enum span_end end_of(enum conn_fate fate)
{
	return fate == CONN_REFUSED     ? SPAN_END_REFUSED
	       : fate == CONN_TIMED_OUT ? SPAN_END_TIMEOUT
					: SPAN_END_CONNECT_FAILED;
}

static void fail(struct conn *c, int error)
{
	uint64_t begun_ns = atomic_exchange_explicit(&c->connecting_ns, 0, memory_order_relaxed);
	uint8_t alive = CONN_ALIVE, fate = error == ECONNREFUSED ? CONN_REFUSED
					   : error == ETIMEDOUT  ? CONN_TIMED_OUT
								 : CONN_UNREACHED;

	if (!begun_ns)
		return;
	if (c->requests)
		atomic_compare_exchange_strong_explicit(&c->fate, &alive, fate, memory_order_relaxed,
							memory_order_relaxed);
	else
		make_span(c, begun_ns, end_of(fate));
}

static bool is_connecting(const struct conn *c)
{
	return atomic_load_explicit(&c->connecting_ns, memory_order_relaxed);
}

/* A connection that was made and reset may not have been looked at before. */
static bool told_by_call(const struct conn *c, int error)
{
	return __builtin_expect(is_connecting(c), 0) && unreached_error(error) && error != ECONNRESET;
}

void unreached(struct conn *c, uint32_t generation, int error)
{
	if (!conn_try_enter(c, CONN_IN_BUSY))
		return;
	if (atomic_load_explicit(&c->generation, memory_order_relaxed) == generation)
		fail(c, error);
	exchange_leave_input(c);
}

void unreached_by_call(struct conn *c, uint32_t generation, int error)
{
	if (told_by_call(c, error))
		unreached(c, generation, error);
}

void unreached_here(struct conn *c, int error)
{
	if (told_by_call(c, error))
		fail(c, error);
}

void unreached_not(struct conn *c)
{
	if (__builtin_expect(is_connecting(c), 0))
		atomic_store_explicit(&c->connecting_ns, 0, memory_order_relaxed);
	if (__builtin_expect(!c->spoken && c->requests && !c->ahead, 0)) {
		c->spoken = true;
		remember(hash_of(c));
	}
}
