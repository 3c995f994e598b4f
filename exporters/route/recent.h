/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_RECENT_H
#define BTRACE_ROUTE_RECENT_H

/*
 * Paths that were named lately, with their routes. A path keeps the route that it
 * was given, so what stands here never becomes wrong: no entry is ever taken back,
 * only overwritten. Most servers are asked for the same few paths most of the
 * time, and those need no look at their segments.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"

#define RECENT_PATHS 128u
#define RECENT_BYTES 63u /* longer paths and routes are not kept */

struct recent {
	struct {
		uint8_t path_n, route_n; /* path_n 0: free */
		char path[RECENT_BYTES], route[RECENT_BYTES];
	} entry[RECENT_PATHS];
};

/* The route of a path, copied to out; empty: it is not here. */
struct slice recent_find(const struct recent *r, struct slice path, char *out, size_t size);
void recent_keep(struct recent *r, struct slice path, struct slice route);

#endif
