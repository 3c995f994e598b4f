/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_QUEUE_H
#define BTRACE_QUEUE_H

/*
 * Encoded payloads on their way to one receiver: a bounded first-in-first-out
 * queue in ONE region of memory, which may be shared and outlive the process:
 *
 *     struct queue_region | slot 0 | slot 1 | … | ring of bytes
 *
 * A payload enters the ring, moves from there into a slot to be sent, and leaves
 * the slot when its fate is known. Only the ring is bounded by max_spans and
 * max_bytes; when it is full the oldest payload goes and is counted. Because
 * what is being sent stands in a slot, a hanging receiver never keeps the oldest
 * out of reach, and the ring needs no holes.
 *
 * Killed at any instruction: all that says what is where, and all counters, are
 * one struct queue_state kept twice; a change writes the other copy and then
 * flips one word. Payload bytes are written only where the valid copy
 * has nothing. So a worker that was killed leaves the queue either before or
 * after a step, never between, and put = sent + failed + dropped + spooled +
 * queued always holds. Its successor finds what was in a slot marked maybe_sent.
 *
 * One process and thread at a time changes it. The region is not trusted: sizes
 * and offsets are copied and range-checked at each use; a ring that makes
 * no sense is emptied and its spans counted as dropped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/slice.h"

enum { QUEUE_SLOTS = 4, QUEUE_MAGIC = 0x51746231, QUEUE_VERSION = 3 };

struct queue_counters { /* all in spans */
	uint64_t put, sent, failed, dropped;
	uint64_t spooled;                        /* of put, those on disk now (spool.h) */
	uint64_t replayed_sent, replayed_failed; /* of earlier sessions, from disk; beside all the others */
};

enum queue_kind {
	QUEUE_OWN,      /* counts as queued */
	QUEUE_SPOOLED,  /* a copy of a record of the spool, which counts there */
	QUEUE_REPLAYED, /* the same, of an earlier session */
};

struct queue_slot {             /* a payload that is being sent, or waits for its next try */
	uint32_t length, spans; /* spans == 0: free */
	uint32_t tries, kind;
	uint64_t first_try_ms;
	uint64_t sequence; /* of a payload of our own; else the record's number */
};

struct queue_state {
	uint64_t head, tail; /* count bytes; the place in the ring is the remainder by ring_bytes */
	uint64_t ring_spans;
	uint64_t sequence;           /* of the payload that was put last */
	uint64_t spool_done;         /* number of the record whose fate was known last */
	uint64_t batch, batch_spans; /* how many spans of the numbered batch were put: queue_batch() */
	struct queue_counters counters;
	struct queue_slot slots[QUEUE_SLOTS];
};

struct queue_region {
	_Atomic uint32_t magic; /* 0 = new */
	uint32_t version;
	uint64_t ring_bytes;
	uint32_t slot_bytes, slots;
	uint64_t max_spans;
	uint64_t session;         /* random */
	_Atomic uint32_t current; /* which of the two is valid */
	uint32_t reserved;
	struct queue_state state[2];
};

struct queue_limits {
	uint64_t max_spans;         /* 0 = 65,536 */
	uint64_t max_bytes;         /* 0 = 32 MiB */
	uint32_t max_payload_bytes; /* 0 = 2 MiB */
	uint32_t slots;             /* 1..QUEUE_SLOTS; 0 = 1 */
};

struct queue { /* this process's handle; sizes are its own copy, not the region's */
	struct queue_region *region;
	struct queue_limits limits;
	size_t region_bytes;
	uint64_t high_water; /* bytes of the ring touched since it was last trimmed */
	uint64_t batch;      /* what is put now belongs to it; 0: none */
	bool maybe_sent[QUEUE_SLOTS];
	bool owned; /* mapped by queue_open */
};

struct queue_item {
	struct slice bytes; /* in the region, until the slot is settled */
	uint32_t slot, spans, tries;
	enum queue_kind kind;
	uint64_t first_try_ms, sequence;
	bool maybe_sent;
};

/* How many bytes of memory a queue of these limits needs; use it sparse (mmap, memfd). */
size_t queue_region_bytes(const struct queue_limits *limits);

/*
 * region NULL: own anonymous memory, kept out of core dumps. Otherwise a region of
 * queue_region_bytes() from the caller: all zero is a new queue, one that an
 * earlier process left is continued, anything else is -EINVAL.
 */
int queue_open(struct queue *q, const struct queue_limits *limits, void *region, size_t region_bytes);
void queue_release(struct queue *q); /* a region of the caller keeps its content */

/*
 * Takes a copy. Counts as put; may drop the oldest. -EMSGSIZE: longer than
 * max_payload_bytes or more than the queue can hold, counted as put and dropped.
 */
int queue_push(struct queue *q, struct slice bytes, uint32_t spans);
void queue_count_failed(struct queue *q, uint64_t spans); /* put and failed: could not even be encoded */

/*
 * What is put from now on are the spans of batch `number`, in their order; 0: of none. How many of them were
 * put already, by a process that died. Noted in one with the putting.
 */
uint64_t queue_batch(struct queue *q, uint64_t number);

/* The oldest payload of the ring moves into a free slot; false if there is none of either. */
bool queue_take(struct queue *q, uint64_t now_ms, struct queue_item *item);
/* What stands in a slot; false if it is free. */
bool queue_get(const struct queue *q, uint32_t slot, struct queue_item *item);
void queue_tried(struct queue *q, uint32_t slot); /* one more try has failed */

/* Ends: the slot is free again. */
void queue_settle(struct queue *q, uint32_t slot, uint64_t sent); /* the rest of its spans has failed */
void queue_drop(struct queue *q, uint32_t slot);
void queue_withdraw(struct queue *q,
		    uint32_t slot);   /* as if never put: the caller puts it again, in smaller parts */
void queue_drop_all(struct queue *q); /* ring and slots */

/*
 * For the spool. queue_fits: whether queue_push would drop nothing. queue_peek: the
 * oldest of the ring, where it stands. queue_spool_*: it is on disk now.
 */
bool queue_fits(const struct queue *q, size_t bytes, uint32_t spans);
bool queue_peek(struct queue *q, struct queue_item *item);
void queue_spool_oldest(struct queue *q);
void queue_spool_slot(struct queue *q, uint32_t slot);
void queue_drop_oldest(struct queue *q);
void queue_spool_lost(struct queue *q, uint64_t spans); /* spooled ones; they count as dropped */
/* A record of the spool into a free slot; its settling is noted as spool_done. */
bool queue_load(struct queue *q, struct slice bytes, uint32_t spans, enum queue_kind kind, uint64_t number,
		uint64_t now_ms, struct queue_item *item);
void queue_unload(struct queue *q, uint32_t slot); /* without settling it */
uint64_t queue_spool_done(const struct queue *q);
uint64_t queue_session(const struct queue *q);

/*
 * Gives the memory of an empty queue back, to be called when it is quiet: the next payloads have to get it
 * page by page. What piled up in a long queue goes by itself.
 */
void queue_trim(struct queue *q);

struct queue_counters queue_counters(const struct queue *q);
/* Of a region that nobody uses any more, told by the one who mapped it. *queued: what is left in it. */
struct queue_counters queue_region_counters(const void *region, uint64_t *queued);
/*
 * How much of which batch a region has got; and a new region, before its first queue_open(), that takes the
 * place of one which has got so much.
 */
struct queue_progress {
	uint64_t batch, spans;
};
struct queue_progress queue_region_progress(const void *region);
void queue_region_begin(void *region, struct queue_progress progress);

uint64_t queue_spans(const struct queue *q);      /* in ring and slots, without copies of the spool's */
uint64_t queue_ring_spans(const struct queue *q); /* in the ring */

#endif
