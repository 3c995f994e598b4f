/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRACE_FILTER_H
#define BTRACE_TRACE_FILTER_H

/* Which traces are wanted: those with a span for which all that is set holds. Pure. */

#include "exporters/ctl/span_facts.h"
#include "exporters/ctl/trace_set.h"

struct trace_filter {
	const char *route;   /* pattern of units.h, on the route and on the path; NULL = any */
	const char *service; /* pattern */
	const char *method;  /* as it stands */
	const char *status;  /* status list of units.h */
	const char *trace;   /* the first digits of the trace id */
	uint64_t slower_than_ns;
};

bool trace_filter_span(const struct trace_filter *filter, const struct span *span);
bool trace_filter_trace(const struct trace_filter *filter, const struct trace_set *set,
			const struct trace *trace);

/*
 * The last `limit` traces (0 = all) that pass, in order of time: their places in
 * set->traces into `chosen`, which has room for set->n. *passed = how many passed.
 */
size_t trace_filter_choose(const struct trace_filter *filter, const struct trace_set *set, size_t limit,
			   uint32_t *chosen, size_t *passed);

#endif
