/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ABI_AUTOMATON_H
#define BTRACE_ABI_AUTOMATON_H

/*
 * The exclusion automaton: one DFA for all patterns of excluded_urls, compiled
 * by the exporter (exporters/policy/), run by the library byte by byte. The
 * block lies in shared memory and is not trusted: automaton_open() checks the
 * header once per use, and each step masks what it reads, so that a block of
 * random bytes can only give a wrong answer. No allocation, no locks, signal
 * safe.
 *
 * Layout of the block, little endian, in this order:
 *	struct automaton_head
 *	uint8_t class[256]	byte -> class, < classes
 *	uint16_t next[cells]	rows of `stride` cells, one a state: class -> where the next state's row
 *begins Where a row begins is counted in units of 1 << shift cells, so that 16 bits reach over 1 MiB and a
 *step needs no multiplication. Row 0 is the start. A row at accept_from or behind is accepting for good: once
 *reached, the answer is yes. End anchors ($) are resolved by feeding class `end_class` once at the end of the
 *text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTOMATON_MAGIC 0x41465442u /* "BTFA" */

struct automaton_head {
	uint32_t magic;
	uint32_t bytes;       /* of the whole block */
	uint32_t cells;       /* rows * stride */
	uint32_t accept_from; /* in units; behind the last row: nothing accepts */
	uint16_t classes;     /* 1..257, <= stride; the last one is the end of text */
	uint16_t end_class;
	uint16_t stride; /* a multiple of the unit */
	uint16_t shift;  /* 0..3 */
};

_Static_assert(sizeof(struct automaton_head) == 24, "ABI");

struct automaton { /* an opened block plus the run's state */
	const uint8_t *classes;
	const uint16_t *next;
	uint32_t last_row, accept_from, n_classes, end_class, shift;
	uint32_t row;
	char held[2]; /* the beginning of an escape that may go on in the next piece */
	uint8_t held_n;
	bool matched; /* already sure: further bytes cannot change it */
};

/*
 * Checks the head and stands at the beginning of the text. False: not a usable
 * block (no automaton, other layout, odd address); nothing is excluded then.
 * `a` is a plain value: it may be copied, so that a prefix which many texts
 * share (scheme://host:port) is fed once and the copy kept for as long as the
 * block stays.
 */
bool automaton_open(struct automaton *a, const void *block, size_t bytes);
void automaton_feed(struct automaton *a, const char *p, size_t n);
/*
 * Percent-decodes (RFC 3986 2.1) before feeding, once; the text may be cut
 * anywhere, also inside an escape. A bad escape, or one that never ends, is
 * fed as it stands.
 */
void automaton_feed_decoded(struct automaton *a, const char *p, size_t n);
/* automaton_feed_decoded() and automaton_end() on a copy of it, if there is no escape in the text; else -1.
 */
int automaton_try(const struct automaton *a, const char *p, size_t n);
/* The text is over: was any pattern found in it? Once per text. */
bool automaton_end(struct automaton *a);

#endif
