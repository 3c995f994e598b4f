/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CONN_H
#define BTRACE_CONN_H

/*
 * Connections. The accepted or connected socket is the identity, not the
 * descriptor: several descriptors (dup) share one connection by reference count.
 *
 * "In" is where requests go by, "out" where responses do: on a connection that
 * was accepted what is read and what is written, on one that we made
 * (CONN_CLIENT) the other way round. So the exchange does not know which it is.
 *
 * Who may touch what: `in` and what belongs to it is the property of whoever
 * holds CONN_IN_BUSY, `out` of whoever holds CONN_OUT_BUSY. The bits are taken
 * with conn_enter() after the real call returned and given back before the hook
 * returns, so nobody ever waits: a second caller on the same direction (a
 * signal handler that writes, a host that shares a socket between threads
 * without order) makes the connection opaque and is counted. What both sides
 * need travels by atomics and by the ring of pending requests (one producer:
 * the in side; one consumer: the out side).
 */

#include <errno.h>

#include "shim/engine.h"
#include "shim/hidden.h"
#include "shim/http/http1.h"
#include "shim/http/proxy.h"
#include "shim/pool.h"
#include "shim/scrub.h"
#include "shim/serving.h"

#define CONN_IN_BUSY     1u
#define CONN_OUT_BUSY    2u
#define CONN_CLOSING     4u  /* the last descriptor is gone */
#define CONN_OPAQUE      8u  /* not followed any more */
#define CONN_ENDING      16u /* somebody ends what is open */
#define CONN_ENDED       32u /* and is done with it */
#define CONN_FREED       64u /* goes back to the pool */
#define CONN_STATE       0xffu
#define CONN_EPOCH_SHIFT 16

#define CONN_RING      2u   /* unanswered requests kept in the connection itself */
#define CONN_RING_MORE 128u /* beyond: in an overflow ring */

enum conn_role { CONN_SERVER = 0, CONN_CLIENT };

enum conn_fate { CONN_ALIVE = 0, CONN_PEER_CLOSED, CONN_RESET, CONN_TIMED_OUT, CONN_REFUSED, CONN_UNREACHED };

/* What was learned of a pending request's head; see exchange.c, "Two sides". */
enum pending_phase { PENDING_HEAD = 0, PENDING_READY, PENDING_END_WANTED, PENDING_ENDED };

struct response { /* what is known of it; bytes */
	uint64_t start_ns, body;
	uint32_t head;
	uint16_t status;
};

struct pending { /* one request from its request line to the end of its response */
	_Atomic uint32_t next_free;
	struct serving serving; /* outlives its request, as stale readers may look at it */
	_Atomic uint32_t
		references; /* in side until the request is complete, ring/out side until it is answered */
	_Atomic uint32_t phase;
	uint32_t slot; /* TABLE_NO_SLOT: counted, but not recorded */
	uint64_t word;
	/* in side */
	uint64_t start_ns;
	uint32_t forks;       /* shim.forks when it began */
	uint16_t open_string; /* offset + 1 of the string being appended to */
	uint16_t process;     /* owner of the slot */
	struct scrub scrub;   /* of the request-target */
	uint8_t answer;       /* enum http1_answer */
	uint8_t role;         /* enum conn_role */
	_Atomic uint8_t request_done;
	_Atomic uint64_t request_body;
	_Atomic uint64_t request_end_ns;
	/* out side */
	uint8_t end; /* enum span_end, when wanted */
	struct response response;
	uint64_t end_ns;
};

struct pending_ring { /* overflow */
	_Atomic uint32_t next_free;
	_Atomic uint16_t head, tail;
	uint32_t item[CONN_RING_MORE];
};

/*
 * A server may have ten thousand of them that do nothing: what few need lies elsewhere, by an
 * index that is 0 as long as it is not needed. What each request touches comes first.
 */
struct conn {
	_Atomic uint32_t next_free;
	_Atomic uint32_t use; /* CONN_* and the epoch of the process */
	_Atomic uint32_t generation;
	_Atomic uint32_t references; /* descriptors */
	struct http1 in, out;
	uint32_t receiving; /* in side: request that is arriving */
	uint32_t answering; /* out side: request that is being answered */
	uint32_t ring[CONN_RING];
	_Atomic uint8_t ring_head, ring_tail; /* counters, modulo 256 */
	_Atomic uint8_t role;                 /* enum conn_role; also read by who comes too late */
	uint8_t front;         /* in side: what was seen of a PROXY header that may come (front.h) */
	_Atomic uint32_t more; /* overflow ring */
	uint32_t requests;
	uint32_t turn;                 /* out side: counts what has changed its parser */
	uint32_t index;                /* its own */
	_Atomic uint8_t fate;          /* enum conn_fate */
	_Atomic uint8_t last_response; /* a final response said Connection: close: input after it is drained,
					  not parsed */
	uint8_t listener;              /* server: index into fd_listener */
	bool spoken;                   /* client, in side: its address is remembered (unreached.h) */
	uint32_t proxy;                /* in side: PROXY protocol header that is being read, or was */
	uint32_t spill; /* in side: rest of the target that is arriving, or of the request not judged yet
			   (spill.h) */
	uint32_t in_carry, out_carry; /* each side's (carry.h) */
	uint64_t begin_ns;
	uint64_t number;
	struct span_address peer;
	uint32_t announced; /* server, out side: bytes of a write that has begun and not returned; never more
			       than foresight looks at */
	uint32_t rewrite;   /* client, in side: in rewrite_pool, while a head is on its way out */
	union {             /* who does not hold a direction has to ask for the role */
		struct {    /* server */
			uint64_t sent;        /* out side: bytes of all writes that have returned */
			uint64_t accepted_ns; /* with full timing */
			struct span_address local;
		};
		struct {                /* client */
			uint64_t ahead; /* in side: bytes parsed before they were accepted by the kernel */
			_Atomic uint64_t
				connecting_ns; /* its connect() is under way since; 0: there, or failed */
			struct serving_opener opener; /* of its first request */
			uint32_t path;                /* of its UNIX socket, in path_pool */
		};
	};
};

_Static_assert(sizeof(struct conn) == 240, "with the descriptor's entry not more than 256 bytes each");

struct conn_proxy { /* few connections have one */
	_Atomic uint32_t next_free;
	bool done;
	struct proxy header;
};

struct conn_path { /* UNIX sockets connected to */
	_Atomic uint32_t next_free;
	char text[108]; /* NUL-terminated if it is shorter; abstract names begin with @ */
};

extern HIDDEN struct pool path_pool;
extern HIDDEN struct pool conn_pool, pending_pool, ring_pool, proxy_pool;

/* Constants here, so that an index becomes a pointer in half a dozen instructions. */
#define CONN_BYTES      ((sizeof(struct conn) + 15) & ~(size_t)15)
#define CONNS_A_SLAB    256u /* whole pages */
#define PENDING_BYTES   ((sizeof(struct pending) + 15) & ~(size_t)15)
#define PENDINGS_A_SLAB 128u

static inline struct conn *conn_at(uint32_t index)
{
	return pool_place(&conn_pool, index, CONN_BYTES, CONNS_A_SLAB);
}

static inline struct pending *pending_at(uint32_t index)
{
	return pool_place(&pending_pool, index, PENDING_BYTES, PENDINGS_A_SLAB);
}

/* A fresh connection with one reference, or 0. */
uint32_t conn_new(enum conn_role role);

/* The counter of the client block that stands for `what`, if role is CONN_CLIENT; else `what` itself. */
enum ledger conn_counter(uint8_t role, enum ledger what);

bool conn_enter_slowly(struct conn *c, uint32_t generation, unsigned direction);
void conn_settle(struct conn *c); /* closing or opaque: ends what is open and frees, if nobody is inside */

static inline void conn_leave(struct conn *c, unsigned direction)
{
	/* release: what we wrote is seen by the next one who enters */
	uint32_t old = atomic_fetch_and_explicit(&c->use, ~direction, memory_order_release);

	if (__builtin_expect(old & (CONN_CLOSING | CONN_OPAQUE), 0))
		conn_settle(c);
}

/* Take one direction. False: closed, opaque, or another one is in it (then it becomes opaque). */
static inline bool conn_enter(struct conn *c, uint32_t generation, unsigned direction)
{
	uint32_t use = atomic_load_explicit(&c->use, memory_order_relaxed);
	uint32_t mine = (uint32_t)self_get()->epoch << CONN_EPOCH_SHIFT;

	/* acquire: pairs with the release in conn_leave() of whoever was inside before */
	if (__builtin_expect((use & ~(CONN_IN_BUSY | CONN_OUT_BUSY)) != mine || use & direction ||
				     !atomic_compare_exchange_strong_explicit(&c->use, &use, use | direction,
									      memory_order_acquire,
									      memory_order_relaxed),
			     0))
		return conn_enter_slowly(c, generation, direction);
	if (__builtin_expect(atomic_load_explicit(&c->generation, memory_order_relaxed) == generation, 1))
		return true;
	conn_leave(c, direction); /* the descriptor was closed and the object reused under us */
	return false;
}

/* Take a direction only if nobody is in it; no consequences if not. */
bool conn_try_enter(struct conn *c, unsigned direction);

/* Has the connection ended with that error of a call? With these it is as it was: wait, or ask rightly. */
static inline bool conn_lost(int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
	case EFAULT:
	case EINVAL:
	case EISCONN:
	case EMSGSIZE:
	case ENOBUFS:
	case ENOMEM:
	case EOPNOTSUPP: return false;
	default: return true;
	}
}

/* Follow it no more; ends what is open as soon as nobody is inside. why: the counter. */
void conn_give_up(struct conn *c, enum ledger why);

void conn_hold(struct conn *c);
/* One descriptor less; the last one ends what is open and frees. */
void conn_drop(uint32_t index);

/*
 * The ring of unanswered requests, and another one for what finds no room in it. As long as that has
 * something, all that comes goes there: the order is kept.
 */
bool ring_push_more(struct conn *c, uint32_t pending);
uint32_t ring_front_more(struct conn *c);
void ring_pop_more(struct conn *c);

/* In side; false: full. */
static inline bool ring_push(struct conn *c, uint32_t pending)
{
	uint8_t tail = atomic_load_explicit(&c->ring_tail, memory_order_relaxed);
	uint8_t head = atomic_load_explicit(&c->ring_head, memory_order_acquire);

	if ((uint8_t)(tail - head) >= CONN_RING || atomic_load_explicit(&c->more, memory_order_relaxed))
		return ring_push_more(c, pending);
	c->ring[tail % CONN_RING] = pending;
	atomic_store_explicit(&c->ring_tail, (uint8_t)(tail + 1), memory_order_release);
	return true;
}

/* Out side; 0: empty. */
static inline uint32_t ring_front(struct conn *c)
{
	uint8_t head = atomic_load_explicit(&c->ring_head, memory_order_relaxed);

	return head != atomic_load_explicit(&c->ring_tail, memory_order_acquire) ? c->ring[head % CONN_RING]
										 : ring_front_more(c);
}

/* Out side, what ring_front() has given. */
static inline void ring_pop(struct conn *c)
{
	uint8_t head = atomic_load_explicit(&c->ring_head, memory_order_relaxed);

	if (head != atomic_load_explicit(&c->ring_tail, memory_order_acquire))
		atomic_store_explicit(&c->ring_head, (uint8_t)(head + 1), memory_order_release);
	else
		ring_pop_more(c);
}

/* exchange.c: ends everything that is open; nobody else is inside. */
void exchange_end_all(struct conn *c);

#endif
