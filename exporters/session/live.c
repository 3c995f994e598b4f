/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/session/live.h"

#include <stdbool.h>
#include <string.h>

#define FIRST_OCTAVE 10 /* 2^10 ns, about 1 us */
#define PLACES       (2 * LIVE_ROUTES)
_Static_assert((PLACES & (PLACES - 1)) == 0, "a mask");

unsigned live_bucket(uint64_t ns)
{
	unsigned octave;

	if (ns < UINT64_C(1) << FIRST_OCTAVE)
		return 0;
	octave = 63 - (unsigned)__builtin_clzll(ns);
	if (octave >= FIRST_OCTAVE + LIVE_OCTAVES)
		return LIVE_BUCKETS - 1;
	return 1 + (octave - FIRST_OCTAVE) * LIVE_SUB + (unsigned)(ns >> (octave - 4) & (LIVE_SUB - 1));
}

uint64_t live_bucket_ns(unsigned bucket)
{
	unsigned octave, sub;

	if (!bucket)
		return UINT64_C(1) << (FIRST_OCTAVE - 1);
	if (bucket >= LIVE_BUCKETS - 1)
		return UINT64_C(1) << (FIRST_OCTAVE + LIVE_OCTAVES);
	octave = FIRST_OCTAVE + (bucket - 1) / LIVE_SUB;
	sub = (bucket - 1) % LIVE_SUB;
	return (UINT64_C(2) * (LIVE_SUB + sub) + 1) << (octave - 5);
}

static uint32_t hash_of(struct slice service, struct slice name)
{
	uint32_t hash = UINT32_C(2166136261); /* FNV-1a */

	for (size_t i = 0; i < service.n; i++)
		hash = (hash ^ (uint8_t)service.p[i]) * UINT32_C(16777619);
	hash = (hash ^ 0xff) * UINT32_C(16777619);
	for (size_t i = 0; i < name.n; i++)
		hash = (hash ^ (uint8_t)name.p[i]) * UINT32_C(16777619);
	return hash;
}

/* As much as there is room for, not in the middle of a character. */
static struct slice cut(struct slice text, size_t size)
{
	size_t n = text.n < size - 1 ? text.n : size - 1;

	if (n < text.n)
		while (n && ((uint8_t)text.p[n] & 0xc0) == 0x80)
			n--;
	return (struct slice){ text.p, n };
}

static bool is(const char *held, struct slice text)
{
	return !memcmp(held, text.p ? text.p : "", text.n) && !held[text.n];
}

static uint16_t *place_of(struct live_index *index, const struct live *live, struct slice service,
			  struct slice name)
{
	uint32_t at = hash_of(service, name) & (PLACES - 1);

	while (index->place[at]) { /* half of them stay empty */
		const struct live_route *r = &live->route[index->place[at] - 1];

		if (is(r->service, service) && is(r->name, name))
			break;
		at = (at + 1) & (PLACES - 1);
	}
	return &index->place[at];
}

void live_index_init(struct live_index *index, const struct live *live)
{
	uint32_t n = atomic_load_explicit(&live->n, memory_order_acquire);

	memset(index, 0, sizeof(*index));
	for (uint32_t i = 1; i < n && i < LIVE_ROUTES; i++) {
		const struct live_route *r = &live->route[i];

		*place_of(index, live, slice_of(r->service), slice_of(r->name)) = (uint16_t)(i + 1);
	}
}

static struct live_route *route_of(struct live *live, struct live_index *index, const struct span *span)
{
	struct slice service = cut(span->resource->service_name, sizeof(live->route->service));
	struct slice name = cut(span->name, sizeof(live->route->name));
	uint32_t n = atomic_load_explicit(&live->n, memory_order_relaxed);
	uint16_t *place = place_of(index, live, service, name);
	struct live_route *r;

	if (*place)
		return &live->route[*place - 1];
	if (!n)
		n = 1;
	if (n >= LIVE_ROUTES)
		return &live->route[0];
	r = &live->route[n];
	memcpy(r->service, service.p ? service.p : "", service.n);
	memcpy(r->name, name.p ? name.p : "", name.n);
	r->service[service.n] = r->name[name.n] = '\0';
	*place = (uint16_t)(n + 1);
	atomic_store_explicit(&live->n, n + 1, memory_order_release);
	return r;
}

void live_count(struct live *live, struct live_index *index, const struct span *span)
{
	uint64_t ns = span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns - span->start_unix_ns : 0;
	struct live_route *r;

	if (span->kind != MODEL_KIND_SERVER)
		return;
	r = route_of(live, index, span);
	/* one writer: no need for atomic additions, only for whole values */
	atomic_store_explicit(&r->bucket[live_bucket(ns)],
			      atomic_load_explicit(&r->bucket[live_bucket(ns)], memory_order_relaxed) + 1,
			      memory_order_relaxed);
	atomic_store_explicit(&r->requests, atomic_load_explicit(&r->requests, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	if (span->status == MODEL_STATUS_ERROR)
		atomic_store_explicit(&r->errors, atomic_load_explicit(&r->errors, memory_order_relaxed) + 1,
				      memory_order_relaxed);
}
