/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/decide.h"

#include <string.h>

#include "shim/abi/automaton.h"
#include "shim/http/tracectx.h"

#define W3C_FLAG_SAMPLED 0x01u
#define W3C_FLAG_RANDOM  0x02u

struct text {
	const char *p;
	size_t n;
};

struct head { /* the strings of interest; views into the slot */
	struct text value[TAG_MAX];
	unsigned traceparents;
};

static void collect(struct span_slot *slot, struct head *head)
{
	enum span_tag tag;
	const uint8_t *p;
	size_t pos = 0, n;

	memset(head, 0, sizeof(*head));
	while (span_next_string(slot, &pos, &tag, &p, &n)) {
		head->traceparents += tag == TAG_TRACEPARENT;
		if (!head->value[tag].p)
			head->value[tag] = (struct text){ (const char *)p, n };
	}
}

static bool extract(const struct head *head, uint8_t propagator, struct tracectx *context)
{
	const struct text *v = head->value;

	switch (propagator) {
	case POLICY_PROPAGATOR_TRACECONTEXT:
		/* Trace Context 2, 3.2.1: more than one header counts as none */
		return head->traceparents == 1 &&
		       tracectx_traceparent(v[TAG_TRACEPARENT].p, v[TAG_TRACEPARENT].n, context);
	case POLICY_PROPAGATOR_B3:
	case POLICY_PROPAGATOR_B3MULTI:
		if (v[TAG_B3].p && tracectx_b3_single(v[TAG_B3].p, v[TAG_B3].n, context))
			return true;
		return tracectx_b3_multi(v[TAG_X_B3_TRACE_ID].p, v[TAG_X_B3_TRACE_ID].n,
					 v[TAG_X_B3_SPAN_ID].p, v[TAG_X_B3_SPAN_ID].n, v[TAG_X_B3_SAMPLED].p,
					 v[TAG_X_B3_SAMPLED].n, v[TAG_X_B3_FLAGS].p, v[TAG_X_B3_FLAGS].n,
					 context);
	case POLICY_PROPAGATOR_JAEGER:
		return v[TAG_UBER_TRACE_ID].p &&
		       tracectx_uber(v[TAG_UBER_TRACE_ID].p, v[TAG_UBER_TRACE_ID].n, context);
	default: return false;
	}
}

/* A tracestate travels with a valid traceparent only (Trace Context 2, 3.3). */
static void ignore_tracestate(struct span_slot *slot)
{
	enum span_tag tag;
	const uint8_t *p;
	size_t pos = 0, at = 0, n;
	uint16_t ignored = TAG_IGNORED;

	while (span_next_string(slot, &pos, &tag, &p, &n)) {
		if (tag == TAG_TRACESTATE)
			memcpy(slot->tail + at, &ignored, sizeof(ignored));
		at = pos;
	}
}

/* The first configured format that is there and valid. */
static uint8_t find_context(const struct policy *policy, const struct head *head, struct tracectx *context)
{
	for (size_t i = 0; i < sizeof(policy->propagators); i++)
		if (extract(head, policy->propagators[i], context))
			return policy->propagators[i];
	return POLICY_PROPAGATOR_NONE;
}

static enum policy_parent_state adopt_parent(const struct policy *policy, struct span_slot *slot,
					     const struct head *head)
{
	struct tracectx context = { .decision = TRACECTX_UNDECIDED };
	struct span_record *r = &slot->head;
	uint8_t found = find_context(policy, head, &context);

	if (found != POLICY_PROPAGATOR_TRACECONTEXT && head->value[TAG_TRACESTATE].p)
		ignore_tracestate(slot);
	if (!found)
		return POLICY_NO_PARENT;
	if (context.has_ids) {
		memcpy(r->trace_id, context.trace_id, sizeof(r->trace_id));
		memcpy(r->parent_span_id, context.span_id, sizeof(r->parent_span_id));
		r->trace_flags = context.flags & (W3C_FLAG_SAMPLED | W3C_FLAG_RANDOM);
		r->flags |= SPAN_FLAG_REMOTE_PARENT;
	}
	if (context.debug)
		r->flags |= SPAN_FLAG_DEBUG;
	if (context.debug || context.decision == TRACECTX_SAMPLED)
		return POLICY_PARENT_SAMPLED;
	return context.decision == TRACECTX_NOT_SAMPLED ? POLICY_PARENT_NOT_SAMPLED : POLICY_NO_PARENT;
}

static size_t put_number(char *out, unsigned value)
{
	char digits[5];
	size_t n = 0, at = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value && n < sizeof(digits));
	while (n)
		out[at++] = digits[--n];
	return at;
}

/* The address the connection came in at, as ASGI's scope has it: no port if it is 80. 0: not known. */
static size_t local_host(const struct span_address *local, char out[32])
{
	size_t n = 0;

	if (local->family == 1) { /* AF_UNIX */
		memcpy(out, "0.0.0.0", 7);
		return 7;
	}
	if (local->family != 2) /* AF_INET; IPv6 is left to the Host header */
		return 0;
	for (int i = 0; i < 4; i++) {
		n += put_number(out + n, local->addr[i]);
		out[n++] = i < 3 ? '.' : ':';
	}
	return local->port == 80 ? n - 1 : n + put_number(out + n, local->port);
}

/* The URL as BentoML's middleware sees it: scheme://host[:port]/path, path decoded, no query. */
static bool is_excluded(const struct policy *policy, const struct span_record *r, const struct head *head)
{
	uint32_t bytes = policy->automaton_bytes;
	const char *target = head->value[TAG_TARGET].p;
	char host[32];
	size_t n = 0, host_n = policy->flags & POLICY_FLAG_URL_FROM_HOST ? 0 : local_host(&r->local, host);
	struct automaton a;

	if (!bytes || bytes > POLICY_BYTES - POLICY_HEAD_BYTES || !target)
		return false;
	if (!automaton_open(&a, (const uint8_t *)policy + POLICY_HEAD_BYTES, bytes))
		return false;
	while (n < head->value[TAG_TARGET].n && target[n] != '?' && target[n] != '#')
		n++;
	if (n && target[0] == '/') {
		automaton_feed(&a, "http://", 7);
		if (host_n)
			automaton_feed(&a, host, host_n);
		else
			automaton_feed(&a, head->value[TAG_HOST].p, head->value[TAG_HOST].n);
	}
	automaton_feed_decoded(&a, target, n);
	return automaton_end(&a);
}

/* At most rate_limit new traces in each second of the monotonic clock, over all processes of the table. */
static bool within_rate(struct table_header *header, const struct policy *policy, uint64_t now_ns)
{
	uint32_t second = (uint32_t)(now_ns / UINT64_C(1000000000));
	uint32_t current = atomic_load_explicit(&header->rate_second, memory_order_relaxed);

	if (!policy->rate_limit)
		return true;
	/* The one who turns the second resets the count; whoever counts in between is let through or not: a
	 * limit, no ledger. */
	if (current != second &&
	    atomic_compare_exchange_strong_explicit(&header->rate_second, &current, second,
						    memory_order_relaxed, memory_order_relaxed))
		atomic_store_explicit(&header->rate_taken, 0, memory_order_relaxed);
	return atomic_fetch_add_explicit(&header->rate_taken, 1, memory_order_relaxed) < policy->rate_limit;
}

enum decide_verdict decide(struct table_header *header, const struct policy *policy, struct span_slot *slot)
{
	struct span_record *r = &slot->head;
	enum policy_parent_state parent;
	struct head head;

	collect(slot, &head);
	parent = adopt_parent(policy, slot, &head);
	r->policy_version = policy->version;
	r->flags &= ~(uint32_t)SPAN_FLAG_UNDECIDED;
	if (is_excluded(policy, r, &head))
		return DECIDE_EXCLUDED;
	if (policy_sample(policy, r->trace_id, parent) == POLICY_DROP)
		return DECIDE_SAMPLED_OUT;
	if (parent == POLICY_NO_PARENT && !within_rate(header, policy, r->start_ns))
		return DECIDE_SAMPLED_OUT;
	r->flags |= SPAN_FLAG_SAMPLED;
	if (!(r->flags & SPAN_FLAG_REMOTE_PARENT) && policy->flags & POLICY_FLAG_RANDOM_BIT)
		r->trace_flags |= W3C_FLAG_RANDOM;
	return DECIDE_SAMPLED;
}

bool decide_context(const struct policy *policy, struct span_slot *slot, struct tracectx *context)
{
	struct head head;

	collect(slot, &head);
	context->decision = TRACECTX_UNDECIDED;
	context->has_ids = false;
	return find_context(policy, &head, context) != POLICY_PROPAGATOR_NONE;
}

enum decide_verdict decide_client(struct table_header *header, const struct policy *policy,
				  struct span_slot *slot, enum policy_parent_state parent)
{
	struct span_record *r = &slot->head;

	r->policy_version = policy->version;
	r->flags &= ~(uint32_t)SPAN_FLAG_UNDECIDED;
	if (parent == POLICY_PARENT_NOT_SAMPLED)
		return DECIDE_SAMPLED_OUT;
	if (parent == POLICY_NO_PARENT && (policy_sample(policy, r->trace_id, parent) == POLICY_DROP ||
					   !within_rate(header, policy, r->start_ns)))
		return DECIDE_SAMPLED_OUT;
	r->flags |= SPAN_FLAG_SAMPLED;
	if (parent == POLICY_NO_PARENT && policy->flags & POLICY_FLAG_RANDOM_BIT)
		r->trace_flags |= W3C_FLAG_RANDOM;
	return DECIDE_SAMPLED;
}
