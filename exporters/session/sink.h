/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SINK_H
#define BTRACE_SINK_H

/*
 * One exporter of the config: format + transport + endpoint + bounded queue. A
 * batch is encoded at once, so that nothing of it is needed afterwards; payloads
 * then wait in the queue (queue.h) until they are sent, refused, or pushed out.
 *
 * Fates of a span, and at any time put = sent + failed + queue_dropped +
 * spooled + queued:
 *   sent           the receiver took it (UDP: the kernel did)
 *   failed         refused for good, or tried until the total time was over, or
 *                  not encodable (larger than a payload may be)
 *   queue_dropped  pushed out of a full queue, or left over at the end; also what the
 *                  spool lost, being full or damaged
 *   spooled        on disk now; less again when it is sent
 *
 * Retry (retry.h): only what the transport calls SEND_RETRY. While a sink waits
 * for its next try it sends nothing else; its queue goes on filling. Sinks
 * share only the loop, so that one which fails holds up no other.
 *
 * Too large (413, RESOURCE_EXHAUSTED, EMSGSIZE): bytes cannot be split, and
 * spans are not kept. So payloads are kept small enough in the first place
 * (max_payload_bytes); a transport that says so at once (udp) has its
 * batch encoded again in smaller parts, nothing lost; one that says so later loses that
 * payload (counted), and the next ones are made at most half as large.
 *
 * Two processes may share a sink's queue one after the other: hand the same
 * region to sink_open again and what the dead one held is sent. What it was
 * sending at that moment is sent again; the file transport looks first.
 *
 * With a spool (spool.h) what a full queue pushes out, and what is left at the end,
 * goes to disk instead, nothing is given up because of its age, and what lies on disk
 * is sent, oldest first, as soon as the receiver takes it, also by later sessions.
 *
 * Not thread safe. Memory: the queue's region and two payloads.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/encode/format.h"
#include "exporters/span/model.h"
#include "exporters/transport/loop.h"
#include "exporters/transport/queue.h"
#include "exporters/transport/transport.h"

struct sink;

struct sink_limits {
	uint64_t max_spans;         /* in the queue; 0 = 65,536 */
	uint64_t max_bytes;         /* in the queue; 0 = 32 MiB */
	uint32_t max_payload_bytes; /* 0 = 2 MiB (udp: the endpoint's max_packet_bytes) */
	void *region;               /* where the queue lives; NULL = own memory */
	size_t region_bytes;        /* at least sink_region_bytes() */
	int spool_fd;               /* of spool_file_open, stays the caller's; <= 0: none */
	uint64_t spool_bytes;       /* 0 = 256 MiB */
};

struct sink_counters {
	uint64_t put, sent, failed, queue_dropped, spooled, queued;
	uint64_t replayed_sent, replayed_failed; /* from disk, of earlier sessions; not in put */
};

/*
 * name, endpoint's strings, format, options' strings and loop outlive the sink;
 * the structs themselves are copied. 0 or -errno, then error holds one line.
 */
int sink_open(struct sink **sink, const char *name, const struct format *format,
	      const struct encode_options *options, const struct transport *transport,
	      const struct endpoint *endpoint, const struct sink_limits *limits, struct transport_loop *loop,
	      char error[256]);
/* Cancels what is under way; what is still queued stays in a region of the caller, else it is gone. */
void sink_free(struct sink *sink);

size_t sink_region_bytes(const struct transport *transport, const struct endpoint *endpoint,
			 const struct sink_limits *limits);

/* Encodes and queues; sends what can be sent at once. Never blocks; losses are counted and told. */
void sink_put(struct sink *sink, const struct batch *batch);
/* The same for a numbered batch, of which a process before us may have put a part; not 0. */
void sink_put_once(struct sink *sink, const struct batch *batch, uint64_t number);
/* That batch of so many spans is given up: those that were not put of it count as failed. */
void sink_fail_once(struct sink *sink, uint64_t spans, uint64_t number);

/*
 * Sends what is due. Also happens by itself inside loop_wait (timers and
 * completions); calling it often does no harm.
 */
void sink_pump(struct sink *sink, uint64_t now_ms);

/* Nothing queued, nothing on disk that could be sent, nothing under way. */
bool sink_idle(const struct sink *sink);

/*
 * The end has come: one try at once even if a wait was on, no wait that ends
 * after deadline_ms (loop_now_ms), and at the deadline what is left goes to the
 * spool (at the first failed try already), or counts as queue_dropped. Returns at once; run loop_wait until
 * sink_idle.
 */
void sink_stop(struct sink *sink, uint64_t deadline_ms);

struct sink_counters sink_counters(const struct sink *sink);
const char *sink_name(const struct sink *sink);

#endif
