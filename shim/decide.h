/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_DECIDE_H
#define BTRACE_DECIDE_H

/*
 * The verdict on one request, once its head is in the slot: who is the parent,
 * is it sampled, is it excluded. Pure but for the rate limiter's two words in
 * the table header. Called by the library at the end of the head, and by the
 * exporter for requests that came before the policy did (SPAN_FLAG_UNDECIDED),
 * so both say the same. Signal safe, no allocation.
 */

#include "shim/abi/automaton.h"
#include "shim/abi/table.h"

enum decide_verdict { DECIDE_SAMPLED, DECIDE_SAMPLED_OUT, DECIDE_EXCLUDED };

struct decide_text { /* borrowed */
	const char *p;
	size_t n;
};

/*
 * The automaton behind "http://" and the listener's address, which are the same for
 * nearly all requests. The caller's, one a thread, zeroed at first; a signal handler that
 * comes while it is written goes without.
 */
struct decide_prefix {
	const struct policy *policy;
	uint32_t version; /* of that policy; 0: nothing is kept */
	_Atomic uint32_t busy;
	struct span_address local;
	struct automaton after;
};

/*
 * In: trace_id and span_id hold fresh random ids, the tail the strings of the
 * head, start_ns the time; rest is what of the target did not fit there, in
 * wire form (NULL: all did, or it is not known); prefix may be NULL. Out: trace_id,
 * parent_span_id, trace_flags, flags.
 */
enum decide_verdict decide(struct table_header *header, const struct policy *policy, struct span_slot *slot,
			   const struct decide_text *rest, struct decide_prefix *prefix);

struct tracectx;

/*
 * The same before there is a slot, of a request whose parent is known, or that there is
 * none. path: the target's, in origin form, as it was sent, with nothing in it that would
 * be replaced (request_target()). The record then gets the parent by decide_root_parent(),
 * and if it is sampled its flags by decide_root_sampled(), in that order.
 */
struct decide_root {
	const uint8_t *trace_id;       /* 16 bytes; the parent's if there is one */
	const struct tracectx *parent; /* NULL: none */
	uint64_t start_ns;
	const struct span_address *local;
	struct decide_text path, host; /* host: the first Host field */
};
enum decide_verdict decide_root(struct table_header *header, const struct policy *policy,
				const struct decide_root *root, struct decide_prefix *prefix);
void decide_root_parent(struct span_record *r, const struct tracectx *parent);
void decide_root_sampled(const struct policy *policy, struct span_record *r);

/* The parent that a traceparent tells, which is the only context header of its request. False: none, or not
 * asked for. */
bool decide_traceparent(const struct policy *policy, const struct decide_text *value,
			struct tracectx *parent);

/* Is one of the headers that carry a context among the slot's strings, valid or not? */
bool decide_carried(struct span_slot *slot);

/* The context headers among the slot's strings, by the policy's propagators; false: none is there and valid.
 */
bool decide_context(const struct policy *policy, struct span_slot *slot, struct tracectx *context);

/*
 * The sampling of a CLIENT span: the parent's decision, whatever the sampler's
 * rule for remote parents; without one that of a new trace. Sets trace_flags (random bit), flags.
 * Own spans too. header NULL: without the limit of rate.
 */
/* The worker's: of a CLIENT span that was sent before there was a policy. */
enum decide_verdict decide_client_late(struct table_header *header, const struct policy *policy,
				       struct span_slot *slot);

enum decide_verdict decide_client(struct table_header *header, const struct policy *policy,
				  struct span_record *r, enum policy_parent_state parent);

#endif
