/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_RETRY_H
#define BTRACE_RETRY_H

/*
 * When to try again. Exponential with jitter, as OTLP asks for (the numbers are
 * ours): 1 s, then one and a half times the last, at most 10 s, each spread evenly over
 * 50..150 %; never sooner than the receiver wished, never beyond the total time.
 * The cap is low on purpose: a collector that comes back is noticed soon, and
 * one request in ten seconds burdens nobody. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 10000, RETRY_TOTAL_MS = 300000, RETRY_WISH_MAX_MS = 3600000 };

/* The wait after `tries` failed tries (1 = the first one failed). random: any 32 bits. */
uint32_t retry_delay_ms(uint32_t tries, uint32_t random);

/*
 * When the next try is due, or 0 if it would come later than total_ms
 * (0 = RETRY_TOTAL_MS) after the first one.
 */
uint64_t retry_due_ms(uint64_t now_ms, uint64_t first_try_ms, uint32_t total_ms, uint32_t tries,
		      uint32_t wish_ms, uint32_t random);

#endif
