/* SPDX-License-Identifier: Apache-2.0 */
/* What the queue does for the spool; what is in it. */
#include <stdatomic.h>
#include <string.h>

#include "exporters/transport/queue.h"
#include "exporters/transport/queue_ring.h"

bool queue_fits(const struct queue *q, size_t bytes, uint32_t spans)
{
	struct queue_state s = queue_state_read(q);

	return queue_ring_fits(q, &s, bytes, spans);
}

bool queue_peek(struct queue *q, struct queue_item *item)
{
	struct queue_state s = queue_state_read(q);
	uint64_t next, ring_spans = s.ring_spans;
	struct queue_entry entry;
	const char *bytes = queue_ring_oldest(q, &s, &entry, &next);

	if (!bytes) {
		if (ring_spans)
			queue_state_commit(q, &s); /* what made no sense is gone and counted */
		return false;
	}
	*item = (struct queue_item){ .bytes = { bytes, entry.length },
				     .spans = entry.spans,
				     .sequence = entry.sequence };
	return true;
}

void queue_drop_oldest(struct queue *q)
{
	struct queue_state s = queue_state_read(q);

	queue_ring_drop(q, &s);
	queue_state_commit(q, &s);
}

void queue_spool_oldest(struct queue *q)
{
	struct queue_state s = queue_state_read(q);
	struct queue_entry entry;
	uint64_t next;

	if (queue_ring_oldest(q, &s, &entry, &next)) {
		s.counters.spooled += entry.spans;
		queue_ring_advance(&s, &entry, next);
	}
	queue_state_commit(q, &s);
}

void queue_spool_lost(struct queue *q, uint64_t spans)
{
	struct queue_state s = queue_state_read(q);

	if (spans > s.counters.spooled)
		spans = s.counters.spooled;
	s.counters.spooled -= spans;
	s.counters.dropped += spans;
	queue_state_commit(q, &s);
}

bool queue_load(struct queue *q, struct slice bytes, uint32_t spans, enum queue_kind kind, uint64_t number,
		uint64_t now_ms, struct queue_item *item)
{
	struct queue_state s = queue_state_read(q);
	uint32_t slot = queue_free_slot(q, &s);

	if (slot == q->limits.slots || bytes.n > q->limits.max_payload_bytes || spans == 0)
		return false;
	if (bytes.n)
		memcpy(queue_slot_bytes(q, slot), bytes.p, bytes.n);
	s.slots[slot] = (struct queue_slot){ (uint32_t)bytes.n, spans, 0, kind, now_ms, number };
	q->maybe_sent[slot] = false;
	queue_state_commit(q, &s);
	return queue_get(q, slot, item);
}

uint64_t queue_spool_done(const struct queue *q) { return queue_state_read(q).spool_done; }

uint64_t queue_session(const struct queue *q) { return q->region->session; }

/* --- what is in it --- */

static uint64_t queued(const struct queue_state *s)
{
	uint64_t spans = s->ring_spans;

	for (uint32_t slot = 0; slot < QUEUE_SLOTS; slot++)
		spans += s->slots[slot].kind == QUEUE_OWN ? s->slots[slot].spans : 0;
	return spans;
}

struct queue_counters queue_region_counters(const void *region, uint64_t *left)
{
	const struct queue_region *r = region;
	struct queue_state s;

	*left = 0;
	if (r->magic != QUEUE_MAGIC)
		return (struct queue_counters){ 0 };
	s = r->state[atomic_load_explicit(&r->current, memory_order_acquire) & 1];
	*left = queued(&s);
	return s.counters;
}

struct queue_progress queue_region_progress(const void *region)
{
	const struct queue_region *r = region;
	const struct queue_state *s = &r->state[atomic_load_explicit(&r->current, memory_order_acquire) & 1];

	if (r->magic != QUEUE_MAGIC)
		return (struct queue_progress){ 0 };
	return (struct queue_progress){ s->batch, s->batch_spans };
}

void queue_region_begin(void *region, struct queue_progress progress)
{
	struct queue_region *r = region;

	r->state[0].batch = progress.batch;
	r->state[0].batch_spans = progress.spans;
}

uint64_t queue_spans(const struct queue *q)
{
	struct queue_state s = queue_state_read(q);

	return queued(&s);
}
