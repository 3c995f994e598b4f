/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "shim/capture.h"
#include "shim/carry.h"
#include "shim/client.h"
#include "shim/exchange.h"
#include "shim/front.h"
#include "shim/request.h"

struct feed { /* one call's view */
	struct conn *c;
	const struct policy *policy;
	struct pending *p; /* the request that is arriving, NULL between requests */
	struct capture captured;
	bool writable;   /* its slot is still ours to write: nobody has asked for its end */
	uint64_t now_ns; /* read when first needed */
};

static uint64_t now(struct feed *f)
{
	if (!f->now_ns)
		f->now_ns = clock_now_ns();
	return f->now_ns;
}

/* The request line is complete: from here on it is a request, and it will have a span or a counted reason why
 * not. */
static void count_request(struct feed *f)
{
	struct conn *c = f->c;
	struct pending *p = f->p;

	ledger_count(conn_counter(c->role, LEDGER_REQUESTS));
	c->requests++;
	if (!p) {
		ledger_count(conn_counter(c->role, LEDGER_DROPPED_PIPELINE));
		conn_give_up(c, LEDGER_OPAQUE_NO_MEMORY);
		return;
	}
	if (p->slot == TABLE_NO_SLOT)
		ledger_count(conn_counter(c->role, LEDGER_DROPPED_TABLE_FULL));
	else
		shim.table.slot[p->slot].head.version = c->in.version;
	atomic_store_explicit(&p->references, 2, memory_order_relaxed);
	if (!ring_push(c, c->receiving))
		exchange_pipeline_full(c, c->receiving);
}

/* Responses can no longer be told apart: no pairing is better than a wrong one. */
void exchange_pipeline_full(struct conn *c, uint32_t pending)
{
	struct pending *p = pending_at(pending);

	if (p->slot != TABLE_NO_SLOT && table_drop(&shim.table, p->slot, p->word))
		ledger_count(conn_counter(c->role, LEDGER_DROPPED_PIPELINE));
	p->slot = TABLE_NO_SLOT;
	exchange_forget(pending);
	conn_give_up(c, LEDGER_OPAQUE_BROKEN);
}

static void field(struct feed *f, const struct http1_data *d)
{
	unsigned captured = (unsigned)d->field - HTTP1_FIELD_CAPTURED;

	if (!f->p || !f->writable)
		return;
	if (d->field < HTTP1_FIELD_MAX && request_tag_of_field[d->field])
		request_string(f->p, (enum span_tag)request_tag_of_field[d->field], d);
	else if (d->field >= HTTP1_FIELD_CAPTURED && captured < f->captured.list.count)
		request_header(f->p, TAG_REQUEST_HEADER, &f->captured, captured, d);
}

static void head_complete(struct feed *f)
{
	struct pending *p = f->p;
	struct span_slot *slot;
	uint32_t phase = PENDING_HEAD;

	if (!p)
		return;
	slot = f->writable ? request_slot(p) : NULL;
	if (slot) {
		slot->head.request_head_bytes = f->c->in.head_bytes;
		if (f->c->in.over_limit)
			slot->head.flags |= SPAN_FLAG_HEAD_LIMIT;
		if (f->c->role == CONN_SERVER)
			request_judge(f->c, p, f->policy);
		else
			client_judge(f->c, p, f->policy);
	}
	if (__builtin_expect(f->c->spill != 0, 0))
		request_forget_target(f->c);
	/* release: the out side sees the slot as we leave it */
	if (atomic_compare_exchange_strong_explicit(&p->phase, &phase, PENDING_READY, memory_order_acq_rel,
						    memory_order_acquire))
		return;
	if (phase == PENDING_END_WANTED) /* answered while its head was still coming in */
		exchange_make_end(p);
}

static void request_complete(struct feed *f)
{
	struct conn *c = f->c;
	struct pending *p = f->p;

	if (p) {
		if (f->policy && f->policy->flags & POLICY_FLAG_FULL_TIMING)
			atomic_store_explicit(&p->request_end_ns, now(f), memory_order_relaxed);
		atomic_store_explicit(&p->request_done, 1, memory_order_release);
		exchange_forget(c->receiving);
	}
	c->receiving = 0;
	f->p = NULL;
}

/* Not counted yet: the request line never became complete. */
static void abandon_uncounted(struct feed *f)
{
	struct pending *p = f->p;

	request_forget_target(f->c);
	if (p && atomic_load_explicit(&p->references, memory_order_relaxed) == 1) {
		if (p->slot != TABLE_NO_SLOT)
			table_drop(&shim.table, p->slot, p->word);
		exchange_forget(f->c->receiving);
		f->c->receiving = 0;
		f->p = NULL;
	}
}

static void broken(struct feed *f, const char *at, const char *end)
{
	struct conn *c = f->c;
	enum ledger why = LEDGER_OPAQUE_BROKEN;

	abandon_uncounted(f);
	if (c->in.error == HTTP1_BAD_START_LINE && c->role == CONN_SERVER) {
		if (f->p) { /* a malformed line is all there is of it */
			head_complete(f);
			exchange_forget(c->receiving);
			c->receiving = 0;
			f->p = NULL;
		}
		return; /* the next read may begin a request again, see resynchronised() */
	}
	if (!c->requests && c->in.error == HTTP1_NOT_HTTP)
		why = at < end && *at == 0x16 ? LEDGER_OPAQUE_TLS : LEDGER_OPAQUE_NOT_HTTP;
	conn_give_up(c, why);
}

static void on_event(struct feed *f, enum http1_event event, const struct http1_data *d)
{
	struct pending *p = f->p;

	switch (event) {
	case HTTP1_BEGIN: f->c->begin_ns = now(f); break;
	case HTTP1_METHOD:
		f->c->receiving = request_open(f->c, d->p, d->n, f->c->begin_ns);
		f->p = f->c->receiving ? pending_at(f->c->receiving) : NULL;
		f->writable = true;
		break;
	case HTTP1_TARGET:
		if (p && f->writable)
			request_target(f->c, p, f->policy, d);
		break;
	case HTTP1_VERSION: count_request(f); break;
	case HTTP1_FIELD: field(f, d); break;
	case HTTP1_HEAD_END: head_complete(f); break;
	case HTTP1_BODY:
		if (p)
			atomic_fetch_add_explicit(&p->request_body, d->bytes, memory_order_relaxed);
		break;
	case HTTP1_END: request_complete(f); break;
	default: break;
	}
}

static struct feed feed_begin(struct conn *c)
{
	struct feed f = { .c = c, .policy = table_policy(&shim.table) };

	f.p = c->receiving ? pending_at(c->receiving) : NULL;
	f.writable = !f.p || atomic_load_explicit(&f.p->phase, memory_order_acquire) == PENDING_HEAD;
	return f;
}

/* After a contradiction: the first bytes of a read may begin a request again. True: they do, or nothing was
 * wrong. */
static bool resynchronised(struct conn *c, const struct iovec *iov, uint64_t n)
{
	if (c->in.error != HTTP1_BAD_START_LINE)
		return true;
	if (!http1_looks_like_start(iov->iov_base, iov->iov_len < n ? iov->iov_len : (size_t)n,
				    HTTP1_REQUEST))
		return false;
	http1_restart(&c->in);
	ledger_count(LEDGER_RESYNC);
	return true;
}

/* Header fields of no use on the client's side. */
#define FIELDS_OF_PROXIES                                                  \
	(1u << HTTP1_FIELD_FORWARDED | 1u << HTTP1_FIELD_X_FORWARDED_FOR | \
	 1u << HTTP1_FIELD_X_FORWARDED_HOST | 1u << HTTP1_FIELD_X_FORWARDED_PROTO)

static struct http1_options options_of(struct feed *f, char carry[HTTP1_NAME_MAX])
{
	struct http1_options options = { .wanted = f->policy ? f->policy->wanted_fields : UINT32_MAX,
					 .carry = carry };

	if (f->c->role == CONN_CLIENT)
		options.wanted &= ~FIELDS_OF_PROXIES;
	else
		f->captured = capture_names(f->policy, CAPTURE_REQUEST);
	options.captured = f->captured.list;
	carry_load(f->c->in_carry, carry);
	return options;
}

static void keep_carry(struct conn *c, const char carry[HTTP1_NAME_MAX])
{
	if (!carry_keep(&c->in_carry, &c->in, carry))
		conn_give_up(c, LEDGER_OPAQUE_NO_MEMORY);
}

/* False: followed no more, or `stop` wants to be asked before the next message. first: where the piece began.
 */
static bool feed_http(struct feed *f, const struct http1_options *options, const char **in, const char *end,
		      const char *first, struct exchange_ahead *ahead)
{
	struct http1_data d;
	enum http1_event event;

	while ((event = http1_next(&f->c->in, options, in, end, &d)) != HTTP1_NEED_MORE) {
		if (event == HTTP1_BROKEN) {
			broken(f, first, end);
			return false;
		}
		if (ahead && event == HTTP1_BEGIN)
			ahead->head_begin = ahead->bytes + (uint64_t)(d.p - first);
		else if (ahead && event == HTTP1_HEAD_END)
			ahead->head_end = ahead->bytes + (uint64_t)(*in - first);
		on_event(f, event, &d);
		if (ahead && event == HTTP1_END && ahead->stop)
			return false;
	}
	return !(atomic_load_explicit(&f->c->use, memory_order_relaxed) & CONN_OPAQUE);
}

/* The bytes that might have been a PROXY header; the request began when the first of them came. */
static bool feed_held(struct feed *f, const struct http1_options *options, const struct front_held *held)
{
	const char *p = held->p;
	bool more;

	f->now_ns = f->c->begin_ns;
	more = feed_http(f, options, &p, p + held->n, p, NULL);
	f->now_ns = 0;
	return more;
}

static bool feed_piece(struct feed *f, const struct http1_options *options, const char **in, const char *end,
		       struct exchange_ahead *ahead)
{
	const char *first = *in;
	struct front_held held;

	if (__builtin_expect(f->c->front == FRONT_DECIDED && !f->c->proxy, 1))
		return feed_http(f, options, in, end, first, ahead);
	if (!f->c->front)
		f->c->begin_ns = now(f);
	if (!front_pass(f->c, in, end, &held)) {
		conn_give_up(f->c, LEDGER_OPAQUE_NOT_HTTP);
		return false;
	}
	if (held.n && !feed_held(f, options, &held))
		return false;
	return feed_http(f, options, in, end, first, ahead);
}

/* The first `over` bytes have been seen to. */
static __attribute__((noinline)) void input_events(struct conn *c, const struct iovec *iov, size_t count,
						   uint64_t n, size_t over)
{
	struct feed f = feed_begin(c);
	char carry[HTTP1_NAME_MAX];
	struct http1_options options = options_of(&f, carry);
	bool more = true;

	for (size_t i = 0; i < count && n && more; i++, over = 0) {
		size_t size = iov[i].iov_len < n ? iov[i].iov_len : (size_t)n;
		const char *in = (const char *)iov[i].iov_base + over;

		n -= size;
		more = feed_piece(&f, &options, &in, in + (size - over), NULL);
	}
	keep_carry(c, carry);
}

void exchange_input(struct conn *c, const struct iovec *iov, size_t count, uint64_t n)
{
	size_t over;

	if (!count || !resynchronised(c, iov, n))
		return;
	if (atomic_load_explicit(&c->last_response, memory_order_acquire))
		return; /* RFC 9112 9.6: after "close" the server only drains */
	over = c->role == CONN_SERVER && iov->iov_len >= n
		       ? exchange_whole(c, table_policy(&shim.table), iov->iov_base, (size_t)n)
		       : 0;
	if (over < n && !(atomic_load_explicit(&c->use, memory_order_relaxed) & CONN_OPAQUE))
		input_events(c, iov, count, n, over);
}

void exchange_input_ahead(struct conn *c, const struct iovec *iov, size_t count, struct exchange_ahead *ahead)
{
	struct feed f = feed_begin(c);
	char carry[HTTP1_NAME_MAX];
	struct http1_options options = options_of(&f, carry);
	uint64_t skip = ahead->bytes;
	bool more = true;

	for (size_t i = 0; i < count && more; i++) {
		size_t size = iov[i].iov_len, over = skip < size ? (size_t)skip : size;
		const char *in, *first;

		skip -= over;
		if (over == size)
			continue;
		in = first = (const char *)iov[i].iov_base + over;
		more = feed_piece(&f, &options, &in, first + (size - over), ahead);
		ahead->bytes += (uint64_t)(in - first);
	}
	keep_carry(c, carry);
}

void exchange_input_unseen(struct conn *c, uint64_t n)
{
	struct feed f = feed_begin(c);
	struct http1_data d;
	enum http1_event event;

	if (atomic_load_explicit(&c->last_response, memory_order_acquire))
		return;
	while ((event = http1_next_unseen(&c->in, &n, &d)) != HTTP1_NEED_MORE) {
		if (event == HTTP1_BROKEN) {
			broken(&f, NULL, NULL);
			return;
		}
		on_event(&f, event, &d);
	}
}

void exchange_leave_input(struct conn *c)
{
	uint32_t index = c->receiving;
	struct pending *p = index ? pending_at(index) : NULL;

	if (!p || atomic_load_explicit(&p->phase, memory_order_relaxed) == PENDING_READY) {
		conn_leave(c, CONN_IN_BUSY);
		return;
	}
	/* In the middle of a head: the out side may have asked for the end while we stood in the way. */
	atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
	conn_leave(c, CONN_IN_BUSY);
	if (atomic_load_explicit(&p->phase, memory_order_acquire) == PENDING_END_WANTED)
		exchange_make_end(p);
	exchange_forget(index);
}

void exchange_input_ended(struct conn *c, int error)
{
	struct feed f = feed_begin(c);
	uint8_t alive = CONN_ALIVE;
	uint8_t fate = error == 0 ? CONN_PEER_CLOSED : error == ETIMEDOUT ? CONN_TIMED_OUT : CONN_RESET;

	atomic_compare_exchange_strong_explicit(&c->fate, &alive, fate, memory_order_relaxed,
						memory_order_relaxed);
	abandon_uncounted(&f);
	http1_eof(&c->in);
}
