/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "exporters/encode/formats.h"
#include "tests/lib/json_tree.h"
#include "tests/lib/sample_spans.h"

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

TestSuite(otlp_json, .init = setup, .fini = teardown);

static size_t encode(const struct span *spans, size_t n)
{
	return format_otlp_json.encode(&(struct batch){ spans, n }, 0, n, &options, &b);
}

#define cr_assert_payload(text) \
	cr_assert(slice_is((struct slice){ b.p, b.n }, text), "got\n%.*s\nwanted\n%s", (int)b.n, b.p, text)

Test(otlp_json, smallest_span_has_ids_times_and_an_empty_status)
{
	struct span span = sample_span();

	span.flags = 0;
	cr_assert_eq(encode(&span, 1), 1);
	cr_assert_payload(
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
		"{\"stringValue\":\"svc\"}}]},\"scopeSpans\":[{\"scope\":{},\"spans\":[{"
		"\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"f1f2f3f4f5f6f7f8\","
		"\"name\":\"GET\",\"kind\":2,\"startTimeUnixNano\":\"1700000000000000000\","
		"\"endTimeUnixNano\":\"1700000000000002500\",\"status\":{}}]}]}]}");
}

/* Every field that the model has, in the order of the Collector's data model. */
Test(otlp_json, full_span_has_all_fields_in_the_collectors_order)
{
	static const struct value items[] = { { .type = VALUE_STRING, .string = SLICE("x") } };
	static const struct attribute attributes[] = {
		STRING_ATTRIBUTE("s", ""),   INT_ATTRIBUTE("i", -5),
		BOOL_ATTRIBUTE("f", false),  DOUBLE_ATTRIBUTE("d", 0.5),
		ARRAY_ATTRIBUTE("a", items), { SLICE("e"), { .type = VALUE_ARRAY } },
	};
	static const struct model_event events[] = {
		{ .time_unix_ns = 7,
		  .name = SLICE("ev"),
		  .attributes = { attributes, 1 },
		  .dropped_attributes = 3 },
		{ .time_unix_ns = 8 },
	};
	static const struct model_link links[] = {
		{ .trace_id = { 0xff },
		  .span_id = { 0xee },
		  .flags = 0x301,
		  .trace_state = SLICE("a=b"),
		  .attributes = { attributes + 1, 1 },
		  .dropped_attributes = 4 },
	};
	static const struct resource resource = { .schema_url = SLICE("http://r"), .dropped_attributes = 9 };
	static const struct scope scope = { .name = SLICE("n"),
					    .version = SLICE("v"),
					    .schema_url = SLICE("http://s"),
					    .attributes = { attributes + 2, 1 } };
	struct span span = sample_span();

	span.parent_span_id[7] = 1;
	span.trace_state = SLICE("k=v");
	span.flags = 0x301;
	span.attributes = ATTRIBUTES(attributes);
	span.events = events, span.n_events = 2;
	span.links = links, span.n_links = 1;
	span.dropped_attributes = 1, span.dropped_events = 2, span.dropped_links = 3;
	span.status = MODEL_STATUS_ERROR;
	span.status_message = SLICE("why\n");
	span.resource = &resource;
	span.scope = &scope;
	cr_assert_eq(encode(&span, 1), 1);
	cr_assert_payload(
		"{\"resourceSpans\":[{\"resource\":{\"droppedAttributesCount\":9},\"scopeSpans\":[{\"scope\":"
		"{"
		"\"name\":\"n\",\"version\":\"v\",\"attributes\":[{\"key\":\"f\",\"value\":{\"boolValue\":"
		"false}}]},"
		"\"spans\":[{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":"
		"\"f1f2f3f4f5f6f7f8\","
		"\"traceState\":\"k=v\",\"parentSpanId\":\"0000000000000001\",\"flags\":769,\"name\":\"GET\","
		"\"kind\":2,"
		"\"startTimeUnixNano\":\"1700000000000000000\",\"endTimeUnixNano\":\"1700000000000002500\","
		"\"attributes\":[{\"key\":\"s\",\"value\":{\"stringValue\":\"\"}},{\"key\":\"i\",\"value\":{"
		"\"intValue\":\"-5\"}},"
		"{\"key\":\"f\",\"value\":{\"boolValue\":false}},{\"key\":\"d\",\"value\":{\"doubleValue\":0."
		"5}},"
		"{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"x\"}]}}},"
		"{\"key\":\"e\",\"value\":{\"arrayValue\":{}}}],\"droppedAttributesCount\":1,"
		"\"events\":[{\"timeUnixNano\":\"7\",\"name\":\"ev\",\"attributes\":[{\"key\":\"s\","
		"\"value\":{\"stringValue\":\"\"}}],"
		"\"droppedAttributesCount\":3},{\"timeUnixNano\":\"8\"}],\"droppedEventsCount\":2,"
		"\"links\":[{\"traceId\":\"ff000000000000000000000000000000\",\"spanId\":"
		"\"ee00000000000000\","
		"\"traceState\":\"a=b\",\"attributes\":[{\"key\":\"i\",\"value\":{\"intValue\":\"-5\"}}],"
		"\"droppedAttributesCount\":4,\"flags\":769}],\"droppedLinksCount\":3,"
		"\"status\":{\"message\":\"why\\n\",\"code\":2}}],\"schemaUrl\":\"http://"
		"s\"}],\"schemaUrl\":\"http://r\"}]}");
}

Test(otlp_json, spans_are_grouped_by_resource_and_scope)
{
	static const struct resource other_resource;
	static const struct scope other_scope = { .name = SLICE("o") };
	struct span spans[5];
	const struct json *root, *resources, *scopes;

	for (int i = 0; i < 5; i++)
		spans[i] = sample_span();
	spans[2].scope = &other_scope;
	spans[3].resource = spans[4].resource = &other_resource;
	cr_assert_eq(encode(spans, 5), 5);
	root = json_parse(&arena, (struct slice){ b.p, b.n });
	resources = json_member(root, "resourceSpans");
	cr_assert_eq(json_count(resources), 2);
	scopes = json_member(resources->child, "scopeSpans");
	cr_assert_eq(json_count(scopes), 2);
	cr_assert_eq(json_count(json_member(scopes->child, "spans")), 2);
	cr_assert_eq(json_count(json_member(scopes->child->next, "spans")), 1);
	scopes = json_member(resources->child->next, "scopeSpans");
	cr_assert_eq(json_count(scopes), 1);
	cr_assert_eq(json_count(json_member(scopes->child, "spans")), 2);
}

static size_t spans_in(struct slice payload)
{
	const struct json *root = json_parse(&arena, payload);
	size_t n = 0;

	cr_assert_not_null(root, "%.*s", (int)payload.n, payload.p);
	for (const struct json *r = json_member(root, "resourceSpans")->child; r; r = r->next) {
		cr_assert_gt(json_count(json_member(r, "scopeSpans")), 0);
		for (const struct json *s = json_member(r, "scopeSpans")->child; s; s = s->next) {
			cr_assert_gt(json_count(json_member(s, "spans")), 0);
			n += json_count(json_member(s, "spans"));
		}
	}
	return n;
}

/* Every limit from nothing to everything, with group borders in between: never longer, never an empty group.
 */
Test(otlp_json, payload_is_whole_and_within_every_limit)
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
	cr_assert_eq(encode(spans, 5), 5);
	whole = b.n;
	for (options.max_payload_bytes = 1; options.max_payload_bytes <= whole; options.max_payload_bytes++) {
		size_t taken;

		buf_clear(&b);
		buf_add_text(&b, "before");
		taken = encode(spans, 5);
		cr_assert_leq(b.n - 6, options.max_payload_bytes);
		cr_assert_geq(taken, last);
		cr_assert(taken == 0 ? b.n == 6 : spans_in((struct slice){ b.p + 6, b.n - 6 }) == taken);
		last = taken;
		arena_clear(&arena);
	}
	cr_assert_eq(last, 5);
}

Test(otlp_json, invalid_utf8_is_repaired)
{
	struct span span = sample_span();

	span.name = SLICE("a\xff");
	encode(&span, 1);
	cr_assert_eq(spans_in((struct slice){ b.p, b.n }), 1);
}
