/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "exporters/base/buf.h"
#include "exporters/session/notice.h"
#include "exporters/transport/retry.h"

enum { PUMP_PAYLOADS = 64, LEAST_PAYLOAD = 1024 };

enum flight_state { FLIGHT_FREE, FLIGHT_WAITING, FLIGHT_BUSY };

struct flight { /* the sink's side of one slot of the queue */
	struct sink *sink;
	uint32_t slot;
	enum flight_state state;
	struct payload payload;
};

struct sink {
	const char *name;
	const struct format *format;
	struct encode_options options;
	const struct transport *transport;
	struct endpoint endpoint;
	void *state; /* the transport's */
	struct transport_loop *loop;
	struct queue queue;
	struct buf scratch;
	struct flight flights[QUEUE_SLOTS];
	struct loop_timer timer;
	struct notices notices;
	uint64_t due_ms;      /* nothing is sent before */
	uint64_t wished_ms;   /* the part of it that the receiver asked for */
	uint64_t failing_ms;  /* since when; 0 = all is well */
	uint32_t failures;    /* in a row */
	uint64_t deadline_ms; /* when stopping */
	uint64_t random;
	uint32_t put_spans; /* of the payload that sink_put has just queued, 0 outside */
	bool withdrawn;     /* it came back as too large: encode again */
	bool stopping, stopped, pumping;
};

static uint32_t random32(struct sink *sink)
{
	sink->random ^= sink->random << 13;
	sink->random ^= sink->random >> 7;
	sink->random ^= sink->random << 17;
	return (uint32_t)(sink->random >> 32);
}

/* --- open and close --- */

static struct queue_limits queue_limits_of(const struct transport *transport, const struct endpoint *endpoint,
					   const struct sink_limits *limits)
{
	struct queue_limits l = {
		.max_spans = limits->max_spans,
		.max_bytes = limits->max_bytes,
		.max_payload_bytes = limits->max_payload_bytes,
		.slots = transport->in_flight,
	};

	if (!l.max_payload_bytes)
		l.max_payload_bytes = endpoint->max_packet_bytes ? endpoint->max_packet_bytes
								 : transport->max_payload_bytes;
	return l;
}

size_t sink_region_bytes(const struct transport *transport, const struct endpoint *endpoint,
			 const struct sink_limits *limits)
{
	struct queue_limits l = queue_limits_of(transport, endpoint, limits);

	return queue_region_bytes(&l);
}

static void timer_expired(void *context) { sink_pump(context, loop_now_ms()); }

/* What a process before us was sending is sent first. */
static void take_over(struct sink *sink)
{
	struct queue_item item;

	for (uint32_t i = 0; i < QUEUE_SLOTS; i++) {
		sink->flights[i] = (struct flight){ .sink = sink, .slot = i };
		if (queue_get(&sink->queue, i, &item))
			sink->flights[i].state = FLIGHT_WAITING;
	}
}

int sink_open(struct sink **out, const char *name, const struct format *format,
	      const struct encode_options *options, const struct transport *transport,
	      const struct endpoint *endpoint, const struct sink_limits *limits, struct transport_loop *loop,
	      char error[256])
{
	struct queue_limits l = queue_limits_of(transport, endpoint, limits);
	struct sink *sink = calloc(1, sizeof(*sink));
	int rc;

	if (!sink) {
		snprintf(error, 256, "%s: no memory", name);
		return -ENOMEM;
	}
	sink->name = name;
	sink->format = format;
	sink->options = *options;
	sink->transport = transport;
	sink->endpoint = *endpoint;
	sink->loop = loop;
	if (!sink->options.max_payload_bytes || sink->options.max_payload_bytes > l.max_payload_bytes)
		sink->options.max_payload_bytes = l.max_payload_bytes;
	if (strncmp(format->name, "otlp", 4) == 0)
		sink->endpoint.rules = ANSWERS_OTLP;
	if (getrandom(&sink->random, sizeof(sink->random), GRND_NONBLOCK) != sizeof(sink->random))
		sink->random = loop_now_ms() ^ (uintptr_t)sink;
	sink->random |= 1;
	notices_init(&sink->notices, endpoint->label ? endpoint->label : name, loop);
	buf_init(&sink->scratch);
	rc = queue_open(&sink->queue, &l, limits->region, limits->region_bytes);
	if (rc < 0) {
		snprintf(error, 256, "%s: no memory for the queue: %s", name, strerror(-rc));
		goto fail;
	}
	rc = transport->open(&sink->state, &sink->endpoint, format->content_type, loop, error);
	if (rc < 0)
		goto fail_queue;
	take_over(sink);
	if (!sink_idle(sink))
		loop_timer_set(loop, &sink->timer, loop_now_ms(), timer_expired, sink);
	*out = sink;
	return 0;

fail_queue:
	queue_release(&sink->queue);
fail:
	free(sink);
	return rc;
}

static void transport_close(struct sink *sink)
{
	if (sink->state)
		sink->transport->close(sink->state);
	sink->state = NULL;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	loop_timer_cancel(sink->loop, &sink->timer);
	transport_close(sink);
	notices_flush(&sink->notices);
	queue_release(&sink->queue);
	buf_release(&sink->scratch);
	free(sink);
}

/* --- what became of a payload --- */

static void note_success(struct sink *sink, uint64_t now)
{
	if (sink->failing_ms)
		notice(&sink->notices, NOTICE_RECOVERED, now, 0, "sending again after %" PRIu64 " s",
		       (now - sink->failing_ms) / 1000);
	sink->failing_ms = 0;
	sink->failures = 0;
	sink->due_ms = sink->wished_ms = 0;
}

static void flight_end(struct flight *flight, uint64_t sent)
{
	queue_settle(&flight->sink->queue, flight->slot, sent);
	flight->state = FLIGHT_FREE;
}

/* The payload waits in its slot for the next try, or has had its time. */
static void flight_retry(struct flight *flight, const struct send_report *report, uint64_t now)
{
	struct sink *sink = flight->sink;
	struct queue_item item;
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
	due = retry_due_ms(now, item.first_try_ms, sink->endpoint.total_timeout_ms, sink->failures,
			   report->retry_after_ms, random32(sink));
	if (!due) {
		notice(&sink->notices, NOTICE_GAVE_UP, now, item.spans, "%s, gave up after %u tries",
		       report->message, item.tries);
		flight_end(flight, 0);
		due = now + retry_delay_ms(sink->failures, random32(sink));
		due = due > now + report->retry_after_ms ? due : now + report->retry_after_ms;
	} else {
		flight->state = FLIGHT_WAITING;
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
	bool just_put = sink->put_spans == flight->payload.spans && queue_ring_spans(&sink->queue) == 0;

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

static void flight_send(struct flight *flight, const struct queue_item *item)
{
	flight->payload = (struct payload){ item->bytes, item->spans, item->maybe_sent };
	flight->state = FLIGHT_BUSY;
	flight->sink->transport->send(flight->sink->state, &flight->payload, flight_done, flight);
}

/* The next payload: one that waits in a slot, else the oldest of the ring. */
static bool send_next(struct sink *sink, uint64_t now)
{
	struct queue_item item;

	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (sink->flights[i].state == FLIGHT_WAITING) {
			if (queue_get(&sink->queue, i, &item))
				flight_send(&sink->flights[i], &item);
			else
				sink->flights[i].state = FLIGHT_FREE;
			return true;
		}
	if (!queue_take(&sink->queue, now, &item))
		return false;
	flight_send(&sink->flights[item.slot], &item);
	return true;
}

/* The deadline is over: whatever is left is dropped. */
static void end(struct sink *sink, uint64_t now)
{
	uint64_t left = queue_spans(&sink->queue);

	transport_close(sink);
	loop_timer_cancel(sink->loop, &sink->timer);
	queue_drop_all(&sink->queue);
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		sink->flights[i].state = FLIGHT_FREE;
	sink->stopped = true;
	if (left)
		notice(&sink->notices, NOTICE_LEFT, now, left, "no time left at the end");
	notices_flush(&sink->notices);
}

static bool anything_under_way(const struct sink *sink)
{
	for (uint32_t i = 0; i < QUEUE_SLOTS; i++)
		if (sink->flights[i].state == FLIGHT_BUSY)
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
		loop_timer_set(sink->loop, &sink->timer, wake, timer_expired, sink);
}

void sink_pump(struct sink *sink, uint64_t now)
{
	int sent = 0;

	if (sink->pumping || sink->stopped)
		return;
	if (sink->stopping && !sink_idle(sink) &&
	    (now >= sink->deadline_ms || (sink->due_ms > sink->deadline_ms && !anything_under_way(sink)))) {
		end(sink, now);
		return;
	}
	sink->pumping = true;
	while (now >= sink->due_ms && sent < PUMP_PAYLOADS && send_next(sink, now))
		sent++;
	sink->pumping = false;
	if (!sink_idle(sink))
		arm(sink, now, sent == PUMP_PAYLOADS);
}

bool sink_idle(const struct sink *sink) { return queue_spans(&sink->queue) == 0; }

void sink_stop(struct sink *sink, uint64_t deadline_ms)
{
	sink->stopping = true;
	sink->deadline_ms = deadline_ms;
	sink->due_ms = sink->wished_ms; /* our own patience ends, the receiver's wish stands */
	sink_pump(sink, loop_now_ms());
}

/* --- encoding --- */

/* Encodes into scratch what fits into one payload; 0 if the span at `from` fits none. */
static size_t encode_some(struct sink *sink, const struct batch *batch, size_t from)
{
	size_t n = batch->n - from;

	for (;;) {
		buf_clear(&sink->scratch);
		n = sink->format->encode(batch, from, n, &sink->options, &sink->scratch);
		if (n == 0 || sink->scratch.failed || sink->scratch.n <= sink->options.max_payload_bytes)
			return n;
		if (n == 1)
			return 0;
		n /= 2; /* a format that has no splitting of its own */
	}
}

static void queue_scratch(struct sink *sink, uint32_t spans, uint64_t now)
{
	uint64_t dropped = queue_counters(&sink->queue).dropped;

	queue_push(&sink->queue, (struct slice){ sink->scratch.p, sink->scratch.n }, spans);
	dropped = queue_counters(&sink->queue).dropped - dropped;
	if (dropped)
		notice(&sink->notices, NOTICE_QUEUE_FULL, now, dropped,
		       "queue is full, the oldest had to go");
	sink->withdrawn = false;
	sink->put_spans = spans;
	sink_pump(sink, now);
	sink->put_spans = 0;
}

void sink_put(struct sink *sink, const struct batch *batch)
{
	uint64_t now = loop_now_ms();
	size_t from = 0, n;

	while (from < batch->n) {
		n = encode_some(sink, batch, from);
		if (sink->scratch.failed) {
			queue_count_failed(&sink->queue, batch->n - from);
			notice(&sink->notices, NOTICE_ENCODE, now, batch->n - from, "no memory to encode");
			buf_release(&sink->scratch);
			return;
		}
		if (n == 0) {
			queue_count_failed(&sink->queue, 1);
			notice(&sink->notices, NOTICE_ENCODE, now, 1, "a span is larger than %zu bytes",
			       sink->options.max_payload_bytes);
			from++;
			continue;
		}
		queue_scratch(sink, (uint32_t)n, now);
		if (!sink->withdrawn)
			from += n;
	}
	if (sink->stopped)
		queue_drop_all(&sink->queue);
}

struct sink_counters sink_counters(const struct sink *sink)
{
	struct queue_counters c = queue_counters(&sink->queue);

	return (struct sink_counters){
		c.put, c.sent, c.failed, c.dropped, c.spooled, queue_spans(&sink->queue),
	};
}

const char *sink_name(const struct sink *sink) { return sink->name; }
