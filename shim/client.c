/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/client.h"

#include <string.h>

#include "shim/decide.h"
#include "shim/http/tracectx.h"
#include "shim/outgoing.h"
#include "shim/own.h"
#include "shim/record.h"
#include "shim/request.h"

/* What is known of the parent once the search is over. */
struct parent {
	bool known; /* trace and span are set */
	bool remote;
	bool ambiguous;
	bool debug;
	uint8_t trace_flags;
	uint8_t decision; /* enum serving_decision; SERVING_UNDECIDED: a new trace's draw */
	const struct serving_carried *carried; /* NULL: nothing to be handed on */
	uint8_t trace_id[16];
	uint8_t span_id[8];
};

static const uint8_t decision_of[] = {
	[DECIDE_SAMPLED] = SERVING_SAMPLED,
	[DECIDE_SAMPLED_OUT] = SERVING_NOT_SAMPLED,
	[DECIDE_EXCLUDED] = SERVING_EXCLUDED,
};

/*
 * It came before the policy and is the worker's to judge: what that will say, said by the same
 * function on a copy. Not where a limit of rate has the last word.
 */
static void judge_early(const struct policy *policy, struct serving_context *c)
{
	struct span_slot copy;
	uint64_t word;

	if (c->decision != SERVING_UNDECIDED || policy->rate_limit || c->slot >= shim.table.slots)
		return;
	copy = shim.table.slot[c->slot];
	atomic_thread_fence(memory_order_acquire);
	word = atomic_load_explicit(&shim.table.state[c->slot], memory_order_relaxed);
	if (slot_word_state(word) != SLOT_OPEN ||
	    slot_word_generation(word) != slot_word_generation(c->slot_word))
		return;
	c->decision = decision_of[decide(NULL, policy, &copy, NULL, NULL)];
	c->trace_flags = copy.head.trace_flags & 3u;
	c->debug = copy.head.flags & SPAN_FLAG_DEBUG ? 1 : 0;
	memcpy(c->trace_id, copy.head.trace_id, sizeof(c->trace_id));
	memcpy(c->parent_span_id, copy.head.parent_span_id, sizeof(c->parent_span_id));
}

static void take_serving(struct parent *parent, const struct serving_context *c)
{
	if (c->decision == SERVING_UNDECIDED) { /* its ids may change yet */
		parent->ambiguous = true;
		return;
	}
	parent->known = true;
	parent->debug = c->debug;
	parent->trace_flags = c->trace_flags;
	parent->decision = c->decision;
	memcpy(parent->trace_id, c->trace_id, sizeof(parent->trace_id));
	memcpy(parent->span_id, c->span_id, sizeof(parent->span_id));
}

/* Somebody else's context: the program traces itself, or passes on what is no open request's. */
static void take_header(struct parent *parent, const struct tracectx *context)
{
	static const uint8_t of_header[] = {
		[TRACECTX_UNDECIDED] = SERVING_UNDECIDED,
		[TRACECTX_SAMPLED] = SERVING_SAMPLED,
		[TRACECTX_NOT_SAMPLED] = SERVING_NOT_SAMPLED,
	};

	parent->known = parent->remote = true;
	parent->debug = context->debug;
	parent->trace_flags = context->flags;
	parent->decision = context->debug ? SERVING_SAMPLED : of_header[context->decision];
	memcpy(parent->trace_id, context->trace_id, sizeof(parent->trace_id));
	memcpy(parent->span_id, context->span_id, sizeof(parent->span_id));
}

/* Rule (b): an own span; if it lies in the one request of the thread, what that came with goes on. */
static void take_own(struct parent *parent, const struct serving_context *own,
		     const struct serving_found *found)
{
	take_serving(parent, own);
	if (parent->known && found->here == 1 &&
	    !memcmp(own->trace_id, found->one_here.trace_id, sizeof(own->trace_id)))
		parent->carried = serving_carried(found);
}

/* Rule (a): the request says itself whose it is. */
static void parent_by_header(struct parent *parent, const struct policy *policy,
			     const struct tracectx *context, struct serving_found *found)
{
	if (found->matched == 1 || found->matched_here == 1) {
		judge_early(policy, &found->one_match);
		take_serving(parent, &found->one_match);
		return;
	}
	take_header(parent, context);
	parent->ambiguous =
		found->matched > 1; /* several came with that context: any of them, or their parent */
}

/* Rules (b) and (c), without an own span. */
static void parent_by_thread(const struct conn *c, struct parent *parent, const struct policy *policy,
			     struct serving_found *found, uint64_t now_ns)
{
	bool mixed = serving_mixed(found, now_ns);

	if (found->here == 1 && !mixed && (c->requests > 1 || serving_opened(found, &c->opener))) {
		judge_early(policy, &found->one_here);
		take_serving(parent, &found->one_here);
		if (parent->known)
			parent->carried = serving_carried(found);
		return;
	}
	parent->ambiguous = found->all > 0;
	if (found->all_suppressed) /* whichever it is, it is not recorded */
		parent->decision = found->link[0].decision;
}

static void put_links(struct span_slot *slot, const struct serving_found *found)
{
	for (unsigned i = 0; i < found->links; i++) {
		const struct serving_context *c = &found->link[i];
		char link[25];

		if (c->decision == SERVING_UNDECIDED)
			continue;
		memcpy(link, c->trace_id, 16);
		memcpy(link + 16, c->span_id, 8);
		link[24] = (char)((c->trace_flags & 2) | (c->decision == SERVING_SAMPLED));
		record_string(slot, TAG_LINK, link, sizeof(link));
	}
}

static void find_parent(const struct conn *c, const struct policy *policy, struct span_slot *slot,
			struct parent *parent, struct serving_found *found)
{
	struct tracectx context;
	struct wanted_context wanted;
	struct serving_context own;
	bool carried = decide_context(policy, slot, &context);

	memset(parent, 0, sizeof(*parent));
	if (carried && context.has_ids) {
		memcpy(wanted.trace_id, context.trace_id, sizeof(wanted.trace_id));
		memcpy(wanted.span_id, context.span_id, sizeof(wanted.span_id));
		serving_search(&wanted, found);
		parent_by_header(parent, policy, &context, found);
		return;
	}
	serving_search(NULL, found);
	if (own_current(found, &own))
		take_own(parent, &own, found);
	else
		parent_by_thread(c, parent, policy, found, slot->head.start_ns);
	if (carried && !parent->known && context.decision == TRACECTX_NOT_SAMPLED) /* b3: 0 */
		parent->decision = SERVING_NOT_SAMPLED;
}

static void adopt(struct span_record *r, const struct parent *parent)
{
	if (parent->known) {
		memcpy(r->trace_id, parent->trace_id, sizeof(r->trace_id));
		memcpy(r->parent_span_id, parent->span_id, sizeof(r->parent_span_id));
		r->trace_flags = parent->trace_flags & 3;
	}
	if (parent->remote)
		r->flags |= SPAN_FLAG_REMOTE_PARENT;
	if (parent->debug)
		r->flags |= SPAN_FLAG_DEBUG;
}

static void mark_ambiguous(struct span_slot *slot)
{
	slot->head.flags |= SPAN_FLAG_AMBIGUOUS_PARENT;
	ledger_count(LEDGER_CLIENT_AMBIGUOUS);
}

/* Also what is not recorded goes on, with the flag that says so. */
static void pass_on(struct conn *c, const struct policy *policy, struct span_slot *slot,
		    const struct serving_carried *carried, bool sampled)
{
	const struct span_record *r = &slot->head;
	struct outgoing_context context = {
		.sampled = sampled,
		.random = r->trace_flags >> 1 & 1,
		.debug = sampled && r->flags & SPAN_FLAG_DEBUG,
		.carried = carried,
	};

	memcpy(context.trace_id, r->trace_id, sizeof(context.trace_id));
	memcpy(context.span_id, r->span_id, sizeof(context.span_id));
	outgoing_context(c, policy, slot, &context);
	if (sampled && carried && carried->tracestate_bytes && !record_has(slot, TAG_TRACESTATE))
		record_string(slot, TAG_TRACESTATE, carried->tracestate, carried->tracestate_bytes);
}

/*
 * A program that traces itself sends its spans somewhere: no work of its users, and traced by
 * no SDK either. Told by the paths of the receivers of OTLP, Zipkin and Jaeger.
 */
static bool is_telemetry(const struct span_slot *slot)
{
	static const char *const ends[] = { "/v1/traces", "/v1/metrics", "/v1/logs", "/api/v2/spans",
					    "/api/traces" };
	const uint8_t *p = NULL;
	size_t pos = 0, n = 0;
	enum span_tag tag = TAG_NONE;

	if (slot->head.method != SPAN_METHOD_POST)
		return false;
	while (span_next_string(slot, &pos, &tag, &p, &n) && tag != TAG_TARGET)
		;
	if (tag != TAG_TARGET)
		return false;
	if (memchr(p, '?', n))
		n = (size_t)((const uint8_t *)memchr(p, '?', n) - p);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t length = strlen(ends[i]);

		if (n >= length && !memcmp(p + n - length, ends[i], length))
			return true;
	}
	return false;
}

/* The last request of this thread, if it was sent and not answered. */
static __thread struct {
	uint64_t hash, ended_ns; /* 0: it was none, or is too old */
	uint16_t resent;
} failed;

#define RESEND_NS UINT64_C(1000000000)

/* Method, target and host. FNV-1a, as the keys of queries. */
static uint64_t hash_of(const struct span_slot *slot)
{
	uint64_t hash = policy_key_add(policy_key_hash(NULL, 0), slot->head.method);
	enum span_tag tag;
	const uint8_t *p;
	size_t pos = 0, n;

	while (span_next_string(slot, &pos, &tag, &p, &n))
		if (tag == TAG_METHOD || tag == TAG_TARGET || tag == TAG_HOST)
			for (size_t i = 0; i < n; i++)
				hash = policy_key_add(hash, p[i]);
	return hash;
}

void client_ended(const struct span_slot *slot, enum span_end end, uint64_t end_ns)
{
	if (end != SPAN_END_NO_RESPONSE && end != SPAN_END_RESET)
		return;
	failed.hash = hash_of(slot);
	failed.ended_ns = end_ns;
	failed.resent = slot->head.resend_count;
}

/*
 * http.request.resend_count: the very next request of the thread is the same, at once, on a
 * connection made for it. That is what clients do when a kept connection turns out to be closed.
 */
static void find_resent(const struct conn *c, struct span_record *r, uint64_t hash)
{
	if (failed.ended_ns && c->requests == 1 && failed.hash == hash && r->start_ns >= failed.ended_ns &&
	    r->start_ns - failed.ended_ns < RESEND_NS)
		r->resend_count = (uint16_t)(failed.resent + 1);
	failed.ended_ns = 0;
}

void client_judge(struct conn *c, struct pending *p, const struct policy *policy)
{
	struct span_slot *slot = request_slot(p);
	enum policy_parent_state state = POLICY_NO_PARENT;
	struct serving_found found;
	struct serving_context own;
	struct parent parent;
	bool sampled;

	if (!slot)
		return;
	if (!policy) { /* the worker judges it by its own headers; no open request is decided either */
		serving_search(NULL, &found);
		if (found.all || own_current(&found, &own))
			mark_ambiguous(slot);
		return;
	}
	if (policy->mode != POLICY_ON) {
		request_drop(p, LEDGER_DROPPED_OFF);
		return;
	}
	if (!(policy->flags & POLICY_FLAG_CLIENT_SPANS)) { /* connected before the policy came */
		request_drop(p, LEDGER_DROPPED_OFF);
		conn_give_up(c, LEDGER_OPAQUE_NOT_HTTP);
		return;
	}
	find_parent(c, policy, slot, &parent, &found);
	if (!parent.known && is_telemetry(slot)) { /* one that passes such requests on has a parent */
		request_drop(p, LEDGER_EXCLUDED);
		return;
	}
	adopt(&slot->head, &parent);
	if (parent.ambiguous) {
		mark_ambiguous(slot);
		put_links(slot, &found);
	}
	if (parent.decision == SERVING_SAMPLED)
		state = POLICY_PARENT_SAMPLED;
	else if (parent.decision != SERVING_UNDECIDED)
		state = POLICY_PARENT_NOT_SAMPLED;
	sampled = decide_client(shim.table.header, policy, &slot->head, state) == DECIDE_SAMPLED;
	pass_on(c, policy, slot, parent.carried, sampled);
	if (sampled) {
		if (__builtin_expect(failed.ended_ns != 0, 0))
			find_resent(c, &slot->head, hash_of(slot));
		return;
	}
	request_drop(p, parent.decision == SERVING_EXCLUDED ? LEDGER_EXCLUDED : LEDGER_SAMPLED_OUT);
}
