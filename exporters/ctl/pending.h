/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PENDING_H
#define BTRACE_PENDING_H

/*
 * Which traces of a growing store are to be shown now. The spans of one trace
 * come in several batches, children before their parents, so a trace waits until
 * nothing was added to it for a while; when spans are added to one that was
 * shown, it is shown again. The clock is the caller's.
 */

#include "exporters/ctl/trace_set.h"

struct pending {
	uint64_t *arrived_ns; /* of each span of the store; 0 = shown */
	size_t n, size, waiting;
};

void pending_init(struct pending *p);
void pending_clear(struct pending *p); /* with the store */
void pending_release(struct pending *p);

/* The spans added to the store since the last call arrived now (now_ns > 0). 0 or -ENOMEM. */
int pending_arrived(struct pending *p, const struct trace_store *store, uint64_t now_ns);

/*
 * Into `chosen` (room for set->n) the places of the traces with spans not yet shown, all of which arrived
 * at `until_ns` or before; they count as shown from now on. Returns how many.
 */
size_t pending_take(struct pending *p, const struct trace_set *set, uint64_t until_ns, uint32_t *chosen);

#endif
