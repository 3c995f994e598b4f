/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POISON_H
#define BTRACE_POISON_H

/*
 * What one worker after the other dies of: a span that cannot be made, a batch that cannot be encoded. As
 * nothing is lost with a worker, each one would find it again, for ever. So the keeper notes what a worker
 * that crashed, or was stuck, had in hand; after POISON_DEATHS times the same the next one leaves it out and
 * counts it: the span as invalid, of the batch what the exporters lack as failed.
 *
 * The keeper writes control->suspect while no worker lives.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/session/control.h"

/* So many that a worker which is killed by others, at whatever moments, is not taken for poisoned. */
enum { POISON_DEATHS = 5 };

/* Keeper: does a worker that ended by this signal tell of a fault in what it had in hand? SIGKILL comes from
 * others. */
bool poison_is_crash(int signal);
/* Keeper: such a worker has ended. */
void poison_note_death(struct control *c);

/* Worker: is the sealed batch in the journal to be left out? */
bool poison_in_batch(const struct control *c);
/* Worker: the slot that is to be left out; false: none. */
bool poison_in_slot(const struct control *c, uint32_t *slot, uint64_t *generation);

#endif
