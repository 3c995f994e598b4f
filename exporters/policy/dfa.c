/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/dfa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/dfa_step.h"
#include "exporters/policy/vector.h"

/* Subset construction: a state is a set of threads, and what the byte before was. */
struct state {
	uint32_t first, n; /* in members */
	uint8_t before;    /* enum before */
};

struct builder {
	struct dfa *dfa;
	struct stepper step;
	struct state *states;
	uint32_t size_states, size_next;
	uint32_t *members, n_members, size_members;
	uint32_t *table, table_size; /* state, open addressing; DFA_ACCEPT is a free place */
};

static uint32_t hash(const uint32_t *items, uint32_t n, uint32_t value)
{
	for (uint32_t i = 0; i < n; i++) {
		value = (value ^ items[i]) * 0x9e3779b1u;
		value ^= value >> 15;
	}
	return value;
}

static bool grow_table(struct builder *b)
{
	uint32_t size = b->table_size ? b->table_size * 2 : 1024;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return false;
	free(b->table);
	b->table = table;
	b->table_size = size;
	for (uint32_t s = DFA_ACCEPT + 1; s < b->dfa->states; s++) {
		const struct state *state = &b->states[s];
		uint32_t at = hash(b->members + state->first, state->n, state->before);

		while (table[at & (size - 1)] != DFA_ACCEPT)
			at++;
		table[at & (size - 1)] = s;
	}
	return true;
}

static bool state_is(const struct builder *b, uint32_t s, enum before before)
{
	const struct state *state = &b->states[s];
	const struct threads *then = &b->step.then;

	return state->before == before && state->n == then->n &&
	       (then->n == 0 ||
		memcmp(b->members + state->first, then->items, then->n * sizeof(uint32_t)) == 0);
}

static int new_state(struct builder *b, enum before before)
{
	struct dfa *dfa = b->dfa;
	uint32_t n = b->step.then.n;

	if (dfa->states >= DFA_STATES_MAX || (dfa->states + 1) * dfa->classes > DFA_CELLS_MAX ||
	    b->n_members + n > DFA_MEMBERS_MAX)
		return -E2BIG;
	if (!VECTOR_ROOM(b->states, b->size_states, dfa->states, 1) ||
	    !VECTOR_ROOM(b->members, b->size_members, b->n_members, n) ||
	    !VECTOR_ROOM(dfa->next, b->size_next, dfa->states * dfa->classes, dfa->classes))
		return -ENOMEM;
	b->states[dfa->states++] = (struct state){ b->n_members, n, (uint8_t)before };
	if (n)
		memcpy(b->members + b->n_members, b->step.then.items, n * sizeof(uint32_t));
	b->n_members += n;
	return 0;
}

/* The state of the set just stepped to, a new one if need be. */
static int find_state(struct builder *b, enum before before, uint32_t *state)
{
	const struct threads *then = &b->step.then;
	uint32_t at, *place;
	int rc;

	if (b->dfa->states * 2 >= b->table_size && !grow_table(b))
		return -ENOMEM;
	at = hash(then->items, then->n, before);
	for (;; at++) {
		place = &b->table[at & (b->table_size - 1)];
		if (*place == DFA_ACCEPT)
			break;
		*state = *place;
		if (state_is(b, *state, before))
			return 0;
	}
	*state = b->dfa->states;
	rc = new_state(b, before);
	if (rc == 0)
		*place = *state;
	return rc;
}

static int fill_row(struct builder *b, uint32_t state)
{
	uint32_t classes = b->dfa->classes;

	for (uint32_t c = 0; c < classes; c++) {
		const struct state *from = &b->states[state];
		uint32_t to = DFA_ACCEPT;
		int rc;

		rc = stepper_step(&b->step, b->members + from->first, from->n, from->before, c);
		if (rc)
			return rc;
		if (b->step.work > DFA_WORK_MAX)
			return -E2BIG;
		if (!b->step.then.accepted && c == classes - 1)
			to = b->dfa->start; /* the text is over: anywhere but accepting */
		else if (!b->step.then.accepted)
			rc = find_state(b, stepper_before(&b->step, c), &to);
		if (rc)
			return rc;
		b->dfa->next[(size_t)state * classes + c] = to;
	}
	return 0;
}

static int construct(struct builder *b)
{
	struct dfa *dfa = b->dfa;
	int rc;

	b->step.then.n = 0;
	rc = new_state(b, BEFORE_OTHER);
	if (rc)
		return rc;
	for (uint32_t c = 0; c < dfa->classes; c++)
		dfa->next[c] = DFA_ACCEPT;
	if (b->step.base.accepted) {
		dfa->start = DFA_ACCEPT;
		return 0;
	}
	rc = find_state(b, b->step.nfa->assertions ? BEFORE_START : BEFORE_OTHER, &dfa->start);
	for (uint32_t state = DFA_ACCEPT + 1; rc == 0 && state < dfa->states; state++)
		rc = fill_row(b, state);
	return rc;
}

int dfa_build(struct dfa *dfa, const struct nfa *nfa)
{
	struct builder b = { .dfa = dfa };
	int rc;

	memset(dfa, 0, sizeof(*dfa));
	rc = stepper_init(&b.step, nfa, dfa->class, &dfa->classes);
	if (rc == 0)
		rc = construct(&b);
	stepper_release(&b.step);
	free(b.states);
	free(b.members);
	free(b.table);
	return rc;
}

void dfa_release(struct dfa *dfa)
{
	free(dfa->next);
	memset(dfa, 0, sizeof(*dfa));
}
