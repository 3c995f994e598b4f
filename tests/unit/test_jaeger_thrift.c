/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/encode/formats.h"
#include "tests/lib/sample_spans.h"
#include "tests/lib/thrift_tree.h"

static struct buf b;
static struct arena arena;
static struct encode_options options;

static void setup(void)
{
	buf_init(&b);
	arena_init(&arena);
	options = (struct encode_options){ 0 };
}

static void teardown(void)
{
	buf_release(&b);
	arena_release(&arena);
}

TestSuite(jaeger_thrift, .init = setup, .fini = teardown);

static size_t encode(const struct format *format, const struct span *spans, size_t n)
{
	buf_clear(&b);
	return format->encode(&(struct batch){ spans, n }, 0, n, &options, &b);
}

static const struct thrift_node *read_back(const struct format *format)
{
	const struct thrift_node *batch =
		thrift_parse(&arena, (struct slice){ b.p, b.n }, format == &format_jaeger_compact,
			     format != &format_jaeger_binary_batch);

	cr_assert_not_null(batch, "%s", format->name);
	return batch;
}

static const struct thrift_node *first_span(const struct thrift_node *batch)
{
	return thrift_get(batch, 2)->child;
}

/* A tag by its key among a struct's list; it may stand there once at most. */
static const struct thrift_node *find(const struct thrift_node *list, const char *key)
{
	const struct thrift_node *found = NULL;

	for (const struct thrift_node *tag = list ? list->child : NULL; tag; tag = tag->next)
		if (slice_is(thrift_get(tag, 1)->text, key)) {
			cr_assert_null(found, "%s twice", key);
			found = tag;
		}
	return found;
}

static void assert_string_tag(const struct thrift_node *list, const char *key, const char *text)
{
	const struct thrift_node *tag = find(list, key);

	cr_assert_not_null(tag, "%s", key);
	cr_assert_eq(thrift_get(tag, 2)->integer, 0);
	cr_assert(slice_is(thrift_get(tag, 3)->text, text), "%s", key);
}

static const struct attribute vector_tags[] = {
	INT_ATTRIBUTE("n", 503),
	BOOL_ATTRIBUTE("error", true),
	DOUBLE_ATTRIBUTE("d", 0.5),
	BOOL_ATTRIBUTE("f", false),
};

static struct span vector_span(void)
{
	struct span span = sample_span();

	span.kind = MODEL_KIND_INTERNAL;
	span.attributes = ATTRIBUTES(vector_tags);
	span.status = MODEL_STATUS_UNSET;
	return span;
}

Test(jaeger_thrift, small_compact_vector_in_bytes)
{
	static const char expected[] =
		"\x82\x81\x00\x09"
		"emitBatch"
		"\x1c\x1c\x18\x03"
		"svc"
		"\x00\x19\x1c"
		"\x16\xa0\xbc\xf0\xd0\x81\xc3\x85\x8a\x12\x16\x90\x9c\xb0\xd0\x80\xc1\x81\x82\x02"
		"\x16\x8f\xa0\xc8\xa0\xe1\x82\x86\x8d\x1c\x16\x00\x18\x03"
		"GET"
		"\x25\x02"
		"\x16\x80\x80\xf2\x81\x83\x89\x85\x06\x16\x04\x19\x4c"
		"\x18\x01"
		"n"
		"\x15\x06\x46\xee\x07\x00\x18\x05"
		"error"
		"\x15\x04\x31\x00"
		"\x18\x01"
		"d"
		"\x15\x02\x27\x00\x00\x00\x00\x00\x00\xe0\x3f\x00\x18\x01"
		"f"
		"\x15\x04\x32\x00"
		"\x00\x00\x00";
	struct span span = vector_span();

	cr_assert_eq(encode(&format_jaeger_compact, &span, 1), 1);
	cr_assert_eq(b.n, 120);
	cr_assert_arr_eq(b.p, expected, 120);
}

static const char binary_batch[] =
	"\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x03"
	"svc"
	"\x00\x0f\x00\x02\x0c\x00\x00\x00\x01"
	"\x0a\x00\x01\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x0a\x00\x02\x01\x02\x03\x04\x05\x06\x07\x08"
	"\x0a\x00\x03\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\x0a\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00"
	"\x0b\x00\x05\x00\x00\x00\x03"
	"GET"
	"\x08\x00\x07\x00\x00\x00\x01"
	"\x0a\x00\x08\x00\x06\x0a\x24\x18\x1e\x40\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x02"
	"\x0f\x00\x0a\x0c\x00\x00\x00\x04"
	"\x0b\x00\x01\x00\x00\x00\x01"
	"n"
	"\x08\x00\x02\x00\x00\x00\x03\x0a\x00\x06\x00\x00\x00\x00\x00\x00\x01\xf7\x00"
	"\x0b\x00\x01\x00\x00\x00\x05"
	"error"
	"\x08\x00\x02\x00\x00\x00\x02\x02\x00\x05\x01\x00"
	"\x0b\x00\x01\x00\x00\x00\x01"
	"d"
	"\x08\x00\x02\x00\x00\x00\x01\x04\x00\x04\x3f\xe0\x00\x00\x00\x00\x00\x00\x00"
	"\x0b\x00\x01\x00\x00\x00\x01"
	"f"
	"\x08\x00\x02\x00\x00\x00\x02\x02\x00\x05\x00\x00"
	"\x00\x00";

Test(jaeger_thrift, small_binary_vector_in_bytes)
{
	struct span span = vector_span();

	cr_assert_eq(encode(&format_jaeger_binary_batch, &span, 1), 1);
	cr_assert_eq(b.n, 213);
	cr_assert_arr_eq(b.p, binary_batch, 213);
}

Test(jaeger_thrift, binary_datagram_is_the_batch_in_a_strict_message)
{
	static const char head[] = "\x80\x01\x00\x04\x00\x00\x00\x09"
				   "emitBatch"
				   "\x00\x00\x00\x00\x0c\x00\x01";
	struct span span = vector_span();

	cr_assert_eq(encode(&format_jaeger_binary, &span, 1), 1);
	cr_assert_eq(b.n, sizeof(head) - 1 + 213 + 1);
	cr_assert_arr_eq(b.p, head, sizeof(head) - 1);
	cr_assert_arr_eq(b.p + sizeof(head) - 1, binary_batch, 213);
	cr_assert_eq(b.p[b.n - 1], 0);
}

static void assert_mapping(const struct format *format)
{
	static const struct value items[] = { { .type = VALUE_STRING, .string = SLICE("x") } };
	static const struct attribute attributes[] = {
		STRING_ATTRIBUTE("otel.scope.name", "mine"),
		STRING_ATTRIBUTE("error", "mine"),
		ARRAY_ATTRIBUTE("a", items),
	};
	static const struct attribute event_attributes[] = { INT_ATTRIBUTE("n", 1) };
	static const struct model_event events[] = {
		{ .time_unix_ns = 1999, .name = SLICE("ev"), .attributes = { event_attributes, 1 } },
	};
	static const struct model_link links[] = { { .trace_id = { [15] = 9 }, .span_id = { [0] = 0x80 } } };
	static const struct scope scope = { .name = SLICE("bt"), .version = SLICE("1") };
	struct span span = sample_span();
	const struct thrift_node *s, *tags, *log, *reference;

	span.attributes = ATTRIBUTES(attributes);
	span.events = events, span.n_events = 1;
	span.links = links, span.n_links = 1;
	span.scope = &scope;
	span.status = MODEL_STATUS_ERROR;
	span.status_message = SLICE("why");
	span.dropped_events = 3;
	span.parent_span_id[7] = 2;
	encode(format, &span, 1);
	s = first_span(read_back(format));
	cr_assert_eq(thrift_get(s, 4)->integer, 2);
	cr_assert_eq(thrift_get(s, 7)->integer, 1);
	cr_assert_eq(thrift_get(s, 9)->integer, 2);
	reference = thrift_get(s, 6)->child;
	cr_assert_eq(thrift_get(reference, 1)->integer, 1);
	cr_assert_eq(thrift_get(reference, 2)->integer, 9);
	cr_assert_eq(thrift_get(reference, 3)->integer, 0);
	cr_assert_eq(thrift_get(reference, 4)->integer, INT64_MIN);
	tags = thrift_get(s, 10);
	assert_string_tag(tags, "a", "[\"x\"]");
	assert_string_tag(tags, "span.kind", "server");
	assert_string_tag(tags, "otel.scope.name", "bt");
	assert_string_tag(tags, "otel.library.version", "1");
	assert_string_tag(tags, "otel.status_code", "ERROR");
	assert_string_tag(tags, "otel.status_description", "why");
	cr_assert_eq(thrift_get(find(tags, "error"), 5)->integer, 1);
	cr_assert_eq(thrift_get(find(tags, "otel.dropped_events_count"), 6)->integer, 3);
	cr_assert_eq(tags->count, 10);
	log = thrift_get(s, 11)->child;
	cr_assert_eq(thrift_get(log, 1)->integer, 1);
	assert_string_tag(thrift_get(log, 2), "event", "ev");
	cr_assert_eq(thrift_get(log, 2)->count, 2);
}

Test(jaeger_thrift, compact_follows_the_mapping) { assert_mapping(&format_jaeger_compact); }

Test(jaeger_thrift, binary_follows_the_mapping) { assert_mapping(&format_jaeger_binary); }

Test(jaeger_thrift, process_has_the_resources_attributes_but_the_name)
{
	const struct thrift_node *process;
	struct span span;

	sample_server_span(&span, &arena, 1);
	encode(&format_jaeger_compact, &span, 1);
	process = thrift_get(read_back(&format_jaeger_compact), 1);
	cr_assert(slice_is(thrift_get(process, 1)->text, "shop-frontend"));
	cr_assert_eq(thrift_get(process, 2)->count, 8);
	cr_assert_null(find(thrift_get(process, 2), "service.name"));
	cr_assert_eq(thrift_get(find(thrift_get(process, 2), "process.pid"), 6)->integer, 4242);
}

/*
 * 200 spans, so that the list's header grows at 15 and 128: at each limit the payload takes
 * as many spans as fit to the byte, and is whole.
 */
static void assert_limits(const struct format *format)
{
	static const struct resource other = { .service_name = SLICE("other") };
	struct span spans[201];
	size_t sizes[201] = { 0 };

	for (size_t i = 0; i < 201; i++)
		spans[i] = sample_span();
	spans[200].resource = &other;
	for (size_t n = 1; n <= 200; n++) {
		cr_assert_eq(encode(format, spans, n), n);
		cr_assert_eq(thrift_get(read_back(format), 2)->count, n);
		sizes[n] = b.n;
		arena_clear(&arena);
	}
	cr_assert_eq(encode(format, spans, 201), 200, "ends where the resource changes");
	for (size_t n = 1; n <= 200; n++) {
		for (int more = -1; more <= 1; more++) {
			size_t wanted = more < 0 ? n - 1 : n;

			options.max_payload_bytes = sizes[n] + (size_t)more;
			cr_assert_eq(encode(format, spans, 201), wanted, "%zu bytes",
				     options.max_payload_bytes);
			cr_assert_eq(b.n, sizes[wanted]);
			if (wanted)
				cr_assert_eq(thrift_get(read_back(format), 2)->count, wanted);
			arena_clear(&arena);
		}
	}
}

Test(jaeger_thrift, compact_payload_fills_its_limit_to_the_byte) { assert_limits(&format_jaeger_compact); }

Test(jaeger_thrift, binary_payload_fills_its_limit_to_the_byte)
{
	assert_limits(&format_jaeger_binary);
	options.max_payload_bytes = 0;
	assert_limits(&format_jaeger_binary_batch);
}

Test(jaeger_thrift, too_large_a_span_loses_the_ends_of_its_values)
{
	static char text[70000];
	const struct attribute long_one[] = { { SLICE("long"),
						{ .type = VALUE_STRING, .string = { text, sizeof(text) } } },
					      STRING_ATTRIBUTE("short", "kept") };
	struct span spans[2] = { sample_span(), sample_span() };
	const struct thrift_node *tags;

	memset(text, 'x', sizeof(text));
	spans[0].attributes = ATTRIBUTES(long_one);
	options.max_payload_bytes = 65000;
	cr_assert_eq(encode(&format_jaeger_compact, spans, 2), 1);
	cr_assert_leq(b.n, 65000);
	tags = thrift_get(first_span(read_back(&format_jaeger_compact)), 10);
	cr_assert_eq(thrift_get(find(tags, "long"), 3)->text.n, 4096);
	assert_string_tag(tags, "short", "kept");
	options.max_payload_bytes = 300;
	cr_assert_eq(encode(&format_jaeger_compact, spans, 2), 1);
	cr_assert_leq(b.n, 300);
}

Test(jaeger_thrift, span_that_can_not_be_shortened_is_left_to_the_caller)
{
	struct span spans[2] = { sample_span(), sample_span() };

	options.max_payload_bytes = 60;
	buf_add_text(&b, "before");
	cr_assert_eq(format_jaeger_compact.encode(&(struct batch){ spans, 2 }, 0, 2, &options, &b), 0);
	cr_assert_eq(b.n, 6);
}

Test(jaeger_thrift, encoding_starts_where_it_is_told)
{
	struct span spans[3] = { sample_span(), sample_span(), sample_span() };

	spans[2].name = SLICE("third");
	cr_assert_eq(format_jaeger_compact.encode(&(struct batch){ spans, 3 }, 2, 1, &options, &b), 1);
	cr_assert(slice_is(thrift_get(first_span(read_back(&format_jaeger_compact)), 5)->text, "third"));
}
