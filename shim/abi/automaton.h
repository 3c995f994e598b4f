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
 *	uint8_t class[256]			byte -> class, < classes
 *	uint16_t next[states * classes]		state * classes + class -> state
 * State 0 is the start. A state >= accept_from is accepting for good: once
 * reached, the answer is yes. End anchors ($) are resolved by feeding class
 * `end_class` once at the end of the text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTOMATON_MAGIC 0x41465442u /* "BTFA" */

struct automaton_head {
	uint32_t magic;
	uint32_t bytes;        /* of the whole block */
	uint32_t states;       /* 1..65535 */
	uint32_t accept_from;  /* states [accept_from, states) accept */
	uint16_t classes;      /* 1..257; the last one is the end of text */
	uint16_t end_class;
	uint32_t reserved;
};

struct automaton {         /* an opened block plus the run's state */
	const uint8_t *classes;
	const uint16_t *next;
	uint32_t states, accept_from, n_classes, end_class;
	uint32_t state;
	bool matched;
};

/* False: not a usable block (then nothing is excluded). */
bool automaton_open(struct automaton *a, const void *block, size_t bytes);
void automaton_feed(struct automaton *a, const char *p, size_t n);
/* Percent-decodes (RFC 3986 2.1) before feeding; an incomplete or bad escape is fed as it stands. */
void automaton_feed_decoded(struct automaton *a, const char *p, size_t n);
/* The text is over: was any pattern found in it? */
bool automaton_end(struct automaton *a);

#endif
