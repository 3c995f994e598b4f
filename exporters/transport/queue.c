/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "exporters/transport/queue_ring.h"

enum { TRIM_BYTES = 8 << 20 }; /* more is what piled up while the receiver was away */

_Static_assert(sizeof(struct queue_slot) == 32, "region layout");
_Static_assert(sizeof(struct queue_state) == 7 * 8 + 7 * 8 + QUEUE_SLOTS * 32, "region layout");
_Static_assert(sizeof(struct queue_region) == 48 + 2 * sizeof(struct queue_state), "region layout");

static struct queue_limits with_defaults(const struct queue_limits *limits)
{
	struct queue_limits l = *limits;

	if (!l.max_spans)
		l.max_spans = 65536;
	if (!l.max_bytes)
		l.max_bytes = 32 << 20;
	if (!l.max_payload_bytes)
		l.max_payload_bytes = 2 << 20;
	if (!l.slots)
		l.slots = 1;
	if (l.slots > QUEUE_SLOTS)
		l.slots = QUEUE_SLOTS;
	l.max_payload_bytes = (uint32_t)queue_round_up(l.max_payload_bytes);
	l.max_bytes = queue_round_up(l.max_bytes);
	/* One of the largest always has to fit. */
	if (l.max_bytes < l.max_payload_bytes + sizeof(struct queue_entry))
		l.max_bytes = l.max_payload_bytes + sizeof(struct queue_entry);
	return l;
}

size_t queue_region_bytes(const struct queue_limits *limits)
{
	struct queue_limits l = with_defaults(limits);

	return (size_t)(sizeof(struct queue_region) + (uint64_t)l.slots * l.max_payload_bytes + l.max_bytes);
}

/* --- the state, twice --- */

struct queue_state queue_state_read(const struct queue *q)
{
	return q->region->state[atomic_load_explicit(&q->region->current, memory_order_acquire) & 1];
}

static void state_flip(struct queue *q, const struct queue_state *s)
{
	uint32_t other = ~atomic_load_explicit(&q->region->current, memory_order_relaxed) & 1;

	q->region->state[other] = *s;
	/* Partner: state_read. Also keeps the payload, written before, from moving behind the flip. */
	atomic_store_explicit(&q->region->current, other, memory_order_release);
}

/* Pages that are whole within [from, from + n). */
static void give_back(const struct queue *q, char *from, uint64_t n)
{
	uintptr_t start = ((uintptr_t)from + 4095) & ~(uintptr_t)4095;
	uintptr_t end = ((uintptr_t)from + n) & ~(uintptr_t)4095;

	if (end > start) /* memory that cannot be punched is just kept */
		(void)madvise(from + (start - (uintptr_t)from), end - start,
			      q->owned ? MADV_DONTNEED : MADV_REMOVE);
}

void queue_state_commit(struct queue *q, const struct queue_state *s)
{
	state_flip(q, s);
	if (s->head != s->tail || q->high_water < TRIM_BYTES)
		return;
	/* Only behind the flip: the state before may still have had its payloads there. */
	give_back(q, queue_ring_bytes(q), q->high_water);
	q->high_water = 0;
}

void queue_trim(struct queue *q)
{
	struct queue_state s = queue_state_read(q);

	if (!q->high_water || s.head != s.tail)
		return;
	for (uint32_t i = 0; i < q->limits.slots; i++)
		if (s.slots[i].spans)
			return;
	/* The slots lie right before the ring. */
	give_back(q, queue_slot_bytes(q, 0),
		  (uint64_t)q->limits.slots * q->limits.max_payload_bytes + q->high_water);
	q->high_water = 0;
}

/* --- open --- */

static bool state_is_sane(const struct queue *q, const struct queue_state *s)
{
	if (s->head > s->tail || s->tail - s->head > q->limits.max_bytes || s->tail > UINT64_MAX / 2 ||
	    (s->head | s->tail) & 7 || s->ring_spans > q->limits.max_spans)
		return false;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (s->slots[i].length > q->limits.max_payload_bytes ||
		    (i >= q->limits.slots && s->slots[i].spans))
			return false;
	return true;
}

/* Takes over what another process left. Counters are kept as they are: they are its word, not a danger. */
static int region_continue(struct queue *q)
{
	struct queue_state s = queue_state_read(q);
	const struct queue_region *r = q->region;

	if (r->magic != QUEUE_MAGIC || r->version != QUEUE_VERSION || r->ring_bytes != q->limits.max_bytes ||
	    r->slot_bytes != q->limits.max_payload_bytes || r->slots != q->limits.slots ||
	    r->max_spans != q->limits.max_spans)
		return -EINVAL;
	if (!state_is_sane(q, &s)) {
		struct queue_counters c = s.counters;
		uint64_t told = c.sent + c.failed + c.dropped + c.spooled;

		s = (struct queue_state){ .counters = c,
					  .sequence = s.sequence,
					  .spool_done = s.spool_done,
					  .batch = s.batch,
					  .batch_spans = s.batch_spans };
		s.counters.dropped += c.put > told ? c.put - told : 0;
		queue_state_commit(q, &s);
	}
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		q->maybe_sent[i] = s.slots[i].spans != 0;
	q->high_water = q->limits.max_bytes; /* unknown */
	return 0;
}

static void region_format(struct queue *q)
{
	struct queue_region *r = q->region;

	r->version = QUEUE_VERSION;
	r->ring_bytes = q->limits.max_bytes;
	r->slot_bytes = q->limits.max_payload_bytes;
	r->slots = q->limits.slots;
	r->max_spans = q->limits.max_spans;
	if (getrandom(&r->session, sizeof(r->session), GRND_NONBLOCK) != sizeof(r->session))
		r->session = (uint64_t)getpid() << 32 ^ (uintptr_t)q;
	/* The magic last: without it the region still counts as new. */
	atomic_store_explicit(&r->magic, QUEUE_MAGIC, memory_order_release);
}

int queue_open(struct queue *q, const struct queue_limits *limits, void *region, size_t region_bytes)
{
	*q = (struct queue){ .limits = with_defaults(limits) };
	q->region_bytes = queue_region_bytes(limits);
	if (region && (region_bytes < q->region_bytes || (uintptr_t)region & 7))
		return -EINVAL;
	if (!region) {
		region = mmap(NULL, q->region_bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (region == MAP_FAILED)
			return -errno;
		q->owned = true;
		(void)madvise(region, q->region_bytes, MADV_DONTDUMP);
	}
	q->region = region;
	if (q->region->magic != 0)
		return region_continue(q);
	region_format(q);
	return 0;
}

void queue_release(struct queue *q)
{
	if (q->owned)
		munmap(q->region, q->region_bytes);
	*q = (struct queue){ 0 };
}

/* --- in --- */

/* Room is committed before it is written over. */
static void make_room(struct queue *q, struct queue_state *s, uint64_t bytes, uint32_t spans)
{
	if (queue_ring_fits(q, s, bytes, spans))
		return;
	while (!queue_ring_fits(q, s, bytes, spans) && queue_ring_drop(q, s))
		;
	queue_state_commit(q, s);
}

uint64_t queue_batch(struct queue *q, uint64_t number)
{
	struct queue_state s = queue_state_read(q);

	q->batch = number;
	return number && s.batch == number ? s.batch_spans : 0;
}

static void note_put(const struct queue *q, struct queue_state *s, uint64_t spans)
{
	s->counters.put += spans;
	if (!q->batch)
		return;
	if (s->batch != q->batch)
		s->batch_spans = 0;
	s->batch = q->batch;
	s->batch_spans += spans;
}

int queue_push(struct queue *q, struct slice bytes, uint32_t spans)
{
	struct queue_state s = queue_state_read(q);
	int rc = 0;

	if (spans == 0)
		return 0;
	if (bytes.n > q->limits.max_payload_bytes || spans > q->limits.max_spans) {
		s.counters.dropped += spans;
		rc = -EMSGSIZE;
	} else {
		make_room(q, &s, bytes.n, spans);
		queue_ring_append(q, &s, bytes, spans);
	}
	note_put(q, &s, spans);
	queue_state_commit(q, &s);
	return rc;
}

void queue_count_failed(struct queue *q, uint64_t spans)
{
	struct queue_state s = queue_state_read(q);

	note_put(q, &s, spans);
	s.counters.failed += spans;
	queue_state_commit(q, &s);
}

/* --- out --- */

bool queue_get(const struct queue *q, uint32_t slot, struct queue_item *item)
{
	struct queue_state s;
	struct queue_slot at;

	if (slot >= q->limits.slots)
		return false;
	s = queue_state_read(q);
	memcpy(&at, &s.slots[slot], sizeof(at));
	if (at.spans == 0)
		return false;
	if (at.length > q->limits.max_payload_bytes)
		at.length = q->limits.max_payload_bytes;
	*item = (struct queue_item){
		.bytes = { queue_slot_bytes(q, slot), at.length },
		.slot = slot,
		.spans = at.spans,
		.tries = at.tries,
		.kind = at.kind,
		.sequence = at.sequence,
		.first_try_ms = at.first_try_ms,
		.maybe_sent = q->maybe_sent[slot],
	};
	return true;
}

uint32_t queue_free_slot(const struct queue *q, const struct queue_state *s)
{
	uint32_t slot = 0;

	while (slot < q->limits.slots && s->slots[slot].spans)
		slot++;
	return slot;
}

bool queue_take(struct queue *q, uint64_t now_ms, struct queue_item *item)
{
	struct queue_state s = queue_state_read(q);
	struct queue_entry entry;
	uint64_t next, ring_spans = s.ring_spans;
	const char *bytes;
	uint32_t slot = queue_free_slot(q, &s);

	if (slot == q->limits.slots)
		return false;
	bytes = queue_ring_oldest(q, &s, &entry, &next);
	if (!bytes) {
		if (ring_spans)
			queue_state_commit(q, &s); /* what made no sense is gone and counted */
		return false;
	}
	memcpy(queue_slot_bytes(q, slot), bytes, entry.length);
	s.slots[slot] =
		(struct queue_slot){ entry.length, entry.spans, 0, QUEUE_OWN, now_ms, entry.sequence };
	queue_ring_advance(&s, &entry, next);
	q->maybe_sent[slot] = false;
	queue_state_commit(q, &s);
	return queue_get(q, slot, item);
}

void queue_tried(struct queue *q, uint32_t slot)
{
	struct queue_state s = queue_state_read(q);

	if (slot >= q->limits.slots || s.slots[slot].spans == 0)
		return;
	s.slots[slot].tries++;
	q->maybe_sent[slot] = false;
	queue_state_commit(q, &s);
}

/* Adds the spans of a slot to the counters. */
static void count(struct queue_state *s, const struct queue_slot *slot, uint64_t sent)
{
	struct queue_counters *c = &s->counters;
	uint64_t failed = slot->spans - sent;

	switch (slot->kind) {
	case QUEUE_REPLAYED:
		c->replayed_sent += sent;
		c->replayed_failed += failed;
		s->spool_done = slot->sequence;
		break;
	case QUEUE_SPOOLED:
		c->spooled -= slot->spans < c->spooled ? slot->spans : c->spooled;
		s->spool_done = slot->sequence;
		c->sent += sent;
		c->failed += failed;
		break;
	default: c->sent += sent; c->failed += failed;
	}
}

enum end { END_SETTLED, END_DROPPED, END_SPOOLED, END_UNLOADED, END_WITHDRAWN };

static void slot_end(struct queue *q, uint32_t slot, enum end end, uint64_t sent)
{
	struct queue_state s = queue_state_read(q);
	uint64_t spans = slot < q->limits.slots ? s.slots[slot].spans : 0;
	bool own = spans && s.slots[slot].kind == QUEUE_OWN;

	if (spans == 0)
		return;
	if (end == END_SETTLED)
		count(&s, &s.slots[slot], sent < spans ? sent : spans);
	else if (own && end == END_DROPPED)
		s.counters.dropped += spans;
	else if (own && end == END_SPOOLED)
		s.counters.spooled += spans;
	else if (own && end == END_WITHDRAWN) {
		s.counters.put -= spans;
		if (q->batch && s.batch == q->batch)
			s.batch_spans -= spans < s.batch_spans ? spans : s.batch_spans;
	}
	s.slots[slot] = (struct queue_slot){ 0 };
	q->maybe_sent[slot] = false;
	queue_state_commit(q, &s);
}

void queue_settle(struct queue *q, uint32_t slot, uint64_t sent) { slot_end(q, slot, END_SETTLED, sent); }

void queue_drop(struct queue *q, uint32_t slot) { slot_end(q, slot, END_DROPPED, 0); }

void queue_withdraw(struct queue *q, uint32_t slot) { slot_end(q, slot, END_WITHDRAWN, 0); }

void queue_spool_slot(struct queue *q, uint32_t slot) { slot_end(q, slot, END_SPOOLED, 0); }

void queue_unload(struct queue *q, uint32_t slot) { slot_end(q, slot, END_UNLOADED, 0); }

void queue_drop_all(struct queue *q)
{
	struct queue_state s = queue_state_read(q);

	for (uint32_t slot = 0; slot < QUEUE_SLOTS; slot++) {
		if (s.slots[slot].kind == QUEUE_OWN)
			s.counters.dropped += s.slots[slot].spans;
		s.slots[slot] = (struct queue_slot){ 0 };
		q->maybe_sent[slot] = false;
	}
	queue_ring_clear(&s);
	queue_state_commit(q, &s);
}

struct queue_counters queue_counters(const struct queue *q) { return queue_state_read(q).counters; }

uint64_t queue_ring_spans(const struct queue *q) { return queue_state_read(q).ring_spans; }
