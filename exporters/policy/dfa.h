/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_DFA_H
#define BTRACE_POLICY_DFA_H

/*
 * The deterministic automaton that searches a text for a match of the NFA
 * anywhere. Its alphabet are classes of bytes which no pattern tells apart, and
 * the end of the text as the last class.
 */

#include <stdint.h>

#include "exporters/policy/nfa.h"

#define DFA_ACCEPT      0u
#define DFA_CLASSES_MAX 257u

/*
 * Bounds of the construction, before minimising: some 50 MiB, and less than a
 * second. The fuzz target has smaller ones.
 */
#ifndef DFA_CELLS_MAX
#define DFA_CELLS_MAX   (2u << 20)
#define DFA_STATES_MAX  (1u << 17)
#define DFA_MEMBERS_MAX (4u << 20)
#define DFA_WORK_MAX    100000000u
#endif

struct dfa {
	uint8_t class[256];
	uint32_t classes; /* with the end of text, which is classes - 1 */
	uint32_t *next;   /* [states][classes] */
	uint32_t states;  /* DFA_ACCEPT is one of them and leads to itself */
	uint32_t start;
};

/* 0, -ENOMEM, or -E2BIG where a bound is met. Release it in every case. */
int dfa_build(struct dfa *dfa, const struct nfa *nfa);

/*
 * The fewest states and classes that decide the same (Hopcroft 1971), in the
 * order in which a search meets them: the start is 0; the accepting state, if
 * it can be reached, is the last one, else *accepts is false. 0 or -ENOMEM.
 */
int dfa_minimise(struct dfa *dfa, bool *accepts);
void dfa_release(struct dfa *dfa);

#endif
