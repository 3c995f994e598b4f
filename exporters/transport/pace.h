/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PACE_H
#define BTRACE_PACE_H

/*
 * How fast datagrams may follow each other. The socket of Jaeger's agent has a
 * receive buffer of 208 KiB by default, of which a datagram takes more than its
 * length, and what does not fit is lost without a word. So PACE_BURST bytes go at
 * once, more at PACE_PER_MS (some 60,000 spans a second). Zeroed = new. Pure.
 */

#include <stdint.h>

enum { PACE_BURST = 128 * 1024, PACE_PER_MS = 32 * 1024 };

struct pace {
	uint64_t bytes, ms; /* bytes that are not drained yet, as of ms */
};

static inline uint64_t pace_wait_ms(struct pace *p, uint64_t now_ms, uint64_t bytes)
{
	uint64_t drained = now_ms > p->ms ? (now_ms - p->ms) * PACE_PER_MS : 0;

	p->bytes = p->bytes > drained ? p->bytes - drained : 0;
	p->ms = now_ms;
	if (p->bytes + bytes <= PACE_BURST)
		return 0;
	return (p->bytes + bytes - PACE_BURST + PACE_PER_MS - 1) / PACE_PER_MS;
}

static inline void pace_sent(struct pace *p, uint64_t bytes) { p->bytes += bytes; }

#endif
