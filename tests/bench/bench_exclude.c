/* SPDX-License-Identifier: Apache-2.0 */
/* Cost of excluded_urls: the compiler once, the automaton a URL. build/bench/bench_exclude */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/policy/exclude.h"
#include "shim/abi/automaton.h"

#define BLOCK_BYTES ((1u << 20) - 4096u)
#define LITERALS    1000u
#define ROUNDS      200000u

static const char *const paths[] = {
	"/api/v1/users/42/orders",    "/summarize",
	"/static/js/app.4f3e2a1b.js", "/v2/search/hello%20world",
	"/internal/status/live",      "/orders/0f8fad5b-d9cb-469f-a165-70867728950e/items",
};
static const char prefix[] = "http://127.0.0.1:3000";

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* As the library runs it; *hits keeps the compiler from leaving it out. */
static double run(const void *block, size_t used, bool keep_prefix, unsigned *hits)
{
	struct automaton kept, a;
	double begin = now_ns();
	size_t n = sizeof(paths) / sizeof(paths[0]);

	memset(&kept, 0, sizeof(kept));
	if (used && automaton_open(&kept, block, used))
		automaton_feed(&kept, prefix, sizeof(prefix) - 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		a = kept;
		if (!keep_prefix && used && automaton_open(&a, block, used))
			automaton_feed(&a, prefix, sizeof(prefix) - 1);
		automaton_feed_decoded(&a, paths[i % n], strlen(paths[i % n]));
		*hits += automaton_end(&a);
	}
	return (now_ns() - begin) / ROUNDS;
}

static double best(const void *block, size_t used, bool keep_prefix, unsigned *hits)
{
	double least = 1e9;

	for (int i = 0; i < 7; i++) {
		double ns = run(block, used, keep_prefix, hits);

		least = ns < least ? ns : least;
	}
	return least;
}

static void measure(const char *name, const char *const *patterns, size_t n, void *block)
{
	struct exclude_error error;
	double begin = now_ns();
	size_t used;
	unsigned hits = 0;
	int rc = exclude_compile(patterns, n, block, BLOCK_BYTES, &used, &error);
	double compile_ms = (now_ns() - begin) / 1e6;

	if (rc)
		printf("%-24s pattern %zu: %s\n", name, error.pattern, error.text);
	else
		printf("%-24s %8.2f ms %8zu bytes %7.1f ns/URL %7.1f ns/URL with the prefix kept\n", name,
		       compile_ms, used, best(block, used, false, &hits), best(block, used, true, &hits));
}

/* Paths as people exclude them, and words without any sense in common. */
static void make_literals(char text[LITERALS][32], const char *literals[LITERALS], bool random)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_/~";
	static const char *const parts[] = { "health", "ready", "live",  "metrics",
					     "status", "debug", "admin", "probe" };
	uint32_t seed = 1;

	for (unsigned i = 0; i < LITERALS; i++) {
		size_t n = 8 + i % 9;

		if (!random)
			snprintf(text[i], sizeof(text[i]), "/%s/%s%u/%s", parts[i % 8], parts[i / 8 % 8], i,
				 parts[i / 64 % 8]);
		for (size_t k = 0; random && k <= n; k++) {
			seed = seed * 1664525 + 1013904223;
			text[i][k] = k < n ? letters[(seed >> 16) % (sizeof(letters) - 1)] : '\0';
		}
		literals[i] = text[i];
	}
}

int main(void)
{
	static const char *const usual[] = { "readyz",         "livez",  "healthz",
					     "static_content", "docs",   "metrics",
					     "favicon",        "/ping$", "^http://[^/]*/internal/x",
					     "robots.txt" };
	static const char *const ten[] = { "readyz",  "livez",   "healthz", "static_content", "docs",
					   "metrics", "favicon", "/ping",   "robots",         "swagger" };
	static char text[LITERALS][32];
	static const char *literals[LITERALS];
	void *block = malloc(BLOCK_BYTES);

	if (!block)
		return 1;
	measure("0 patterns", ten, 0, block);
	measure("10 literals", ten, 10, block);
	measure("10 patterns", usual, 10, block);
	make_literals(text, literals, false);
	measure("1000 literals, paths", literals, LITERALS, block);
	make_literals(text, literals, true);
	measure("1000 literals, random", literals, LITERALS, block);
	free(block);
	return 0;
}
