/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/uio.h>

#include "shim/capture.h"
#include "shim/carry.h"
#include "shim/exchange.h"
#include "shim/foresight.h"
#include "shim/http/http1_whole.h"
#include "shim/request.h"

struct feed { /* one call's view */
	struct conn *c;
	struct capture captured;
	struct pending *p; /* the request that is being answered, NULL between responses and for orphans */
	uint64_t now_ns;   /* read when first needed */
};

static uint64_t now(struct feed *f)
{
	if (!f->now_ns)
		f->now_ns = clock_now_ns();
	return f->now_ns;
}

/* Of what is not recorded nobody asks when it was, and the clock is a tenth of what it costs. Not 0. */
static uint64_t now_of(struct feed *f, const struct pending *p)
{
	return p->slot == TABLE_NO_SLOT ? 1 : now(f);
}

/* Ends the request: at once, or as soon as the in side is out of its head. */
static void end_request(struct conn *c, struct pending *p, enum span_end end, uint64_t end_ns)
{
	uint32_t head = PENDING_HEAD;

	serving_end(p);
	p->end = (uint8_t)end;
	p->end_ns = end_ns;
	if (p->slot != TABLE_NO_SLOT && !exchange_own(p))
		ledger_count(LEDGER_SLOT_LOST);
	if (!atomic_compare_exchange_strong_explicit(&p->phase, &head, PENDING_END_WANTED,
						     memory_order_acq_rel, memory_order_acquire)) {
		if (head == PENDING_READY) {
			atomic_store_explicit(&p->phase, PENDING_ENDED, memory_order_relaxed);
			exchange_finish(p, end, end_ns);
		}
		return;
	}
	if (conn_try_enter(c, CONN_IN_BUSY)) {
		exchange_make_end(p);
		conn_leave(c, CONN_IN_BUSY);
	}
}

static void take_front(struct feed *f)
{
	struct conn *c = f->c;

	if (!c->answering)
		c->answering = ring_front(c);
	f->p = c->answering ? pending_at(c->answering) : NULL;
	if (f->p && !f->p->response.start_ns)
		f->p->response.start_ns = now_of(f, f->p);
}

/* What is known so far goes into the slot at once, so that a span of a killed process has its real status. */
static void status_known(struct feed *f)
{
	struct conn *c = f->c;
	struct pending *p = f->p;

	http1_answers(&c->out, p ? (enum http1_answer)p->answer : HTTP1_ANSWER_PLAIN);
	if (!p || http1_is_interim(&c->out))
		return;
	p->response.status = c->out.status;
	if (p->slot == TABLE_NO_SLOT ||
	    atomic_load_explicit(&p->phase, memory_order_acquire) != PENDING_READY || !exchange_own(p))
		return;
	shim.table.slot[p->slot].head.status = p->response.status;
	shim.table.slot[p->slot].head.response_start_ns = p->response.start_ns;
}

static void captured_field(struct feed *f, const struct http1_data *d)
{
	unsigned index = (unsigned)d->field - HTTP1_FIELD_CAPTURED;

	if (f->p && d->field >= HTTP1_FIELD_CAPTURED && index < f->captured.list.count &&
	    !http1_is_interim(&f->c->out) &&
	    atomic_load_explicit(&f->p->phase, memory_order_acquire) == PENDING_READY)
		request_header(f->p, TAG_RESPONSE_HEADER, &f->captured, index, d);
}

static void answered(struct feed *f, enum span_end end)
{
	struct conn *c = f->c;
	uint32_t index = c->answering;

	if (!f->p)
		return;
	c->answering = 0;
	ring_pop(c);
	end_request(c, f->p, end, now_of(f, f->p));
	exchange_forget(index);
	f->p = NULL;
}

static void response_complete(struct feed *f)
{
	struct conn *c = f->c;

	if (http1_is_interim(&c->out))
		return; /* the final response is still to come */
	if (!f->p)
		ledger_count(conn_counter(c->role, LEDGER_ORPHAN_RESPONSES));
	if (!c->out.keep_alive)
		atomic_store_explicit(&c->last_response, 1, memory_order_release);
	answered(f, SPAN_END_COMPLETE);
}

static void broken(struct feed *f)
{
	enum ledger why;

	/* Behind a complete response: the server sent more than it said. A later write may begin a response
	 * again. */
	if (f->c->out.error == HTTP1_BAD_START_LINE)
		return;
	/* RFC 9112 2.1, HTTP/0.9: an answer without a status line is still one answer */
	take_front(f);
	/* to no request: a server that greets, or echoes what its reader has not yet told to be no HTTP */
	why = f->p ? LEDGER_OPAQUE_BROKEN : LEDGER_OPAQUE_NOT_HTTP;
	answered(f, SPAN_END_MALFORMED);
	conn_give_up(f->c, why);
}

static void on_event(struct feed *f, enum http1_event event, const struct http1_data *d)
{
	switch (event) {
	case HTTP1_BEGIN: take_front(f); break;
	case HTTP1_STATUS: status_known(f); break;
	case HTTP1_FIELD: captured_field(f, d); break;
	case HTTP1_HEAD_END:
		if (f->p)
			f->p->response.head = f->c->out.head_bytes;
		break;
	case HTTP1_BODY:
		if (f->p)
			f->p->response.body += d->bytes;
		break;
	case HTTP1_END: response_complete(f); break;
	case HTTP1_SWITCHED:
		answered(f, SPAN_END_SWITCHED);
		conn_give_up(f->c, LEDGER_SWITCHED);
		break;
	case HTTP1_BROKEN: broken(f); break;
	default: break;
	}
}

static struct feed feed_begin(struct conn *c)
{
	return (struct feed){ .c = c, .p = c->answering ? pending_at(c->answering) : NULL };
}

/* A response that went out in one write, as most do. */
static void foreseen_whole(struct conn *c, const struct foresight *s)
{
	struct pending *p = pending_at(s->pending);
	uint64_t end_ns = clock_now_ns();

	p->response = s->response;
	p->response.start_ns = end_ns;
	if (!s->after.keep_alive)
		atomic_store_explicit(&c->last_response, 1, memory_order_release);
	ring_pop(c);
	serving_end(p);
	atomic_store_explicit(&p->phase, PENDING_ENDED, memory_order_relaxed); /* was READY, see due() */
	exchange_finish(p, SPAN_END_COMPLETE, end_ns);
	exchange_forget(s->pending);
}

/* Takes over what was foreseen of this write. False: parse it. */
static bool came_true(struct feed *f, const void *first, uint64_t n)
{
	const struct foresight *s = foresight_take(f->c, first, n);

	if (!s)
		return false;
	f->c->turn++;
	f->c->out = s->after;
	if (s->ended && s->began && !f->c->answering) {
		foreseen_whole(f->c, s);
		return true;
	}
	if (s->began)
		take_front(f);
	if (s->status)
		status_known(f);
	f->p->response.head = s->response.head;
	f->p->response.body = s->response.body;
	if (s->ended)
		response_complete(f);
	return true;
}

/*
 * A response that begins with a plain head, whole in the first piece: without its events.
 * The bytes of the head and of the body behind it; 0: look at all of it.
 */
static uint64_t whole_head(struct feed *f, const struct iovec *iov, uint64_t n)
{
	size_t size = iov->iov_len < n ? iov->iov_len : (size_t)n, head;
	struct conn *c = f->c;
	uint32_t index = c->answering ? c->answering : ring_front(c);
	enum http1_answer answer = index ? (enum http1_answer)pending_at(index)->answer : HTTP1_ANSWER_PLAIN;
	uint64_t body;

	if (!http1_idle(&c->out))
		return 0;
	head = http1_whole_response(&c->out, answer, iov->iov_base, (const char *)iov->iov_base + size);
	if (!head)
		return 0;
	take_front(f);
	status_known(f);
	body = http1_whole_body(&c->out, n - head);
	if (f->p) {
		f->p->response.head = c->out.head_bytes;
		f->p->response.body = body;
	}
	if (http1_whole_end(&c->out))
		response_complete(f);
	return head + body;
}

/* The first `over` bytes have been seen to. */
static __attribute__((noinline)) void output_events(struct feed *f, const struct iovec *iov, size_t count,
						    uint64_t n, uint64_t over)
{
	struct conn *c = f->c;
	char carry[HTTP1_NAME_MAX];
	struct http1_options options = { .captured = f->captured.list, .carry = carry };
	struct http1_data d;

	carry_load(c->out_carry, carry);
	for (size_t i = 0; i < count && n; i++) {
		size_t size = iov[i].iov_len < n ? iov[i].iov_len : (size_t)n;
		size_t skip = over < size ? (size_t)over : size;
		const char *in = (const char *)iov[i].iov_base + skip, *end = in + (size - skip);
		enum http1_event event;

		over -= skip;
		n -= size;
		while ((event = http1_next(&c->out, &options, &in, end, &d)) != HTTP1_NEED_MORE)
			on_event(f, event, &d);
	}
	if (!carry_keep(&c->out_carry, &c->out, carry))
		conn_give_up(c, LEDGER_OPAQUE_NO_MEMORY);
}

void exchange_output(struct conn *c, const struct iovec *iov, size_t count, uint64_t n)
{
	struct feed f = feed_begin(c);
	uint64_t over = 0;

	if (!count)
		return;
	if (c->role == CONN_SERVER)
		f.captured = capture_names(table_policy(&shim.table), CAPTURE_RESPONSE);
	if (!f.captured.list.count && came_true(&f, iov[0].iov_base, n))
		return;
	c->turn++;
	if (foresight_begins_again(&c->out, iov, n)) {
		http1_restart(&c->out);
		ledger_count(LEDGER_RESYNC);
	}
	if (!f.captured.list.count)
		over = whole_head(&f, iov, n);
	if (over < n)
		output_events(&f, iov, count, n, over);
	if (f.p && c->role == CONN_SERVER) /* not complete: what was foretold did not come true */
		exchange_output_unpredict(c);
}

void exchange_output_unseen(struct conn *c, uint64_t n)
{
	struct feed f = feed_begin(c);
	struct http1_data d;
	enum http1_event event;

	if (c->role == CONN_SERVER && came_true(&f, NULL, n))
		return;
	c->turn++;
	while ((event = http1_next_unseen(&c->out, &n, &d)) != HTTP1_NEED_MORE)
		on_event(&f, event, &d);
	if (f.p && c->role == CONN_SERVER)
		exchange_output_unpredict(c);
}

void exchange_output_came_true(struct conn *c)
{
	struct feed f = feed_begin(c);
	uint32_t index = c->answering ? c->answering : ring_front(c);
	const struct span_record *r;

	c->announced = 0;
	if (!index)
		return;
	take_front(&f);
	if (f.p->slot == TABLE_NO_SLOT || !exchange_own(f.p) ||
	    atomic_load_explicit(&f.p->phase, memory_order_acquire) != PENDING_READY)
		return;
	r = &shim.table.slot[f.p->slot].head;
	if (r->end != SPAN_END_COMPLETE)
		return;
	/* the parser has not seen the bytes, what was foreseen of them stands in the slot alone */
	f.p->response.status = r->status;
	f.p->response.head = r->response_head_bytes;
	f.p->response.body = r->response_body_bytes;
	answered(&f, SPAN_END_COMPLETE);
}

void exchange_output_ended(struct conn *c)
{
	struct feed f = feed_begin(c);

	c->turn++;
	if (http1_eof(&c->out) == HTTP1_END &&
	    atomic_load_explicit(&c->fate, memory_order_relaxed) != CONN_RESET)
		response_complete(&f); /* the body was delimited by the end of the stream */
}

void exchange_responses_ended(struct conn *c)
{
	struct feed f = feed_begin(c);

	exchange_output_ended(c);
	while ((c->answering = c->answering ? c->answering : ring_front(c))) {
		f.p = pending_at(c->answering);
		answered(&f, SPAN_END_NO_RESPONSE);
	}
}

void exchange_end_all(struct conn *c)
{
	struct feed f = feed_begin(c);
	uint32_t index;

	/* A client that leaves a body which the end of the stream delimits has not seen its end. */
	if (c->role == CONN_SERVER)
		exchange_output_ended(c);
	while ((index = c->answering ? c->answering : ring_front(c))) {
		struct pending *p = pending_at(index);
		uint32_t phase = atomic_exchange_explicit(&p->phase, PENDING_ENDED, memory_order_acq_rel);

		ring_pop(c);
		c->answering = 0;
		serving_end(p);
		if (phase != PENDING_ENDED)
			exchange_finish_at_close(p,
						 phase == PENDING_END_WANTED ? (enum span_end)p->end
									     : exchange_end_by_fate(c, p),
						 now(&f));
		exchange_forget(index);
	}
	if (c->receiving) { /* counted requests are in the ring; what is left was no request yet, or is
			       answered */
		struct pending *p = pending_at(c->receiving);

		exchange_make_end(
			p); /* wanted by the end of the stream: end_request() cannot enter any more */
		if (atomic_load_explicit(&p->phase, memory_order_acquire) == PENDING_HEAD &&
		    p->slot != TABLE_NO_SLOT && p->process == self_get()->index)
			table_drop(&shim.table, p->slot, p->word);
		exchange_forget(c->receiving);
		c->receiving = 0;
	}
}
