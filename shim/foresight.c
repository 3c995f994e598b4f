/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/foresight.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "shim/carry.h"
#include "shim/exchange.h"
#include "shim/http/http1_whole.h"
#include "shim/sys.h"

static __thread struct foresight foresight;

/*
 * Bytes of one write beyond which it may well be cut in two or block: nothing is foretold
 * then. It would cost no more, but a process killed in such a write has mostly not handed
 * its last byte over. The price: killed between that byte and the return of a larger
 * write, its span says process_died.
 */
#define PREDICT_MAX (128u * 1024)

#define TAKEN_TRIES 4

/* One event of the copied parser; false: what comes behind it is not looked at. */
static bool foresee(struct foresight *s, enum http1_answer answer, enum http1_event event,
		    const struct http1_data *d)
{
	switch (event) {
	case HTTP1_BEGIN: s->began = true; return true;
	case HTTP1_STATUS:
		http1_answers(&s->after, answer);
		s->response.status = s->after.status;
		s->status = true;
		return true;
	case HTTP1_HEAD_END: s->response.head = s->after.head_bytes; return true;
	case HTTP1_BODY: s->response.body += d->bytes; return true;
	case HTTP1_END:
		s->ended = !http1_is_interim(&s->after);
		s->interim |= !s->ended;
		return !s->ended;
	default: return event == HTTP1_FIELD;
	}
}

/*
 * A response whose head is plain and whole in the first piece: the bytes of the head, and
 * behind it those of the body that are its business; 0: look at all of it.
 */
static uint64_t look_at_head(struct foresight *s, enum http1_answer answer, const struct iovec *iov,
			     uint64_t n)
{
	size_t size = iov->iov_len < n ? iov->iov_len : (size_t)n, head;

	if (!http1_idle(&s->after))
		return 0;
	head = http1_whole_response(&s->after, answer, iov->iov_base, (const char *)iov->iov_base + size);
	if (!head)
		return 0;
	s->began = s->status = true;
	s->response.status = s->after.status;
	s->response.head = s->after.head_bytes;
	s->response.body = http1_whole_body(&s->after, n - head);
	s->ended = http1_whole_end(&s->after);
	return head + s->response.body;
}

/* Feeds the copy from byte `seen` on, to the end of the response that is due. True: that is all there is. */
static __attribute__((noinline)) bool look_at_events(struct foresight *s, enum http1_answer answer,
						     const struct iovec *iov, size_t count, uint64_t n,
						     uint64_t seen)
{
	char carry[HTTP1_NAME_MAX];
	const struct http1_options options = { .carry = carry };
	struct http1_data d;
	enum http1_event event;

	carry_load(s->c->out_carry, carry);
	while (!iov && (event = http1_next_unseen(&s->after, &n, &d)) != HTTP1_NEED_MORE)
		if (!foresee(s, answer, event, &d))
			return n == 0;
	for (size_t i = 0; iov && i < count; i++) {
		size_t over = seen < iov[i].iov_len ? (size_t)seen : iov[i].iov_len;
		const char *in = (const char *)iov[i].iov_base + over, *end = in + (iov[i].iov_len - over);

		seen -= over;
		n -= iov[i].iov_len;
		while ((event = http1_next(&s->after, &options, &in, end, &d)) != HTTP1_NEED_MORE)
			if (!foresee(s, answer, event, &d))
				return in == end && n == 0;
	}
	return !http1_carried(&s->after); /* a line that is cut off: the copy is not to be taken over */
}

static bool look_ahead(struct foresight *s, enum http1_answer answer, const struct iovec *iov, size_t count,
		       uint64_t n)
{
	uint64_t seen = iov && count ? look_at_head(s, answer, iov, n) : 0;

	return seen == n || s->ended ? seen == n : look_at_events(s, answer, iov, count, n, seen);
}

/* The request that is due for an answer, if its slot can be written; 0: none. */
static uint32_t due(struct conn *c)
{
	uint32_t index = c->answering ? c->answering : ring_front(c);
	struct pending *p = index ? pending_at(index) : NULL;

	if (!p || p->slot == TABLE_NO_SLOT ||
	    atomic_load_explicit(&p->phase, memory_order_acquire) != PENDING_READY || !exchange_own(p))
		return 0;
	return index;
}

bool foresight_begins_again(const struct http1 *parser, const struct iovec *iov, uint64_t n)
{
	return parser->error == HTTP1_BAD_START_LINE &&
	       http1_looks_like_start(iov->iov_base, iov->iov_len < n ? iov->iov_len : (size_t)n,
				      HTTP1_RESPONSE);
}

void exchange_output_predict(struct conn *c, const struct iovec *iov, size_t count, uint64_t n)
{
	struct foresight *s = &foresight;
	uint32_t index = n <= PREDICT_MAX ? due(c) : 0;
	struct pending *p;
	bool whole, again;

	s->c = NULL;
	if (!index)
		return;
	c->announced = (uint32_t)n;
	s->c = c; /* before all else: whoever interrupts us leaves another name */
	atomic_signal_fence(memory_order_seq_cst);
	p = pending_at(index);
	s->first = iov ? iov[0].iov_base : NULL;
	s->bytes = n;
	s->pending = index;
	s->began = s->status = s->ended = s->interim = false;
	s->turn = c->turn;
	s->after = c->out;
	s->response = p->response;
	again = iov && count && foresight_begins_again(&s->after, iov, n);
	if (again)
		http1_restart(&s->after);
	if (!c->answering && !http1_idle(&s->after)) { /* the rest of what answers nobody */
		s->c = NULL;
		return;
	}
	whole = look_ahead(s, (enum http1_answer)p->answer, iov, count, n);
	if (s->ended)
		exchange_fill(&shim.table.slot[p->slot].head, p, &s->response, SPAN_END_COMPLETE, 0);
	/* Interim responses, several in one write, another protocol, broken framing, a new beginning: the
	 * long way. */
	if (!whole || again || s->interim || s->after.error || s->ended != http1_idle(&s->after))
		s->c = NULL;
}

void exchange_output_unpredict(struct conn *c)
{
	uint32_t index = due(c);

	if (index)
		shim.table.slot[pending_at(index)->slot].head.end = SPAN_END_OPEN;
}

const struct foresight *foresight_take(struct conn *c, const void *first, uint64_t n)
{
	struct foresight *s = &foresight;
	bool same = s->c == c && s->bytes == n && s->first == first && s->turn == c->turn &&
		    s->pending == (c->answering ? c->answering : ring_front(c));

	s->c = NULL; /* once */
	return same ? s : NULL;
}

/* The end of the stream counts as one byte. States as in the kernel's tcp_states.h, whose names libc's
 * <netinet/tcp.h> has, but an older struct with them. */
static bool has_sent_end(uint8_t state)
{
	enum { FIN_WAIT1 = 4, FIN_WAIT2, TIME_WAIT, LAST_ACK = 9, CLOSING = 11 };

	return (state >= FIN_WAIT1 && state <= TIME_WAIT) || state == LAST_ACK || state == CLOSING;
}

/* All bytes that the kernel has taken on this connection; or -1: that it does not tell. */
static int64_t taken_by_kernel(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);
	int before = 0, after = -1;

	/* what is acknowledged while we ask leaves one number for the other */
	for (int i = 0; i < TAKEN_TRIES && before != after; i++)
		if (sys3(SYS_ioctl, fd, SIOCOUTQ, (void *)&before) < 0 ||
		    sys5(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, (void *)&info, (void *)&length) < 0 ||
		    sys3(SYS_ioctl, fd, SIOCOUTQ, (void *)&after) < 0)
			return -1;
	if (before != after ||
	    length < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
		return -1;
	return (int64_t)info.tcpi_bytes_acked + after - has_sent_end(info.tcpi_state);
}

bool foresight_went_out(int fd, const struct conn *c)
{
	return calls_allowed() && taken_by_kernel(fd) == (int64_t)(c->sent + c->announced);
}

__attribute__((cold)) void foresight_settle(int fd, struct conn *c, uint32_t generation)
{
	if (!foresight_went_out(fd, c) || !conn_enter(c, generation, CONN_OUT_BUSY))
		return;
	exchange_output_came_true(c);
	conn_leave(c, CONN_OUT_BUSY);
}
