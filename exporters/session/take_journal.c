/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a batch, any of which a killed worker may leave half done: journal.h. */
#include <stdlib.h>
#include <string.h>

#include "exporters/session/ledger.h"
#include "exporters/session/log.h"
#include "exporters/session/poison.h"
#include "exporters/session/take.h"

static int by_process(const void *a, const void *b)
{
	const struct take_slot *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->end_unix_ns != y->end_unix_ns)
		return x->end_unix_ns < y->end_unix_ns ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/* Spans of one resource stand together, children behind their parents. */
static void group(struct take *t)
{
	struct span *spans = t->other;
	uint32_t n = 0;
	size_t i = 1;

	while (i < t->n && t->spans[i].resource == t->spans[0].resource)
		i++;
	if (i >= t->n)
		return;
	qsort(t->slots, t->n_slots, sizeof(*t->slots), by_process);
	for (uint32_t at = 0; at < t->n_slots; at++) {
		struct take_slot *slot = &t->slots[at];

		memcpy(&spans[n], &t->spans[slot->first], slot->entry.spans * sizeof(*spans));
		slot->first = n;
		n += slot->entry.spans;
	}
	t->other = t->spans;
	t->spans = spans;
}

bool take_seal(struct take *t)
{
	struct control *c = t->session->control;
	struct journal *journal = &c->journal;

	if (!t->n_slots)
		return false;
	group(t);
	for (uint32_t i = 0; i < t->n_slots; i++)
		journal->entry[i] = t->slots[i].entry;
	journal->n = t->n_slots;
	journal->counts = t->counts;
	t->number = control_account(c)->batch + 1;
	/* release: whoever finds the number finds what was written before it */
	atomic_store_explicit(&journal->batch, t->number, memory_order_release);
	return true;
}

static void add(struct journal_counts *to, const struct journal_counts *n)
{
	to->taken += n->taken;
	to->client_taken += n->client_taken;
	to->own_taken += n->own_taken;
	to->aborted += n->aborted;
	to->invalid += n->invalid;
	to->children += n->children;
	to->sampled_out += n->sampled_out;
	to->excluded += n->excluded;
	to->dropped_off += n->dropped_off;
	to->own_sampled_out += n->own_sampled_out;
	to->own_dropped += n->own_dropped;
	to->client_sampled_out += n->client_sampled_out;
	to->client_dropped += n->client_dropped;
}

/* The slots of the batch in the journal, which all exporters have. */
static void release(struct session *s)
{
	struct journal *journal = &s->control->journal;

	for (uint32_t i = 0; i < journal->n && i < JOURNAL_SLOTS; i++)
		table_release_taken(&s->table, journal->entry[i].slot, journal->entry[i].generation);
	/* Before the next entries are written: these would be taken for slots that are done with. */
	atomic_store_explicit(&journal->batch, 0, memory_order_seq_cst);
}

static void clear(struct take *t)
{
	t->number = 0;
	t->lost = 0;
	t->n_slots = 0;
	t->n = 0;
	t->counts = (struct journal_counts){ 0 };
	arena_clear(&t->arena);
}

void take_done(struct take *t)
{
	struct control *c = t->session->control;
	struct control_account account = *control_account(c);

	account.batch = t->number;
	add(&account.counts, &c->journal.counts);
	control_commit(c, &account); /* from here on it counts as taken, and is never put again */
	release(t->session);
	clear(t);
}

/* --- after a dead one --- */

/* The same spans in the same order, for what the exporters have of them is known by number. */
static void make_again(struct take *t)
{
	const struct journal *journal = &t->session->control->journal;
	struct span_slot copy;

	unix_time_read(&t->time);
	for (uint32_t i = 0; i < journal->n && i < t->max_spans; i++) {
		const struct journal_entry *entry = &journal->entry[i];
		bool ours = table_adopt(&t->session->table, entry->slot, entry->generation, t->epoch, &copy);

		t->n_slots++;
		if (ours && entry->spans)
			take_make(t, &copy, entry->settled);
	}
	t->counts = journal->counts;
}

/* --- what workers died of --- */

static void leave_out_batch(struct take *t)
{
	const struct journal *journal = &t->session->control->journal;
	struct span_slot copy;

	t->counts = journal->counts;
	for (uint32_t i = 0; i < journal->n && i < JOURNAL_SLOTS; i++, t->n_slots++) {
		const struct journal_entry *entry = &journal->entry[i];

		table_adopt(&t->session->table, entry->slot, entry->generation, t->epoch, &copy);
		t->lost += entry->spans;
	}
	log_line("%d workers ended while they handed over the same batch; it is skipped (%llu spans lost)",
		 POISON_DEATHS, (unsigned long long)t->lost);
}

/* Ours before table_recover() would give it back, to be counted and freed like any other. */
static bool adopt_poison(struct take *t, uint32_t *slot, uint64_t *generation)
{
	struct span_slot copy;

	return poison_in_slot(t->session->control, slot, generation) &&
	       table_adopt(&t->session->table, *slot, *generation, t->epoch, &copy);
}

static void leave_out_slot(struct take *t, uint32_t slot, uint64_t generation)
{
	t->slots[0] = (struct take_slot){ .entry = { generation, slot, 0, 0 } };
	t->n_slots = 1;
	t->counts.invalid = 1;
	take_seal(t);
	log_line("%d workers ended at the same span; it is skipped", POISON_DEATHS);
}

/* --- burials --- */

/* The entry's counters are in the totals and `burying` says so. */
static void clear_entry(struct control *c, struct table_process *entry, uint32_t index)
{
	struct control_account account = *control_account(c);

	memset((char *)entry + sizeof(entry->state), 0, sizeof(*entry) - sizeof(entry->state));
	atomic_fetch_and_explicit(&c->dead[index / 64], ~(UINT64_C(1) << (index % 64)), memory_order_release);
	account.burying = 0;
	control_commit(c, &account);
	if (index != TABLE_NO_PROCESS)
		atomic_store_explicit(&entry->state, PROCESS_FREE, memory_order_release);
}

void take_bury(struct take *t, uint32_t index)
{
	struct control *c = t->session->control;
	struct table_process *entry = &t->session->table.process[index];
	struct control_account account;

	if (index !=
	    TABLE_NO_PROCESS) /* a successor finds it, wherever we are killed; a new tenant comes last */
		atomic_store_explicit(&entry->state, PROCESS_BURIED, memory_order_release);
	account = *control_account(c);
	ledger_bury(&account, entry);
	account.burying = index + 1;
	control_commit(c, &account);
	clear_entry(c, entry, index);
}

static void finish_burials(struct take *t)
{
	struct control *c = t->session->control;
	struct table_process *process = t->session->table.process;
	uint32_t index = control_account(c)->burying;

	if (index && index <= TABLE_PROCESSES)
		clear_entry(c, &process[index - 1], index - 1);
	for (uint32_t i = 1; i < TABLE_PROCESSES; i++)
		if (table_process_state(&t->session->table, i) == PROCESS_BURIED &&
		    !take_is_dead(c, (uint16_t)i))
			atomic_store_explicit(&process[i].state, PROCESS_FREE, memory_order_release);
}

bool take_resume(struct take *t)
{
	struct control *c = t->session->control;
	uint64_t number = atomic_load_explicit(&c->journal.batch, memory_order_acquire), generation;
	uint32_t slot;
	bool poisoned = false;

	if (number && number == control_account(c)->batch + 1) {
		if (poison_in_batch(c))
			leave_out_batch(t);
		else
			make_again(t);
		t->number = number;
	} else {
		if (number)
			release(t->session);
		poisoned = adopt_poison(t, &slot, &generation);
	}
	atomic_store_explicit(&c->journal.making, 0, memory_order_release);
	finish_burials(t);
	table_recover(&t->session->table, t->epoch);
	table_repair(&t->session->table); /* it may have died between a state and its hint */
	if (poisoned)
		leave_out_slot(t, slot, generation);
	return t->number != 0;
}
