/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/abi/automaton.h"

#include <string.h>

#define CLASS_TABLE_BYTES 256u
#define MAX_SHIFT         3u

static bool is_sound(const struct automaton_head *head, size_t bytes)
{
	uint32_t unit = 1u << (head->shift & MAX_SHIFT);

	if (head->magic != AUTOMATON_MAGIC || head->bytes > bytes || head->shift > MAX_SHIFT)
		return false;
	if (head->classes == 0 || head->end_class >= head->classes || head->stride < head->classes)
		return false;
	if (head->stride % unit || head->cells < head->stride || head->cells % head->stride)
		return false;
	return head->bytes >= sizeof(*head) + CLASS_TABLE_BYTES + (uint64_t)head->cells * sizeof(uint16_t);
}

bool automaton_open(struct automaton *a, const void *block, size_t bytes)
{
	struct automaton_head head;
	const uint8_t *p = block;

	memset(a, 0, sizeof(*a));
	if (bytes < sizeof(head) + CLASS_TABLE_BYTES || (uintptr_t)p % sizeof(uint16_t))
		return false;
	memcpy(&head, p, sizeof(head)); /* the writer may be at work: check and use one copy */
	if (!is_sound(&head, bytes))
		return false;
	a->classes = p + sizeof(head);
	a->next = (const uint16_t *)(const void *)(a->classes + CLASS_TABLE_BYTES);
	a->shift = head.shift;
	a->last_row = (head.cells - head.stride) >> head.shift;
	a->accept_from = head.accept_from;
	a->n_classes = head.classes;
	a->end_class = head.end_class;
	a->matched = a->accept_from == 0;
	return true;
}

/*
 * Relaxed atomic loads, so that what was checked is what is used even while a
 * new policy is being written over this one; on every machine a plain load.
 */
static inline uint32_t follow(const struct automaton *a, uint32_t row, uint32_t class)
{
	uint32_t next;

	if (__builtin_expect(class >= a->n_classes, 0))
		class = 0;
	next = __atomic_load_n(&a->next[(row << a->shift) + class], __ATOMIC_RELAXED);
	return __builtin_expect(next > a->last_row, 0) ? 0 : next;
}

static inline uint32_t class_of(const struct automaton *a, char c)
{
	return __atomic_load_n(&a->classes[(uint8_t)c], __ATOMIC_RELAXED);
}

/* Accepting states lead to themselves, so one look after the piece is enough. */
static void run(struct automaton *a, const char *p, size_t n)
{
	const struct automaton fixed = *a;
	uint32_t row = a->row;

	if (!a->next || a->matched)
		return;
	for (size_t i = 0; i < n; i++)
		row = follow(&fixed, row, class_of(&fixed, p[i]));
	a->row = row;
	a->matched = row >= a->accept_from;
}

static void release_held(struct automaton *a)
{
	size_t n = a->held_n;

	a->held_n = 0;
	run(a, a->held, n);
}

void automaton_feed(struct automaton *a, const char *p, size_t n)
{
	if (a->held_n)
		release_held(a);
	run(a, p, n);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte behind a held "%" or "%x": false when it is no escape, and the byte is still to be looked at. */
static bool go_on_escape(struct automaton *a, char c)
{
	char byte;

	if (hex_value(c) < 0) {
		release_held(a);
		return false;
	}
	if (a->held_n == 1) {
		a->held[a->held_n++] = c;
		return true;
	}
	byte = (char)((unsigned)hex_value(a->held[1]) << 4 | (unsigned)hex_value(c));
	a->held_n = 0;
	run(a, &byte, 1);
	return true;
}

void automaton_feed_decoded(struct automaton *a, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end && !a->matched) {
		const char *stop;

		if (a->held_n && go_on_escape(a, *p)) {
			p++;
			continue;
		}
		stop = memchr(p, '%', (size_t)(end - p));
		if (!stop)
			stop = end;
		run(a, p, (size_t)(stop - p));
		if (stop < end) {
			a->held[0] = '%';
			a->held_n = 1;
			stop++;
		}
		p = stop;
	}
}

int automaton_try(const struct automaton *a, const char *p, size_t n)
{
	uint32_t row = a->row;

	if (!a->next || a->matched)
		return a->matched;
	if (a->held_n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%')
			return -1;
		row = follow(a, row, class_of(a, p[i]));
	}
	return row >= a->accept_from || follow(a, row, a->end_class) >= a->accept_from;
}

bool automaton_end(struct automaton *a)
{
	if (a->held_n)
		release_held(a);
	if (a->next && !a->matched)
		a->matched = follow(a, a->row, a->end_class) >= a->accept_from;
	return a->matched;
}
