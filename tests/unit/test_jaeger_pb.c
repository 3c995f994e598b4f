/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/encode/formats.h"
#include "jaeger.pb-c.h"
#include "tests/lib/sample_spans.h"

static struct buf b;
static struct encode_options options;
static Jaeger__PostSpansRequest *request;

static void setup(void)
{
	buf_init(&b);
	options = (struct encode_options){ 0 };
}

static void teardown(void)
{
	jaeger__post_spans_request__free_unpacked(request, NULL);
	request = NULL;
	buf_release(&b);
}

TestSuite(jaeger_pb, .init = setup, .fini = teardown);

static size_t encode(const struct span *spans, size_t n)
{
	buf_clear(&b);
	return format_jaeger_pb.encode(&(struct batch){ spans, n }, 0, n, &options, &b);
}

static const Jaeger__Batch *read_back(void)
{
	jaeger__post_spans_request__free_unpacked(request, NULL);
	request = jaeger__post_spans_request__unpack(NULL, b.n, (const uint8_t *)b.p);
	cr_assert(request && request->batch);
	return request->batch;
}

static const Jaeger__KeyValue *find(Jaeger__KeyValue **tags, size_t n, const char *key)
{
	const Jaeger__KeyValue *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (strcmp(tags[i]->key, key) == 0) {
			cr_assert_null(found, "%s twice", key);
			found = tags[i];
		}
	return found;
}

Test(jaeger_pb, small_vector_in_bytes)
{
	static const struct attribute tags[] = { INT_ATTRIBUTE("n", 503), BOOL_ATTRIBUTE("error", true) };
	static const char expected[] =
		"\x0a\x6e\x0a\x65\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
		"\x12\x08\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\x1a\x03"
		"GET"
		"\x22\x1c\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
		"\x12\x08\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\x28\x01\x32\x06\x08\x80\xe2\xcf\xaa\x06\x3a\x03\x10"
		"\xc4\x13"
		"\x42\x08\x0a\x01"
		"n"
		"\x10\x02\x28\xf7\x03\x42\x0b\x0a\x05"
		"error"
		"\x10\x01\x20\x01"
		"\x12\x05\x0a\x03"
		"svc";
	struct span span = sample_span();

	span.kind = MODEL_KIND_INTERNAL;
	memset(span.parent_span_id, 0xaa, 8);
	span.attributes = ATTRIBUTES(tags);
	cr_assert_eq(encode(&span, 1), 1);
	cr_assert_eq(b.n, 112);
	cr_assert_arr_eq(b.p, expected, 112);
}

Test(jaeger_pb, tags_of_the_mapping_replace_attributes)
{
	static const struct value items[] = { { .type = VALUE_INT, .integer = 1 } };
	static const struct attribute attributes[] = {
		STRING_ATTRIBUTE("error", "mine"),
		STRING_ATTRIBUTE("span.kind", "x"),
		ARRAY_ATTRIBUTE("a", items),
		DOUBLE_ATTRIBUTE("d", 0.5),
	};
	static const struct scope scope = { .name = SLICE("bt") };
	struct span span = sample_span();
	Jaeger__Span *s;

	span.attributes = ATTRIBUTES(attributes);
	span.scope = &scope;
	span.status = MODEL_STATUS_ERROR;
	span.status_message = SLICE("why");
	span.dropped_links = 7;
	span.trace_state = SLICE("k=v");
	encode(&span, 1);
	s = read_back()->spans[0];
	cr_assert_eq(find(s->tags, s->n_tags, "error")->v_type, 1);
	cr_assert_eq(find(s->tags, s->n_tags, "error")->v_bool, 1);
	cr_assert_str_eq(find(s->tags, s->n_tags, "span.kind")->v_str, "server");
	cr_assert_str_eq(find(s->tags, s->n_tags, "a")->v_str, "[1]");
	cr_assert_eq(find(s->tags, s->n_tags, "d")->v_float64, 0.5);
	cr_assert_str_eq(find(s->tags, s->n_tags, "otel.status_code")->v_str, "ERROR");
	cr_assert_str_eq(find(s->tags, s->n_tags, "otel.status_description")->v_str, "why");
	cr_assert_eq(find(s->tags, s->n_tags, "otel.dropped_links_count")->v_int64, 7);
	cr_assert_str_eq(find(s->tags, s->n_tags, "w3c.tracestate")->v_str, "k=v");
	cr_assert_str_eq(find(s->tags, s->n_tags, "otel.scope.name")->v_str, "bt");
	cr_assert_str_eq(find(s->tags, s->n_tags, "otel.library.name")->v_str, "bt");
}

Test(jaeger_pb, parent_is_the_first_reference_and_links_follow)
{
	static const struct model_link links[] = { { .trace_id = { 9 }, .span_id = { 8 } } };
	struct span span = sample_span();
	Jaeger__Span *s;

	span.links = links, span.n_links = 1;
	span.parent_span_id[0] = 5;
	encode(&span, 1);
	s = read_back()->spans[0];
	cr_assert_eq(s->n_references, 2);
	cr_assert_eq(s->references[0]->ref_type, 0);
	cr_assert_eq(s->references[0]->span_id.data[0], 5);
	cr_assert_eq(s->references[1]->ref_type, 1);
	cr_assert_eq(s->references[1]->trace_id.data[0], 9);
}

Test(jaeger_pb, events_are_logs_with_an_event_field)
{
	static const struct attribute plain[] = { INT_ATTRIBUTE("n", 1) };
	static const struct attribute own[] = { STRING_ATTRIBUTE("event", "own") };
	static const struct model_event events[] = {
		{ .time_unix_ns = 1700000000000000001, .name = SLICE("ev"), .attributes = { plain, 1 } },
		{ .name = SLICE("ev"), .attributes = { own, 1 } },
	};
	struct span span = sample_span();
	Jaeger__Span *s;

	span.events = events, span.n_events = 2;
	encode(&span, 1);
	s = read_back()->spans[0];
	cr_assert_eq(s->n_logs, 2);
	cr_assert_eq(s->logs[0]->timestamp->nanos, 1);
	cr_assert_str_eq(find(s->logs[0]->fields, s->logs[0]->n_fields, "event")->v_str, "ev");
	cr_assert_eq(s->logs[0]->n_fields, 2);
	cr_assert_str_eq(find(s->logs[1]->fields, s->logs[1]->n_fields, "event")->v_str, "own");
}

Test(jaeger_pb, process_has_the_resources_attributes_but_the_name)
{
	struct span span;
	struct arena arena;
	const Jaeger__Process *process;

	arena_init(&arena);
	sample_server_span(&span, &arena, 1);
	encode(&span, 1);
	process = read_back()->process;
	cr_assert_str_eq(process->service_name, "shop-frontend");
	cr_assert_null(find(process->tags, process->n_tags, "service.name"));
	cr_assert_eq(find(process->tags, process->n_tags, "process.pid")->v_int64, 4242);
	arena_release(&arena);
}

Test(jaeger_pb, payload_has_one_process_and_stays_within_every_limit)
{
	static const struct resource other = { .service_name = SLICE("other") };
	struct span spans[4] = { sample_span(), sample_span(), sample_span(), sample_span() };
	size_t whole, last = 0;

	spans[3].resource = &other;
	cr_assert_eq(encode(spans, 4), 3);
	whole = b.n;
	for (options.max_payload_bytes = 1; options.max_payload_bytes <= whole; options.max_payload_bytes++) {
		size_t taken = encode(spans, 4);

		cr_assert_leq(b.n, options.max_payload_bytes);
		cr_assert_geq(taken, last);
		if (taken) {
			cr_assert_eq(read_back()->n_spans, taken);
			cr_assert_str_eq(request->batch->process->service_name, "svc");
		} else {
			cr_assert_eq(b.n, 0);
		}
		last = taken;
	}
	cr_assert_eq(last, 3);
}

Test(jaeger_pb, values_are_cut_when_asked_for)
{
	static const struct attribute attributes[] = { STRING_ATTRIBUTE("s", "ab\xe6\x9d\xb1") };
	struct span span = sample_span();
	Jaeger__Span *s;

	options.max_tag_value_bytes = 3;
	span.attributes = ATTRIBUTES(attributes);
	encode(&span, 1);
	s = read_back()->spans[0];
	cr_assert_str_eq(find(s->tags, s->n_tags, "s")->v_str, "ab");
}

/* Tags that depend on the scope are copied from the span before, wherever that one has come to lie. */
Test(jaeger_pb, repeated_tags_are_right_after_spans_of_every_size)
{
	static char text[40000];
	static const size_t sizes[] = { 0, 20, 40, 60, 80, 100, 16200, 16300, 16400, 40000 };
	static const struct scope scope = { .name = SLICE("bt"), .version = SLICE("1") };
	enum { N = sizeof(sizes) / sizeof(*sizes) };
	struct attribute attributes[N];
	struct span spans[2 * N];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < N; i++) {
		attributes[i] = (struct attribute){ SLICE("k"),
						    { .type = VALUE_STRING, .string = { text, sizes[i] } } };
		spans[2 * i] = spans[2 * i + 1] = sample_span();
		spans[2 * i].attributes = (struct attributes){ &attributes[i], 1 };
		spans[2 * i].scope = spans[2 * i + 1].scope = &scope;
		spans[2 * i + 1].kind = i % 2 ? MODEL_KIND_CLIENT : MODEL_KIND_SERVER;
	}
	cr_assert_eq(encode(spans, 2 * N), 2 * N);
	read_back();
	for (size_t i = 0; i < 2 * N; i++) {
		Jaeger__Span *s = request->batch->spans[i];

		cr_assert_str_eq(find(s->tags, s->n_tags, "otel.library.version")->v_str, "1");
		cr_assert_str_eq(find(s->tags, s->n_tags, "otel.scope.name")->v_str, "bt");
		cr_assert_str_eq(find(s->tags, s->n_tags, "span.kind")->v_str,
				 spans[i].kind == MODEL_KIND_SERVER ? "server" : "client");
		cr_assert_eq(s->n_tags, i % 2 ? 5 : 6);
	}
}
