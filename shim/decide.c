/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/decide.h"

#include <string.h>

#include "shim/http/tracectx.h"
#include "shim/local_host.h"

#define W3C_FLAG_SAMPLED 0x01u
#define W3C_FLAG_RANDOM  0x02u

struct head { /* the strings of interest; views into the slot */
	struct decide_text value[TAG_MAX];
	unsigned traceparents;
	bool context; /* one of the headers that carry it is there */
};

static bool carries_context(enum span_tag tag)
{
	const uint64_t tags = UINT64_C(1) << TAG_TRACEPARENT | UINT64_C(1) << TAG_B3 |
			      UINT64_C(1) << TAG_X_B3_TRACE_ID | UINT64_C(1) << TAG_X_B3_SPAN_ID |
			      UINT64_C(1) << TAG_X_B3_SAMPLED | UINT64_C(1) << TAG_X_B3_FLAGS |
			      UINT64_C(1) << TAG_UBER_TRACE_ID;

	_Static_assert(TAG_MAX <= 64, "a bit each");
	return tags >> tag & 1;
}

static void collect(struct span_slot *slot, struct head *head)
{
	enum span_tag tag;
	const uint8_t *p;
	size_t pos = 0, n;

	memset(head, 0, sizeof(*head));
	while (span_next_string(slot, &pos, &tag, &p, &n)) {
		head->traceparents += tag == TAG_TRACEPARENT;
		head->context |= carries_context(tag);
		if (!head->value[tag].p)
			head->value[tag] = (struct decide_text){ (const char *)p, n };
	}
}

static bool extract(const struct head *head, uint8_t propagator, struct tracectx *context)
{
	const struct decide_text *v = head->value;

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
	for (size_t i = 0; head->context && i < sizeof(policy->propagators); i++)
		if (extract(head, policy->propagators[i], context))
			return policy->propagators[i];
	return POLICY_PROPAGATOR_NONE;
}

bool decide_traceparent(const struct policy *policy, const struct decide_text *value, struct tracectx *parent)
{
	return memchr(policy->propagators, POLICY_PROPAGATOR_TRACECONTEXT, sizeof(policy->propagators)) &&
	       tracectx_traceparent(value->p, value->n, parent);
}

void decide_root_parent(struct span_record *r, const struct tracectx *parent)
{
	if (parent->has_ids) {
		memcpy(r->trace_id, parent->trace_id, sizeof(r->trace_id));
		memcpy(r->parent_span_id, parent->span_id, sizeof(r->parent_span_id));
		r->trace_flags = parent->flags & (W3C_FLAG_SAMPLED | W3C_FLAG_RANDOM);
		r->flags |= SPAN_FLAG_REMOTE_PARENT;
	}
	if (parent->debug)
		r->flags |= SPAN_FLAG_DEBUG;
}

static enum policy_parent_state state_of(const struct tracectx *parent)
{
	if (!parent)
		return POLICY_NO_PARENT;
	if (parent->debug || parent->decision == TRACECTX_SAMPLED)
		return POLICY_PARENT_SAMPLED;
	return parent->decision == TRACECTX_NOT_SAMPLED ? POLICY_PARENT_NOT_SAMPLED : POLICY_NO_PARENT;
}

static enum policy_parent_state adopt_parent(const struct policy *policy, struct span_slot *slot,
					     const struct head *head)
{
	struct tracectx context = { .decision = TRACECTX_UNDECIDED };
	uint8_t found = find_context(policy, head, &context);

	if (found != POLICY_PROPAGATOR_TRACECONTEXT && head->value[TAG_TRACESTATE].p)
		ignore_tracestate(slot);
	if (!found)
		return POLICY_NO_PARENT;
	decide_root_parent(&slot->head, &context);
	return state_of(&context);
}

static size_t path_length(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != '?' && p[i] != '#')
		i++;
	return i;
}

static bool same_address(const struct span_address *a, const struct span_address *b)
{
	uint64_t x[3], y[3];

	_Static_assert(sizeof(*a) == sizeof(x),
		       "three words; a call of memcmp() would cost as much as all the rest");
	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

static bool is_kept(const struct decide_prefix *prefix, const struct policy *policy,
		    const struct span_address *local)
{
	return prefix && prefix->version == policy->version && prefix->policy == policy &&
	       !atomic_load_explicit(&prefix->busy, memory_order_relaxed) &&
	       same_address(&prefix->local, local);
}

static void keep(struct decide_prefix *prefix, const struct policy *policy, const struct span_address *local,
		 const struct automaton *a)
{
	if (!prefix || atomic_load_explicit(&prefix->busy, memory_order_relaxed))
		return;
	atomic_store_explicit(&prefix->busy, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst); /* against a handler in this thread only */
	prefix->policy = policy;
	prefix->version = policy->version;
	prefix->local = *local;
	prefix->after = *a;
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&prefix->busy, 0, memory_order_relaxed);
}

/* What stands before the path of an origin-form target. */
static __attribute__((noinline)) void feed_prefix(struct automaton *a, const struct policy *policy,
						  const struct span_address *local,
						  const struct decide_text *host,
						  struct decide_prefix *prefix)
{
	char listener[LOCAL_HOST_BYTES];
	size_t n = policy->flags & POLICY_FLAG_URL_FROM_HOST ? 0 : local_host(local, listener);

	automaton_feed(a, "http://", 7);
	if (!n) {
		automaton_feed(a, host->p, host->n);
		return;
	}
	automaton_feed(a, listener, n);
	keep(prefix, policy, local, a);
}

/* The URL as BentoML's middleware sees it: scheme://host[:port]/path, path decoded, no query. */
static bool is_excluded(const struct policy *policy, const struct span_address *local,
			const struct decide_text *target, const struct decide_text *host,
			const struct decide_text *rest, struct decide_prefix *prefix)
{
	uint32_t bytes = policy->automaton_bytes;
	struct automaton a;
	bool origin;
	size_t n;

	if (!bytes || bytes > POLICY_BYTES - POLICY_HEAD_BYTES || !target->p)
		return false;
	n = path_length(target->p, target->n);
	origin = n && target->p[0] == '/';
	if (origin && is_kept(prefix, policy, local)) {
		a = prefix->after;
	} else {
		if (!automaton_open(&a, (const uint8_t *)policy + POLICY_HEAD_BYTES, bytes))
			return false;
		if (origin)
			feed_prefix(&a, policy, local, host, prefix);
	}
	automaton_feed_decoded(&a, target->p, n);
	if (n == target->n && rest)
		automaton_feed_decoded(&a, rest->p, path_length(rest->p, rest->n));
	return automaton_end(&a);
}

/* At most rate_limit new traces in each second of the monotonic clock, over all processes of the table. */
static bool within_rate(struct table_header *header, const struct policy *policy, uint64_t now_ns)
{
	uint32_t second = (uint32_t)(now_ns / UINT64_C(1000000000));
	uint32_t current;

	if (!header || !policy->rate_limit)
		return true;
	current = atomic_load_explicit(&header->rate_second, memory_order_relaxed);
	/* The one who turns the second resets the count; whoever counts in between is let through or not: a
	 * limit, no ledger. */
	if (current != second &&
	    atomic_compare_exchange_strong_explicit(&header->rate_second, &current, second,
						    memory_order_relaxed, memory_order_relaxed))
		atomic_store_explicit(&header->rate_taken, 0, memory_order_relaxed);
	return atomic_fetch_add_explicit(&header->rate_taken, 1, memory_order_relaxed) < policy->rate_limit;
}

enum decide_verdict decide(struct table_header *header, const struct policy *policy, struct span_slot *slot,
			   const struct decide_text *rest, struct decide_prefix *prefix)
{
	struct span_record *r = &slot->head;
	enum policy_parent_state parent;
	struct head head;

	collect(slot, &head);
	parent = adopt_parent(policy, slot, &head);
	r->policy_version = policy->version;
	r->flags &= ~(uint32_t)SPAN_FLAG_UNDECIDED;
	if (is_excluded(policy, &r->local, &head.value[TAG_TARGET], &head.value[TAG_HOST], rest, prefix))
		return DECIDE_EXCLUDED;
	if (policy_sample(policy, r->trace_id, parent) == POLICY_DROP)
		return DECIDE_SAMPLED_OUT;
	if (parent == POLICY_NO_PARENT && !within_rate(header, policy, r->start_ns))
		return DECIDE_SAMPLED_OUT;
	decide_root_sampled(policy, r);
	return DECIDE_SAMPLED;
}

enum decide_verdict decide_root(struct table_header *header, const struct policy *policy,
				const struct decide_root *root, struct decide_prefix *prefix)
{
	enum policy_parent_state parent = state_of(root->parent);
	int excluded = 0;

	if (policy->automaton_bytes) {
		excluded = is_kept(prefix, policy, root->local)
				   ? automaton_try(&prefix->after, root->path.p, root->path.n)
				   : -1;
		if (excluded < 0)
			excluded = is_excluded(policy, root->local, &root->path, &root->host, NULL, prefix);
	}
	if (excluded)
		return DECIDE_EXCLUDED;
	if (policy_sample(policy, root->trace_id, parent) == POLICY_DROP ||
	    (parent == POLICY_NO_PARENT && !within_rate(header, policy, root->start_ns)))
		return DECIDE_SAMPLED_OUT;
	return DECIDE_SAMPLED;
}

void decide_root_sampled(const struct policy *policy, struct span_record *r)
{
	r->flags |= SPAN_FLAG_SAMPLED;
	if (!(r->flags & SPAN_FLAG_REMOTE_PARENT) && policy->flags & POLICY_FLAG_RANDOM_BIT)
		r->trace_flags |= W3C_FLAG_RANDOM;
}

bool decide_carried(struct span_slot *slot)
{
	struct head head;

	collect(slot, &head);
	return head.context;
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
				  struct span_record *r, enum policy_parent_state parent)
{
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

enum decide_verdict decide_client_late(struct table_header *header, const struct policy *policy,
				       struct span_slot *slot)
{
	struct head head;

	collect(slot, &head);
	return decide_client(header, policy, &slot->head, adopt_parent(policy, slot, &head));
}
