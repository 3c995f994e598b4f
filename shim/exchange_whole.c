/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "shim/decide.h"
#include "shim/exchange.h"
#include "shim/front.h"
#include "shim/http/http1_whole.h"
#include "shim/http/tracectx.h"
#include "shim/record.h"
#include "shim/request.h"

/*
 * Requests to servers whose head is whole in one read and plain (http1_whole.h): nearly
 * all. What exchange_in.c does event by event is done here at once; and as the verdict
 * can come first, what is not recorded needs no slot. What both make of a request is the
 * same: fuzz_exchange cuts each read into bytes and compares.
 */

#define FIELD(id) (1u << HTTP1_FIELD_##id)

/* With one of these (or several traceparents) the parent is to be found, which decide() does in the slot; or
 * it is to be handed on. */
#define FIELDS_OF_CONTEXT                                                                                 \
	(FIELD(TRACESTATE) | FIELD(B3) | FIELD(X_B3_TRACEID) | FIELD(X_B3_SPANID) | FIELD(X_B3_SAMPLED) | \
	 FIELD(X_B3_FLAGS) | FIELD(UBER_TRACE_ID) | FIELD(BAGGAGE))

/* What of them is in the record is cut beyond that, and decided on as it is there. */
#define TARGET_MAX 1024u
#define HOST_MAX   256u
#define PARENT_MAX 128u

struct arrival { /* one request */
	struct conn *c;
	const struct policy *policy;
	struct pending *p;
	uint64_t id[REQUEST_IDS];
	struct http1_whole *head;
	const struct http1_text *host; /* the first */
	struct tracectx parent;
	bool has_parent;
};

static bool applies(const struct conn *c, const struct policy *policy)
{
	const struct conn_proxy *proxy = c->proxy ? pool_at(&proxy_pool, c->proxy) : NULL;

	return policy && policy->mode == POLICY_ON && !policy->captured_request && !c->receiving &&
	       (c->front == FRONT_DECIDED || !c->front) && (!proxy || proxy->done) && http1_idle(&c->in);
}

/* The first such field from there on, or NULL. */
static inline const struct http1_text *field_from(const struct http1_whole *head,
						  const struct http1_text *field, unsigned id)
{
	for (; field < head->field + head->fields; field++)
		if (field->field == id)
			return field;
	return NULL;
}

/* There is a traceparent. False: look at it in the slot. */
static __attribute__((noinline)) bool find_parent(struct arrival *a)
{
	const struct http1_text *first = field_from(a->head, a->head->field, HTTP1_FIELD_TRACEPARENT);
	struct decide_text value;

	/* Trace Context 2, 3.2.1: more than one header counts as none */
	if (!first || first->n > PARENT_MAX || field_from(a->head, first + 1, HTTP1_FIELD_TRACEPARENT))
		return false;
	value = (struct decide_text){ first->p, first->n };
	a->has_parent = decide_traceparent(a->policy, &value, &a->parent);
	if (a->has_parent)
		memcpy(a->id, a->parent.trace_id, sizeof(a->parent.trace_id));
	return true;
}

/* Needs no look at the record, and patterns see what was sent. */
static bool can_decide_first(struct arrival *a, const char *query)
{
	const struct http1_whole *head = a->head;

	return !(head->seen & FIELDS_OF_CONTEXT) && head->target.n <= TARGET_MAX && a->host->n <= HOST_MAX &&
	       (query == head->target.p + head->target.n || *query != ';') &&
	       (!(head->seen & FIELD(TRACEPARENT)) || find_parent(a));
}

static void put_strings(struct arrival *a, struct span_slot *slot, bool plain)
{
	const struct http1_whole *head = a->head;
	struct http1_data d = { .p = head->target.p, .n = head->target.n, .first = true, .last = true };

	if (plain)
		record_string(slot, TAG_TARGET, head->target.p, head->target.n);
	else
		request_target(a->c, a->p, a->policy, &d);
	for (unsigned i = 0; i < head->fields; i++)
		record_string(slot, (enum span_tag)request_tag_of_field[head->field[i].field],
			      head->field[i].p, head->field[i].n);
}

/*
 * Right before what accounts for it: a process that is killed between the two leaves the ledger unbalanced.
 * The exporter takes a slot for a request from its version on.
 */
static void count_request(void) { ledger_count(LEDGER_REQUESTS); }

static struct span_slot *record(struct arrival *a, bool plain)
{
	struct span_slot *slot = request_claim(a->c, a->p, a->head->method.p, a->head->method.n, a->id);

	count_request();
	if (!slot) {
		ledger_count(LEDGER_DROPPED_TABLE_FULL);
		return NULL;
	}
	slot->head.version = a->c->in.version;
	slot->head.request_head_bytes = a->c->in.head_bytes;
	put_strings(a, slot, plain);
	return slot;
}

static void begin_serving(struct arrival *a, enum serving_decision decision, uint8_t trace_flags)
{
	struct serving_context context = {
		.trace_flags = trace_flags & 3u,
		.decision = (uint8_t)decision,
		.process = a->p->process,
		.slot = decision == SERVING_SAMPLED ? a->p->slot : TABLE_NO_SLOT,
		.slot_word = a->p->word,
		.begun_ns = a->p->start_ns,
	};

	memcpy(context.trace_id, a->id, sizeof(context.trace_id));
	memcpy(context.span_id, &a->id[2], sizeof(context.span_id));
	if (a->has_parent)
		memcpy(context.parent_span_id, a->parent.span_id, sizeof(context.parent_span_id));
	serving_begin(a->p, a->c, &context);
}

/* Decided before it is recorded, if at all. */
static void decide_first(struct arrival *a, const char *query)
{
	static __thread struct decide_prefix prefix;
	const struct decide_root root = {
		.trace_id = (const uint8_t *)a->id,
		.parent = a->has_parent ? &a->parent : NULL,
		.start_ns = a->p->start_ns,
		.local = &a->c->local,
		.path = { a->head->target.p, (size_t)(query - a->head->target.p) },
		.host = { a->host->p, a->host->n },
	};
	enum decide_verdict verdict = decide_root(shim.table.header, a->policy, &root, &prefix);
	enum serving_decision decision = SERVING_SAMPLED;
	struct span_slot *slot = NULL;
	uint8_t trace_flags = a->has_parent ? a->parent.flags : 0;

	if (verdict == DECIDE_SAMPLED ||
	    (verdict == DECIDE_SAMPLED_OUT && a->policy->flags & POLICY_FLAG_KEEP_TAIL)) {
		slot = record(a, query == a->head->target.p + a->head->target.n);
	} else {
		a->p->process = self_get()->index;
		count_request();
		ledger_count(verdict == DECIDE_EXCLUDED ? LEDGER_EXCLUDED : LEDGER_SAMPLED_OUT);
	}
	if (slot) {
		slot->head.policy_version = a->policy->version;
		slot->head.flags &= ~(uint32_t)SPAN_FLAG_UNDECIDED;
		if (a->has_parent)
			decide_root_parent(&slot->head, &a->parent);
		if (verdict == DECIDE_SAMPLED)
			decide_root_sampled(a->policy, &slot->head);
		else
			slot->head.flags |= SPAN_FLAG_TAIL_CANDIDATE;
		trace_flags = slot->head.trace_flags;
	}
	if (verdict != DECIDE_SAMPLED)
		decision = verdict == DECIDE_EXCLUDED ? SERVING_EXCLUDED : SERVING_NOT_SAMPLED;
	if (slot || verdict != DECIDE_SAMPLED)
		begin_serving(a, decision, trace_flags);
}

static void judge(struct arrival *a)
{
	const char *end = a->head->target.p + a->head->target.n;
	static const struct http1_text none;
	const struct http1_text *host = field_from(a->head, a->head->field, HTTP1_FIELD_HOST);
	const char *query = scan_three(a->head->target.p, end, ';', '?', '#');

	ids_random(a->id, REQUEST_IDS);
	a->has_parent = false;
	a->host = host ? host : &none;
	if (can_decide_first(a, query)) {
		decide_first(a, query);
	} else if (record(a, false)) {
		request_judge(a->c, a->p, a->policy);
		request_forget_target(a->c);
	}
}

/* Its head is read: what of its body came with it, and who goes on with it. */
static void hand_on(struct arrival *a, uint32_t index, const char **in, const char *end)
{
	struct conn *c = a->c;
	struct pending *p = a->p;
	uint64_t body = http1_whole_body(&c->in, (uint64_t)(end - *in));
	bool whole = http1_whole_end(&c->in);

	*in += body;
	atomic_store_explicit(&p->request_body, body, memory_order_relaxed);
	if (whole && a->policy->flags & POLICY_FLAG_FULL_TIMING)
		atomic_store_explicit(&p->request_end_ns, p->start_ns, memory_order_relaxed);
	atomic_store_explicit(&p->request_done, whole, memory_order_relaxed);
	atomic_store_explicit(&p->references, whole ? 1 : 2, memory_order_relaxed);
	atomic_store_explicit(&p->phase, PENDING_READY, memory_order_relaxed);
	c->receiving = whole ? 0 : index;
	/* release: the out side sees the slot and all the above as we leave them */
	if (!ring_push(c, index))
		exchange_pipeline_full(c, index);
}

static bool one(struct arrival *a, const char **in, const char *end)
{
	struct conn *c = a->c;
	size_t n = http1_whole_request(&c->in, a->policy->wanted_fields, *in, end, a->head);
	uint32_t index;

	if (!n)
		return false;
	*in += n;
	c->front = FRONT_DECIDED;
	index = request_take(c, a->head->method.p, a->head->method.n, clock_now_ns());
	if (!index) {
		count_request();
		ledger_count(LEDGER_DROPPED_PIPELINE);
		conn_give_up(c, LEDGER_OPAQUE_NO_MEMORY);
		return false;
	}
	a->p = pending_at(index);
	judge(a);
	c->requests++;
	hand_on(a, index, in, end);
	return true;
}

size_t exchange_whole(struct conn *c, const struct policy *policy, const char *in, size_t n)
{
	struct http1_whole head; /* filled in by one() */
	struct arrival a = { .c = c, .policy = policy, .head = &head };
	const char *at = in, *end = in + n;

	/* A PROXY protocol header may come, which front_pass() tells from a request; PROPFIND goes that way
	 * too. */
	if (!c->front && n > 1 && in[0] == 'P' && in[1] == 'R')
		return 0;
	while (at < end && applies(c, policy) && one(&a, &at, end))
		;
	return (size_t)(at - in);
}
