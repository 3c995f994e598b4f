/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRACE_SET_H
#define BTRACE_TRACE_SET_H

/*
 * The spans of a store as traces: grouped by trace id, in order of their first
 * start, each a list of nodes depth first, children in order of their start. A
 * span whose parent is not in the store is a root, so a trace may have several;
 * a circle of parents is opened at one place. A span id that occurs twice is
 * the parent where it occurs first. Borrows the store, which must not change.
 */

#include "exporters/ctl/trace_store.h"

struct trace_node {
	uint32_t span;   /* index into store->spans */
	uint32_t parent; /* index into nodes, or TRACE_NO_PARENT */
	uint32_t depth;
	bool last; /* the last child of its parent, or the last root */
};
#define TRACE_NO_PARENT UINT32_MAX

struct trace {
	uint32_t first, n; /* nodes[first .. first + n) */
	uint64_t start_unix_ns, end_unix_ns;
	bool failed; /* one of its spans has the status ERROR */
};

struct trace_set {
	const struct trace_store *store;
	struct trace *traces;
	size_t n;
	struct trace_node *nodes;
	size_t n_nodes;
};

/* 0 or -ENOMEM. At most UINT32_MAX - 1 spans are looked at. */
int trace_set_init(struct trace_set *set, const struct trace_store *store);
void trace_set_release(struct trace_set *set);

static inline const struct span *trace_set_span(const struct trace_set *set, const struct trace_node *node)
{
	return &set->store->spans[node->span];
}

#endif
