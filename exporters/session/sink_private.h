/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SINK_PRIVATE_H
#define BTRACE_SINK_PRIVATE_H

/* What sink.c (life, encoding) and sink_send.c (sending, retrying, ending) share. */

#include "exporters/base/buf.h"
#include "exporters/session/notice.h"
#include "exporters/session/sink.h"
#include "exporters/transport/spool.h"

enum flight_state { FLIGHT_FREE, FLIGHT_WAITING, FLIGHT_BUSY };

struct flight { /* the sink's side of one slot of the queue */
	struct sink *sink;
	uint32_t slot;
	enum flight_state state;
	enum queue_kind kind;
	uint64_t number; /* of the record, if it comes from the spool */
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
	struct spool spool; /* fd -1: none */
	struct buf record;  /* of the spool */
	struct buf scratch;
	struct flight flights[QUEUE_SLOTS];
	struct loop_timer timer;
	struct notices notices;
	uint64_t due_ms;      /* nothing is sent before */
	uint64_t wished_ms;   /* the part of it that the receiver asked for */
	uint64_t failing_ms;  /* since when; 0 = all is well */
	uint32_t failures;    /* in a row */
	uint64_t busy_ms;     /* when there was something to send */
	uint64_t deadline_ms; /* when stopping */
	uint64_t random;
	uint32_t put_spans; /* of the payload that sink_put has just queued, 0 outside */
	bool withdrawn;     /* it came back as too large: encode again */
	bool stopping, stopped, pumping;
};

bool sink_has_flights(const struct sink *sink);
void sink_send(struct sink *sink, const struct queue_item *item);

/* sink_spool.c; all do nothing without a spool */
void sink_spool_open(struct sink *sink, int fd, uint64_t bytes);
/* Puts the oldest to disk until there is room for a payload. */
void sink_spool_make_room(struct sink *sink, size_t bytes, uint32_t spans, uint64_t now_ms);
/* Sends the oldest record, one at a time; false if there is none that can be sent now. */
bool sink_spool_send(struct sink *sink, uint64_t now_ms);
/* Puts all that is queued to disk, flights included. */
void sink_spool_all(struct sink *sink, uint64_t now_ms);

void sink_close_transport(struct sink *sink);
void sink_wake(struct sink *sink, uint64_t due_ms); /* pumps then */

#endif
