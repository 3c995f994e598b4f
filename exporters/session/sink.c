/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "exporters/session/sink_private.h"

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
	sink_spool_open(sink, limits->spool_fd, limits->spool_bytes);
	take_over(sink);
	if (!sink_idle(sink))
		sink_wake(sink, loop_now_ms());
	*out = sink;
	return 0;

fail_queue:
	queue_release(&sink->queue);
fail:
	free(sink);
	return rc;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	loop_timer_cancel(sink->loop, &sink->timer);
	sink_close_transport(sink);
	notices_flush(&sink->notices);
	queue_release(&sink->queue);
	buf_release(&sink->scratch);
	buf_release(&sink->record);
	free(sink);
}

bool sink_idle(const struct sink *sink)
{
	if (sink->stopped)
		return true;
	return queue_spans(&sink->queue) == 0 && spool_is_empty(&sink->spool) && !sink_has_flights(sink);
}

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
	uint64_t dropped;

	sink_spool_make_room(sink, sink->scratch.n, spans, now);
	dropped = queue_counters(&sink->queue).dropped;
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

static void put_from(struct sink *sink, const struct batch *batch, size_t from)
{
	uint64_t now = loop_now_ms();
	size_t n;

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
	if (sink->stopped) {
		sink_spool_all(sink, now);
		queue_drop_all(&sink->queue);
	}
}

void sink_put(struct sink *sink, const struct batch *batch) { put_from(sink, batch, 0); }

void sink_put_once(struct sink *sink, const struct batch *batch, uint64_t number)
{
	put_from(sink, batch, queue_batch(&sink->queue, number));
	queue_batch(&sink->queue, 0);
}

void sink_fail_once(struct sink *sink, uint64_t spans, uint64_t number)
{
	uint64_t has = queue_batch(&sink->queue, number);

	if (has < spans)
		queue_count_failed(&sink->queue, spans - has);
	queue_batch(&sink->queue, 0);
}

struct sink_counters sink_counters(const struct sink *sink)
{
	struct queue_counters c = queue_counters(&sink->queue);

	return (struct sink_counters){
		.put = c.put,
		.sent = c.sent,
		.failed = c.failed,
		.queue_dropped = c.dropped,
		.spooled = c.spooled,
		.queued = queue_spans(&sink->queue),
		.replayed_sent = c.replayed_sent,
		.replayed_failed = c.replayed_failed,
	};
}

const char *sink_name(const struct sink *sink) { return sink->name; }
