/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SINK_PRIVATE_H
#define BTRACE_SINK_PRIVATE_H

/* What sink.c (life, encoding) and sink_send.c (sending, retrying, ending) share. */

#include "exporters/base/buf.h"
#include "exporters/session/notice.h"
#include "exporters/session/sink.h"

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

void sink_close_transport(struct sink *sink);
void sink_wake(struct sink *sink, uint64_t due_ms); /* pumps then */

#endif
