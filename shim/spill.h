/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SPILL_H
#define BTRACE_SPILL_H

/*
 * What of a request's target does not fit into its slot, kept until the end of
 * the head: excluded_urls are decided on the whole path, and the Host header,
 * which stands in front of it in the URL, comes after it. Few requests need
 * one: those whose path is longer than the slot's copy, while patterns are in
 * force (or the policy is not there yet).
 *
 * At most SPILLS_MAX at a time in a process, so that nobody can fill the
 * host's memory with long targets; beyond it the slot's copy alone decides.
 * Owner: the pending request, touched by the in side only. Lock-free, signal
 * safe; memory comes from a pool (pool.h), a page is touched when text is on it.
 */

#include <stddef.h>
#include <stdint.h>

#define SPILLS_MAX  256u
#define SPILL_BYTES 65520u /* with the slot's part more than HTTP1_HEAD_LIMIT */

/* An empty one; 0: no memory, or there are enough. */
uint32_t spill_take(void);
void spill_give(uint32_t spill);
/* What has no room is left out. */
void spill_add(uint32_t spill, const char *p, size_t n);
const char *spill_text(uint32_t spill, size_t *n);

#endif
