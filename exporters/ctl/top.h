/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TOP_H
#define BTRACE_TOP_H

/*
 * What `btracectl top` shows: requests in flight from the span table, and per
 * route the rate, errors and latencies between two looks at the live figures.
 */

#include "exporters/ctl/attach.h"
#include "exporters/ctl/term.h"

#define TOP_OPEN 1000u /* requests in flight that are kept; the oldest of them are shown */

/* One look. */
struct top_sample {
	uint64_t mono_ns, requests, in_flight, dropped;
	uint32_t processes, n_routes;
	struct live_route *routes; /* n_routes of them, ours */
};

struct top_route {
	struct slice service, name;       /* borrowed from the newer sample */
	uint64_t total, requests, errors; /* requests and errors: since the older sample */
	double per_second;
	uint64_t p50_ns, p95_ns, p99_ns; /* 0 if there were none */
};

struct top_open {
	uint64_t age_ns;
	uint32_t pid;
	char service[128];
	struct span_slot slot;
};

struct top_view {
	const struct attached *session; /* borrowed */
	uint64_t requests, in_flight, dropped;
	double per_second, window_s; /* window_s: what rates are taken over */
	uint32_t processes;
	struct top_route *routes; /* most requests first */
	size_t n_routes;
	struct top_open *open; /* oldest first, at most TOP_OPEN */
	size_t n_open;
};

/* 0 or -ENOMEM. Of what attach_read() has read. */
int top_sample_take(struct top_sample *s, const struct attached *a);
void top_sample_release(struct top_sample *s);

/*
 * From `older` to `newer`; rates over the time between `rate_from` and `newer`.
 * older NULL: since the session began. Fills the figures, not `open`. 0 or -ENOMEM.
 */
int top_view_init(struct top_view *v, const struct top_sample *older, const struct top_sample *rate_from,
		  const struct top_sample *newer);
/* The requests in flight, from the table itself. 0 or -ENOMEM. */
int top_view_open(struct top_view *v, struct attached *a, uint64_t now_ns);
void top_view_release(struct top_view *v);

/* At most `lines` lines for a terminal; 0 = all. */
void top_print(struct buf *out, const struct term *term, const struct top_view *v, unsigned lines);
void top_json(struct buf *out, const struct top_view *v); /* one line */

/* Method and path (without the query, which may hold secrets) of a request in flight. Borrowed from `slot`.
 */
struct slice top_method(const struct span_slot *slot);
struct slice top_path(const struct span_slot *slot);

#endif
