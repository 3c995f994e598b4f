/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/transport/queue_ring.h"

#include <string.h>

enum { ENTRY_PAYLOAD = 0x50, ENTRY_SKIP = 0x53 };

_Static_assert(sizeof(struct queue_entry) == 24, "ring layout");

void queue_ring_clear(struct queue_state *s)
{
	s->counters.dropped += s->ring_spans;
	s->head = s->tail = s->ring_spans = 0;
}

const char *queue_ring_oldest(const struct queue *q, struct queue_state *s, struct queue_entry *entry,
			      uint64_t *next)
{
	uint64_t size = q->limits.max_bytes, at = s->head;

	/* more than fits: the way to the tail could be as long as 2^64 bytes */
	for (int looked = 0; at != s->tail && s->tail - s->head <= size && looked < 3; looked++) {
		uint64_t place = at % size, left = size - place;

		if (left < sizeof(*entry)) {
			at += left;
			continue;
		}
		memcpy(entry, queue_ring_bytes(q) + place, sizeof(*entry));
		if (entry->kind == ENTRY_SKIP) {
			at += left;
			continue;
		}
		*next = at + sizeof(*entry) + queue_round_up(entry->length);
		if (entry->kind != ENTRY_PAYLOAD || entry->length > q->limits.max_payload_bytes ||
		    *next - at > left || *next > s->tail || entry->spans == 0 || entry->spans > s->ring_spans)
			break;
		return queue_ring_bytes(q) + place + sizeof(*entry);
	}
	if (s->ring_spans || s->head != s->tail)
		queue_ring_clear(s);
	return NULL;
}

void queue_ring_advance(struct queue_state *s, const struct queue_entry *entry, uint64_t next)
{
	s->head = next;
	s->ring_spans -= entry->spans;
	if (s->head == s->tail)
		queue_ring_clear(s); /* a liar's spare spans are dropped, not forgotten */
}

bool queue_ring_drop(const struct queue *q, struct queue_state *s)
{
	struct queue_entry entry;
	uint64_t next;

	if (!queue_ring_oldest(q, s, &entry, &next))
		return false;
	s->counters.dropped += entry.spans;
	queue_ring_advance(s, &entry, next);
	return true;
}

bool queue_ring_fits(const struct queue *q, const struct queue_state *s, uint64_t bytes, uint32_t spans)
{
	uint64_t need = sizeof(struct queue_entry) + queue_round_up(bytes);
	uint64_t left = q->limits.max_bytes - s->tail % q->limits.max_bytes;

	if (need > left)
		need += left; /* skipped at the end */
	return s->ring_spans + spans <= q->limits.max_spans &&
	       s->tail - s->head + need <= q->limits.max_bytes;
}

void queue_ring_append(struct queue *q, struct queue_state *s, struct slice bytes, uint32_t spans)
{
	struct queue_entry entry = {
		.kind = ENTRY_PAYLOAD, .length = (uint32_t)bytes.n, .spans = spans, .sequence = ++s->sequence
	};
	uint64_t need = sizeof(entry) + queue_round_up(bytes.n);
	uint64_t place = s->tail % q->limits.max_bytes, left = q->limits.max_bytes - place;

	if (need > left) {
		if (left >= sizeof(entry))
			memcpy(queue_ring_bytes(q) + place, &(struct queue_entry){ .kind = ENTRY_SKIP },
			       sizeof(entry));
		s->tail += left;
		place = 0;
	}
	memcpy(queue_ring_bytes(q) + place, &entry, sizeof(entry));
	if (bytes.n)
		memcpy(queue_ring_bytes(q) + place + sizeof(entry), bytes.p, bytes.n);
	if (place + need > q->high_water)
		q->high_water = place + need;
	s->tail += need;
	s->ring_spans += spans;
}
