/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench_from_record [CASE ROUNDS]: CPU time of span_from_record() a span, batches of 512
 * slots with one arena, as the worker does it; median and least of several runs, bytes of
 * the arena. With CASE (the first word) and ROUNDS: that case so often and no clock, for
 *   valgrind --tool=callgrind --toggle-collect=make_batch build/bench/bench_from_record plain 20
 */

#include <stdlib.h>
#include <time.h>

#include "tests/lib/record.h"

enum { SPANS = 512, RUNS = 31, RUN_NS = 10 * 1000 * 1000 };

struct bench {
	const char *name;
	enum span_kind kind;
	enum span_conventions conventions;
	enum span_detail detail;
	const char *target, *host, *user_agent, *forwarded_for, *header;
};

#define BROWSER "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

static const struct bench benches[] = {
	{ "plain", SPAN_KIND_SERVER, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, "/summarize?a=1&b=2",
	  "api.example.com:3000", "curl/7.88.1", NULL, NULL },
	{ "minimal", SPAN_KIND_SERVER, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_MINIMAL, "/summarize?a=1&b=2",
	  "api.example.com:3000", "curl/7.88.1", NULL, NULL },
	{ "proxied", SPAN_KIND_SERVER, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL,
	  "/shop/articles/42?q=shoes&size=44&sort=price&sig=0123456789abcdef", "shop.example.com", BROWSER,
	  "203.0.113.195, 10.0.0.1", "x-request-id" },
	{ "both", SPAN_KIND_SERVER, SPAN_CONVENTIONS_BOTH, SPAN_DETAIL_FULL, "/summarize?a=1&b=2",
	  "api.example.com:3000", BROWSER, NULL, NULL },
	{ "client", SPAN_KIND_CLIENT, SPAN_CONVENTIONS_STABLE, SPAN_DETAIL_NORMAL, "/items?ids=1,2",
	  "inventory.internal:8081", "python-urllib3/2.0", NULL, NULL },
};

static const struct resource resource = { .service_name = { "shop", 4 } };
static struct span_slot slots[SPANS];
static struct span spans[SPANS];

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct slice route(void *state, struct slice service, struct slice method, struct slice path,
			  unsigned int status)
{
	(void)state, (void)service, (void)method, (void)path, (void)status;
	return SLICE("/shop/articles/{id}");
}

static void prepare(const struct bench *b, struct span_options *options)
{
	span_options_init(options);
	span_options_conventions(options, b->conventions);
	options->detail = b->detail;
	options->router.find = route;
	for (size_t i = 0; i < SPANS; i++) {
		struct span_slot *s = &slots[i];

		*s = record_plain(b->kind);
		s->head.request_end_ns = RECORD_START_NS + 1000;
		record_text(s, TAG_TARGET, b->target);
		record_text(s, TAG_HOST, b->host);
		record_text(s, TAG_USER_AGENT, b->user_agent);
		if (b->forwarded_for)
			record_text(s, TAG_X_FORWARDED_FOR, b->forwarded_for);
		if (b->header)
			record_header(s, TAG_REQUEST_HEADER, b->header, "7f3b2c");
	}
}

/* Not inlined and with a name of its own: callgrind counts what happens inside. */
__attribute__((noinline)) void make_batch(const struct span_options *options, struct arena *arena);
void make_batch(const struct span_options *options, struct arena *arena)
{
	for (size_t i = 0; i < SPANS; i++)
		if (span_from_record(&slots[i], options, &resource, RECORD_OFFSET_NS, arena, &spans[i]))
			abort();
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(const struct bench *b)
{
	struct span_options options;
	struct arena arena;
	double ns[RUNS];
	size_t bytes = 0;

	prepare(b, &options);
	arena_init(&arena);
	make_batch(&options, &arena); /* the first one grows the arena */
	for (int run = 0; run < RUNS; run++) {
		uint64_t begin = cpu_ns(), now = begin;
		unsigned int rounds = 0;

		for (; now - begin < RUN_NS; rounds++, now = cpu_ns()) {
			arena_clear(&arena);
			make_batch(&options, &arena);
		}
		ns[run] = (double)(now - begin) / rounds / SPANS;
		bytes = arena.used;
	}
	qsort(ns, RUNS, sizeof *ns, by_value);
	printf("%-10s %6.0f ns median %6.0f ns least  %2zu attributes  %5zu bytes of arena\n", b->name,
	       ns[RUNS / 2], ns[0], spans[0].attributes.n, bytes / SPANS);
	arena_release(&arena);
}

static void repeat(const char *name, int rounds)
{
	struct span_options options;
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
		if (strcmp(benches[i].name, name) != 0)
			continue;
		prepare(&benches[i], &options);
		for (int round = 0; round < rounds; round++) {
			arena_clear(&arena);
			make_batch(&options, &arena);
		}
	}
	arena_release(&arena);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		repeat(argv[1], (int)strtol(argv[2], NULL, 10));
		return 0;
	}
	for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
		measure(&benches[i]);
	return 0;
}
