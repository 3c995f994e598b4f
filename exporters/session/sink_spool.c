/* SPDX-License-Identifier: Apache-2.0 */
/* Between a sink's queue and its spool. */
#include <inttypes.h>
#include <string.h>

#include "exporters/session/sink_private.h"

enum { SPOOL_BYTES = 256 << 20 };

static void tell_loss(struct sink *sink, const struct spool_loss *loss, uint64_t now_ms)
{
	if (loss->own) {
		queue_spool_lost(&sink->queue, loss->own);
		notice(&sink->notices, NOTICE_SPOOL_LOST, now_ms, loss->own, "the spool is full or damaged");
	}
	if (loss->foreign)
		notice(&sink->notices, NOTICE_REPLAY_LOST, now_ms, loss->foreign,
		       "the spool is full or damaged");
}

/*
 * What a worker killed between two steps left: a record that was sent but is still
 * there, copies of records in slots, a payload that is on disk and in the ring.
 */
static void take_over(struct sink *sink)
{
	struct spool *spool = &sink->spool;
	struct queue_item item;
	uint64_t spooled;

	spool_advance(spool, queue_spool_done(&sink->queue));
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (queue_get(&sink->queue, i, &item) && item.kind != QUEUE_OWN)
			queue_unload(&sink->queue, i);
	while (spool->state.last_session == spool->session && queue_peek(&sink->queue, &item) &&
	       item.sequence <= spool->state.last_queue_sequence)
		queue_spool_oldest(&sink->queue);
	spooled = queue_counters(&sink->queue).spooled;
	if (spooled > spool->own_spans)
		tell_loss(sink, &(struct spool_loss){ .own = spooled - spool->own_spans }, loop_now_ms());
}

void sink_spool_open(struct sink *sink, int fd, uint64_t bytes)
{
	struct spool_loss loss = { 0 };
	int rc;

	sink->spool.fd = -1;
	if (fd > 0) {
		rc = spool_open(&sink->spool, fd, bytes ? bytes : SPOOL_BYTES, queue_session(&sink->queue),
				&loss);
		if (rc < 0) {
			sink->spool.fd = -1;
			notice(&sink->notices, NOTICE_SPOOLING, loop_now_ms(), 0, "no spool: %s",
			       strerror(-rc));
		}
	}
	tell_loss(sink, &loss, loop_now_ms());
	take_over(sink);
}

/* True if it is on disk. */
static bool append(struct sink *sink, const struct queue_item *item, uint64_t now_ms)
{
	struct spool_loss loss = { 0 };
	int rc = spool_append(&sink->spool, item->bytes, item->spans, item->sequence, &loss);

	tell_loss(sink, &loss, now_ms);
	if (rc < 0)
		notice(&sink->notices, NOTICE_SPOOL_LOST, now_ms, item->spans, "cannot spool: %s",
		       strerror(-rc));
	else
		notice(&sink->notices, NOTICE_SPOOLING, now_ms, 0, "spooling to disk");
	return rc == 0;
}

static void move_oldest(struct sink *sink, const struct queue_item *item, uint64_t now_ms)
{
	if (append(sink, item, now_ms))
		queue_spool_oldest(&sink->queue);
	else
		queue_drop_oldest(&sink->queue);
}

/* The oldest payload of our own that stands in a slot; not one that is under way, unless `all`. */
static bool oldest_slot(const struct sink *sink, bool all, struct queue_item *oldest)
{
	struct queue_item item;

	*oldest = (struct queue_item){ .sequence = UINT64_MAX };
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (queue_get(&sink->queue, i, &item) && item.kind == QUEUE_OWN &&
		    (all || sink->flights[i].state != FLIGHT_BUSY) && item.sequence < oldest->sequence)
			*oldest = item;
	return oldest->spans > 0;
}

static void move_slots(struct sink *sink, bool all, uint64_t now_ms)
{
	struct queue_item item;

	while (oldest_slot(sink, all, &item)) {
		if (append(sink, &item, now_ms))
			queue_spool_slot(&sink->queue, item.slot);
		else
			queue_drop(&sink->queue, item.slot);
		sink->flights[item.slot].state = FLIGHT_FREE;
	}
}

void sink_spool_make_room(struct sink *sink, size_t bytes, uint32_t spans, uint64_t now_ms)
{
	struct queue_item item;

	if (sink->spool.fd < 0 || queue_fits(&sink->queue, bytes, spans))
		return;
	move_slots(sink, false, now_ms); /* they are older than all of the ring */
	while (!queue_fits(&sink->queue, bytes, spans) && queue_peek(&sink->queue, &item))
		move_oldest(sink, &item, now_ms);
}

bool sink_spool_send(struct sink *sink, uint64_t now_ms)
{
	struct spool_loss loss = { 0 };
	struct spool_item record;
	struct queue_item item;
	bool found;

	/* One after the other, so that the record at the head is the one to go. */
	if (sink_has_flights(sink))
		return false;
	found = spool_oldest(&sink->spool, &sink->record, &record, &loss);
	tell_loss(sink, &loss, now_ms);
	if (!found)
		return spool_is_empty(&sink->spool); /* then the ring is next */
	if (queue_load(&sink->queue, (struct slice){ sink->record.p, sink->record.n }, record.spans,
		       record.own ? QUEUE_SPOOLED : QUEUE_REPLAYED, record.number, now_ms, &item)) {
		sink_send(sink, &item);
		return true;
	}
	/* An earlier session had larger payloads. */
	loss = (struct spool_loss){ record.own ? record.spans : 0, record.own ? 0 : record.spans };
	tell_loss(sink, &loss, now_ms);
	spool_advance(&sink->spool, record.number);
	return true;
}

void sink_spool_all(struct sink *sink, uint64_t now_ms)
{
	struct queue_item item;

	if (sink->spool.fd < 0)
		return;
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (queue_get(&sink->queue, i, &item) && item.kind != QUEUE_OWN)
			queue_unload(&sink->queue, i);
	move_slots(sink, true, now_ms);
	spool_let_go(&sink->spool);
	while (queue_peek(&sink->queue, &item))
		move_oldest(sink, &item, now_ms);
}
