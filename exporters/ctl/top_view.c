/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/ctl/top.h"
#include "exporters/session/ledger.h"

int top_sample_take(struct top_sample *s, const struct attached *a)
{
	const struct live *live = &a->session.control->live;
	uint32_t n = atomic_load_explicit(&live->n, memory_order_relaxed), count[4];
	struct table_process ignored;
	struct ledger_sums sums;
	struct timespec now;

	memset(s, 0, sizeof(*s));
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->mono_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
	ledger_sum(&a->session, &sums);
	s->requests = sums.requests;
	s->dropped = sums.dropped;
	table_census(&a->session.table, count);
	s->in_flight = count[SLOT_OPEN];
	for (uint32_t i = 1; i < TABLE_PROCESSES; i++)
		s->processes += attach_process(a, i, &ignored);
	if (!n)
		return 0;
	s->routes = malloc(n * sizeof(*s->routes));
	if (!s->routes)
		return -ENOMEM;
	memcpy(s->routes, live->route, n * sizeof(*s->routes));
	s->n_routes = n;
	return 0;
}

void top_sample_release(struct top_sample *s)
{
	free(s->routes);
	memset(s, 0, sizeof(*s));
}

/* A counter that runs backwards is a hostile one, or another session's. */
static uint64_t grown(uint64_t newer, uint64_t older) { return newer > older ? newer - older : 0; }

static uint64_t bucket_of(const struct live_route *newer, const struct live_route *older, unsigned bucket)
{
	return grown(atomic_load_explicit(&newer->bucket[bucket], memory_order_relaxed),
		     older ? atomic_load_explicit(&older->bucket[bucket], memory_order_relaxed) : 0);
}

static uint64_t percentile(const struct live_route *newer, const struct live_route *older, uint64_t all,
			   double share)
{
	uint64_t rank = (uint64_t)((double)all * share), seen = 0;

	if ((double)rank < (double)all * share || !rank)
		rank++; /* the smallest that so many do not exceed */
	for (unsigned i = 0; all && i < LIVE_BUCKETS; i++) {
		seen += bucket_of(newer, older, i);
		if (seen >= rank)
			return live_bucket_ns(i);
	}
	return 0;
}

static void fill_route(struct top_route *r, const struct live_route *newer, const struct live_route *older,
		       const struct live_route *rate_from, double seconds)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < LIVE_BUCKETS; i++)
		all += bucket_of(newer, older, i);
	r->service = slice_of(newer->service);
	r->name = slice_of(newer->name);
	r->total = atomic_load(&newer->requests);
	r->requests = grown(r->total, older ? atomic_load(&older->requests) : 0);
	r->errors = grown(atomic_load(&newer->errors), older ? atomic_load(&older->errors) : 0);
	r->per_second =
		seconds > 0
			? (double)grown(r->total, rate_from ? atomic_load(&rate_from->requests) : 0) / seconds
			: 0;
	r->p50_ns = percentile(newer, older, all, 0.5);
	r->p95_ns = percentile(newer, older, all, 0.95);
	r->p99_ns = percentile(newer, older, all, 0.99);
}

static int by_requests(const void *a, const void *b)
{
	const struct top_route *x = a, *y = b;

	if (x->requests != y->requests)
		return x->requests > y->requests ? -1 : 1;
	return x->total > y->total ? -1 : x->total < y->total;
}

static const struct live_route *route_at(const struct top_sample *s, uint32_t i)
{
	return s && i < s->n_routes ? &s->routes[i] : NULL;
}

int top_view_init(struct top_view *v, const struct top_sample *older, const struct top_sample *rate_from,
		  const struct top_sample *newer)
{
	double seconds = rate_from ? (double)grown(newer->mono_ns, rate_from->mono_ns) / 1e9 : 0;

	memset(v, 0, sizeof(*v));
	v->requests = newer->requests;
	v->in_flight = newer->in_flight;
	v->dropped = newer->dropped;
	v->processes = newer->processes;
	v->window_s = seconds;
	v->per_second = seconds > 0 ? (double)grown(newer->requests, rate_from->requests) / seconds : 0;
	v->routes = calloc(newer->n_routes + 1, sizeof(*v->routes));
	if (!v->routes)
		return -ENOMEM;
	for (uint32_t i = 0; i < newer->n_routes; i++) {
		if (!atomic_load(&newer->routes[i].requests))
			continue; /* of the first one, which is for all that found no room */
		fill_route(&v->routes[v->n_routes++], &newer->routes[i], route_at(older, i),
			   route_at(rate_from, i), seconds);
	}
	qsort(v->routes, v->n_routes, sizeof(*v->routes), by_requests);
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct top_open *x = a, *y = b;

	return x->age_ns > y->age_ns ? -1 : x->age_ns < y->age_ns;
}

int top_view_open(struct top_view *v, struct attached *a, uint64_t now_ns)
{
	struct table_process p;
	uint32_t cursor = 0;
	struct top_open *o;

	v->session = a;
	v->open = calloc(TOP_OPEN, sizeof(*v->open));
	if (!v->open)
		return -ENOMEM;
	for (; v->n_open < TOP_OPEN && attach_next_open(a, &cursor, &v->open[v->n_open].slot);) {
		o = &v->open[v->n_open];
		if (o->slot.head.kind != SPAN_KIND_SERVER || !o->slot.head.version)
			continue; /* of the others nothing is known yet, or it is not a request to this server
				   */
		o->age_ns = grown(now_ns, o->slot.head.start_ns);
		if (attach_process(a, o->slot.head.process, &p)) {
			o->pid = atomic_load(&p.pid);
			attach_service(&p, o->service);
		}
		v->n_open++;
	}
	qsort(v->open, v->n_open, sizeof(*v->open), by_age);
	v->in_flight = v->n_open < TOP_OPEN ? v->n_open : v->in_flight;
	return 0;
}

void top_view_release(struct top_view *v)
{
	free(v->routes);
	free(v->open);
	memset(v, 0, sizeof(*v));
}

static struct slice string_of(const struct span_slot *slot, enum span_tag wanted)
{
	const uint8_t *value;
	enum span_tag tag;
	size_t pos = 0, n;

	while (span_next_string(slot, &pos, &tag, &value, &n))
		if (tag == wanted)
			return (struct slice){ (const char *)value, n };
	return (struct slice){ NULL, 0 };
}

struct slice top_method(const struct span_slot *slot)
{
	static const char *const names[SPAN_METHOD_MAX] = { NULL,    "GET",    "HEAD",    "POST",
							    "PUT",   "DELETE", "CONNECT", "OPTIONS",
							    "TRACE", "PATCH",  "QUERY" };
	uint8_t method = slot->head.method;

	if (method < SPAN_METHOD_MAX && names[method])
		return slice_of(names[method]);
	return string_of(slot, TAG_METHOD);
}

struct slice top_path(const struct span_slot *slot)
{
	struct slice target = string_of(slot, TAG_TARGET);
	const char *query = target.n ? memchr(target.p, '?', target.n) : NULL;

	if (query)
		target.n = (size_t)(query - target.p);
	return target;
}
