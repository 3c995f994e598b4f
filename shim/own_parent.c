/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread works at: ARCHITECTURE.md, "Own spans". */
#include "shim/own.h"

#include <string.h>

#include "shim/engine.h"

/*
 * The spans that the thread has begun, in their order; any of them may have ended
 * elsewhere. A signal handler that interrupts push finds the entry free or taken,
 * and leaves the depth as it was once it has ended what it began.
 */
static __thread struct {
	uint32_t depth;
	uint64_t number[OWN_DEPTH];
} thread;

/* The innermost that is open; 0: none. Forgets those above it. */
static uint64_t innermost(struct serving_context *context, bool *younger)
{
	while (thread.depth) {
		uint64_t number = thread.number[thread.depth - 1];

		if (own_read_current(number, context, younger))
			return number;
		thread.depth--;
	}
	return 0;
}

bool own_has_room(void)
{
	struct serving_context context;
	bool younger;

	innermost(&context, &younger);
	return thread.depth < OWN_DEPTH;
}

void own_push(uint64_t number)
{
	thread.number[thread.depth] = number;
	atomic_signal_fence(memory_order_seq_cst);
	thread.depth++;
}

/* Has the thread read a request since, which is still open? Then that is what it works at. */
static bool goes_first(const struct serving_context *own, const struct serving_found *found)
{
	return !found->here || found->newest_here_ns <= own->begun_ns;
}

bool own_current(const struct serving_found *found, struct serving_context *context)
{
	bool younger;
	uint64_t number = innermost(context, &younger);

	if (!number || (younger && !goes_first(context, found)))
		return false;
	own_settle(number, context);
	return true;
}

static void take_own(struct own_parent *parent, const struct serving_context *context)
{
	parent->known = true;
	parent->context = *context;
	parent->early = context->carried;
}

static void take_request(struct own_parent *parent, const struct serving_context *context)
{
	parent->known = true;
	parent->context = *context;
	parent->early = context->decision == SERVING_UNDECIDED;
	parent->lost = parent->early && context->carried;
}

void own_innermost(struct own_parent *parent)
{
	struct serving_found *found = &parent->found;
	struct serving_context context;
	bool younger;
	uint64_t number = innermost(&context, &younger);

	parent->known = parent->remote = parent->ambiguous = parent->early = parent->lost = false;
	parent->context = (struct serving_context){ .decision = SERVING_UNDECIDED };
	if (number && younger) {
		serving_search(NULL, found);
		if (!goes_first(&context, found))
			number = 0;
	} else if (!number) {
		serving_search(NULL, found);
	}
	if (number) {
		own_settle(number, &context);
		take_own(parent, &context);
		return;
	}
	if (!found->here)
		return;
	if (found->here == 1 && !serving_was_mixed(clock_now_ns())) {
		take_request(parent, &found->one_here);
		return;
	}
	parent->ambiguous = true;
	if (found->all_suppressed) /* whichever it is, it is not recorded */
		parent->context.decision = found->link[0].decision;
}

void own_request_of(struct own_parent *parent)
{
	struct serving_found *found = &parent->found;
	struct wanted_context wanted;

	memcpy(wanted.trace_id, parent->context.trace_id, sizeof(wanted.trace_id));
	memcpy(wanted.span_id, parent->context.span_id, sizeof(wanted.span_id));
	serving_search(&wanted, found);
	if (found->matched != 1 && found->matched_here != 1)
		return;
	parent->remote = false;
	take_request(parent, &found->one_match);
}
