/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_RECORD_H
#define BTRACE_RECORD_H

/*
 * Writing strings into a span slot: piece by piece as the bytes arrive, each
 * kind with a limit of its own, so that one long string does not push out the
 * rest. What does not fit is cut on a UTF-8 boundary and the record is marked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/abi/span.h"

/*
 * Long strings leave so much at the end of the tail free for short ones: the headers of the context decide,
 * and may come behind any others.
 */
#define RECORD_RESERVE    256u
#define RECORD_LIST_BYTES 512u /* of tracestate and of baggage */

/* Opens a string; 0: no room at all. The answer goes to record_append. */
uint16_t record_open(struct span_slot *slot, enum span_tag tag);
/* Appends to the string opened; true: all of it fitted. */
bool record_append(struct span_slot *slot, uint16_t open, const char *p, size_t n);
/* Takes n bytes off the end of the string opened last. */
void record_cut(struct span_slot *slot, uint16_t open, size_t n);
/* Where the text of the string opened begins in the tail. */
static inline size_t record_text(uint16_t open) { return open - 1u + 4u; }
/* How many of n bytes to keep if at most `room` fit: not in the middle of a UTF-8 sequence. p has n bytes. */
size_t record_fit(const char *p, size_t n, size_t room);
/* Is there such a string? */
bool record_has(const struct span_slot *slot, enum span_tag tag);
/* Opens, appends, done. */
bool record_string(struct span_slot *slot, enum span_tag tag, const char *p, size_t n);

#endif
