/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/abi/table.h"

#define SLOTS 128u

static void make(struct table *t)
{
	static const uint8_t seed[32] = { 1 };
	size_t bytes = table_bytes(SLOTS);
	/* zeroed, and gone with the test's process */
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(base, MAP_FAILED);
	cr_assert_eq(table_create(t, base, bytes, SLOTS, seed), 0);
}

static uint32_t claim(struct table *t, uint64_t *word)
{
	static struct table_place place;

	return table_claim(t, &place, 7, word);
}

Test(table, a_span_goes_through_its_states)
{
	struct table t;
	struct span_slot copy;
	uint64_t word;
	uint32_t slot, cursor = 0, count[4];

	make(&t);
	slot = claim(&t, &word);
	cr_assert_neq(slot, TABLE_NO_SLOT);
	t.slot[slot].head.status = 204;
	cr_assert(table_owns(&t, slot, word));
	cr_assert_eq(table_take(&t, &cursor, 1, &copy), TABLE_NO_SLOT, "an open span is not taken");
	cr_assert(table_finish(&t, slot, word));
	cr_assert_not(table_finish(&t, slot, word), "only once");
	cursor = 0;
	cr_assert_eq(table_take(&t, &cursor, 1, &copy), slot);
	cr_assert_eq(copy.head.status, 204);
	cr_assert_not(table_release(&t, slot, 2), "another worker's slot");
	cr_assert(table_release(&t, slot, 1));
	table_census(&t, count);
	cr_assert_eq(count[SLOT_FREE], SLOTS);
}

Test(table, a_full_table_says_so_and_recovers)
{
	struct table t;
	uint64_t words[SLOTS], word;

	make(&t);
	for (uint32_t i = 0; i < SLOTS; i++)
		cr_assert_neq(claim(&t, &words[i]), TABLE_NO_SLOT);
	cr_assert_eq(claim(&t, &word), TABLE_NO_SLOT);
	cr_assert(table_drop(&t, 5, words[5]));
	cr_assert_eq(claim(&t, &word), 5);
	cr_assert_neq(word, words[5], "a new generation: the old owner's word is void");
	cr_assert_not(table_finish(&t, 5, words[5]));
}

Test(table, a_child_takes_over_and_the_parent_loses)
{
	struct table t;
	uint64_t word, parents;
	uint32_t slot;

	make(&t);
	slot = claim(&t, &word);
	parents = word;
	cr_assert(table_take_over(&t, slot, &word, 8));
	cr_assert_eq(slot_word_owner(word), 8);
	cr_assert_not(table_owns(&t, slot, parents));
	cr_assert_not(table_finish(&t, slot, parents));
	cr_assert(table_finish(&t, slot, word));
}

Test(table, what_a_dead_worker_held_is_taken_again)
{
	struct table t;
	struct span_slot copy;
	uint64_t word;
	uint32_t slot, cursor = 0;

	make(&t);
	slot = claim(&t, &word);
	table_finish(&t, slot, word);
	cr_assert_eq(table_take(&t, &cursor, 1, &copy), slot);
	cr_assert_eq(table_recover(&t, 2), 1);
	cr_assert_not(table_release(&t, slot, 1));
	cursor = 0;
	cr_assert_eq(table_take(&t, &cursor, 2, &copy), slot);
}

Test(table, lost_hints_are_mended)
{
	struct table t;
	struct span_slot copy;
	uint64_t word;
	uint32_t slot, cursor = 0;

	make(&t);
	slot = claim(&t, &word);
	table_finish(&t, slot, word);
	atomic_store(&t.done_bits[slot / 64], 0); /* killed between the state and the hint */
	cr_assert_eq(table_take(&t, &cursor, 1, &copy), TABLE_NO_SLOT);
	cr_assert_eq(table_repair(&t), 1);
	cursor = 0;
	cr_assert_eq(table_take(&t, &cursor, 1, &copy), slot);
}

Test(table, only_the_owners_open_spans_are_taken)
{
	struct table t;
	struct span_slot copy;
	uint64_t word;
	uint32_t slot;

	make(&t);
	slot = claim(&t, &word);
	cr_assert_not(table_take_open(&t, slot, 8, 1, &copy));
	cr_assert(table_take_open(&t, slot, 7, 1, &copy));
	cr_assert_not(table_finish(&t, slot, word));
}

Test(table, a_tail_beyond_the_slot_is_not_followed)
{
	struct table t;
	struct span_slot copy;
	uint64_t word;
	uint32_t slot, cursor = 0;

	make(&t);
	slot = claim(&t, &word);
	t.slot[slot].head.tail_bytes = 65535;
	table_finish(&t, slot, word);
	cr_assert_eq(table_take(&t, &cursor, 1, &copy), slot);
	cr_assert_not(span_record_valid(&copy));
}

Test(table, a_foreign_mapping_is_refused)
{
	struct table t, other;

	make(&t);
	cr_assert_eq(table_attach(&other, t.header, t.bytes), 0);
	cr_assert_eq(table_attach(&other, t.header, t.bytes - 4096), -EINVAL);
	t.header->slots = SLOTS * 2;
	cr_assert_eq(table_attach(&other, t.header, t.bytes), -EINVAL);
	t.header->slots = SLOTS;
	t.header->abi++;
	cr_assert_eq(table_attach(&other, t.header, t.bytes), -EPROTO);
	t.header->magic = 0;
	cr_assert_eq(table_attach(&other, t.header, t.bytes), -EINVAL);
}

#define ROUNDS 20000

static void *writer(void *p)
{
	struct table *t = p;
	uintptr_t lost = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t word;
		struct table_place place = table_place(t, (uint32_t)i);
		uint32_t slot = table_claim(t, &place, 7, &word);

		if (slot == TABLE_NO_SLOT) {
			lost++;
			continue;
		}
		t->slot[slot].head.connection = 42;
		if (!table_finish(t, slot, word))
			abort();
	}
	return (void *)lost;
}

Test(table, two_writers_and_a_reader_lose_and_double_nothing)
{
	struct table t;
	struct span_slot copy;
	pthread_t thread[2];
	uint32_t taken = 0, cursor = 0, idle = 0;
	uintptr_t lost = 0;
	void *result;

	make(&t);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, writer, &t);
	while (idle < 1000000 && taken < 2 * ROUNDS) {
		uint32_t slot = table_take(&t, &cursor, 1, &copy);

		if (slot == TABLE_NO_SLOT) {
			cursor = 0;
			idle++;
			continue;
		}
		cr_assert_eq(copy.head.connection, 42);
		cr_assert(table_release(&t, slot, 1));
		taken++;
		idle = 0;
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], &result);
		lost += (uintptr_t)result;
	}
	cursor = 0;
	table_repair(&t);
	while (table_take(&t, &cursor, 1, &copy) != TABLE_NO_SLOT)
		taken++;
	cr_assert_eq(taken + lost, 2 * ROUNDS);
}

Test(table, registry_entries_are_given_once)
{
	struct table t;
	uint16_t a, b;

	make(&t);
	a = table_process_claim(&t, 100);
	b = table_process_claim(&t, 100);
	cr_assert(a != TABLE_NO_PROCESS && b != TABLE_NO_PROCESS && a != b);
	for (unsigned i = 0; i < TABLE_PROCESSES - 3; i++)
		cr_assert_neq(table_process_claim(&t, i), TABLE_NO_PROCESS);
	cr_assert_eq(table_process_claim(&t, 5), TABLE_NO_PROCESS);
}

/* Of memory that is shared even a look makes pages. */
Test(table, registry_entries_that_were_never_used_are_not_touched)
{
	static unsigned char pages[TABLE_PROCESSES];
	size_t bytes = TABLE_PROCESSES * sizeof(struct table_process), touched = 0;
	struct table t;
	uint16_t claimed;

	make(&t);
	claimed = table_process_claim(&t, 100);
	for (uint32_t i = 1; i < TABLE_PROCESSES; i++)
		cr_assert_eq(table_process_state(&t, i), i == claimed ? PROCESS_CLAIMED : PROCESS_FREE);
	cr_assert_eq(table_process_state(&t, TABLE_NO_PROCESS), PROCESS_LIVE);
	cr_assert_eq(mincore(t.process, bytes, pages), 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		touched += pages[i] & 1;
	cr_assert_eq(touched, 2);
	table_process_publish(&t, claimed);
	cr_assert_eq(table_process_state(&t, claimed), PROCESS_LIVE);
}

/* Claiming and clearing are two steps. */
Test(table, a_free_slot_has_no_span_of_before_to_show_if_its_next_owner_dies_at_once)
{
	struct table t;
	struct span_slot copy;
	uint64_t word;
	uint32_t slot, cursor = 0;

	make(&t);
	for (int i = 0; i < 3; i++) {
		slot = claim(&t, &word);
		t.slot[slot].head.version = 0x11;
		t.slot[slot].head.kind = SPAN_KIND_SERVER;
		t.slot[slot].head.end = SPAN_END_COMPLETE;
		if (i == 0) {
			cr_assert(table_drop(&t, slot, word));
		} else {
			cr_assert(table_finish(&t, slot, word));
			cursor = 0;
			cr_assert_eq(table_take(&t, &cursor, 1, &copy), slot);
			cr_assert_eq(copy.head.version, 0x11);
			cr_assert(i == 1 ? table_release(&t, slot, 1)
					 : table_release_taken(&t, slot, slot_word_generation(word)));
		}
		cr_assert_eq(t.slot[slot].head.version, 0);
		cr_assert_eq(t.slot[slot].head.kind, 0);
		cr_assert_eq(t.slot[slot].head.end, SPAN_END_OPEN);
	}
}
