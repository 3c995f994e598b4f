/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/encode/formats.h"
#include "otlp.pb-c.h"
#include "tests/lib/otlp_protobuf_c.h"
#include "tests/lib/sample_spans.h"

static struct buf b;
static struct encode_options options;
static Otlp__Request *request;

static void setup(void)
{
	buf_init(&b);
	options = (struct encode_options){ 0 };
}

static void teardown(void)
{
	otlp__request__free_unpacked(request, NULL);
	request = NULL;
	buf_release(&b);
}

TestSuite(otlp_pb, .init = setup, .fini = teardown);

static size_t encode(const struct span *spans, size_t n)
{
	buf_clear(&b);
	return format_otlp_pb.encode(&(struct batch){ spans, n }, 0, n, &options, &b);
}

/* Reads the payload with libprotobuf-c. */
static const Otlp__Request *read_back(void)
{
	otlp__request__free_unpacked(request, NULL);
	request = otlp__request__unpack(NULL, b.n, (const uint8_t *)b.p);
	cr_assert_not_null(request);
	return request;
}

Test(otlp_pb, small_vector_in_bytes)
{
	static const struct attribute service[] = { STRING_ATTRIBUTE("service.name", "svc") };
	static const struct attribute status[] = { INT_ATTRIBUTE("http.response.status_code", 503) };
	static const struct resource resource = { .attributes = { service, 1 } };
	static const struct scope scope = { .name = SLICE("bt") };
	static const char expected[] =
		"\x0a\x84\x01\x0a\x17\x0a\x15\x0a\x0c"
		"service.name"
		"\x12\x05\x0a\x03"
		"svc"
		"\x12\x69\x0a\x04\x0a\x02"
		"bt"
		"\x12\x61\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
		"\x12\x08\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\x2a\x03"
		"GET"
		"\x30\x02"
		"\x39\x00\x00\x2a\x36\xfe\x9c\x97\x17\x41\xc4\x09\x2a\x36\xfe\x9c\x97\x17"
		"\x4a\x20\x0a\x19"
		"http.response.status_code"
		"\x12\x03\x18\xf7\x03\x7a\x02\x18\x02"
		"\x85\x01\x01\x01\x00\x00";
	struct span span = sample_span();

	span.resource = &resource;
	span.scope = &scope;
	span.attributes = ATTRIBUTES(status);
	span.status = MODEL_STATUS_ERROR;
	cr_assert_eq(encode(&span, 1), 1);
	cr_assert_eq(b.n, 135);
	cr_assert_arr_eq(b.p, expected, 135);
}

Test(otlp_pb, many_spans_are_the_bytes_of_libprotobuf_c)
{
	struct span spans[300];
	struct arena arena;
	struct buf expected;

	arena_init(&arena);
	buf_init(&expected);
	for (unsigned n = 1; n <= 300; n += n < 4 ? 1 : 37) {
		for (unsigned i = 0; i < n; i++)
			sample_server_span(&spans[i], &arena, i);
		buf_clear(&expected);
		otlp_by_protobuf_c(&arena, &(struct batch){ spans, n }, &expected);
		cr_assert_eq(encode(spans, n), n);
		cr_assert_eq(b.n, expected.n);
		cr_assert_arr_eq(b.p, expected.p, b.n);
	}
	arena_release(&arena);
	buf_release(&expected);
}

Test(otlp_pb, values_that_are_zero_are_written_all_the_same)
{
	static const struct value items[] = { { .type = VALUE_STRING, .string = SLICE("") },
					      { .type = VALUE_STRING, .string = SLICE("x") } };
	static const struct attribute attributes[] = {
		STRING_ATTRIBUTE("s", ""),
		BOOL_ATTRIBUTE("f", false),
		INT_ATTRIBUTE("i", 0),
		DOUBLE_ATTRIBUTE("d", 0),
		INT_ATTRIBUTE("m", INT64_MIN),
		ARRAY_ATTRIBUTE("a", items),
		{ SLICE("e"), { .type = VALUE_ARRAY } },
	};
	struct span span = sample_span();
	Otlp__KeyValue **read;

	span.attributes = ATTRIBUTES(attributes);
	encode(&span, 1);
	cr_assert_eq(read_back()->resource_spans[0]->scope_spans[0]->spans[0]->n_attributes, 7);
	read = request->resource_spans[0]->scope_spans[0]->spans[0]->attributes;
	cr_assert_eq(read[0]->value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
	cr_assert_eq(read[1]->value->value_case, OTLP__ANY_VALUE__VALUE_BOOL_VALUE);
	cr_assert_eq(read[2]->value->value_case, OTLP__ANY_VALUE__VALUE_INT_VALUE);
	cr_assert_eq(read[3]->value->value_case, OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE);
	cr_assert_eq(read[4]->value->int_value, INT64_MIN);
	cr_assert_eq(read[5]->value->array_value->n_values, 2);
	cr_assert_str_eq(read[5]->value->array_value->values[1]->string_value, "x");
	cr_assert_eq(read[6]->value->value_case, OTLP__ANY_VALUE__VALUE_ARRAY_VALUE);
	cr_assert_eq(read[6]->value->array_value->n_values, 0);
}

Test(otlp_pb, every_field_arrives)
{
	static const struct attribute attributes[] = { BOOL_ATTRIBUTE("t", true) };
	static const struct model_event events[] = {
		{ .time_unix_ns = 7,
		  .name = SLICE("ev"),
		  .attributes = { attributes, 1 },
		  .dropped_attributes = 300 },
	};
	static const struct model_link links[] = {
		{ .trace_id = { 0xff },
		  .span_id = { 0xee },
		  .flags = 0x301,
		  .trace_state = SLICE("a=b"),
		  .attributes = { attributes, 1 },
		  .dropped_attributes = 4 },
	};
	static const struct resource resource = { .schema_url = SLICE("http://r"), .dropped_attributes = 9 };
	static const struct scope scope = { .name = SLICE("n"),
					    .version = SLICE("v"),
					    .schema_url = SLICE("http://s"),
					    .attributes = { attributes, 1 } };
	struct span span = sample_span();
	const Otlp__ResourceSpans *r;
	const Otlp__Span *s;

	span.parent_span_id[7] = 1;
	span.trace_state = SLICE("k=v");
	span.events = events, span.n_events = 1;
	span.links = links, span.n_links = 1;
	span.dropped_attributes = 1, span.dropped_events = 2, span.dropped_links = 3;
	span.status = MODEL_STATUS_ERROR;
	span.status_message = SLICE("why");
	span.resource = &resource;
	span.scope = &scope;
	encode(&span, 1);
	r = read_back()->resource_spans[0];
	cr_assert_str_eq(r->schema_url, "http://r");
	cr_assert_eq(r->resource->dropped_attributes_count, 9);
	cr_assert_str_eq(r->scope_spans[0]->schema_url, "http://s");
	cr_assert_str_eq(r->scope_spans[0]->scope->version, "v");
	cr_assert_eq(r->scope_spans[0]->scope->n_attributes, 1);
	s = r->scope_spans[0]->spans[0];
	cr_assert_str_eq(s->trace_state, "k=v");
	cr_assert_eq(s->parent_span_id.len, 8);
	cr_assert_eq(s->dropped_attributes_count, 1);
	cr_assert_eq(s->dropped_events_count, 2);
	cr_assert_eq(s->dropped_links_count, 3);
	cr_assert_str_eq(s->status->message, "why");
	cr_assert_eq(s->events[0]->time_unix_nano, 7);
	cr_assert_str_eq(s->events[0]->name, "ev");
	cr_assert_eq(s->events[0]->dropped_attributes_count, 300);
	cr_assert_eq(s->links[0]->trace_id.len, 16);
	cr_assert_eq(s->links[0]->span_id.data[0], 0xee);
	cr_assert_eq(s->links[0]->flags, 0x301);
	cr_assert_str_eq(s->links[0]->trace_state, "a=b");
	cr_assert_eq(s->links[0]->dropped_attributes_count, 4);
}

Test(otlp_pb, message_goes_only_with_error)
{
	struct span span = sample_span();

	span.status = MODEL_STATUS_OK;
	span.status_message = SLICE("not to be seen");
	encode(&span, 1);
	cr_assert_str_eq(read_back()->resource_spans[0]->scope_spans[0]->spans[0]->status->message, "");
	cr_assert_eq(request->resource_spans[0]->scope_spans[0]->spans[0]->status->code, 1);
	span.status = MODEL_STATUS_UNSET;
	encode(&span, 1);
	cr_assert_null(read_back()->resource_spans[0]->scope_spans[0]->spans[0]->status);
}

Test(otlp_pb, lengths_of_all_sizes_are_minimal_and_right)
{
	static char long_text[40000];
	struct span span = sample_span();

	memset(long_text, 'x', sizeof(long_text));
	for (size_t n = 0; n < sizeof(long_text); n += n < 260 || (n > 16000 && n < 16500) ? 1 : 197) {
		struct attribute attributes[] = { { SLICE("k"),
						    { .type = VALUE_STRING, .string = { long_text, n } } } };

		span.attributes = ATTRIBUTES(attributes);
		encode(&span, 1);
		read_back();
		cr_assert_eq(b.n, otlp__request__get_packed_size(request), "%zu", n);
		cr_assert_eq(strlen(request->resource_spans[0]
					    ->scope_spans[0]
					    ->spans[0]
					    ->attributes[0]
					    ->value->string_value),
			     n);
	}
}

Test(otlp_pb, invalid_utf8_is_repaired)
{
	static const struct attribute attributes[] = { STRING_ATTRIBUTE("k\xff", "a\xf0\x9f\x9az") };
	struct span span = sample_span();
	const Otlp__Span *s;

	span.name = SLICE("n\x80");
	span.attributes = ATTRIBUTES(attributes);
	encode(&span, 1);
	s = read_back()->resource_spans[0]->scope_spans[0]->spans[0];
	cr_assert_str_eq(s->name, "n\xef\xbf\xbd");
	cr_assert_str_eq(s->attributes[0]->key, "k\xef\xbf\xbd");
	cr_assert_str_eq(s->attributes[0]->value->string_value, "a\xef\xbf\xbdz");
}

static size_t spans_in_payload(void)
{
	size_t n = 0;

	read_back();
	for (size_t i = 0; i < request->n_resource_spans; i++) {
		cr_assert_gt(request->resource_spans[i]->n_scope_spans, 0);
		for (size_t j = 0; j < request->resource_spans[i]->n_scope_spans; j++) {
			cr_assert_gt(request->resource_spans[i]->scope_spans[j]->n_spans, 0);
			n += request->resource_spans[i]->scope_spans[j]->n_spans;
		}
	}
	return n;
}

Test(otlp_pb, payload_is_whole_and_within_every_limit)
{
	static const struct resource other_resource = { .schema_url = SLICE("http://r") };
	static const struct scope other_scope = { .name = SLICE("o"), .schema_url = SLICE("http://s") };
	struct span spans[5];
	size_t whole, last = 0;

	for (int i = 0; i < 5; i++)
		spans[i] = sample_span();
	spans[1].scope = &other_scope;
	spans[2].resource = spans[3].resource = &other_resource;
	spans[3].scope = &other_scope;
	encode(spans, 5);
	whole = b.n;
	for (options.max_payload_bytes = 1; options.max_payload_bytes <= whole; options.max_payload_bytes++) {
		size_t taken = encode(spans, 5);

		cr_assert_leq(b.n, options.max_payload_bytes);
		cr_assert(taken == 0 ? b.n == 0 : spans_in_payload() == taken);
		cr_assert_geq(taken, last);
		last = taken;
	}
	cr_assert_eq(last, 5, "a limit of exactly the size is enough");
}
