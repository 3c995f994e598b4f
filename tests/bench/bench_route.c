/* SPDX-License-Identifier: Apache-2.0 */
/* Cost of naming a route: inferred, and with 10 and 10,000 configured ones. build/bench/bench_route */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exporters/route/route.h"

#define ROUNDS 300000u
#define ROUTES 10000u

static const char *const paths[] = {
	"/api/v1/users/42/orders",    "/summarize",
	"/static/js/app.4f3e2a1b.js", "/orders/0f8fad5b-d9cb-469f-a165-70867728950e/items",
	"/svc7/things/99/part3",      "/users/me",
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* fresh: each request for ids that were not there before */
static void measure(const char *name, const struct route_options *options, unsigned status, bool fresh)
{
	static char made[ROUNDS][48];
	struct route_set *set = route_new(options);
	char out[ROUTE_BYTES_MAX];
	double least = 1e9, begin;
	size_t named = 0, n = sizeof(paths) / sizeof(paths[0]);

	if (!set)
		return;
	for (unsigned i = 0; fresh && i < ROUNDS; i++)
		snprintf(made[i], sizeof(made[i]), i % 2 ? "/orders/%u/items" : "/api/v1/users/%u/orders", i);
	for (int round = 0; round < 5; round++) {
		begin = now_ns();
		for (unsigned i = 0; i < ROUNDS; i++)
			named += route_name(set, slice_of(fresh ? made[i] : paths[i % n]), status,
					    ROUTE_METHOD_COMMON, out, sizeof(out))
					 .n > 0;
		begin = (now_ns() - begin) / ROUNDS;
		least = begin < least ? begin : least;
	}
	printf("%-28s %7.1f ns/path, %zu %% named\n", name, least, named * 100 / (5 * ROUNDS));
	route_free(set);
}

static struct route_table *make_table(size_t n)
{
	static char text[ROUTES][40];
	static const char *routes[ROUTES];
	struct route_table *table = NULL;
	struct route_table_error error;

	for (size_t i = 0; i < n; i++) {
		snprintf(text[i], sizeof(text[i]), "/svc%zu/things/{id}/part%zu", i / 10, i % 10);
		routes[i] = text[i];
	}
	return route_table_compile(routes, n, &table, &error) == 0 ? table : NULL;
}

int main(void)
{
	struct route_options options = { .mode = ROUTE_MODE_OFF };
	static const size_t sizes[] = { 10, ROUTES };

	for (size_t i = 0; i < 2; i++) {
		char name[64];
		struct route_table *table = make_table(sizes[i]);

		options.table = table;
		snprintf(name, sizeof(name), "%zu configured", sizes[i]);
		measure(name, &options, 200, false);
		route_table_free(table);
	}
	options = (struct route_options){ .mode = ROUTE_MODE_TYPED };
	measure("typed", &options, 200, false);
	measure("typed, new ids", &options, 200, true);
	options.mode = ROUTE_MODE_LEARNED;
	measure("learned", &options, 200, false);
	measure("learned, new ids", &options, 200, true);
	measure("learned, 404 only", &options, 404, false);
	return 0;
}
