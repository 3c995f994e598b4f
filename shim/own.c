/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/own.h"

#include <string.h>

#include "shim/decide.h"
#include "shim/engine.h"
#include "shim/pool.h"
#include "shim/request.h"

static struct pool own_pool = { .size = sizeof(struct own), .per_slab = 128 };
_Static_assert(POOL_SLABS * 128u <= 1u << OWN_INDEX_BITS, "an index fits a number");

#define INDEX_MASK      ((UINT64_C(1) << OWN_INDEX_BITS) - 1)
#define GENERATION_MASK ((UINT64_C(1) << OWN_GENERATION_BITS) - 1)

static uint32_t generation_of(uint64_t number)
{
	return (uint32_t)(number >> OWN_INDEX_BITS & GENERATION_MASK);
}

static uint32_t open_state(uint64_t number)
{
	return generation_of(number) << OWN_GENERATION_SHIFT | OWN_OPEN;
}

static struct own *object(uint64_t number)
{
	uint32_t index = (uint32_t)(number & INDEX_MASK);

	return index && index <= pool_high(&own_pool) ? pool_seen(&own_pool, index) : NULL;
}

/* In a forked child: is it open where it was begun? Of one without a slot nobody knows. */
static bool open_elsewhere(const struct serving_context *c)
{
	uint64_t word;

	if (c->slot >= shim.table.slots)
		return false;
	word = atomic_load_explicit(&shim.table.state[c->slot], memory_order_acquire);
	return slot_word_state(word) == SLOT_OPEN &&
	       slot_word_generation(word) == slot_word_generation(c->slot_word);
}

static uint32_t without_busy(uint32_t state) { return state & ~(uint32_t)OWN_BUSY; }

static bool is_ours(const struct own *o)
{
	return atomic_load_explicit(&o->process, memory_order_relaxed) == self_get()->index;
}

bool own_read_current(uint64_t number, struct serving_context *context, bool *younger)
{
	struct own *o = object(number);
	bool ours;

	if (!o || without_busy(atomic_load_explicit(&o->state, memory_order_acquire)) != open_state(number))
		return false;
	serving_load(o->word, context);
	*younger = atomic_load_explicit(&o->requests, memory_order_relaxed) != serving_count();
	ours = is_ours(o);
	if (without_busy(atomic_load_explicit(&o->state, memory_order_relaxed)) != open_state(number))
		return false;
	return ours || open_elsewhere(context);
}

bool own_read(uint64_t number, struct serving_context *context)
{
	bool younger;

	return own_read_current(number, context, &younger);
}

struct own *own_enter(uint64_t number)
{
	struct own *o = object(number);
	uint32_t open = open_state(number);

	if (!o)
		return NULL;
	if (atomic_compare_exchange_strong_explicit(&o->state, &open, open | OWN_BUSY, memory_order_acquire,
						    memory_order_relaxed)) {
		if (is_ours(o))
			return o;
		own_leave(o); /* a forked child: it is its parent's */
	} else if (open == (open_state(number) | OWN_BUSY)) {
		atomic_fetch_add_explicit(&o->missed, 1, memory_order_relaxed);
	}
	return NULL;
}

static uint16_t at_most_u16(uint32_t n) { return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX; }

static void finish_slot(struct own *o)
{
	struct span_record *r = &shim.table.slot[o->slot].head;
	uint32_t missed = atomic_load_explicit(&o->missed, memory_order_relaxed);

	if (!is_ours(o) || !table_owns(&shim.table, o->slot, o->slot_word))
		return; /* somebody else accounts for it */
	r->end_ns = clock_now_ns();
	r->dropped_attributes = at_most_u16(o->dropped_attributes + missed);
	r->dropped_events = at_most_u16(o->dropped_events);
	r->end = SPAN_END_COMPLETE;
	if (r->flags & SPAN_FLAG_TRUNCATED)
		ledger_count(LEDGER_TRUNCATED);
	if (!table_finish(&shim.table, o->slot, o->slot_word))
		ledger_count(LEDGER_SLOT_LOST);
}

/* Nobody else is at it, and nobody will be: the number is of the past. */
static void finish(struct own *o, uint32_t state)
{
	uint32_t next = (state >> OWN_GENERATION_SHIFT) + 1;

	if (o->slot != TABLE_NO_SLOT)
		finish_slot(o);
	/* release: who takes it next finds it as we leave it */
	atomic_store_explicit(&o->state, next << OWN_GENERATION_SHIFT, memory_order_release);
	pool_give(&own_pool, o->index);
}

void own_leave(struct own *o)
{
	uint32_t state = atomic_fetch_and_explicit(&o->state, ~(uint32_t)OWN_BUSY, memory_order_acq_rel);

	if (state & OWN_ENDING)
		finish(o, state);
}

void own_end(uint64_t number)
{
	struct own *o = object(number);
	uint32_t state = open_state(number);

	while (o && !atomic_compare_exchange_weak_explicit(&o->state, &state, state | OWN_ENDING,
							   memory_order_acq_rel, memory_order_relaxed))
		if (without_busy(state) != open_state(number))
			return;
	if (o && !(state & OWN_BUSY)) /* else whoever is at it will */
		finish(o, state);
}

/* --- the beginning --- */

static void identify(struct span_record *r, const struct own_parent *parent)
{
	uint64_t id[3];

	memset(r, 0, sizeof(*r));
	ids_random(id, 3);
	memcpy(r->trace_id, id, sizeof(r->trace_id));
	memcpy(r->span_id, &id[2], sizeof(r->span_id));
	r->start_ns = clock_now_ns();
	r->process = self_get()->index;
	if (parent->ambiguous)
		r->flags |= SPAN_FLAG_AMBIGUOUS_PARENT;
	if (!parent->known)
		return;
	memcpy(r->trace_id, parent->context.trace_id, sizeof(r->trace_id));
	memcpy(r->parent_span_id, parent->context.span_id, sizeof(r->parent_span_id));
	r->trace_flags = parent->context.trace_flags & 3;
	if (parent->remote)
		r->flags |= SPAN_FLAG_REMOTE_PARENT;
	if (parent->context.debug)
		r->flags |= SPAN_FLAG_DEBUG;
}

/* Without a parent's decision there is the sampler's; without a policy, nobody's yet. */
static enum serving_decision draw(const struct policy *policy, struct span_record *r,
				  const struct own_parent *parent)
{
	struct table_header *header =
		parent->known ? NULL : shim.table.header; /* the rate is of new traces */

	if (parent->early || !policy) {
		r->flags |= SPAN_FLAG_UNDECIDED | (parent->early ? SPAN_FLAG_EARLY_REQUEST : 0u);
		return SERVING_UNDECIDED;
	}
	return decide_client(header, policy, r, POLICY_NO_PARENT) == DECIDE_SAMPLED ? SERVING_SAMPLED
										    : SERVING_NOT_SAMPLED;
}

static enum serving_decision decide_own(const struct policy *policy, struct span_record *r,
					const struct own_parent *parent)
{
	enum serving_decision decision = (enum serving_decision)parent->context.decision;

	if (parent->remote)
		decision = policy_sample(policy, r->trace_id,
					 decision == SERVING_SAMPLED
						 ? POLICY_PARENT_SAMPLED
						 : POLICY_PARENT_NOT_SAMPLED) == POLICY_SAMPLE
				   ? SERVING_SAMPLED
				   : SERVING_NOT_SAMPLED;
	if (decision == SERVING_UNDECIDED)
		return draw(policy, r, parent);
	if (decision == SERVING_SAMPLED) {
		r->policy_version = policy ? policy->version : 0;
		r->flags |= SPAN_FLAG_SAMPLED;
	}
	return decision;
}

static void clear(struct own *o, uint16_t process)
{
	atomic_store_explicit(&o->requests, serving_count(), memory_order_relaxed);
	atomic_store_explicit(&o->process, process, memory_order_relaxed);
	atomic_store_explicit(&o->missed, 0, memory_order_relaxed);
	o->used = o->message = o->dropped_attributes = o->dropped_events = 0;
	o->event = 0;
	o->slot = TABLE_NO_SLOT;
	o->slot_word = 0;
}

/* A slot with that record; it counts from here on. False: there is none. */
static bool claim(struct own *o, const struct span_record *r, const char *name,
		  const struct own_parent *parent)
{
	struct span_record *to;

	o->slot = slot_claim(r->process, &o->slot_word);
	if (o->slot == TABLE_NO_SLOT)
		return false;
	to = &shim.table.slot[o->slot].head;
	*to = *r;
	own_put_name(o, name);
	for (unsigned i = 0; parent->ambiguous && i < parent->found.links; i++)
		if (parent->found.link[i].decision != SERVING_UNDECIDED)
			own_put_link(o, &parent->found.link[i]);
	ledger_count(LEDGER_OWN_SPANS);
	to->kind = SPAN_KIND_INTERNAL; /* from here on it is counted: take.c looks at it if we die */
	return true;
}

/* For its children, here and elsewhere. */
static void publish(struct own *o, const struct span_record *r, enum serving_decision decision, bool early)
{
	struct serving_context context = {
		.trace_flags = r->trace_flags & 3u,
		.decision = (uint8_t)decision,
		.debug = r->flags & SPAN_FLAG_DEBUG ? 1 : 0,
		.carried = early,
		.slot = o->slot,
		.slot_word = o->slot_word,
		.begun_ns = r->start_ns,
	};

	memcpy(context.trace_id, r->trace_id, sizeof(r->trace_id));
	memcpy(context.span_id, r->span_id, sizeof(r->span_id));
	serving_store(o->word, &context);
}

static uint64_t not_begun(void)
{
	ledger_count(LEDGER_OWN_SPANS);
	ledger_count(LEDGER_OWN_DROPPED);
	return 0;
}

uint64_t own_begin(const char *name, const struct own_parent *parent, bool detached)
{
	const struct policy *policy = table_policy(&shim.table);
	enum serving_decision decision;
	struct span_record r;
	uint32_t index, state;
	uint64_t number;
	struct own *o;

	if (policy && policy->mode != POLICY_ON)
		return 0;
	if (parent->lost || (!policy && parent->remote) || (!detached && !own_has_room()))
		return not_begun();
	index = pool_take(&own_pool);
	if (!index)
		return not_begun();
	o = pool_at(&own_pool, index);
	o->index = index;
	identify(&r, parent);
	decision = decide_own(policy, &r, parent);
	clear(o, r.process);
	if (decision == SERVING_NOT_SAMPLED || decision == SERVING_EXCLUDED) {
		ledger_count(LEDGER_OWN_SPANS);
		ledger_count(LEDGER_OWN_SAMPLED_OUT);
	} else if (!claim(o, &r, name, parent)) {
		pool_give(&own_pool, index);
		return not_begun();
	}
	publish(o, &r, decision, parent->early);
	state = atomic_load_explicit(&o->state, memory_order_relaxed);
	number = (uint64_t)(state >> OWN_GENERATION_SHIFT) << OWN_INDEX_BITS | index;
	/* release: who enters finds all of the above */
	atomic_store_explicit(&o->state, state | OWN_OPEN, memory_order_release);
	if (!detached)
		own_push(number);
	return number;
}

/* Drawn late, without the limit of rate: as judge_own() of the exporter does for those that end before. */
static void settle(struct own *o, const struct policy *policy, struct serving_context *c)
{
	struct span_record *r = &shim.table.slot[o->slot].head;

	if (policy->mode == POLICY_ON && decide_client(NULL, policy, r, POLICY_NO_PARENT) == DECIDE_SAMPLED) {
		c->trace_flags = r->trace_flags & 3;
		c->decision = SERVING_SAMPLED;
	} else {
		enum ledger why = policy->mode == POLICY_ON ? LEDGER_OWN_SAMPLED_OUT : LEDGER_OWN_DROPPED;

		ledger_count(table_drop(&shim.table, o->slot, o->slot_word) ? why : LEDGER_SLOT_LOST);
		o->slot = c->slot = TABLE_NO_SLOT;
		c->decision = SERVING_NOT_SAMPLED;
	}
	serving_store(o->word, c);
}

void own_settle(uint64_t number, struct serving_context *context)
{
	const struct policy *policy = table_policy(&shim.table);
	struct own *o;

	if (!policy || context->decision != SERVING_UNDECIDED || context->carried || !(o = own_enter(number)))
		return;
	serving_load(o->word, context);
	if (context->decision == SERVING_UNDECIDED && o->slot != TABLE_NO_SLOT)
		settle(o, policy, context);
	own_leave(o);
}
