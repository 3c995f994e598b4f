/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SESSION_LIVE_H
#define BTRACE_SESSION_LIVE_H

/*
 * Figures per route while a session runs, for whoever looks on (`btracectl
 * top`). They lie in the memory of struct control: the worker writes, a looker-on
 * reads a copy and trusts nothing in it. Only answered requests (SERVER spans)
 * that were taken are counted.
 *
 * Latencies are counted in buckets, 16 an octave from 1 us to 137 s: what is
 * read from them is at most 3 % off.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "exporters/span/model.h"

#define LIVE_ROUTES  256u /* the first is for all that found no room */
#define LIVE_OCTAVES 27u
#define LIVE_SUB     16u
#define LIVE_BUCKETS (LIVE_OCTAVES * LIVE_SUB + 2)

struct live_route {
	char service[64], name[128]; /* cut; NUL-terminated; name as that of the span: METHOD ROUTE */
	_Atomic uint64_t requests, errors;
	_Atomic uint64_t bucket[LIVE_BUCKETS];
};

struct live {
	_Atomic uint32_t n; /* routes whose names are there; at least 1 once anything was counted */
	struct live_route route[LIVE_ROUTES];
};

/* The worker's way to a route; made anew by each worker from what is in the live figures. */
struct live_index {
	uint16_t place[2 * LIVE_ROUTES]; /* hash table: number of the route + 1 */
};

void live_index_init(struct live_index *index, const struct live *live);
void live_count(struct live *live, struct live_index *index, const struct span *span);

/* The bucket of a duration, and the duration in its middle. Pure. */
unsigned live_bucket(uint64_t ns);
uint64_t live_bucket_ns(unsigned bucket);

#endif
