/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_STATS_H
#define BTRACE_ROUTE_STATS_H

/*
 * Counts, errors and exact percentiles per service, method and route, over the
 * spans a service answered requests with (SERVER and CONSUMER). Names are
 * borrowed from the spans. Not thread safe.
 */

#include "exporters/ctl/span_facts.h"

struct route_row {
	struct slice service, method, route;
	uint64_t requests, errors; /* errors: status ERROR */
	uint64_t *durations_ns;    /* sorted by route_stats_finish() */
	size_t size;
};

struct route_stats {
	struct route_row *rows;
	size_t n, size;
	uint32_t *places; /* hash table into rows, + 1 */
	size_t places_size;
};

void route_stats_init(struct route_stats *stats);
void route_stats_release(struct route_stats *stats);

/* Spans of other kinds are left out. 0 or -ENOMEM. */
int route_stats_add(struct route_stats *stats, const struct span *span);

/* Sorts the rows: most requests first, then by name. The hash table is gone: nothing may be added any more.
 */
void route_stats_finish(struct route_stats *stats);

/* The smallest duration that `share` (0.5, 0.99, 1) of the requests do not exceed; after _finish(). */
uint64_t route_row_percentile(const struct route_row *row, double share);

#endif
