/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of requests and what their spans say, whole, in tests/semconv/golden/: as text
 * and in every format; tests/e2e/test_vectors.py reads those with decoders that share
 * no code with the encoders. BTRACE_UPDATE_GOLDEN=1 writes the files anew; read the
 * difference of spans.txt before you commit it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "exporters/encode/format.h"
#include "tests/lib/golden.h"
#include "tests/lib/span_dump.h"

#define GOLDEN "tests/semconv/golden"

static void add_request(struct buf *out, const struct golden_request *request)
{
	struct span spans[GOLDEN_SPANS_MAX];
	struct arena arena;
	size_t n;

	arena_init(&arena);
	n = golden_make(request, &arena, spans);
	cr_assert_gt(n, 0, "%s", request->title);
	buf_printf(out, "=== %s ===\n", request->title);
	for (size_t i = 0; i < n; i++)
		span_dump(out, &spans[i]);
	arena_release(&arena);
}

/* All requests in one payload. */
static void encode_all(struct buf *out, const struct format *format)
{
	static const struct encode_options defaults;
	struct span *spans = calloc(golden_count * GOLDEN_SPANS_MAX, sizeof *spans);
	struct batch batch = { .spans = spans };
	struct arena arena;

	cr_assert(spans);
	arena_init(&arena);
	for (size_t i = 0; i < golden_count; i++)
		batch.n += golden_make(&golden_requests[i], &arena, spans + batch.n);
	cr_assert_eq(format->encode(&batch, 0, batch.n, &defaults, out), batch.n, "%s", format->name);
	arena_release(&arena);
	free(spans);
}

static void read_file(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "r");
	char chunk[4096];
	size_t n;

	cr_assert(f, "%s: run from the top of the tree", path);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
}

static size_t line_of_difference(const struct buf *a, const struct buf *b)
{
	size_t line = 1;

	for (size_t i = 0; i < a->n && i < b->n && a->p[i] == b->p[i]; i++)
		line += a->p[i] == '\n';
	return line;
}

static void expect_file(const struct buf *told, const char *path)
{
	struct buf golden;

	if (getenv("BTRACE_UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "w");

		cr_assert(f && fwrite(told->p, 1, told->n, f) == told->n && fclose(f) == 0);
	}
	buf_init(&golden);
	read_file(&golden, path);
	cr_expect(told->n == golden.n && memcmp(told->p, golden.p, told->n) == 0,
		  "differs from %s in line %zu", path, line_of_difference(told, &golden));
	buf_release(&golden);
}

Test(golden_spans, spans_say_what_they_said)
{
	struct buf told;

	buf_init(&told);
	for (size_t i = 0; i < golden_count; i++)
		add_request(&told, &golden_requests[i]);
	expect_file(&told, GOLDEN "/spans.txt");
	buf_release(&told);
}

Test(golden_spans, every_format_writes_what_it_wrote)
{
	for (const struct format *const *row = formats; *row; row++) {
		char path[128];
		struct buf told;

		snprintf(path, sizeof path, GOLDEN "/%s", (*row)->name);
		buf_init(&told);
		encode_all(&told, *row);
		expect_file(&told, path);
		buf_release(&told);
	}
}
