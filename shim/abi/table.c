/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/table.h"

#include <errno.h>
#include <string.h>

#define HOME_STRIDE 8u /* words between two homes: one cache line of each bitmap */
#define PAGE        4096u
#define AHEAD_LINES 6u /* cache lines: a head and the strings of a plain request */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "state words must be lock-free between processes");

static size_t page_up(size_t n) { return (n + PAGE - 1) & ~(size_t)(PAGE - 1); }

/* The layout is computed, never read from the mapping. */
static size_t layout(struct table *t, uint8_t *base, uint32_t slots)
{
	size_t at = PAGE;
	size_t bits = page_up(slots / 8);

	t->header = (struct table_header *)base;
	t->slots = slots;
	t->words = slots / 64;
	t->state = (_Atomic uint64_t *)(base + at);
	at += page_up((size_t)slots * 8);
	t->free_bits = (_Atomic uint64_t *)(base + at);
	at += bits;
	t->done_bits = (_Atomic uint64_t *)(base + at);
	at += bits;
	t->process = (struct table_process *)(base + at);
	at += page_up((size_t)TABLE_PROCESSES * sizeof(struct table_process));
	t->policy = base + at;
	at += (size_t)POLICY_BUFFERS * POLICY_BYTES;
	t->slot = (struct span_slot *)(base + at);
	at += (size_t)slots * SPAN_SLOT_BYTES;
	t->bytes = at;
	return at;
}

static bool slots_allowed(uint32_t slots)
{
	return slots >= TABLE_SLOTS_MIN && slots <= TABLE_SLOTS_MAX && slots % 64 == 0;
}

size_t table_bytes(uint32_t slots)
{
	struct table t;

	/* only offsets are computed; nothing is dereferenced */
	return slots_allowed(slots) ? layout(&t, (uint8_t *)(uintptr_t)PAGE, slots) : 0;
}

size_t table_states(size_t bytes, uint32_t *slots)
{
	for (*slots = TABLE_SLOTS_MIN; *slots <= TABLE_SLOTS_MAX; *slots *= 2)
		if (table_bytes(*slots) == bytes)
			return PAGE;
	return 0;
}

int table_create(struct table *t, void *base, size_t bytes, uint32_t slots, const uint8_t seed[32])
{
	if (!slots_allowed(slots) || layout(t, base, slots) != bytes)
		return -EINVAL;
	t->header->abi = TABLE_ABI;
	t->header->slots = slots;
	t->header->bytes = bytes;
	memcpy(t->header->seed, seed, sizeof(t->header->seed));
	for (uint32_t w = 0; w < t->words; w++)
		atomic_store_explicit(&t->free_bits[w], UINT64_MAX, memory_order_relaxed);
	/* entry 0 is the shared one of processes that found none */
	atomic_store_explicit(&t->header->process_used[0], 1, memory_order_relaxed);
	atomic_store_explicit(&t->process[TABLE_NO_PROCESS].state, PROCESS_LIVE, memory_order_relaxed);
	t->header->magic = TABLE_MAGIC;
	return 0;
}

int table_attach(struct table *t, void *base, size_t bytes)
{
	const struct table_header *header = base;
	uint32_t slots;

	if (bytes < PAGE || header->magic != TABLE_MAGIC)
		return -EINVAL;
	if (header->abi != TABLE_ABI)
		return -EPROTO;
	slots = header->slots;
	if (!slots_allowed(slots) || layout(t, base, slots) != bytes)
		return -EINVAL;
	return 0;
}

static uint64_t bit_of(uint32_t slot) { return UINT64_C(1) << (slot % 64); }

struct table_place table_place(const struct table *t, uint32_t number)
{
	uint32_t home = number * HOME_STRIDE % t->words;

	return (struct table_place){ home, home };
}

/*
 * The slot that is probably the next one: it comes into the cache while its request is
 * still to come. The exporter has read it last, so it is fetched to be written.
 */
static inline void fetch_ahead(const struct table *t, uint32_t word, uint64_t bits)
{
	const char *p = (const char *)&t->slot[word * 64 + (uint32_t)__builtin_ctzll(bits)];

	for (unsigned line = 0; line < AHEAD_LINES; line++)
#ifdef __x86_64__
		/* GCC would only use it for processors that are known to have it; to others it is a NOP. */
		__asm__ volatile("prefetchw %0" : : "m"(p[line * 64]));
#else
		__builtin_prefetch(&p[line * 64], 1);
#endif
}

uint32_t table_claim(struct table *t, struct table_place *place, uint16_t owner, uint64_t *word)
{
	bool at_home = atomic_load_explicit(&t->free_bits[place->home], memory_order_relaxed) != 0;
	uint32_t w = at_home ? place->home : place->last;

	for (uint32_t i = 0; i < t->words; i++, w = w + 1 < t->words ? w + 1 : 0) {
		uint64_t bits = atomic_load_explicit(&t->free_bits[w], memory_order_relaxed);

		for (; bits; bits &= bits - 1) {
			uint32_t slot = w * 64 + (uint32_t)__builtin_ctzll(bits);
			uint64_t old = atomic_load_explicit(&t->state[slot], memory_order_relaxed);
			uint64_t new = slot_word(SLOT_OPEN, owner, slot_word_generation(old) + 1);
			/* acquire: pairs with the release in table_release, the record is no longer read */
			bool got = slot_word_state(old) == SLOT_FREE &&
				   atomic_compare_exchange_strong_explicit(&t->state[slot], &old, new,
									   memory_order_acq_rel,
									   memory_order_relaxed);

			/* whoever has it now, it is not free: the hint goes */
			atomic_fetch_and_explicit(&t->free_bits[w], ~bit_of(slot), memory_order_relaxed);
			if (!got)
				continue;
			*word = new;
			place->last = w;
			bits &= bits - 1;
			if (bits)
				fetch_ahead(t, w, bits);
			memset(&t->slot[slot].head, 0, sizeof(t->slot[slot].head));
			return slot;
		}
	}
	place->last = place->home ? place->home - 1 : t->words - 1; /* as far as can be */
	return TABLE_NO_SLOT;
}

bool table_owns(const struct table *t, uint32_t slot, uint64_t word)
{
	return slot < t->slots && atomic_load_explicit(&t->state[slot], memory_order_relaxed) == word;
}

static bool change(struct table *t, uint32_t slot, uint64_t from, uint64_t to)
{
	return slot < t->slots &&
	       atomic_compare_exchange_strong_explicit(&t->state[slot], &from, to, memory_order_acq_rel,
						       memory_order_relaxed);
}

/*
 * The record of a slot that we hold, before it becomes free: who is killed between claiming it and clearing
 * it would else leave the span before as one that was running.
 */
static void forget(struct table *t, uint32_t slot)
{
	struct span_record *r = &t->slot[slot].head;

	r->version = 0;
	r->kind = 0;
	r->end = SPAN_END_OPEN;
	atomic_signal_fence(memory_order_release);
}

bool table_take_over(struct table *t, uint32_t slot, uint64_t *word, uint16_t owner)
{
	uint64_t to = slot_word(SLOT_OPEN, owner, slot_word_generation(*word));

	if (!change(t, slot, *word, to))
		return false;
	*word = to;
	return true;
}

static void mark_free(struct table *t, uint32_t slot)
{
	atomic_fetch_or_explicit(&t->free_bits[slot / 64], bit_of(slot), memory_order_release);
}

bool table_finish(struct table *t, uint32_t slot, uint64_t word)
{
	/* the release in change() pairs with the acquire in table_take: the record is whole */
	if (!change(t, slot, word, slot_word(SLOT_DONE, slot_word_owner(word), slot_word_generation(word))))
		return false;
	atomic_fetch_or_explicit(&t->done_bits[slot / 64], bit_of(slot), memory_order_release);
	return true;
}

bool table_drop(struct table *t, uint32_t slot, uint64_t word)
{
	if (!table_owns(t, slot, word))
		return false;
	forget(t, slot);
	if (!change(t, slot, word, slot_word(SLOT_FREE, 0, slot_word_generation(word))))
		return false;
	mark_free(t, slot);
	return true;
}

/* --- exporter side --- */

struct policy *table_next_policy(struct table *t, uint32_t *version)
{
	uint32_t next = atomic_load_explicit(&t->header->policy, memory_order_relaxed) + 1;

	*version = next ? next : POLICY_BUFFERS; /* 0 means none: skip it when the number wraps */
	return (struct policy *)(t->policy + (size_t)(*version % POLICY_BUFFERS) * POLICY_BYTES);
}

void table_publish_policy(struct table *t, uint32_t version)
{
	/* release: pairs with table_policy() */
	atomic_store_explicit(&t->header->policy, version, memory_order_release);
}

static void copy_out(const struct table *t, uint32_t slot, struct span_slot *copy)
{
	size_t tail;

	memcpy(&copy->head, &t->slot[slot].head, sizeof(copy->head));
	tail = copy->head.tail_bytes; /* from the copy: the original may change under us */
	if (tail > SPAN_TAIL_BYTES)
		tail = 0; /* span_record_valid() refuses it */
	memcpy(copy->tail, t->slot[slot].tail, tail);
}

uint32_t table_take(struct table *t, uint32_t *cursor, uint16_t epoch, struct span_slot *copy)
{
	while (*cursor < t->slots) {
		uint32_t w = *cursor / 64;
		uint64_t bits = atomic_load_explicit(&t->done_bits[w], memory_order_acquire) &
				(UINT64_MAX << (*cursor % 64));
		uint32_t slot;
		uint64_t old;

		if (!bits) {
			*cursor = (w + 1) * 64;
			continue;
		}
		slot = w * 64 + (uint32_t)__builtin_ctzll(bits);
		*cursor = slot + 1;
		/* hint first, state after: a finish that comes between sets the hint again */
		atomic_fetch_and_explicit(&t->done_bits[w], ~bit_of(slot), memory_order_acq_rel);
		old = atomic_load_explicit(&t->state[slot], memory_order_acquire);
		if (slot_word_state(old) != SLOT_DONE ||
		    !change(t, slot, old, slot_word(SLOT_TAKEN, epoch, slot_word_generation(old))))
			continue;
		copy_out(t, slot, copy);
		return slot;
	}
	return TABLE_NO_SLOT;
}

bool table_take_open(struct table *t, uint32_t slot, uint16_t owner, uint16_t epoch, struct span_slot *copy)
{
	uint64_t old;

	if (slot >= t->slots)
		return false;
	old = atomic_load_explicit(&t->state[slot], memory_order_acquire);
	if (slot_word_state(old) != SLOT_OPEN || slot_word_owner(old) != owner ||
	    !change(t, slot, old, slot_word(SLOT_TAKEN, epoch, slot_word_generation(old))))
		return false;
	copy_out(t, slot, copy);
	return true;
}

bool table_release(struct table *t, uint32_t slot, uint16_t epoch)
{
	uint64_t old;

	if (slot >= t->slots)
		return false;
	old = atomic_load_explicit(&t->state[slot], memory_order_relaxed);
	if (slot_word_state(old) != SLOT_TAKEN || slot_word_owner(old) != epoch)
		return false;
	forget(t, slot);
	if (!change(t, slot, old, slot_word(SLOT_FREE, 0, slot_word_generation(old))))
		return false;
	mark_free(t, slot);
	return true;
}

uint64_t table_generation(const struct table *t, uint32_t slot)
{
	return slot < t->slots
		       ? slot_word_generation(atomic_load_explicit(&t->state[slot], memory_order_relaxed))
		       : 0;
}

static bool taken_word(const struct table *t, uint32_t slot, uint64_t generation, uint64_t *word)
{
	if (slot >= t->slots)
		return false;
	*word = atomic_load_explicit(&t->state[slot], memory_order_acquire);
	return slot_word_state(*word) == SLOT_TAKEN && slot_word_generation(*word) == generation;
}

bool table_adopt(struct table *t, uint32_t slot, uint64_t generation, uint16_t epoch, struct span_slot *copy)
{
	uint64_t old;

	if (!taken_word(t, slot, generation, &old) ||
	    !change(t, slot, old, slot_word(SLOT_TAKEN, epoch, generation)))
		return false;
	copy_out(t, slot, copy);
	return true;
}

bool table_release_taken(struct table *t, uint32_t slot, uint64_t generation)
{
	uint64_t old;

	if (!taken_word(t, slot, generation, &old))
		return false;
	forget(t, slot);
	if (!change(t, slot, old, slot_word(SLOT_FREE, 0, generation)))
		return false;
	mark_free(t, slot);
	return true;
}

uint32_t table_recover(struct table *t, uint16_t epoch)
{
	uint32_t n = 0;

	for (uint32_t slot = 0; slot < t->slots; slot++) {
		uint64_t old = atomic_load_explicit(&t->state[slot], memory_order_acquire);

		if (slot_word_state(old) != SLOT_TAKEN || slot_word_owner(old) == epoch)
			continue;
		if (change(t, slot, old, slot_word(SLOT_DONE, 0, slot_word_generation(old)))) {
			atomic_fetch_or_explicit(&t->done_bits[slot / 64], bit_of(slot),
						 memory_order_release);
			n++;
		}
	}
	return n;
}

uint32_t table_repair(struct table *t)
{
	uint32_t n = 0;

	for (uint32_t slot = 0; slot < t->slots; slot++) {
		enum slot_state state =
			slot_word_state(atomic_load_explicit(&t->state[slot], memory_order_acquire));
		_Atomic uint64_t *hint = state == SLOT_FREE   ? &t->free_bits[slot / 64]
					 : state == SLOT_DONE ? &t->done_bits[slot / 64]
							      : NULL;

		/* A hint set for a slot that has just moved on is harmless, as claim and take look at the
		 * state. */
		if (hint && !(atomic_load_explicit(hint, memory_order_relaxed) & bit_of(slot))) {
			atomic_fetch_or_explicit(hint, bit_of(slot), memory_order_release);
			n++;
		}
	}
	return n;
}

void table_census(const struct table *t, uint32_t count[4])
{
	memset(count, 0, 4 * sizeof(*count));
	for (uint32_t slot = 0; slot < t->slots; slot++)
		count[atomic_load_explicit(&t->state[slot], memory_order_relaxed) & 3]++;
}
