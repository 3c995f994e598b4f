/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_QUEUE_RING_H
#define BTRACE_QUEUE_RING_H

/*
 * The ring of bytes within a queue's region; private to queue.c. All functions
 * work on a copy of the state, which the caller then commits. head and tail count
 * bytes: the place is the remainder by the ring's size. A payload never wraps;
 * what is left at the end is skipped.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"
#include "exporters/transport/queue.h"

struct queue_entry { /* before each payload; places are multiples of 8 */
	uint32_t kind, length, spans, reserved;
	uint64_t sequence;
};

static inline uint64_t queue_round_up(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

static inline char *queue_slot_bytes(const struct queue *q, uint32_t slot)
{
	return (char *)q->region + sizeof(struct queue_region) + (size_t)slot * q->limits.max_payload_bytes;
}

static inline char *queue_ring_bytes(const struct queue *q) { return queue_slot_bytes(q, q->limits.slots); }

/* Of queue.c; a change is a copy that is read, altered and committed. */
struct queue_state queue_state_read(const struct queue *q);
void queue_state_commit(struct queue *q, const struct queue_state *s);
uint32_t queue_free_slot(const struct queue *q,
			 const struct queue_state *s); /* limits.slots if there is none */

/*
 * The oldest payload, copied and range-checked: its bytes, or NULL when the ring
 * is empty. *next is where the head is once it has gone. A ring that makes no
 * sense is emptied on the way.
 */
const char *queue_ring_oldest(const struct queue *q, struct queue_state *s, struct queue_entry *entry,
			      uint64_t *next);
/*
 * The oldest leaves. An empty ring starts again at its low end, so that a queue
 * which is never full touches little memory.
 */
void queue_ring_advance(struct queue_state *s, const struct queue_entry *entry, uint64_t next);
bool queue_ring_drop(const struct queue *q, struct queue_state *s); /* the oldest; false if there is none */
void queue_ring_clear(struct queue_state *s);                       /* what was in it counts as dropped */

bool queue_ring_fits(const struct queue *q, const struct queue_state *s, uint64_t bytes, uint32_t spans);
/* Writes behind the tail, where nobody looks before the next commit. */
void queue_ring_append(struct queue *q, struct queue_state *s, struct slice bytes, uint32_t spans);

#endif
