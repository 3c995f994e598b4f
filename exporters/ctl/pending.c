/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/pending.h"

#include <errno.h>
#include <stdlib.h>

void pending_init(struct pending *p) { *p = (struct pending){ .arrived_ns = NULL }; }

void pending_clear(struct pending *p) { p->n = p->waiting = 0; }

void pending_release(struct pending *p)
{
	free(p->arrived_ns);
	pending_init(p);
}

int pending_arrived(struct pending *p, const struct trace_store *store, uint64_t now_ns)
{
	if (store->n > p->size) {
		uint64_t *more = reallocarray(p->arrived_ns, store->size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->arrived_ns = more;
		p->size = store->size;
	}
	p->waiting += store->n - p->n;
	while (p->n < store->n)
		p->arrived_ns[p->n++] = now_ns;
	return 0;
}

static bool is_settled(const struct pending *p, const struct trace_set *set, const struct trace *trace,
		       uint64_t until_ns)
{
	uint64_t last_ns = 0;

	for (uint32_t i = 0; i < trace->n; i++) {
		uint64_t arrived_ns = p->arrived_ns[set->nodes[trace->first + i].span];

		last_ns = arrived_ns > last_ns ? arrived_ns : last_ns;
	}
	return last_ns && last_ns <= until_ns;
}

size_t pending_take(struct pending *p, const struct trace_set *set, uint64_t until_ns, uint32_t *chosen)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct trace *trace = &set->traces[i];

		if (!is_settled(p, set, trace, until_ns))
			continue;
		chosen[n++] = (uint32_t)i;
		for (uint32_t k = 0; k < trace->n; k++) {
			uint64_t *arrived_ns = &p->arrived_ns[set->nodes[trace->first + k].span];

			p->waiting -= *arrived_ns != 0;
			*arrived_ns = 0;
		}
	}
	return n;
}
