/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/dfa_step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/vector.h"

enum promise { NOTHING, LINE_FEED_THEN_END, END, PROMISES };

#define WORD_MASK (1u << REGEX_AT_WORD | 1u << REGEX_NOT_AT_WORD)
#define LINE_MASK (1u << REGEX_AT_LAST_END | 1u << REGEX_AT_LINE_END | 1u << REGEX_AT_LINE_START)

static bool is_word(uint8_t c) { return (c | 0x20) - 'a' + 0u < 26u || c - '0' + 0u < 10u || c == '_'; }

static void split_at(bool cut[257], uint32_t first, uint32_t last)
{
	cut[first] = true;
	cut[last + 1] = true;
}

static void number_classes(struct stepper *s, uint8_t class[256])
{
	const struct nfa *nfa = s->nfa;
	bool cut[257] = { [0] = true };
	uint32_t n = 0;

	for (uint32_t i = 0; i < nfa->n_ranges; i++)
		split_at(cut, nfa->ranges[i].first, nfa->ranges[i].last);
	if (nfa->assertions & LINE_MASK)
		split_at(cut, '\n', '\n');
	if (nfa->assertions & WORD_MASK)
		split_at(cut, 0x80, 0xbf);
	for (uint32_t c = 1; c < 256 && (nfa->assertions & WORD_MASK); c++)
		cut[c] |= is_word((uint8_t)c) != is_word((uint8_t)(c - 1));
	for (uint32_t c = 0; c < 256; c++) {
		if (cut[c])
			s->sample[n++] = (uint8_t)c;
		class[c] = (uint8_t)(n - 1);
	}
	s->class = class;
	s->classes = n + 1;
}

static int fill_takes(struct stepper *s)
{
	const struct nfa *nfa = s->nfa;

	s->takes_bytes = (s->classes + 7) / 8;
	s->takes = calloc(nfa->n_nodes, s->takes_bytes);
	if (!s->takes)
		return -ENOMEM;
	for (uint32_t i = 0; i < nfa->n_nodes; i++) {
		const struct nfa_node *node = &nfa->nodes[i];
		uint8_t *takes = s->takes + (size_t)i * s->takes_bytes;

		for (uint32_t r = node->first; node->kind == NFA_BYTES && r < node->first + node->n; r++)
			for (uint32_t c = s->class[nfa->ranges[r].first]; c <= s->class[nfa->ranges[r].last];
			     c++)
				takes[c / 8] |= (uint8_t)(1u << c % 8);
	}
	return 0;
}

static void push(struct stepper *s, struct threads *set, uint32_t node, enum promise promise)
{
	uint32_t thread = node * PROMISES + promise;

	if (node == NFA_NONE || set->marks[thread] == set->mark)
		return;
	set->marks[thread] = set->mark;
	if (VECTOR_ROOM(s->stack, s->size_stack, s->n_stack, 1))
		s->stack[s->n_stack++] = thread;
	else
		set->failed = true;
}

static void keep(struct threads *set, uint32_t thread)
{
	if (VECTOR_ROOM(set->items, set->size, set->n, 1))
		set->items[set->n++] = thread;
	else
		set->failed = true;
}

static void push_assertion(struct stepper *s, struct threads *set, uint32_t thread)
{
	const struct nfa_node *node = &s->nfa->nodes[thread / PROMISES];
	enum promise promise = thread % PROMISES;

	if (node->assertion != REGEX_AT_LAST_END && node->assertion != REGEX_AT_END) {
		keep(set, thread);
		return;
	}
	if (node->assertion == REGEX_AT_LAST_END && promise != END)
		push(s, set, node->out, LINE_FEED_THEN_END);
	if (promise != LINE_FEED_THEN_END)
		push(s, set, node->out, END);
}

/* Adds a thread and all it reaches without a byte, unless the base has it anyway. */
static void add(struct stepper *s, struct threads *set, uint32_t node, enum promise promise)
{
	push(s, set, node, promise);
	while (s->n_stack) {
		uint32_t thread = s->stack[--s->n_stack];
		const struct nfa_node *at = &s->nfa->nodes[thread / PROMISES];

		promise = thread % PROMISES;
		s->work++;
		if (set == &s->then && s->base.marks[thread] == s->base.mark)
			continue;
		if (at->kind == NFA_SPLIT) {
			push(s, set, at->out, promise);
			push(s, set, at->out2, promise);
		} else if (at->kind == NFA_ASSERT) {
			push_assertion(s, set, thread);
		} else if (at->kind == NFA_MATCH && promise == NOTHING) {
			set->accepted = true;
		} else {
			keep(set, thread);
		}
	}
}

static bool holds(const struct stepper *s, uint32_t assertion, enum before before, uint32_t class)
{
	bool end = class == s->classes - 1;
	uint8_t byte = end ? 0 : s->sample[class];
	bool edge = (before == BEFORE_WORD) != (!end && is_word(byte));

	switch (assertion) {
	case REGEX_AT_START: return before == BEFORE_START;
	case REGEX_AT_LINE_START: return before == BEFORE_START || before == BEFORE_LINE_FEED;
	case REGEX_AT_LINE_END: return end || byte == '\n';
	case REGEX_AT_WORD: return edge;
	case REGEX_NOT_AT_WORD: /* not inside a character, and, as Python until 3.13, not in an empty text */
		return !edge && (end || (byte & 0xc0) != 0x80) && !(end && before == BEFORE_START);
	default: return false;
	}
}

static bool takes(const struct stepper *s, uint32_t node, uint32_t class)
{
	return s->takes[(size_t)node * s->takes_bytes + class / 8] >> class % 8 & 1;
}

static void meet(struct stepper *s, uint32_t thread, enum before before, uint32_t class)
{
	const struct nfa_node *node = &s->nfa->nodes[thread / PROMISES];
	enum promise promise = thread % PROMISES;
	bool end = class == s->classes - 1;
	bool line_feed = !end && s->sample[class] == '\n';

	s->work++;
	if (node->kind == NFA_ASSERT) {
		if (holds(s, node->assertion, before, class))
			add(s, &s->now, node->out, promise);
	} else if (node->kind == NFA_MATCH) {
		if (promise == END && end)
			s->then.accepted = true;
		else if (promise == LINE_FEED_THEN_END && line_feed)
			add(s, &s->then, s->nfa->match, END);
	} else if (takes(s, thread / PROMISES, class)) {
		if (promise == NOTHING)
			add(s, &s->then, node->out, NOTHING);
		else if (promise == LINE_FEED_THEN_END && line_feed)
			add(s, &s->then, node->out, END);
	}
}

static void begin(struct threads *set)
{
	set->n = 0;
	set->mark++;
	set->accepted = false;
}

static int compare_threads(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void meet_base(struct stepper *s, uint32_t class)
{
	const struct base_step *step = &s->base_steps[class];

	s->then.accepted |= step->accepted;
	for (uint32_t i = step->first; i < step->first + step->n; i++) {
		s->then.marks[s->base_items[i]] = s->then.mark;
		keep(&s->then, s->base_items[i]);
	}
}

int stepper_step(struct stepper *s, const uint32_t *threads, uint32_t n, enum before before, uint32_t class)
{
	begin(&s->now);
	begin(&s->then);
	meet_base(s, class);
	for (uint32_t i = 0; i < s->base.n; i++)
		meet(s, s->base.items[i], before, class);
	for (uint32_t i = 0; i < n; i++)
		meet(s, threads[i], before, class);
	for (uint32_t i = 0; i < s->now.n; i++)
		meet(s, s->now.items[i], before, class);
	s->then.accepted |= s->now.accepted;
	if (s->then.n > 1)
		qsort(s->then.items, s->then.n, sizeof(uint32_t), compare_threads);
	return s->then.failed || s->now.failed ? -ENOMEM : 0;
}

enum before stepper_before(const struct stepper *s, uint32_t class)
{
	if (class == s->classes - 1)
		return BEFORE_OTHER;
	if ((s->nfa->assertions & WORD_MASK) && is_word(s->sample[class]))
		return BEFORE_WORD;
	if ((s->nfa->assertions & 1u << REGEX_AT_LINE_START) && s->sample[class] == '\n')
		return BEFORE_LINE_FEED;
	return BEFORE_OTHER;
}

static bool is_plain(const struct stepper *s, uint32_t thread)
{
	return s->nfa->nodes[thread / PROMISES].kind == NFA_BYTES && thread % PROMISES == NOTHING;
}

/* The plain threads of the base do the same in every state: once for each class, then out of the list. */
static int prepare_base(struct stepper *s)
{
	uint32_t left = 0;

	for (uint32_t c = 0; c < s->classes; c++) {
		begin(&s->then);
		for (uint32_t i = 0; i < s->base.n; i++)
			if (is_plain(s, s->base.items[i]))
				meet(s, s->base.items[i], BEFORE_OTHER, c);
		if (!VECTOR_ROOM(s->base_items, s->size_base_items, s->n_base_items, s->then.n) ||
		    s->then.failed)
			return -ENOMEM;
		s->base_steps[c] = (struct base_step){ s->n_base_items, s->then.n, s->then.accepted };
		for (uint32_t i = 0; i < s->then.n; i++)
			s->base_items[s->n_base_items++] = s->then.items[i];
	}
	for (uint32_t i = 0; i < s->base.n; i++)
		if (!is_plain(s, s->base.items[i]))
			s->base.items[left++] = s->base.items[i];
	s->base.n = left;
	return 0;
}

int stepper_init(struct stepper *s, const struct nfa *nfa, uint8_t class[256], uint32_t *classes)
{
	size_t threads = (size_t)nfa->n_nodes * PROMISES;

	memset(s, 0, sizeof(*s));
	s->nfa = nfa;
	number_classes(s, class);
	*classes = s->classes;
	s->base.marks = calloc(threads, sizeof(uint32_t));
	s->now.marks = calloc(threads, sizeof(uint32_t));
	s->then.marks = calloc(threads, sizeof(uint32_t));
	if (!s->base.marks || !s->now.marks || !s->then.marks || fill_takes(s) != 0)
		return -ENOMEM;
	s->base.mark = 1;
	add(s, &s->base, nfa->root, NOTHING);
	return s->base.failed ? -ENOMEM : prepare_base(s);
}

void stepper_release(struct stepper *s)
{
	struct threads *sets[] = { &s->base, &s->now, &s->then };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		free(sets[i]->marks);
		free(sets[i]->items);
	}
	free(s->takes);
	free(s->base_items);
	free(s->stack);
}
