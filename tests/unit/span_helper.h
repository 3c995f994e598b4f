/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_SPAN_HELPER_H
#define BTRACE_TESTS_SPAN_HELPER_H

/* One record in `slot`, and the span that is made of it: for tests of attributes, one by one. */

#include <criterion/criterion.h>

#include "tests/lib/record.h"

static struct arena arena;
static struct span_options options;
static const struct resource resource = { .service_name = { "shop", 4 } };
static struct span_slot slot;

static inline void begin(enum span_kind kind)
{
	arena_init(&arena);
	span_options_init(&options);
	slot = record_plain(kind);
}

static inline void begin_server(void) { begin(SPAN_KIND_SERVER); }
static inline void begin_client(void) { begin(SPAN_KIND_CLIENT); }
static inline void end(void) { arena_release(&arena); }

/* Its memory is the arena's. */
static inline struct span make(void)
{
	struct span out;

	cr_assert_eq(span_from_record(&slot, &options, &resource, RECORD_OFFSET_NS, &arena, &out), 0);
	return out;
}

static inline void expect(const struct span *span, const char *about, const char *key, const char *wanted)
{
	char text[512];

	cr_expect_str_eq(span_text(span, key, text), wanted, "%s: %s is \"%s\", not \"%s\"", about, key, text,
			 wanted);
}

#endif
