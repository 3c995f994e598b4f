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

Test(from_record, span_does_not_need_the_copy_afterwards)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span span;

	record_text(&s, TAG_TARGET, "/a?b=1");
	record_header(&s, TAG_REQUEST_HEADER, "x", "y");
	span = make(&s);
	memset(&s, 'Z', sizeof s);
	EXPECT(span, "url.path", "/a");
	EXPECT(span, "url.query", "b=1");
	EXPECT(span, "http.request.header.x", "y");
}

Test(from_record, no_memory_is_told)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span span;

	arena.failed = true;
	cr_expect_eq(span_from_record(&s, &options, &resource, 0, &arena, &span), -ENOMEM);
}

Test(from_record, times_are_in_order_and_in_range_whatever_the_record_says)
{
	static const struct {
		uint64_t start, request_end, response_start, end;
		int64_t offset;
		uint64_t told_start, told_end;
	} rows[] = {
		{ 100, 0, 150, 200, 1000, 1100, 1200 },
		{ 100, 0, 150, 50, 1000, 1100, 1100 },
		{ 100, 0, 0, 0, 1000, 1100, 1100 },
		{ 100, 170, 150, 0, 1000, 1100, 1170 },
		{ 100, 170, 190, 0, 1000, 1100, 1190 },
		{ 100, 0, 0, 200, -1000, 1, 1 },
		{ 100, 0, 0, 200, -150, 1, 50 },
		{ 0, 0, 0, 0, 0, 1, 1 },
		{ UINT64_MAX, 0, 0, 1, 1000, INT64_MAX, INT64_MAX },
		{ INT64_MAX, 0, 0, INT64_MAX, 1000, INT64_MAX, INT64_MAX },
		{ 1, 0, 0, UINT64_MAX, INT64_MIN, 1, INT64_MAX },
		{ 5, 0, 0, 6, INT64_MAX, INT64_MAX, INT64_MAX },
	};
	struct span_slot s = record_plain(SPAN_KIND_SERVER);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span span;

		s.head.start_ns = rows[i].start;
		s.head.request_end_ns = rows[i].request_end;
		s.head.response_start_ns = rows[i].response_start;
		s.head.end_ns = rows[i].end;
		cr_assert_eq(span_from_record(&s, &options, &resource, rows[i].offset, &arena, &span), 0);
		cr_expect_eq(span.start_unix_ns, rows[i].told_start, "row %zu: %lu", i, span.start_unix_ns);
		cr_expect_eq(span.end_unix_ns, rows[i].told_end, "row %zu: %lu", i, span.end_unix_ns);
	}
}

Test(from_record, timing_that_makes_no_sense_is_left_out)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span span;

	s.head.request_end_ns = s.head.start_ns - 1;
	s.head.response_start_ns = s.head.end_ns + 1;
	s.head.wait_ns = UINT64_MAX;
	span = make(&s);
	EXPECT_NONE(span, "btrace.request_ns");
	EXPECT_NONE(span, "btrace.response_ns");
	EXPECT_NONE(span, "btrace.wait_ns");
}

Test(from_record, flags_of_otlp)
{
	static const struct {
		uint32_t flags;
		uint8_t trace_flags;
		uint32_t told;
	} rows[] = {
		{ SPAN_FLAG_SAMPLED, 0, 0x101 },
		{ SPAN_FLAG_SAMPLED | SPAN_FLAG_REMOTE_PARENT, 1, 0x301 },
		{ SPAN_FLAG_SAMPLED | SPAN_FLAG_REMOTE_PARENT, 3, 0x303 },
		{ SPAN_FLAG_SAMPLED, 0xff, 0x103 },
		{ SPAN_FLAG_TAIL_CANDIDATE, 0, 0x100 },
		{ SPAN_FLAG_TAIL_CANDIDATE | SPAN_FLAG_REMOTE_PARENT, 1, 0x300 },
		{ SPAN_FLAG_UNDECIDED, 0, 0x101 },
	};
	struct span_slot s = record_plain(SPAN_KIND_SERVER);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		s.head.flags = rows[i].flags;
		s.head.trace_flags = rows[i].trace_flags;
		cr_expect_eq(make(&s).flags, rows[i].told, "row %zu: 0x%x", i, make(&s).flags);
	}
}

Test(from_record, flags_of_the_record_become_attributes)
{
	static const struct {
		uint32_t flag;
		const char *key;
	} rows[] = {
		{ SPAN_FLAG_TRUNCATED, "btrace.truncated" },
		{ SPAN_FLAG_HEAD_LIMIT, "btrace.head_limit" },
		{ SPAN_FLAG_RESYNC, "btrace.resync" },
		{ SPAN_FLAG_REQUEST_BODY_CUT, "btrace.request_body_cut" },
		{ SPAN_FLAG_TAIL_CANDIDATE, "btrace.tail_kept" },
		{ SPAN_FLAG_DEBUG, "btrace.debug" },
		{ SPAN_FLAG_AMBIGUOUS_PARENT, "btrace.ambiguous_parent" },
		{ SPAN_FLAG_HANDED_OVER, "btrace.handed_over" },
	};
	struct span_slot s = record_plain(SPAN_KIND_SERVER);

	options.detail = SPAN_DETAIL_MINIMAL; /* told there as well */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
			struct span span;

			s.head.flags = rows[i].flag;
			span = make(&s);
			EXPECT(span, rows[j].key, i == j ? "true" : "");
		}
}

Test(from_record, trace_state_goes_with_a_remote_parent_only_and_is_ascii)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);

	record_text(&s, TAG_TRACESTATE, "a=1");
	cr_expect_eq(make(&s).trace_state.n, 0);
	s.head.flags |= SPAN_FLAG_REMOTE_PARENT;
	cr_expect(slice_is(make(&s).trace_state, "a=1"));
	record_text(&s, TAG_TRACESTATE, "b=2\t");
	cr_expect(slice_is(make(&s).trace_state, "a=1,b=2\t"));
	record_text(&s, TAG_TRACESTATE, "c=\x01");
	cr_expect_eq(make(&s).trace_state.n, 0);
}

Test(from_record, limits_drop_and_count)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	size_t all = make(&s).attributes.n;
	uint8_t event[9] = { [8] = 'e' }, link[25] = { 1, [16] = 1 };
	struct span span;

	for (int i = 0; i < 3; i++) {
		record_bytes(&s, TAG_EVENT, event, sizeof event);
		record_bytes(&s, TAG_LINK, link, sizeof link);
	}
	record_bytes(&s, TAG_LINK, link, 24);
	link[16] = 0;
	record_bytes(&s, TAG_LINK, link, 25);
	record_bytes(&s, TAG_EVENT, event, 8);
	options.attribute_limit = 5;
	options.event_limit = 2;
	options.link_limit = 1;
	span = make(&s);
	cr_expect_eq(span.attributes.n, 5);
	cr_expect_eq(span.dropped_attributes, all - 5);
	cr_expect_eq(span.n_events, 2);
	cr_expect_eq(span.dropped_events, 1);
	cr_expect_eq(span.n_links, 1);
	cr_expect_eq(span.dropped_links, 2);
}

Test(from_record, attributes_of_an_event_follow_it)
{
	struct span_slot s = record_plain(SPAN_KIND_INTERNAL);
	uint8_t event[9] = { [8] = 'e' };
	struct span span;

	s.head.status = 0;
	record_bytes(&s, TAG_EVENT_ATTRIBUTE, "\x01of\0none", 8);
	record_bytes(&s, TAG_EVENT, event, sizeof event);
	record_bytes(&s, TAG_EVENT_ATTRIBUTE, "\x01k\0first", 8);
	record_bytes(&s, TAG_ATTRIBUTE, "\x01k\0of the span", 14);
	record_bytes(&s, TAG_EVENT_ATTRIBUTE, "\x02l\0\1", 4);
	record_bytes(&s, TAG_EVENT, event, sizeof event);
	record_bytes(&s, TAG_EVENT_ATTRIBUTE, "\x01k\0second", 9);
	record_bytes(&s, TAG_EVENT, event, sizeof event);
	record_bytes(&s, TAG_EVENT_ATTRIBUTE, "\x01k\0third", 8);
	options.event_limit = 2;
	options.event_attribute_limit = 1;
	s.head.dropped_attributes = 3;
	s.head.dropped_events = 4;
	span = make(&s);
	EXPECT(span, "k", "of the span");
	cr_expect_eq(span.attributes.n, 1);
	cr_expect_eq(span.dropped_attributes, 3);
	cr_assert_eq(span.n_events, 2);
	cr_expect_eq(span.dropped_events, 4 + 1);
	cr_assert_eq(span.events[0].attributes.n, 1);
	cr_expect(slice_is(span.events[0].attributes.items[0].value.string, "first"));
	cr_expect_eq(span.events[0].dropped_attributes, 1);
	cr_assert_eq(span.events[1].attributes.n, 1);
	cr_expect(slice_is(span.events[1].attributes.items[0].value.string, "second"));
	cr_expect_eq(span.events[1].dropped_attributes, 0);
}

Test(from_record, status_of_an_own_span_is_what_the_program_says)
{
	struct span_slot s = record_plain(SPAN_KIND_INTERNAL);

	s.head.status = 0;
	record_text(&s, TAG_STATUS_MESSAGE, "out of tea");
	cr_expect_eq(make(&s).status, MODEL_STATUS_UNSET);
	s.head.flags |= SPAN_FLAG_STATUS_OK;
	cr_expect_eq(make(&s).status, MODEL_STATUS_OK);
	cr_expect_eq(make(&s).status_message.n, 0);
	s.head.end = SPAN_END_PROCESS_DIED;
	cr_expect_eq(make(&s).status, MODEL_STATUS_ERROR);
	s.head.end = SPAN_END_COMPLETE;
	s.head.flags |= SPAN_FLAG_STATUS_ERROR;
	cr_expect_eq(make(&s).status, MODEL_STATUS_ERROR);
	cr_expect(slice_is(make(&s).status_message, "out of tea"));
}

Test(from_record, values_are_cut_by_characters)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span span;

	record_text(&s, TAG_TARGET, "/\xe6\x9d\xb1\xe4\xba\xac/x");
	options.value_chars = 3;
	span = make(&s);
	EXPECT(span, "url.path", "/\xe6\x9d\xb1\xe4\xba\xac");
	EXPECT(span, "url.scheme", "htt");
}

Test(from_record, own_keys_overwrite_and_bad_ones_are_left_out)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	size_t n = make(&s).attributes.n;
	struct span span;

	record_bytes(&s, TAG_ATTRIBUTE, "\x01url.path\0mine", 14);
	record_bytes(&s, TAG_ATTRIBUTE, "\x01\0empty key", 11);
	record_bytes(&s, TAG_ATTRIBUTE, "\x09key\0unknown type", 17);
	record_bytes(&s, TAG_ATTRIBUTE, "\x02key\0\1\1", 7);
	record_bytes(&s, TAG_ATTRIBUTE, "\x03key\0short", 10);
	record_bytes(&s, TAG_ATTRIBUTE, "\x01no nul", 7);
	record_bytes(&s, TAG_ATTRIBUTE, "", 0);
	record_bytes(&s, TAG_ATTRIBUTE, "\x01\xff\0\xff", 4);
	span = make(&s);
	EXPECT(span, "url.path", "mine");
	EXPECT(span, "\xef\xbf\xbd", "\xef\xbf\xbd");
	cr_expect_eq(span.attributes.n, n + 1);
}

Test(from_record, own_span_without_a_name_gets_one)
{
	struct span_slot s = record_plain(SPAN_KIND_INTERNAL);

	s.head.status = 0;
	cr_expect(slice_is(make(&s).name, "unnamed"));
	cr_expect_eq(make(&s).attributes.n, 0);
	cr_expect_eq(make(&s).status, MODEL_STATUS_UNSET);
	s.head.end = SPAN_END_PROCESS_DIED;
	cr_expect_eq(make(&s).status, MODEL_STATUS_ERROR);
}

static size_t children(const struct span_slot *s, struct span out[SPAN_CHILDREN_MAX])
{
	struct span parent = make(s);

	return span_children(s, &options, &parent, RECORD_OFFSET_NS, &arena, out);
}

Test(from_record, children_lie_inside_their_parent)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span parent, out[SPAN_CHILDREN_MAX];

	s.head.request_end_ns = 1;
	s.head.response_start_ns = UINT64_MAX;
	parent = make(&s);
	cr_assert_eq(children(&s, out), 3);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_geq(out[i].start_unix_ns, parent.start_unix_ns);
		cr_expect_leq(out[i].end_unix_ns, parent.end_unix_ns);
		cr_expect_leq(out[i].start_unix_ns, out[i].end_unix_ns);
		cr_expect_eq(memcmp(out[i].parent_span_id, parent.span_id, 8), 0);
		cr_expect_eq(memcmp(out[i].trace_id, parent.trace_id, 16), 0);
		cr_expect_eq(out[i].flags, 0x101);
	}
	cr_expect(memcmp(out[0].span_id, out[1].span_id, 8) != 0);
	cr_expect(memcmp(out[1].span_id, out[2].span_id, 8) != 0);
}

Test(from_record, children_without_an_answer_is_the_receive_alone)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span out[SPAN_CHILDREN_MAX];

	s.head.status = 0;
	cr_expect_eq(children(&s, out), 1);
	cr_expect(slice_is(out[0].name, "GET http receive"));
	s = record_plain(SPAN_KIND_CLIENT);
	cr_expect_eq(children(&s, out), 0, "SERVER spans only");
}

Test(from_record, children_of_an_answer_whose_time_died_with_the_process)
{
	struct span_slot s = record_plain(SPAN_KIND_SERVER);
	struct span out[SPAN_CHILDREN_MAX];

	s.head.response_start_ns = 0;
	cr_assert_eq(children(&s, out), 3);
	cr_expect_eq(out[1].start_unix_ns, make(&s).end_unix_ns);
}
