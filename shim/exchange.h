/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_EXCHANGE_H
#define BTRACE_EXCHANGE_H

/*
 * From bytes to spans, on both kinds of connections (conn.h says what "in" and
 * "out" are on each): feeds the parser of a direction, pairs responses with
 * requests, fills the slot. One span per request: the slot is claimed when the
 * method is known, the request counted when its request line is complete, the
 * slot finished with the last response byte.
 *
 * Two sides. exchange_in.c runs while CONN_IN_BUSY is held and writes the slot
 * as long as the request's phase is PENDING_HEAD; from PENDING_READY on it
 * touches only the atomics of struct pending. exchange_out.c runs while
 * CONN_OUT_BUSY is held and writes the slot only from PENDING_READY on; until
 * then it keeps what it learns in struct pending. A response that is complete
 * before the request's head is (408, 400) asks for the end: PENDING_END_WANTED,
 * and whoever finds the in side empty makes it.
 */

#include <sys/uio.h>

#include "shim/conn.h"

/* iov holds at least n bytes. The caller holds the direction. */
void exchange_input(struct conn *c, const struct iovec *iov, size_t count, uint64_t n);
void exchange_output(struct conn *c, const struct iovec *iov, size_t count, uint64_t n);
/* n bytes known by number only. */
void exchange_input_unseen(struct conn *c, uint64_t n);
void exchange_output_unseen(struct conn *c, uint64_t n);
/*
 * The in side of a client, before the real write: parses what is about to be
 * sent, from `bytes` on (those were parsed for an earlier write that did not take
 * them), and advances `bytes`. Offsets count from the first byte of iov; left as
 * they are if the event did not come.
 */
struct exchange_ahead {
	uint64_t bytes;
	uint64_t head_begin, head_end;
	bool stop; /* return behind the first message that ends */
};
void exchange_input_ahead(struct conn *c, const struct iovec *iov, size_t count,
			  struct exchange_ahead *ahead);
/*
 * Before the real write of n bytes (iov NULL: unseen): if they complete the
 * response, the slot says so at once. A client that has its answer may kill us
 * before we get to see that the write returned; this way the span is whole all
 * the same. Taken back by the next call of exchange_output*() if it was wrong.
 */
void exchange_output_predict(struct conn *c, const struct iovec *iov, size_t count, uint64_t n);
void exchange_output_unpredict(struct conn *c);
/* All of that write has gone out, but it never returned: ends the response, if that was foretold. The caller
 * holds CONN_OUT_BUSY. */
void exchange_output_came_true(struct conn *c);
/* No more input will come: end of stream (error 0) or a socket error. */
void exchange_input_ended(struct conn *c, int error);
/* No more output will be sent: shutdown(SHUT_WR), close. */
void exchange_output_ended(struct conn *c);
void exchange_output_failed(struct conn *c, int error);
/* The out side of a client: the server has ended the stream, nothing will be answered any more. */
void exchange_responses_ended(struct conn *c);

/* Gives CONN_IN_BUSY back; makes an end which the out side wanted while the in side stood in the way. */
void exchange_leave_input(struct conn *c);

/* Ends what was left to forked children and never answered; called now and then. Cheap if there is nothing.
 */
void exchange_end_left(void);

/* --- between the files --- */

/*
 * exchange_whole.c: takes requests that are whole and plain from the front of n bytes that
 * were read, as far as there are such. Their bytes; the rest is to be parsed for events.
 */
size_t exchange_whole(struct conn *c, const struct policy *policy, const char *in, size_t n);
/* This request has no room in the ring: pairing ends, and with it the connection's tracing. */
void exchange_pipeline_full(struct conn *c, uint32_t pending);

/* Is this process the owner of the pending request's slot, or can it become that (after fork)? */
bool exchange_own(struct pending *p);
/* PENDING_END_WANTED -> PENDING_ENDED and the span is finished; whoever comes second does nothing. */
void exchange_make_end(struct pending *p);
void exchange_forget(uint32_t pending); /* one reference less */
/* How what is open ends with its connection. */
enum span_end exchange_end_by_fate(const struct conn *c, const struct pending *p);
void exchange_fill(struct span_record *r, struct pending *p, const struct response *response,
		   enum span_end end, uint64_t end_ns);
/* Only its owner finishes a span: in a forked child that never answered, nothing happens. */
void exchange_finish(struct pending *p, enum span_end end, uint64_t end_ns);
/* The same where the connection is closed: after a fork a child may still answer. */
void exchange_finish_at_close(struct pending *p, enum span_end end, uint64_t end_ns);

#endif
