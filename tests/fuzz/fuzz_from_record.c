/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any record with any options becomes a span that encoders can rely on, or is
 * refused; children too.
 *
 * FUZZ_SOURCES: exporters/span/from_record.c exporters/span/build.c exporters/span/options.c
 * FUZZ_SOURCES: exporters/span/http.c exporters/span/http_server.c exporters/span/http_client.c
 * FUZZ_SOURCES: exporters/span/captured.c exporters/span/extras.c exporters/span/own.c
 * FUZZ_SOURCES: exporters/span/children.c exporters/span/attribute_set.c exporters/span/endpoint.c
 * FUZZ_SOURCES: exporters/span/forwarded.c exporters/span/redact.c exporters/span/text.c
 * FUZZ_SOURCES: exporters/base/arena.c exporters/base/buf.c exporters/base/number.c
 * FUZZ_SOURCES: exporters/base/utf8.c shim/abi/span.c tests/lib/record_random.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/record_random.h"

static const struct resource resource = { .service_name = { "fuzz", 4 } };

static void check(const struct span *span)
{
	const char *broken = model_broken(span);

	if (broken) {
		fprintf(stderr, "%s\n", broken);
		abort();
	}
}

static void run(const struct span_slot *slot, const struct span_options *options, int64_t offset)
{
	struct span_slot *copy = malloc(sizeof *copy);
	struct span span, children[SPAN_CHILDREN_MAX];
	struct arena arena;
	size_t n = 0;

	memcpy(copy, slot, sizeof *copy);
	arena_init(&arena);
	if (span_from_record(copy, options, &resource, offset, &arena, &span) == 0) {
		if (span.attributes.n > options->attribute_limit)
			abort();
		n = span_children(copy, options, &span, offset, &arena, children);
		free(copy); /* the span must not need it */
		copy = NULL;
		check(&span);
		for (size_t i = 0; i < n; i++)
			check(&children[i]);
	}
	free(copy);
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct span_options options;
	struct span_slot slot;
	int64_t offset = 0;

	options_random(&in, &options);
	for (size_t i = 0; i < 8 && in.n; i++, in.n--)
		offset = (int64_t)((uint64_t)offset << 8 | *in.p++);
	if (in.n && *in.p & 1) {
		memset(&slot, 0, sizeof slot);
		memcpy(&slot, in.p, in.n < sizeof slot ? in.n : sizeof slot);
	} else {
		record_random(&in, &slot);
	}
	run(&slot, &options, offset);
	return 0;
}
