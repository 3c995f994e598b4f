/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench_encode [FORMAT [ROUNDS]]: CPU time and bytes a span of each format, for batches of
 * 512 server spans of 15 attributes, as the exporter sends them (65,000 bytes for datagrams).
 * Prints the median and the least of several runs. With FORMAT and ROUNDS: that format so
 * often and no clock, for
 *   valgrind --tool=callgrind --toggle-collect=encode_batch build/bench/bench_encode otlp-pb 20
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/encode/format.h"
#include "tests/lib/otlp_protobuf_c.h"
#include "tests/lib/sample_spans.h"

enum { SPANS = 512, RUNS = 21, RUN_NS = 20 * 1000 * 1000 };

static const char by_library[] = "otlp-pb by libprotobuf-c";

struct bench {
	struct arena arena, scratch;
	struct batch batch;
	struct buf out;
	size_t bytes; /* of the last batch, all payloads */
	size_t payloads;
};

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Encoders copy what spans have in common, so these have no more of it than traffic has: 32 connections of
 * four kinds of clients take turns, paths and sizes differ from one to the next.
 */
static void vary(struct span *span, struct arena *arena, unsigned i)
{
	static const char *const agents[] = {
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
		"Chrome/126.0.0.0 Safari/537.36",
		"python-requests/2.32.3",
		"kube-probe/1.29",
	};
	struct attribute *a = (struct attribute *)span->attributes.items;
	unsigned connection = i * 7 % 32;

	for (size_t k = 0; k < span->attributes.n; k++) {
		struct value *v = &a[k].value;

		if (slice_is(a[k].key, "user_agent.original"))
			v->string = slice_of(agents[connection % 4]);
		else if (slice_is(a[k].key, "client.address"))
			v->string = arena_printf(arena, "198.51.100.%u", connection * 5);
		else if (slice_is(a[k].key, "network.peer.port"))
			v->integer = 40000 + connection * 17;
		else if (slice_is(a[k].key, "http.response.body.size"))
			v->integer = 200 + i * 7919 % 5000;
		else if (slice_is(a[k].key, "url.query"))
			v->string = arena_printf(arena, "q=caf%%C3%%A9&page=%u", i % 9);
	}
}

static void prepare(struct bench *bench)
{
	struct span *spans;

	arena_init(&bench->arena);
	arena_init(&bench->scratch);
	buf_init(&bench->out);
	spans = arena_take(&bench->arena, sizeof(*spans) * SPANS);
	for (unsigned i = 0; i < SPANS; i++) {
		sample_server_span(&spans[i], &bench->arena, i);
		vary(&spans[i], &bench->arena, i);
	}
	bench->batch = (struct batch){ spans, SPANS };
}

/* Not inlined and with a name of its own: callgrind counts what happens inside. */
__attribute__((noinline)) void encode_batch(struct bench *bench, const struct format *format);
void encode_batch(struct bench *bench, const struct format *format)
{
	struct encode_options options = { 0 };
	size_t done = 0;

	bench->bytes = bench->payloads = 0;
	if (!format) {
		arena_clear(&bench->scratch);
		buf_clear(&bench->out);
		otlp_by_protobuf_c(&bench->scratch, &bench->batch, &bench->out);
		bench->bytes = bench->out.n;
		bench->payloads = 1;
		return;
	}
	if (strcmp(format->name, "jaeger-compact") == 0 || strcmp(format->name, "jaeger-binary") == 0)
		options.max_payload_bytes = 65000;
	while (done < SPANS) {
		buf_clear(&bench->out);
		done += format->encode(&bench->batch, done, SPANS - done, &options, &bench->out);
		bench->bytes += bench->out.n;
		bench->payloads++;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(struct bench *bench, const struct format *format, const char *name)
{
	double runs[RUNS];

	for (int run = -1; run < RUNS; run++) { /* one to warm up */
		uint64_t start = cpu_ns(), now;
		unsigned rounds = 0;

		do {
			encode_batch(bench, format);
			rounds++;
			now = cpu_ns();
		} while (now - start < RUN_NS);
		if (run >= 0)
			runs[run] = (double)(now - start) / rounds / SPANS;
	}
	qsort(runs, RUNS, sizeof(*runs), by_value);
	printf("%-26s %8.0f %8.0f %8.1f %9zu\n", name, runs[RUNS / 2], runs[0], (double)bench->bytes / SPANS,
	       bench->payloads);
}

int main(int argc, char **argv)
{
	const struct format *only = argc > 1 ? format_by_name(argv[1]) : NULL;
	struct bench bench;

	prepare(&bench);
	if (argc > 2) {
		for (long rounds = strtol(argv[2], NULL, 10); rounds > 0; rounds--)
			encode_batch(&bench, only);
		printf("%zu spans a round, %zu bytes, %zu payloads\n", (size_t)SPANS, bench.bytes,
		       bench.payloads);
	} else {
		printf("%-26s %8s %8s %8s %9s\n", "format", "ns/span", "least", "bytes", "payloads");
		for (const struct format *const *row = formats; *row; row++)
			if (!only || *row == only)
				measure(&bench, *row, (*row)->name);
		if (!only)
			measure(&bench, NULL, by_library);
	}
	arena_release(&bench.arena);
	arena_release(&bench.scratch);
	buf_release(&bench.out);
	return 0;
}
