/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/request.h"

#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/capture.h"
#include "shim/decide.h"
#include "shim/exchange.h"
#include "shim/fds.h"
#include "shim/record.h"
#include "shim/spill.h"
#include "shim/sys.h"

const uint8_t request_tag_of_field[HTTP1_FIELD_MAX] = {
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
static __attribute__((noinline)) uint8_t other_method(const char *p, size_t n)
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

static uint8_t method_number(const char *p, size_t n)
{
	return n == 3 && !memcmp(p, "GET", 3) ? SPAN_METHOD_GET : other_method(p, n);
}

static void put_proxied(struct span_address *to, const struct conn_proxy *proxy)
{
	const struct proxy *p = &proxy->header;

	if (!proxy->done || (p->client != PROXY_IPV4 && p->client != PROXY_IPV6))
		return;
	to->family = p->client == PROXY_IPV4 ? AF_INET : AF_INET6;
	to->port = p->port;
	memcpy(to->addr, p->address, sizeof(to->addr));
}

static void start_server(const struct conn *c, struct span_slot *slot)
{
	const struct listener *listener = &fd_listener[c->listener];
	struct span_record *r = &slot->head;

	r->kind = SPAN_KIND_SERVER;
	r->local = c->local;
	if (r->request_number == 0 && c->accepted_ns && r->start_ns > c->accepted_ns)
		r->wait_ns = r->start_ns - c->accepted_ns;
	if (listener->path_bytes)
		record_string(slot, TAG_UNIX_PATH, listener->path, listener->path_bytes);
}

static void start_client(const struct conn *c, struct span_slot *slot)
{
	const struct conn_path *path = c->path ? pool_at(&path_pool, c->path) : NULL;

	slot->head.kind = SPAN_KIND_CLIENT;
	if (path)
		record_string(slot, TAG_UNIX_PATH, path->text, strnlen(path->text, sizeof(path->text)));
}

static void start_record(const struct conn *c, struct pending *p, const char *method, size_t n,
			 const uint64_t id[REQUEST_IDS])
{
	struct span_slot *slot = &shim.table.slot[p->slot];
	struct span_record *r = &slot->head;

	memcpy(r->trace_id, id, sizeof(r->trace_id));
	memcpy(r->span_id, &id[2], sizeof(r->span_id));
	r->start_ns = p->start_ns;
	r->flags = SPAN_FLAG_UNDECIDED; /* until the head is complete; also if we are killed before that */
	r->process = p->process;
	r->method = method_number(method, n);
	r->connection = c->number;
	r->request_number = c->requests;
	r->peer = c->peer;
	if (c->proxy)
		put_proxied(&r->proxied, pool_at(&proxy_pool, c->proxy));
	if (c->role == CONN_SERVER)
		start_server(c, slot);
	else
		start_client(c, slot);
	if (r->method == SPAN_METHOD_OTHER && n) /* none is known of a connect() that failed */
		record_string(slot, TAG_METHOD, method, n);
}

/* One futex wake, counted. */
static __attribute__((cold, noinline)) void wake_exporter(void)
{
	_Atomic uint32_t *word = &shim.table.header->sleeping;
	uint32_t asleep = 1;

	if (!calls_allowed() || /* it wakes by itself, if a little later */
	    !atomic_compare_exchange_strong_explicit(word, &asleep, 0, memory_order_acq_rel,
						     memory_order_relaxed))
		return;
	sys3(SYS_futex, (void *)word, FUTEX_WAKE, 1);
	ledger_count(LEDGER_WAKES);
}

uint32_t slot_claim(uint16_t process, uint64_t *word)
{
	struct table_place *place = self_place();
	uint32_t slot = table_claim(&shim.table, place, process, word);

	if (__builtin_expect(table_place_far(&shim.table, place), 0))
		wake_exporter();
	return slot;
}

struct span_slot *request_claim(const struct conn *c, struct pending *p, const char *method, size_t n,
				const uint64_t id[REQUEST_IDS])
{
	p->process = self_get()->index;
	p->slot = slot_claim(p->process, &p->word);
	if (p->slot == TABLE_NO_SLOT)
		return NULL;
	start_record(c, p, method, n, id);
	return &shim.table.slot[p->slot];
}

static enum http1_answer answer_to(const char *method, size_t n)
{
	return n == 4 && !memcmp(method, "HEAD", 4)      ? HTTP1_ANSWER_HEAD
	       : n == 7 && !memcmp(method, "CONNECT", 7) ? HTTP1_ANSWER_CONNECT
							 : HTTP1_ANSWER_PLAIN;
}

uint32_t request_take(const struct conn *c, const char *method, size_t n, uint64_t start_ns)
{
	uint32_t index = pool_take(&pending_pool);
	struct pending *p;

	if (!index)
		return 0;
	p = pending_at(index);
	memset((char *)p + offsetof(struct pending, references), 0,
	       sizeof(*p) - offsetof(struct pending, references));
	atomic_store_explicit(&p->references, 1, memory_order_relaxed);
	p->start_ns = start_ns;
	p->role = c->role;
	p->forks = atomic_load_explicit(&shim.forks, memory_order_relaxed);
	p->answer = (uint8_t)answer_to(method, n);
	p->slot = TABLE_NO_SLOT;
	return index;
}

uint32_t request_open(struct conn *c, const char *method, size_t n, uint64_t start_ns)
{
	uint32_t index = request_take(c, method, n, start_ns);
	uint64_t id[REQUEST_IDS];

	if (!index)
		return 0;
	ids_random(id, REQUEST_IDS);
	request_claim(c, pending_at(index), method, n, id);
	return index;
}

struct span_slot *request_slot(struct pending *p)
{
	return p && p->slot != TABLE_NO_SLOT && exchange_own(p) ? &shim.table.slot[p->slot] : NULL;
}

static void append(struct pending *p, struct span_slot *slot, const char *text, size_t n)
{
	if (!record_append(slot, p->open_string, text, n))
		p->open_string = 0; /* a later piece must not follow a gap */
}

void request_string(struct pending *p, enum span_tag tag, const struct http1_data *d)
{
	struct span_slot *slot = request_slot(p);

	if (!slot)
		return;
	if (d->first)
		p->open_string = record_open(slot, tag);
	append(p, slot, d->p, d->n);
}

void request_header(struct pending *p, enum span_tag tag, const struct capture *captured, unsigned index,
		    const struct http1_data *d)
{
	struct span_slot *slot = request_slot(p);
	const char *name = captured->list.names[index];

	if (!slot)
		return;
	if (d->first) {
		p->open_string = record_open(slot, tag);
		append(p, slot, name, strlen(name) + 1);
	}
	if (!capture_is_secret(captured, index))
		append(p, slot, d->p, d->n);
	else if (d->first)
		append(p, slot, "REDACTED", 8);
}

/* These bytes did not fit behind the target's beginning, which ends the tail. */
static __attribute__((cold, noinline)) void spill_target(struct conn *c, struct pending *p,
							 const struct policy *policy, const char *rest,
							 size_t n)
{
	const struct span_slot *slot = &shim.table.slot[p->slot];

	if (p->open_string) { /* the first such piece */
		const uint8_t *begin = slot->tail + record_text(p->open_string);
		const uint8_t *end = slot->tail + slot->head.tail_bytes;

		p->open_string = 0;
		request_forget_target(c);
		if (c->role != CONN_SERVER || (policy && !policy->automaton_bytes) || end < begin ||
		    end > slot->tail + SPAN_TAIL_BYTES || memchr(begin, '?', (size_t)(end - begin)) ||
		    memchr(begin, '#', (size_t)(end - begin)))
			return; /* a long query mostly: no pattern sees it */
		c->spill = spill_take();
	}
	if (c->spill)
		spill_add(c->spill, rest, n);
}

static void append_target(struct conn *c, struct pending *p, struct span_slot *slot,
			  const struct policy *policy, const struct scrub_piece *piece)
{
	size_t before, kept;

	if (piece->cut && p->open_string)
		record_cut(slot, p->open_string, piece->cut);
	before = slot->head.tail_bytes;
	if (record_append(slot, p->open_string, piece->p, piece->n))
		return;
	kept = (size_t)slot->head.tail_bytes - before;
	if (kept <= piece->n)
		spill_target(c, p, policy, piece->p + kept, piece->n - kept);
}

static __attribute__((noinline)) void scrub_target(struct conn *c, struct pending *p, struct span_slot *slot,
						   const struct policy *policy, const struct http1_data *d)
{
	const char *in = d->p, *end = d->p + d->n;
	struct scrub_piece piece;

	if (d->first)
		scrub_begin(&p->scrub, p->answer == HTTP1_ANSWER_CONNECT);
	while ((p->open_string || c->spill) && scrub_next(&p->scrub, scrub_keys(policy), &in, end, &piece))
		append_target(c, p, slot, policy, &piece);
}

void request_target(struct conn *c, struct pending *p, const struct policy *policy,
		    const struct http1_data *d)
{
	struct span_slot *slot = request_slot(p);
	struct scrub_piece whole = { d->p, d->n, 0 };

	if (!slot)
		return;
	if (d->first)
		p->open_string = record_open(slot, TAG_TARGET);
	if (d->first && d->last && scrub_is_plain(d->p, d->p + d->n))
		append_target(c, p, slot, policy, &whole);
	else
		scrub_target(c, p, slot, policy, d);
}

void request_forget_target(struct conn *c)
{
	if (c->spill)
		spill_give(c->spill);
	c->spill = 0;
}

void request_drop(struct pending *p, enum ledger why)
{
	ledger_count(table_drop(&shim.table, p->slot, p->word) ? conn_counter(p->role, why)
							       : LEDGER_SLOT_LOST);
	p->slot = TABLE_NO_SLOT;
}

static __thread struct decide_prefix prefix;

static enum decide_verdict decide_in_slot(const struct conn *c, const struct policy *policy,
					  struct span_slot *slot)
{
	struct decide_text rest;

	if (__builtin_expect(!c->spill, 1))
		return decide(shim.table.header, policy, slot, NULL, &prefix);
	rest.p = spill_text(c->spill, &rest.n);
	return decide(shim.table.header, policy, slot, &rest, &prefix);
}

/* Outgoing requests and own spans find their parent by it. */
static void begin_serving(const struct conn *c, struct pending *p, const struct span_slot *slot,
			  enum serving_decision decision, bool carried)
{
	const struct span_record *r = &slot->head;
	struct serving_context context = {
		.trace_flags = r->trace_flags & 3u,
		.decision = (uint8_t)decision,
		.debug = r->flags & SPAN_FLAG_DEBUG ? 1 : 0,
		.process = p->process,
		.slot = decision == SERVING_SAMPLED || decision == SERVING_UNDECIDED ? p->slot
										     : TABLE_NO_SLOT,
		.slot_word = p->word,
		.begun_ns = p->start_ns,
		.carried = carried,
	};

	memcpy(context.trace_id, r->trace_id, sizeof(context.trace_id));
	memcpy(context.span_id, r->span_id, sizeof(context.span_id));
	memcpy(context.parent_span_id, r->parent_span_id, sizeof(context.parent_span_id));
	serving_begin(p, c, &context);
}

void request_judge(struct conn *c, struct pending *p, const struct policy *policy)
{
	static const uint8_t decision_of[] = {
		[DECIDE_SAMPLED] = SERVING_SAMPLED,
		[DECIDE_SAMPLED_OUT] = SERVING_NOT_SAMPLED,
		[DECIDE_EXCLUDED] = SERVING_EXCLUDED,
	};
	struct span_slot *slot = request_slot(p);
	enum decide_verdict verdict;

	if (!slot)
		return;
	if (!policy) {
		begin_serving(c, p, slot, SERVING_UNDECIDED, decide_carried(slot));
		return;
	}
	if (policy->mode != POLICY_ON) {
		request_drop(p, LEDGER_DROPPED_OFF);
		return;
	}
	verdict = decide_in_slot(c, policy, slot);
	begin_serving(c, p, slot, (enum serving_decision)decision_of[verdict], false);
	if (policy->flags & POLICY_FLAG_INJECT)
		serving_carry(slot);
	switch (verdict) {
	case DECIDE_SAMPLED: return;
	case DECIDE_EXCLUDED: request_drop(p, LEDGER_EXCLUDED); return;
	case DECIDE_SAMPLED_OUT:
		if (policy->flags & POLICY_FLAG_KEEP_TAIL)
			slot->head.flags |=
				SPAN_FLAG_TAIL_CANDIDATE; /* the exporter counts it if no rule keeps it */
		else
			request_drop(p, LEDGER_SAMPLED_OUT);
	}
}
