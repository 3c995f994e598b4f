/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/serving.h"

#include <string.h>

#include "shim/conn.h"

#define SEARCHED_MAX 8192u /* objects of the pool; beyond, a request is not found and nothing is guessed */

_Static_assert(sizeof(struct serving_context) == SERVING_WORDS * sizeof(uint64_t), "copied word by word");

void serving_store(_Atomic uint64_t to[SERVING_WORDS], const struct serving_context *context)
{
	uint64_t word[SERVING_WORDS];

	memcpy(word, context, sizeof(word));
	/* release: a reader of the former use that sees a word of this one sees that it is not valid any more
	 */
	for (unsigned i = 0; i < SERVING_WORDS; i++)
		atomic_store_explicit(&to[i], word[i], memory_order_release);
}

void serving_load(const _Atomic uint64_t from[SERVING_WORDS], struct serving_context *context)
{
	uint64_t word[SERVING_WORDS];

	for (unsigned i = 0; i < SERVING_WORDS; i++)
		word[i] = atomic_load_explicit(&from[i], memory_order_acquire);
	memcpy(context, word, sizeof(word));
}

static __thread uint32_t requests_read;

uint32_t serving_count(void) { return requests_read; }

void serving_begin(struct pending *p, const struct serving_context *context)
{
	struct serving *s = &p->serving;
	uint64_t stamp = atomic_load_explicit(&s->stamp, memory_order_relaxed);

	requests_read++;
	atomic_store_explicit(&s->stamp, (uint32_t)(stamp + 1), memory_order_relaxed);
	serving_store(s->word, context);
	atomic_store_explicit(&s->stamp, (uint64_t)self_person() << 32 | (uint32_t)(stamp + 1),
			      memory_order_release);
}

void serving_end(struct pending *p)
{
	uint64_t stamp = atomic_load_explicit(&p->serving.stamp, memory_order_relaxed);

	if (stamp >> 32)
		atomic_store_explicit(&p->serving.stamp, (uint32_t)stamp, memory_order_release);
}

/* The number of the thread that read it, 0 if it is not open. */
static uint32_t read_one(struct pending *p, struct serving_context *out)
{
	struct serving *s = &p->serving;
	uint64_t stamp = atomic_load_explicit(&s->stamp, memory_order_acquire);

	if (!(stamp >> 32))
		return 0;
	serving_load(s->word, out);
	if (atomic_load_explicit(&s->stamp, memory_order_relaxed) != stamp)
		return 0;
	return (uint32_t)(stamp >> 32);
}

/*
 * In a forked child the pool is a copy: of the requests of other threads nothing
 * is known there, and of its own forker's request only what the table says.
 */
static bool still_open(const struct serving_context *c, bool here)
{
	uint64_t word;

	if (slot_word_owner(c->slot_word) == self_get()->index)
		return true;
	if (!here || c->slot >= shim.table.slots)
		return false;
	word = atomic_load_explicit(&shim.table.state[c->slot], memory_order_acquire);
	return slot_word_state(word) == SLOT_OPEN &&
	       slot_word_generation(word) == slot_word_generation(c->slot_word);
}

static bool same_context(const struct serving_context *c, const struct wanted_context *wanted)
{
	return !memcmp(c->trace_id, wanted->trace_id, sizeof(c->trace_id)) &&
	       (!memcmp(c->parent_span_id, wanted->span_id, sizeof(c->parent_span_id)) ||
		!memcmp(c->span_id, wanted->span_id, sizeof(c->span_id)));
}

enum rank { RANK_ANY, RANK_HERE, RANK_MATCHED };

static void add_link(struct serving_found *f, enum rank *rank, unsigned *count, enum rank of,
		     const struct serving_context *c)
{
	if (of < *rank)
		return;
	if (of > *rank)
		*count = 0;
	*rank = of;
	if (*count < SERVING_LINKS)
		f->link[*count] = *c;
	++*count;
}

static void add(struct serving_found *f, const struct serving_context *c, bool here, bool matched)
{
	f->all++;
	if (here) {
		f->here++;
		f->one_here = *c;
		if (c->begun_ns > f->newest_here_ns)
			f->newest_here_ns = c->begun_ns;
	}
	if (matched && (here || !f->matched_here))
		f->one_match = *c;
	f->matched += matched;
	f->matched_here += matched && here;
}

void serving_search(const struct wanted_context *wanted, struct serving_found *found)
{
	uint32_t high = pool_high(&pending_pool), me = self_person();
	unsigned count = 0, decisions = 0;
	enum rank rank = RANK_ANY;

	found->all = found->here = found->matched = found->matched_here = 0;
	found->newest_here_ns = 0;
	for (uint32_t i = 1; i <= high && i <= SEARCHED_MAX; i++) {
		struct pending *p = pool_seen(&pending_pool, i);
		struct serving_context c;
		uint32_t thread = p ? read_one(p, &c) : 0;
		bool here = thread == me, matched;

		if (!thread || !still_open(&c, here))
			continue;
		matched = wanted && same_context(&c, wanted);
		add(found, &c, here, matched);
		decisions |= 1u << c.decision;
		add_link(found, &rank, &count, matched ? RANK_MATCHED : here ? RANK_HERE : RANK_ANY, &c);
	}
	found->all_suppressed = decisions == 1u << SERVING_EXCLUDED || decisions == 1u << SERVING_NOT_SAMPLED;
	found->links = count <= SERVING_LINKS ? count : 0;
}
