/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_DFA_STEP_H
#define BTRACE_POLICY_DFA_STEP_H

/*
 * One step of all threads of the NFA at once, for the subset construction. A
 * thread is an NFA node and what it still promises: $ and \Z say what remains
 * of the text, so behind them a thread may only take a last line feed, or
 * nothing. \b and ^ wait in the set until the next byte is known. The threads
 * that begin anew at each byte (`base`) are in every set and are therefore in
 * none: stored sets stay small.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/policy/dfa.h"
#include "exporters/policy/nfa.h"

/* What the byte before was, as far as any assertion asks. */
enum before { BEFORE_OTHER, BEFORE_WORD, BEFORE_LINE_FEED, BEFORE_START };

struct threads {
	uint32_t *items, n, size;
	uint32_t *marks, mark; /* marks[thread] == mark: seen in this round */
	bool accepted, failed;
};

/* What the base alone becomes at one class. */
struct base_step {
	uint32_t first, n; /* in stepper.base_items */
	bool accepted;
};

struct stepper {
	const struct nfa *nfa;
	const uint8_t *class;            /* of each byte */
	uint32_t classes;                /* with the end, which is the last */
	uint8_t sample[DFA_CLASSES_MAX]; /* a byte of each class */
	uint8_t *takes;                  /* [node][class], bits */
	uint32_t takes_bytes;            /* of one node */
	struct threads base, now, then;
	struct base_step base_steps[DFA_CLASSES_MAX];
	uint32_t *base_items, n_base_items, size_base_items;
	uint32_t *stack, n_stack, size_stack;
	uint64_t work; /* counted for DFA_WORK_MAX */
};

/* Fills class[] and *classes; then the base: s->base.accepted says that the empty text matches. 0 or -ENOMEM.
 */
int stepper_init(struct stepper *s, const struct nfa *nfa, uint8_t class[256], uint32_t *classes);
void stepper_release(struct stepper *s);

/*
 * s->then becomes what the n threads and the base turn into at `class`: its
 * items, sorted, or `accepted`. 0 or -ENOMEM.
 */
int stepper_step(struct stepper *s, const uint32_t *threads, uint32_t n, enum before before, uint32_t class);
enum before stepper_before(const struct stepper *s, uint32_t class);

#endif
