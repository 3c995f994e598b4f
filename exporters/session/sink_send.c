/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "exporters/session/sink_private.h"
#include "exporters/transport/retry.h"

enum { PUMP_PAYLOADS = 64, LEAST_PAYLOAD = 1024, TRIM_AFTER_MS = 1000 };

static uint32_t random32(struct sink *sink)
{
	sink->random ^= sink->random << 13;
	sink->random ^= sink->random >> 7;
	sink->random ^= sink->random << 17;
	return (uint32_t)(sink->random >> 32);
}

/* --- what became of a payload --- */

static void note_success(struct sink *sink, uint64_t now)
{
	if (now < sink->due_ms)
		return; /* it was under way when another one failed: the wait holds */
	if (sink->failing_ms)
		notice(&sink->notices, NOTICE_RECOVERED, now, 0, "sending again after %" PRIu64 " s",
		       (now - sink->failing_ms) / 1000);
	sink->failing_ms = 0;
	sink->failures = 0;
}

static void flight_end(struct flight *flight, uint64_t sent)
{
	struct sink *sink = flight->sink;

	/* In this order: a kill in between is noticed by the number of the record. */
	queue_settle(&sink->queue, flight->slot, sent);
	if (flight->kind != QUEUE_OWN)
		spool_advance(&sink->spool, flight->number);
	if (flight->kind == QUEUE_REPLAYED && sent)
		notice(&sink->notices, NOTICE_REPLAYED, loop_now_ms(), sent,
		       "what an earlier session left on disk");
	flight->state = FLIGHT_FREE;
}

/* A copy of a record goes, the record stays. */
static void flight_back_to_spool(struct flight *flight)
{
	queue_unload(&flight->sink->queue, flight->slot);
	spool_let_go(&flight->sink->spool);
	flight->state = FLIGHT_FREE;
}

/* The payload waits in its slot for the next try, or has had its time. */
static void flight_retry(struct flight *flight, const struct send_report *report, uint64_t now)
{
	struct sink *sink = flight->sink;
	struct queue_item item;
	bool spooling = sink->spool.fd >= 0;
	uint64_t due;

	queue_tried(&sink->queue, flight->slot);
	if (!queue_get(&sink->queue, flight->slot, &item)) {
		flight->state = FLIGHT_FREE;
		return;
	}
	if (!sink->failing_ms)
		sink->failing_ms = now;
	if (now >= sink->due_ms)
		sink->failures++;
	due = retry_due_ms(now, item.first_try_ms, spooling ? UINT32_MAX : sink->endpoint.total_timeout_ms,
			   sink->failures, report->retry_after_ms, random32(sink));
	if (!due) {
		notice(&sink->notices, NOTICE_GAVE_UP, now, item.spans, "%s, gave up after %u tries",
		       report->message, item.tries);
		flight_end(flight, 0);
		due = now + retry_delay_ms(sink->failures, random32(sink));
		due = due > now + report->retry_after_ms ? due : now + report->retry_after_ms;
	} else {
		flight->state = FLIGHT_WAITING;
		if (flight->kind != QUEUE_OWN)
			flight_back_to_spool(flight);
		notice(&sink->notices, NOTICE_RETRYING, now, queue_spans(&sink->queue), "%s, trying again",
		       report->message);
	}
	if (due > sink->due_ms)
		sink->due_ms = due;
	if (report->retry_after_ms && now + report->retry_after_ms > sink->wished_ms)
		sink->wished_ms = now + report->retry_after_ms;
}

/* See sink.h: what was just put is encoded again in smaller parts, what is older is lost. */
static void flight_too_large(struct flight *flight, const struct send_report *report, uint64_t now)
{
	struct sink *sink = flight->sink;
	size_t limit = report->max_bytes ? report->max_bytes : flight->payload.bytes.n / 2;
	bool just_put = flight->kind == QUEUE_OWN && sink->put_spans == flight->payload.spans &&
			queue_ring_spans(&sink->queue) == 0;

	if (limit < LEAST_PAYLOAD)
		limit = LEAST_PAYLOAD;
	if (limit < sink->options.max_payload_bytes)
		sink->options.max_payload_bytes = limit;
	if (just_put && flight->payload.spans > 1 && flight->payload.bytes.n > limit) {
		sink->withdrawn = true;
		queue_withdraw(&sink->queue, flight->slot);
		flight->state = FLIGHT_FREE;
		return;
	}
	notice(&sink->notices, NOTICE_TOO_LARGE, now, flight->payload.spans,
	       "%s, next ones will be at most %zu bytes", report->message, sink->options.max_payload_bytes);
	flight_end(flight, 0);
}

static void flight_done(void *context, const struct send_report *report)
{
	struct flight *flight = context;
	struct sink *sink = flight->sink;
	uint64_t now = loop_now_ms(), spans = flight->payload.spans, rejected;

	switch (report->result) {
	case SEND_OK:
		note_success(sink, now);
		flight_end(flight, spans);
		break;
	case SEND_PARTIAL:
		rejected = report->rejected < spans ? report->rejected : spans;
		note_success(sink, now);
		notice(&sink->notices, NOTICE_PARTIAL, now, rejected, "%s", report->message);
		flight_end(flight, spans - rejected);
		break;
	case SEND_RETRY: flight_retry(flight, report, now); break;
	case SEND_TOO_LARGE: flight_too_large(flight, report, now); break;
	case SEND_REFUSED:
	default:
		notice(&sink->notices, NOTICE_REFUSED, now, spans, "%s", report->message);
		flight_end(flight, 0);
	}
	sink_pump(sink, now);
}

/* --- sending --- */

void sink_send(struct sink *sink, const struct queue_item *item)
{
	struct flight *flight = &sink->flights[item->slot];

	flight->kind = item->kind;
	flight->number = item->sequence;
	flight->payload = (struct payload){ item->bytes, item->spans, item->maybe_sent };
	flight->state = FLIGHT_BUSY;
	sink->transport->send(sink->state, &flight->payload, flight_done, flight);
}

/* The next payload, oldest first: one that waits in a slot, one on disk, one of the ring. */
static bool send_next(struct sink *sink, uint64_t now)
{
	struct queue_item item;

	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (sink->flights[i].state == FLIGHT_WAITING) {
			if (queue_get(&sink->queue, i, &item))
				sink_send(sink, &item);
			else
				sink->flights[i].state = FLIGHT_FREE;
			return true;
		}
	if (!spool_is_empty(&sink->spool))
		return sink_spool_send(sink, now);
	if (!queue_take(&sink->queue, now, &item))
		return false;
	sink_send(sink, &item);
	return true;
}

void sink_close_transport(struct sink *sink)
{
	if (sink->state)
		sink->transport->close(sink->state);
	sink->state = NULL;
}

/* The deadline is over: whatever is left goes to disk, or is dropped. */
static void end(struct sink *sink, uint64_t now)
{
	uint64_t left;

	sink_close_transport(sink);
	loop_timer_cancel(sink->loop, &sink->timer);
	sink_spool_all(sink, now);
	left = queue_spans(&sink->queue);
	queue_drop_all(&sink->queue);
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		sink->flights[i].state = FLIGHT_FREE;
	sink->stopped = true;
	if (left)
		notice(&sink->notices, NOTICE_LEFT, now, left, "no time left at the end");
	notices_flush(&sink->notices);
}

static void timer_expired(void *context) { sink_pump(context, loop_now_ms()); }

void sink_wake(struct sink *sink, uint64_t due_ms)
{
	loop_timer_set(sink->loop, &sink->timer, due_ms, timer_expired, sink);
}

static bool anything_under_way(const struct sink *sink)
{
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (sink->flights[i].state == FLIGHT_BUSY)
			return true;
	return false;
}

bool sink_has_flights(const struct sink *sink)
{
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (sink->flights[i].state != FLIGHT_FREE)
			return true;
	return false;
}

static void arm(struct sink *sink, uint64_t now, bool more)
{
	uint64_t wake = 0;

	if (more)
		wake = now;
	else if (sink->due_ms > now)
		wake = sink->due_ms;
	if (sink->stopping && (!wake || wake > sink->deadline_ms))
		wake = sink->deadline_ms;
	if (wake)
		sink_wake(sink, wake);
}

/* Nothing waits for a try after the deadline; with a spool, for no second try at all. */
static bool is_over(const struct sink *sink, uint64_t now)
{
	if (now >= sink->deadline_ms)
		return true;
	return sink->due_ms > (sink->spool.fd >= 0 ? now : sink->deadline_ms) && !anything_under_way(sink);
}

void sink_pump(struct sink *sink, uint64_t now)
{
	int sent = 0;

	if (sink->pumping || sink->stopped)
		return;
	if (sink->stopping && !sink_idle(sink) && is_over(sink, now)) {
		end(sink, now);
		return;
	}
	sink->pumping = true;
	while (now >= sink->due_ms && sent < PUMP_PAYLOADS && send_next(sink, now))
		sent++;
	sink->pumping = false;
	if (!sink_idle(sink)) {
		arm(sink, now, sent == PUMP_PAYLOADS);
		sink->busy_ms = now;
	} else if (now - sink->busy_ms > TRIM_AFTER_MS) {
		queue_trim(&sink->queue);
	}
}
