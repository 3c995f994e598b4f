/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PACE_H
#define BTRACE_PACE_H

/*
 * How fast datagrams may follow each other. The socket of Jaeger's agent has a
 * receive buffer of 208 KiB by default, and what does not fit is lost without a
 * word: no more may be on its way than fits while the agent waits for a CPU. So
 * they are spread: one large datagram at once, then PACE_SLOW a millisecond, which
 * outlasts a pause of 60 ms. Time under pressure doubles the rate every
 * PACE_DOUBLE_MS, up to 32 KiB a millisecond (some 60,000 spans a second), idle
 * time halves it: it settles at about twice of what is asked for. Zeroed = new. Pure.
 */

#include <stdint.h>

enum {
	PACE_BURST = 72 * 1024,
	PACE_SLOW = 2 * 1024, /* bytes a millisecond */
	PACE_DOUBLE_MS = 256,
	PACE_PRESSED_MAX = 4 * PACE_DOUBLE_MS,
};

struct pace {
	uint64_t bytes, ms; /* cost that is not drained yet, as of ms */
	uint64_t pressed_ms;
};

/* What a datagram takes of the receive buffer: its memory is a power of two, or pages if it is large. */
static inline uint64_t pace_cost(uint64_t bytes)
{
	return bytes < 16 * 1024 ? 2 * bytes + 512 : bytes + 4096;
}

static inline uint64_t pace_rate(const struct pace *p)
{
	return (uint64_t)PACE_SLOW << (p->pressed_ms / PACE_DOUBLE_MS);
}

static inline void pace_drain(struct pace *p, uint64_t now_ms)
{
	uint64_t passed = now_ms > p->ms ? now_ms - p->ms : 0, rate = pace_rate(p);
	uint64_t busy = (p->bytes + rate - 1) / rate;

	if (busy > passed)
		busy = passed;
	p->bytes = p->bytes > busy * rate ? p->bytes - busy * rate : 0;
	p->pressed_ms += busy;
	p->pressed_ms = p->pressed_ms > passed - busy ? p->pressed_ms - (passed - busy) : 0;
	if (p->pressed_ms > PACE_PRESSED_MAX)
		p->pressed_ms = PACE_PRESSED_MAX;
	p->ms = now_ms;
}

/* Milliseconds that a datagram of so many bytes has to wait. */
static inline uint64_t pace_wait_ms(struct pace *p, uint64_t now_ms, uint64_t bytes)
{
	uint64_t cost = pace_cost(bytes), more, rate;

	pace_drain(p, now_ms);
	if (p->bytes + cost <= PACE_BURST)
		return 0;
	more = p->bytes + cost - PACE_BURST;
	rate = pace_rate(p);
	return ((more < p->bytes ? more : p->bytes) + rate - 1) / rate;
}

static inline void pace_sent(struct pace *p, uint64_t bytes) { p->bytes += pace_cost(bytes); }

#endif
