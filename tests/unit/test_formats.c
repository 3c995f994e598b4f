/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "exporters/encode/format.h"
#include "tests/lib/sample_spans.h"

Test(formats, are_found_by_their_names)
{
	static const char *const names[] = { "otlp-json",      "otlp-pb",       "zipkin",
					     "jaeger-compact", "jaeger-binary", "jaeger-binary-batch",
					     "jaeger-pb",      "console" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cr_assert_not_null(format_by_name(names[i]), "%s", names[i]);
		cr_assert_str_eq(format_by_name(names[i])->name, names[i]);
	}
	cr_assert_null(format_by_name("otlp"));
	cr_assert_null(format_by_name(""));
}

/* The same batch in pieces is the same spans: what is told as taken is what the next call begins with. */
Test(formats, payloads_of_a_limit_cover_the_batch_in_order)
{
	enum { N = 300 };
	struct span spans[N];
	struct arena arena;
	struct buf out;
	struct batch batch = { spans, N };
	struct encode_options options = { .max_payload_bytes = 20000 };

	arena_init(&arena);
	buf_init(&out);
	for (unsigned i = 0; i < N; i++)
		sample_server_span(&spans[i], &arena, i);
	for (const struct format *const *row = formats; *row; row++) {
		size_t done = 0, payloads = 0;

		for (; done < N; payloads++) {
			size_t taken;

			buf_clear(&out);
			taken = (*row)->encode(&batch, done, N - done, &options, &out);
			cr_assert_gt(taken, 0, "%s", (*row)->name);
			cr_assert_leq(out.n, options.max_payload_bytes, "%s", (*row)->name);
			/* not much is left unused while spans remain */
			cr_assert(done + taken == N || out.n > options.max_payload_bytes - 2000, "%s",
				  (*row)->name);
			done += taken;
		}
		cr_assert_gt(payloads, 1);
	}
	arena_release(&arena);
	buf_release(&out);
}

#ifndef __SANITIZE_ADDRESS__ /* which brings a realloc of its own */

void *__libc_realloc(void *p, size_t size);
void *realloc(void *p, size_t size);

static int calls_left = -1;

/* Fails once the countdown is over; for the whole program, of which only buf.c calls it here. */
void *realloc(void *p, size_t size)
{
	if (calls_left == 0)
		return NULL;
	if (calls_left > 0)
		calls_left--;
	return __libc_realloc(p, size);
}

static void encode_with_memory_for(const struct format *format, const struct batch *batch, int calls)
{
	struct encode_options options = { 0 };
	struct buf out;

	buf_init(&out);
	calls_left = calls;
	format->encode(batch, 0, batch->n, &options, &out);
	calls_left = -1;
	cr_assert(out.failed, "%s with %d", format->name, calls);
	cr_assert_leq(out.n, out.size);
	buf_release(&out);
}

/* From 256 bytes to half a megabyte the buffer grows ten times; each time may be the last. */
Test(formats, running_out_of_memory_is_told_by_the_buffer)
{
	enum { N = 600 };
	static const struct value list[] = { { .type = VALUE_STRING, .string = SLICE("a") } };
	static const struct attribute attributes[] = { ARRAY_ATTRIBUTE("a", list) };
	static const struct model_event events[] = { { .name = SLICE("e"),
						       .attributes = { attributes, 1 } } };
	static const struct model_link links[] = {
		{ .trace_id = { 1 }, .span_id = { 1 }, .attributes = { attributes, 1 } }
	};
	struct span spans[N];
	struct arena arena;
	struct batch batch = { spans, N };

	arena_init(&arena);
	for (unsigned i = 0; i < N; i++) {
		sample_server_span(&spans[i], &arena, i);
		spans[i].events = events, spans[i].n_events = 1;
		spans[i].links = links, spans[i].n_links = 1;
		if (i % 3 == 0)
			spans[i].attributes = ATTRIBUTES(attributes);
	}
	for (const struct format *const *row = formats; *row; row++)
		for (int calls = 0; calls < 8; calls++)
			encode_with_memory_for(*row, &batch, calls);
	arena_release(&arena);
}

#endif
