/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/route_stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void route_stats_init(struct route_stats *stats) { *stats = (struct route_stats){ .rows = NULL }; }

void route_stats_release(struct route_stats *stats)
{
	for (size_t i = 0; i < stats->n; i++)
		free(stats->rows[i].durations_ns);
	free(stats->rows);
	free(stats->places);
	route_stats_init(stats);
}

static uint64_t mix(uint64_t hash, struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	return (hash ^ hash >> 31) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool same_row(const struct route_row *a, const struct route_row *b)
{
	return slice_equal(a->service, b->service) && slice_equal(a->method, b->method) &&
	       slice_equal(a->route, b->route);
}

static uint32_t *find_place(const struct route_stats *stats, uint32_t *places, size_t size,
			    const struct route_row *row)
{
	size_t i = mix(mix(mix(0, row->service), row->method), row->route) & (size - 1);

	while (places[i] && !same_row(&stats->rows[places[i] - 1], row))
		i = (i + 1) & (size - 1);
	return &places[i];
}

static bool grow(struct route_stats *stats)
{
	size_t size = stats->places_size ? stats->places_size * 2 : 64;
	uint32_t *places = calloc(size, sizeof(*places));
	struct route_row *rows = reallocarray(stats->rows, size / 2, sizeof(*rows));

	if (rows)
		stats->rows = rows;
	if (!places || !rows) {
		free(places);
		return false;
	}
	for (size_t i = 0; i < stats->n; i++)
		*find_place(stats, places, size, &stats->rows[i]) = (uint32_t)i + 1;
	free(stats->places);
	stats->places = places;
	stats->places_size = size;
	stats->size = size / 2;
	return true;
}

static struct route_row *find_row(struct route_stats *stats, const struct route_row *row)
{
	uint32_t *place;

	if (stats->n == stats->size && !grow(stats))
		return NULL;
	place = find_place(stats, stats->places, stats->places_size, row);
	if (!*place) {
		stats->rows[stats->n++] = *row;
		*place = (uint32_t)stats->n;
	}
	return &stats->rows[*place - 1];
}

int route_stats_add(struct route_stats *stats, const struct span *span)
{
	struct span_facts facts;
	struct route_row *row;

	if (span->kind != MODEL_KIND_SERVER && span->kind != MODEL_KIND_CONSUMER)
		return 0;
	facts = span_facts(span);
	row = find_row(stats, &(struct route_row){ .service = span->resource->service_name,
						   .method = facts.method,
						   .route = facts.route });
	if (!row)
		return -ENOMEM;
	if (row->requests == row->size) {
		size_t size = row->size ? row->size * 2 : 16;
		uint64_t *durations = reallocarray(row->durations_ns, size, sizeof(*durations));

		if (!durations)
			return -ENOMEM;
		row->durations_ns = durations;
		row->size = size;
	}
	row->durations_ns[row->requests++] = facts.duration_ns;
	row->errors += facts.failed;
	return 0;
}

static int compare_durations(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static int compare_text(struct slice a, struct slice b)
{
	int order = memcmp(a.n ? a.p : "", b.n ? b.p : "", a.n < b.n ? a.n : b.n);

	return order ? order : a.n < b.n ? -1 : a.n > b.n;
}

static int compare_rows(const void *left, const void *right)
{
	const struct route_row *a = left, *b = right;
	int order;

	if (a->requests != b->requests)
		return a->requests < b->requests ? 1 : -1;
	order = compare_text(a->route, b->route);
	if (!order)
		order = compare_text(a->method, b->method);
	return order ? order : compare_text(a->service, b->service);
}

void route_stats_finish(struct route_stats *stats)
{
	free(stats->places);
	stats->places = NULL;
	stats->places_size = 0;
	stats->size = stats->n;
	if (!stats->n)
		return;
	qsort(stats->rows, stats->n, sizeof(*stats->rows), compare_rows);
	for (size_t i = 0; i < stats->n; i++)
		qsort(stats->rows[i].durations_ns, stats->rows[i].requests, sizeof(uint64_t),
		      compare_durations);
}

uint64_t route_row_percentile(const struct route_row *row, double share)
{
	uint64_t rank = (uint64_t)(share * (double)row->requests);

	if (!row->requests)
		return 0;
	rank += (double)rank < share * (double)row->requests; /* nearest rank: rounded up */
	return row->durations_ns[rank ? (rank < row->requests ? rank : row->requests) - 1 : 0];
}
