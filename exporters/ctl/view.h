/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_VIEW_H
#define BTRACE_VIEW_H

/*
 * Traces as text: a row a span, indented under its parent, with a bar that shows
 * when it ran within its trace; a table of routes; JSON lines. All append to a
 * buffer. What comes from spans goes through term_text().
 */

#include "exporters/ctl/route_stats.h"
#include "exporters/ctl/term.h"
#include "exporters/ctl/trace_set.h"

/* Columns of the waterfall, fitted to the traces that are shown. */
struct view_layout {
	unsigned time, service, request, status, duration, bar; /* service 0 = only one service: not shown */
	uint64_t slowest_ns; /* of the traces with one span; their bars are relative to it */
};

/* Starts from zeroes; called again with further traces, columns only grow. */
void view_fit(struct view_layout *layout, const struct term *term, const struct trace_set *set,
	      const uint32_t *chosen, size_t n);
void view_head(struct buf *out, const struct term *term, const struct view_layout *layout);
void view_trace(struct buf *out, const struct term *term, const struct view_layout *layout,
		const struct trace_set *set, const struct trace *trace);

/* The table of routes; after route_stats_finish(). */
void view_routes(struct buf *out, const struct term *term, const struct route_stats *stats);

/* One line of JSON for the trace: see `btracectl view --help`. */
void view_trace_json(struct buf *out, const struct trace_set *set, const struct trace *trace);

#endif
