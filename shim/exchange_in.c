/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "shim/decide.h"
#include "shim/exchange.h"
#include "shim/record.h"
#include "shim/sys.h"

struct feed { /* one call's view */
	struct conn *c;
	const struct policy *policy;
	struct pending *p; /* the request that is arriving, NULL between requests */
	bool writable;     /* its slot is still ours to write: nobody has asked for its end */
	uint64_t now_ns;   /* read when first needed */
};

static const uint8_t tag_of_field[HTTP1_FIELD_MAX] = {
	[HTTP1_FIELD_HOST] = TAG_HOST,
	[HTTP1_FIELD_USER_AGENT] = TAG_USER_AGENT,
	[HTTP1_FIELD_FORWARDED] = TAG_FORWARDED,
	[HTTP1_FIELD_X_FORWARDED_FOR] = TAG_X_FORWARDED_FOR,
	[HTTP1_FIELD_X_FORWARDED_HOST] = TAG_X_FORWARDED_HOST,
	[HTTP1_FIELD_X_FORWARDED_PROTO] = TAG_X_FORWARDED_PROTO,
	[HTTP1_FIELD_TRACEPARENT] = TAG_TRACEPARENT,
	[HTTP1_FIELD_TRACESTATE] = TAG_TRACESTATE,
	[HTTP1_FIELD_BAGGAGE] = TAG_BAGGAGE,
	[HTTP1_FIELD_B3] = TAG_B3,
	[HTTP1_FIELD_X_B3_TRACEID] = TAG_X_B3_TRACE_ID,
	[HTTP1_FIELD_X_B3_SPANID] = TAG_X_B3_SPAN_ID,
	[HTTP1_FIELD_X_B3_SAMPLED] = TAG_X_B3_SAMPLED,
	[HTTP1_FIELD_X_B3_FLAGS] = TAG_X_B3_FLAGS,
	[HTTP1_FIELD_UBER_TRACE_ID] = TAG_UBER_TRACE_ID,
};

/* RFC 9110 section 9, RFC 5789; methods are case-sensitive */
static uint8_t method_number(const char *p, size_t n)
{
	static const struct {
		char name[8];
		uint8_t n, method;
	} known[] = {
		{ "GET", 3, SPAN_METHOD_GET },       { "POST", 4, SPAN_METHOD_POST },
		{ "HEAD", 4, SPAN_METHOD_HEAD },     { "PUT", 3, SPAN_METHOD_PUT },
		{ "DELETE", 6, SPAN_METHOD_DELETE }, { "OPTIONS", 7, SPAN_METHOD_OPTIONS },
		{ "PATCH", 5, SPAN_METHOD_PATCH },   { "CONNECT", 7, SPAN_METHOD_CONNECT },
		{ "TRACE", 5, SPAN_METHOD_TRACE },   { "QUERY", 5, SPAN_METHOD_QUERY },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].n == n && !memcmp(known[i].name, p, n))
			return known[i].method;
	return SPAN_METHOD_OTHER;
}

static uint64_t now(struct feed *f)
{
	if (!f->now_ns)
		f->now_ns = clock_now_ns();
	return f->now_ns;
}

static struct span_slot *slot_of(const struct pending *p)
{
	return p->slot == TABLE_NO_SLOT ? NULL : &shim.table.slot[p->slot];
}

static void put_address(struct span_address *to, uint16_t family, uint16_t port, const uint8_t *addr)
{
	to->family = family;
	to->port = port;
	memcpy(to->addr, addr, sizeof(to->addr));
}

static void start_record(struct feed *f, struct pending *p, const char *method, size_t n)
{
	struct conn *c = f->c;
	struct span_slot *slot = slot_of(p);
	struct span_record *r = &slot->head;
	uint64_t id[3];

	ids_random(id, 3);
	memcpy(r->trace_id, id, sizeof(r->trace_id));
	memcpy(r->span_id, &id[2], sizeof(r->span_id));
	r->start_ns = p->start_ns;
	r->flags = SPAN_FLAG_UNDECIDED; /* until the head is complete; also if we are killed before that */
	r->process = p->process;
	r->kind = SPAN_KIND_SERVER;
	r->method = method_number(method, n);
	r->connection = c->number;
	r->request_number = c->requests;
	put_address(&r->peer, c->peer_family, c->peer_port, c->peer);
	put_address(&r->local, c->local_family, c->local_port, c->local);
	if (r->method == SPAN_METHOD_OTHER)
		record_string(slot, TAG_METHOD, method, n);
	p->answer = r->method == SPAN_METHOD_HEAD      ? HTTP1_ANSWER_HEAD
		    : r->method == SPAN_METHOD_CONNECT ? HTTP1_ANSWER_CONNECT
						       : HTTP1_ANSWER_PLAIN;
}

/* The table is more than half full and the exporter sleeps: one futex wake, counted. */
static __attribute__((cold, noinline)) void wake_exporter(void)
{
	_Atomic uint32_t *word = &shim.table.header->sleeping;
	uint32_t asleep = 1;

	if (!atomic_compare_exchange_strong_explicit(word, &asleep, 0, memory_order_acq_rel,
						     memory_order_relaxed))
		return;
	sys3(SYS_futex, (void *)word, FUTEX_WAKE, 1);
	ledger_count(LEDGER_WAKES);
}

static void claim_slot(struct feed *f, struct pending *p, const char *method, size_t n)
{
	struct shim_self *self = self_get();
	uint64_t word = 0;
	bool far = false;

	p->process = self->index;
	p->slot = table_claim(&shim.table, self_thread(), self->index, &word, &far);
	p->word = word;
	if (far)
		wake_exporter();
	if (p->slot != TABLE_NO_SLOT) {
		start_record(f, p, method, n);
		return;
	}
	p->answer = n == 4 && !memcmp(method, "HEAD", 4)      ? HTTP1_ANSWER_HEAD
		    : n == 7 && !memcmp(method, "CONNECT", 7) ? HTTP1_ANSWER_CONNECT
							      : HTTP1_ANSWER_PLAIN;
}

static void open_request(struct feed *f, const char *method, size_t n)
{
	struct conn *c = f->c;
	uint32_t index = pool_take(&pending_pool);
	struct pending *p;

	c->receiving = index;
	if (!index) {
		f->p = NULL;
		return;
	}
	p = pending_at(index);
	memset((char *)p + sizeof(p->next_free), 0, sizeof(*p) - sizeof(p->next_free));
	atomic_store_explicit(&p->references, 1, memory_order_relaxed);
	p->start_ns = c->begin_ns;
	claim_slot(f, p, method, n);
	f->p = p;
}

/* The request line is complete: from here on it is a request, and it will have a span or a counted reason why
 * not. */
static void count_request(struct feed *f)
{
	struct conn *c = f->c;
	struct pending *p = f->p;

	ledger_count(LEDGER_REQUESTS);
	c->requests++;
	if (!p) {
		ledger_count(LEDGER_DROPPED_PIPELINE);
		conn_give_up(c, LEDGER_OPAQUE_NO_MEMORY);
		return;
	}
	if (p->slot == TABLE_NO_SLOT)
		ledger_count(LEDGER_DROPPED_TABLE_FULL);
	else
		slot_of(p)->head.version = c->in.version;
	atomic_store_explicit(&p->references, 2, memory_order_relaxed);
	if (ring_push(c, c->receiving))
		return;
	/* Responses can no longer be told apart: no pairing is better than a wrong one. */
	if (p->slot != TABLE_NO_SLOT && table_drop(&shim.table, p->slot, p->word))
		ledger_count(LEDGER_DROPPED_PIPELINE);
	p->slot = TABLE_NO_SLOT;
	exchange_forget(c->receiving);
	conn_give_up(c, LEDGER_OPAQUE_BROKEN);
}

static void add_string(struct feed *f, enum span_tag tag, const struct http1_data *d)
{
	struct pending *p = f->p;
	struct span_slot *slot;

	if (!p || !f->writable || p->slot == TABLE_NO_SLOT || !exchange_own(p))
		return;
	slot = slot_of(p);
	if (d->first)
		p->open_string = record_open(slot, tag);
	if (!record_append(slot, p->open_string, d->p, d->n))
		p->open_string = 0; /* a later piece must not follow a gap */
}

static void drop_slot(struct pending *p, enum ledger why)
{
	if (table_drop(&shim.table, p->slot, p->word))
		ledger_count(why);
	else
		ledger_count(LEDGER_DROPPED_LOST);
	p->slot = TABLE_NO_SLOT;
}

static void judge(struct feed *f, struct pending *p)
{
	const struct policy *policy = f->policy;

	if (!policy)
		return; /* no policy yet: the exporter will judge */
	if (policy->mode != POLICY_ON) {
		drop_slot(p, LEDGER_DROPPED_OFF);
		return;
	}
	switch (decide(shim.table.header, policy, slot_of(p))) {
	case DECIDE_SAMPLED: return;
	case DECIDE_EXCLUDED: drop_slot(p, LEDGER_EXCLUDED); return;
	case DECIDE_SAMPLED_OUT:
		if (policy->flags & POLICY_FLAG_KEEP_TAIL)
			slot_of(p)->head.flags |=
				SPAN_FLAG_TAIL_CANDIDATE; /* the exporter counts it if no rule keeps it */
		else
			drop_slot(p, LEDGER_SAMPLED_OUT);
	}
}

static void head_complete(struct feed *f)
{
	struct pending *p = f->p;
	uint32_t phase = PENDING_HEAD;

	if (!p)
		return;
	if (f->writable && p->slot != TABLE_NO_SLOT && exchange_own(p)) {
		slot_of(p)->head.request_head_bytes = f->c->in.head_bytes;
		if (f->c->in.over_limit)
			slot_of(p)->head.flags |= SPAN_FLAG_HEAD_LIMIT;
		judge(f, p);
	}
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
		open_request(f, d->p, d->n);
		f->writable = true;
		break;
	case HTTP1_TARGET: add_string(f, TAG_TARGET, d); break;
	case HTTP1_VERSION: count_request(f); break;
	case HTTP1_FIELD:
		if (d->field < HTTP1_FIELD_MAX && tag_of_field[d->field])
			add_string(f, (enum span_tag)tag_of_field[d->field], d);
		break;
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

void exchange_input(struct conn *c, const struct iovec *iov, size_t count, uint64_t n)
{
	struct feed f = feed_begin(c);
	struct http1_options options = { .wanted = f.policy ? f.policy->wanted_fields : UINT32_MAX };
	struct http1_data d;

	if (atomic_load_explicit(&c->last_response, memory_order_acquire))
		return; /* RFC 9112 9.6: after "close" the server only drains */
	for (size_t i = 0; i < count && n; i++) {
		size_t size = iov[i].iov_len < n ? iov[i].iov_len : (size_t)n;
		const char *in = iov[i].iov_base, *first = in, *end = in + size;
		enum http1_event event;

		n -= size;
		while ((event = http1_next(&c->in, &options, &in, end, &d)) != HTTP1_NEED_MORE) {
			if (event == HTTP1_BROKEN) {
				broken(&f, first, end);
				return;
			}
			on_event(&f, event, &d);
		}
		if (atomic_load_explicit(&c->use, memory_order_relaxed) & CONN_OPAQUE)
			return;
	}
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
