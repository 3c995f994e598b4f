/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* qsort_r */
#include "exporters/ctl/trace_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE TRACE_NO_PARENT

/* Work space for one call of trace_set_init(); all arrays have one place a span. */
struct builder {
	const struct trace_store *store;
	uint32_t *order;  /* spans by trace, then by start */
	uint32_t *by_id;  /* of one trace: places in order[] by span id */
	uint32_t *parent; /* of places in order[] */
	uint32_t *child, *next;
	uint32_t *node; /* of places in order[]: where it went in nodes[] */
	uint8_t *seen;
};

static const struct span *span_at(const struct builder *b, uint32_t place)
{
	return &b->store->spans[b->order[place]];
}

static int compare_u64(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int compare_spans(const void *left, const void *right, void *store)
{
	const uint32_t *l = left, *r = right;
	const struct span *a = &((const struct trace_store *)store)->spans[*l];
	const struct span *b = &((const struct trace_store *)store)->spans[*r];
	int order = memcmp(a->trace_id, b->trace_id, sizeof(a->trace_id));

	if (!order)
		order = compare_u64(a->start_unix_ns, b->start_unix_ns);
	if (!order) /* a parent that starts with its child ends after it */
		order = compare_u64(b->end_unix_ns, a->end_unix_ns);
	return order ? order : compare_u64(*l, *r);
}

static int compare_ids(const void *left, const void *right, void *builder)
{
	const uint32_t *l = left, *r = right;
	int order = memcmp(span_at(builder, *l)->span_id, span_at(builder, *r)->span_id, 8);

	return order ? order : compare_u64(*l, *r);
}

static uint32_t find_id(const struct builder *b, uint32_t from, uint32_t to, const uint8_t *id)
{
	uint32_t low = from, high = to;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(span_at(b, b->by_id[middle])->span_id, id, 8) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < to && !memcmp(span_at(b, b->by_id[low])->span_id, id, 8) ? b->by_id[low] : NONE;
}

/* A circle goes through `at`: the span of it that started first becomes a root. */
static void open_circle(struct builder *b, uint32_t at)
{
	uint32_t first = at;

	for (uint32_t i = b->parent[at]; i != at; i = b->parent[i])
		first = i < first ? i : first;
	b->parent[first] = NONE;
}

/* Walks up from each place once; a walk that meets its own trail has found a circle. */
static void open_circles(struct builder *b, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint32_t at = i, met;

		while (at != NONE && !b->seen[at]) {
			b->seen[at] = 1;
			at = b->parent[at];
		}
		met = at != NONE && b->seen[at] == 1 ? at : NONE;
		for (at = i; at != NONE && b->seen[at] == 1; at = b->parent[at])
			b->seen[at] = 2;
		if (met != NONE)
			open_circle(b, met);
	}
}

static void link_children(struct builder *b, uint32_t from, uint32_t to, uint32_t *roots)
{
	*roots = NONE;
	for (uint32_t i = to; i-- > from;) {
		uint32_t *list = b->parent[i] == NONE ? roots : &b->child[b->parent[i]];

		b->next[i] = *list;
		*list = i;
	}
}

static void find_parents(struct builder *b, uint32_t from, uint32_t to)
{
	static const uint8_t zero[8];

	for (uint32_t i = from; i < to; i++) {
		b->by_id[i] = i;
		b->child[i] = NONE;
		b->seen[i] = 0;
	}
	qsort_r(b->by_id + from, to - from, sizeof(*b->by_id), compare_ids, b);
	for (uint32_t i = from; i < to; i++) {
		const uint8_t *id = span_at(b, i)->parent_span_id;

		b->parent[i] = memcmp(id, zero, 8) != 0 ? find_id(b, from, to, id) : NONE;
	}
	open_circles(b, from, to);
}

/* Depth first without recursion: a trace can be as deep as it has spans. */
static void emit_nodes(struct trace_set *set, struct builder *b, uint32_t roots)
{
	uint32_t at = roots, depth = 0;

	while (at != NONE) {
		uint32_t parent = b->parent[at];

		set->nodes[set->n_nodes] = (struct trace_node){
			.span = b->order[at],
			.parent = parent == NONE ? NONE : b->node[parent],
			.depth = depth,
			.last = b->next[at] == NONE,
		};
		b->node[at] = (uint32_t)set->n_nodes++;
		if (b->child[at] != NONE) {
			at = b->child[at];
			depth++;
			continue;
		}
		while (at != NONE && b->next[at] == NONE) {
			at = b->parent[at];
			depth--;
		}
		at = at == NONE ? NONE : b->next[at];
	}
}

static void build_trace(struct trace_set *set, struct builder *b, uint32_t from, uint32_t to)
{
	struct trace *trace = &set->traces[set->n++];
	uint32_t roots;

	*trace = (struct trace){ .first = (uint32_t)set->n_nodes, .n = to - from };
	trace->start_unix_ns = span_at(b, from)->start_unix_ns;
	for (uint32_t i = from; i < to; i++) {
		const struct span *span = span_at(b, i);
		uint64_t end =
			span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns : span->start_unix_ns;

		trace->end_unix_ns = end > trace->end_unix_ns ? end : trace->end_unix_ns;
		trace->failed |= span->status == MODEL_STATUS_ERROR;
	}
	find_parents(b, from, to);
	link_children(b, from, to, &roots);
	emit_nodes(set, b, roots);
}

static int compare_traces(const void *left, const void *right)
{
	const struct trace *a = left, *b = right;
	int order = compare_u64(a->start_unix_ns, b->start_unix_ns);

	return order ? order : compare_u64(a->first, b->first);
}

static bool same_trace(const struct builder *b, uint32_t left, uint32_t right)
{
	return !memcmp(span_at(b, left)->trace_id, span_at(b, right)->trace_id, 16);
}

static void build(struct trace_set *set, struct builder *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		b->order[i] = i;
	qsort_r(b->order, n, sizeof(*b->order), compare_spans, (void *)(uintptr_t)b->store);
	for (uint32_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && same_trace(b, from, to);)
			to++;
		build_trace(set, b, from, to);
	}
	qsort(set->traces, set->n, sizeof(*set->traces), compare_traces);
}

int trace_set_init(struct trace_set *set, const struct trace_store *store)
{
	size_t n = store->n < NONE ? store->n : NONE - 1;
	uint32_t *work = calloc(n + 1, 6 * sizeof(*work));
	uint8_t *seen = calloc(n + 1, 1);
	struct builder b = { .store = store, .seen = seen };

	*set = (struct trace_set){ .store = store };
	set->traces = calloc(n + 1, sizeof(*set->traces));
	set->nodes = calloc(n + 1, sizeof(*set->nodes));
	if (work && seen && set->traces && set->nodes) {
		b.order = work;
		b.by_id = work + n;
		b.parent = work + 2 * n;
		b.child = work + 3 * n;
		b.next = work + 4 * n;
		b.node = work + 5 * n;
		build(set, &b, (uint32_t)n);
	} else {
		trace_set_release(set);
		set = NULL;
	}
	free(work);
	free(seen);
	return set ? 0 : -ENOMEM;
}

void trace_set_release(struct trace_set *set)
{
	free(set->traces);
	free(set->nodes);
	*set = (struct trace_set){ .store = set->store };
}
