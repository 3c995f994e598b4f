/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/from_record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>

#include "tests/lib/record.h"

static struct arena arena;
static struct span_options options;
static const struct resource resource = { .service_name = { "shop", 4 } };

static void set_up(void)
{
	arena_init(&arena);
	span_options_init(&options);
}
static void tear_down(void) { arena_release(&arena); }
TestSuite(from_record, .init = set_up, .fini = tear_down);

static struct span make(const struct span_slot *s)
{
	struct span out;

	cr_assert_eq(span_from_record(s, &options, &resource, RECORD_OFFSET_NS, &arena, &out), 0);
	return out;
}

#define EXPECT(span, key, wanted)                                                                      \
	do {                                                                                           \
		char text_[512];                                                                       \
		cr_expect_str_eq(span_text(&(span), key, text_), wanted, "%s: %s, not %s", key, text_, \
				 wanted);                                                              \
	} while (0)
#define EXPECT_NONE(span, key) cr_expect_null(span_value(&(span), key), "%s", key)

Test(from_record, plain_request_has_all_that_the_conventions_want)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span span;

	record_text(&s, TAG_TARGET, "/summarize?a=1");
	record_text(&s, TAG_HOST, "api.example.com:3000");
	record_text(&s, TAG_USER_AGENT, "curl/7.88.1");
	span = make(&s);
	cr_expect(slice_is(span.name, "GET"));
	cr_expect_eq(span.kind, MODEL_KIND_SERVER);
	cr_expect_eq(span.status, MODEL_STATUS_UNSET);
	cr_expect_eq(span.start_unix_ns, RECORD_OFFSET_NS + RECORD_START_NS);
	cr_expect_eq(span.end_unix_ns, RECORD_OFFSET_NS + RECORD_START_NS + 1500000);
	cr_expect_eq(span.flags, 0x101);
	cr_expect_eq(span.resource, &resource);
	EXPECT(span, "http.request.method", "GET");
	EXPECT(span, "url.path", "/summarize");
	EXPECT(span, "url.query", "a=1");
	EXPECT(span, "url.scheme", "http");
	EXPECT(span, "server.address", "api.example.com");
	EXPECT(span, "server.port", "3000");
	EXPECT(span, "client.address", "192.0.2.7");
	EXPECT(span, "network.peer.address", "192.0.2.7");
	EXPECT(span, "network.peer.port", "51344");
	EXPECT(span, "network.protocol.version", "1.1");
	EXPECT(span, "user_agent.original", "curl/7.88.1");
	EXPECT(span, "http.response.status_code", "200");
	EXPECT(span, "http.response.body.size", "12");
	EXPECT(span, "btrace.time_to_first_byte_ns", "1000000");
	EXPECT(span, "btrace.response_ns", "500000");
	EXPECT_NONE(span, "error.type");
	EXPECT_NONE(span, "http.route");
	EXPECT_NONE(span, "http.method");
	cr_expect_eq(span.attributes.n, 15);
}

Test(from_record, record_that_is_not_valid_is_refused)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span span;

	s.head.method = SPAN_METHOD_MAX;
	cr_expect_eq(span_from_record(&s, &options, &resource, 0, &arena, &span), -EBADMSG);
}
