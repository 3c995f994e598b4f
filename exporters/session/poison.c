/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/poison.h"

#include <signal.h>

bool poison_is_crash(int signal)
{
	switch (signal) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGABRT:
	case SIGSYS: return true;
	default: return false;
	}
}

/* A batch from its seal to its commit, else the slot whose spans are being made. */
static struct control_suspect in_hand(struct control *c)
{
	const struct journal *journal = &c->journal;
	uint64_t batch = atomic_load_explicit(&journal->batch, memory_order_acquire);
	uint32_t making = atomic_load_explicit(&journal->making, memory_order_acquire);

	if (batch && batch == control_account(c)->batch + 1)
		return (struct control_suspect){ .batch = batch };
	if (making)
		return (struct control_suspect){ .slot = making, .generation = journal->making_generation };
	return (struct control_suspect){ 0 };
}

void poison_note_death(struct control *c)
{
	struct control_suspect now = in_hand(c);

	if (!now.batch && !now.slot)
		return;
	now.deaths = 1;
	if (now.batch == c->suspect.batch && now.slot == c->suspect.slot &&
	    now.generation == c->suspect.generation)
		now.deaths += c->suspect.deaths;
	c->suspect = now;
}

bool poison_in_batch(const struct control *c)
{
	const struct control_suspect *s = &c->suspect;

	return s->deaths >= POISON_DEATHS && s->batch &&
	       s->batch == atomic_load_explicit(&c->journal.batch, memory_order_acquire);
}

bool poison_in_slot(const struct control *c, uint32_t *slot, uint64_t *generation)
{
	const struct control_suspect *s = &c->suspect;

	if (s->deaths < POISON_DEATHS || s->batch || !s->slot)
		return false;
	*slot = s->slot - 1;
	*generation = s->generation;
	return true;
}
