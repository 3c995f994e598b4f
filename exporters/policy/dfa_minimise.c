/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/dfa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Hopcroft's partition refinement. States of a block lie side by side in
 * `order`; those found by a splitter are moved to its front and cut off. Of two
 * halves the smaller is the next splitter, hence O(classes * states * log).
 */
struct refiner {
	const struct dfa *dfa;
	uint32_t *sources, *source_from; /* [class]: the states that lead to each state, by target */
	uint32_t *order, *place;         /* order[place[s]] == s */
	uint32_t *block;                 /* of each state */
	uint32_t *first, *end, *moved;   /* of each block: its part of order, how many are moved */
	uint32_t blocks;
	uint32_t *queue, n_queue; /* blocks to split by */
	uint8_t *queued;
	uint32_t *touched, n_touched;
	uint32_t *splitter;
};

static uint32_t *numbers(size_t n) { return calloc(n ? n : 1, sizeof(uint32_t)); }

static bool refiner_init(struct refiner *r, const struct dfa *dfa)
{
	size_t n = dfa->states;

	*r = (struct refiner){ .dfa = dfa };
	r->sources = numbers(n * dfa->classes);
	r->source_from = numbers((n + 1) * dfa->classes);
	r->order = numbers(n);
	r->place = numbers(n);
	r->block = numbers(n);
	r->first = numbers(n);
	r->end = numbers(n);
	r->moved = numbers(n);
	r->queue = numbers(n);
	r->queued = calloc(n, 1);
	r->touched = numbers(n);
	r->splitter = numbers(n);
	return r->sources && r->source_from && r->order && r->place && r->block && r->first && r->end &&
	       r->moved && r->queue && r->queued && r->touched && r->splitter;
}

static void refiner_release(struct refiner *r)
{
	uint32_t *all[] = { r->sources, r->source_from, r->order, r->place,   r->block,   r->first,
			    r->end,     r->moved,       r->queue, r->touched, r->splitter };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	free(r->queued);
}

/* sources[class][source_from[class][t] .. source_from[class][t + 1]) lead to t. A counting sort. */
static void invert(struct refiner *r)
{
	const struct dfa *dfa = r->dfa;
	uint32_t n = dfa->states;

	for (uint32_t c = 0; c < dfa->classes; c++) {
		uint32_t *from = r->source_from + (size_t)c * (n + 1), *sources = r->sources + (size_t)c * n;

		for (uint32_t s = 0; s < n; s++)
			from[dfa->next[(size_t)s * dfa->classes + c]]++;
		for (uint32_t t = 0, sum = 0; t <= n; t++) {
			sum += t < n ? from[t] : 0;
			from[t] = sum;
		}
		for (uint32_t s = n; s--;)
			sources[--from[dfa->next[(size_t)s * dfa->classes + c]]] = s;
	}
}

static void enqueue(struct refiner *r, uint32_t block)
{
	if (r->queued[block])
		return;
	r->queued[block] = 1;
	r->queue[r->n_queue++] = block;
}

static void move_to_front(struct refiner *r, uint32_t s)
{
	uint32_t b = r->block[s], to = r->first[b] + r->moved[b], other;

	if (r->place[s] < to)
		return; /* has been moved */
	if (r->moved[b]++ == 0)
		r->touched[r->n_touched++] = b;
	other = r->order[to];
	r->order[r->place[s]] = other;
	r->place[other] = r->place[s];
	r->order[to] = s;
	r->place[s] = to;
}

static void cut_touched(struct refiner *r)
{
	while (r->n_touched) {
		uint32_t b = r->touched[--r->n_touched], n = r->moved[b], new = r->blocks;

		r->moved[b] = 0;
		if (n == r->end[b] - r->first[b])
			continue;
		r->blocks++;
		r->first[new] = r->first[b];
		r->end[new] = r->first[b] = r->first[b] + n;
		for (uint32_t i = r->first[new]; i < r->end[new]; i++)
			r->block[r->order[i]] = new;
		if (r->queued[b] || n <= r->end[b] - r->first[b])
			enqueue(r, new);
		else
			enqueue(r, b);
	}
}

static void refine(struct refiner *r)
{
	uint32_t n = r->dfa->states;

	while (r->n_queue) {
		uint32_t b = r->queue[--r->n_queue], size = r->end[b] - r->first[b];

		r->queued[b] = 0;
		memcpy(r->splitter, r->order + r->first[b], size * sizeof(*r->splitter));
		for (uint32_t c = 0; c < r->dfa->classes; c++) {
			const uint32_t *from = r->source_from + (size_t)c * (n + 1);
			const uint32_t *sources = r->sources + (size_t)c * n;

			for (uint32_t i = 0; i < size; i++)
				for (uint32_t k = from[r->splitter[i]]; k < from[r->splitter[i] + 1]; k++)
					move_to_front(r, sources[k]);
			cut_touched(r);
		}
	}
}

static void partition(struct refiner *r)
{
	uint32_t n = r->dfa->states;

	for (uint32_t s = 0; s < n; s++) {
		r->order[s] = r->place[s] = s;
		r->block[s] = s != DFA_ACCEPT;
	}
	r->end[0] = r->blocks = 1; /* DFA_ACCEPT is state 0 */
	if (n == 1)
		return;
	r->first[1] = 1;
	r->end[1] = n;
	r->blocks = 2;
	enqueue(r, 0);
	refine(r);
}

/* Blocks in the order in which a search from the start meets them; `number` is REGEX_NONE for the others. */
static uint32_t number_blocks(const struct refiner *r, uint32_t *number, uint32_t *found)
{
	const struct dfa *dfa = r->dfa;
	uint32_t n = 0, accept = r->block[DFA_ACCEPT];

	for (uint32_t b = 0; b < r->blocks; b++)
		number[b] = NFA_NONE;
	found[n] = r->block[dfa->start];
	number[found[n++]] = 0;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *row = dfa->next + (size_t)r->order[r->first[found[i]]] * dfa->classes;

		for (uint32_t c = 0; c < dfa->classes; c++) {
			if (number[r->block[row[c]]] != NFA_NONE)
				continue;
			found[n] = r->block[row[c]];
			number[found[n]] = n;
			n++;
		}
	}
	if (number[accept] != NFA_NONE) { /* trade places with the last */
		found[number[accept]] = found[n - 1];
		number[found[n - 1]] = number[accept];
		found[n - 1] = accept;
		number[accept] = n - 1;
	}
	return n;
}

static bool same_column(const struct dfa *dfa, uint32_t c, uint32_t d)
{
	for (uint32_t s = 0; s < dfa->states; s++)
		if (dfa->next[(size_t)s * dfa->classes + c] != dfa->next[(size_t)s * dfa->classes + d])
			return false;
	return true;
}

/* Classes that differ nowhere become one; the end of text stays by itself. */
static void merge_classes(struct dfa *dfa)
{
	uint32_t old = dfa->classes, kept[DFA_CLASSES_MAX] = { 0 }, n = 0;
	uint8_t to[DFA_CLASSES_MAX] = { 0 };

	for (uint32_t c = 0; c < old; c++) {
		uint32_t k = 0;

		while (k < n && (c == old - 1 || !same_column(dfa, kept[k], c)))
			k++;
		if (k == n)
			kept[n++] = c;
		to[c] = (uint8_t)k;
	}
	for (uint32_t c = 0; c < 256; c++)
		dfa->class[c] = to[dfa->class[c]];
	for (uint32_t s = 0; s < dfa->states; s++)
		for (uint32_t k = 0; k < n; k++) /* moves towards the front only */
			dfa->next[(size_t)s * n + k] = dfa->next[(size_t)s * old + kept[k]];
	dfa->classes = n;
}

static int rebuild(struct dfa *dfa, const struct refiner *r, bool *accepts)
{
	uint32_t *number = numbers(r->blocks), *found = numbers(r->blocks), states = 0;
	uint32_t *next = NULL;

	if (number && found) {
		states = number_blocks(r, number, found);
		next = numbers((size_t)states * dfa->classes);
	}
	for (uint32_t s = 0; next && s < states; s++) {
		const uint32_t *row = dfa->next + (size_t)r->order[r->first[found[s]]] * dfa->classes;

		for (uint32_t c = 0; c < dfa->classes; c++)
			next[(size_t)s * dfa->classes + c] = number[r->block[row[c]]];
	}
	if (next) {
		*accepts = number[r->block[DFA_ACCEPT]] != NFA_NONE;
		free(dfa->next);
		dfa->next = next;
		dfa->states = states;
		dfa->start = 0;
	}
	free(number);
	free(found);
	return next ? 0 : -ENOMEM;
}

int dfa_minimise(struct dfa *dfa, bool *accepts)
{
	struct refiner r;
	int rc = -ENOMEM;

	if (refiner_init(&r, dfa)) {
		invert(&r);
		partition(&r);
		rc = rebuild(dfa, &r, accepts);
	}
	refiner_release(&r);
	if (rc == 0)
		merge_classes(dfa);
	return rc;
}
