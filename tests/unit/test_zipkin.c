/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include <criterion/criterion.h>
#include <string.h>

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
	options = (struct encode_options){ .without_library_aliases = true };
}

static void teardown(void)
{
	buf_release(&b);
	arena_release(&arena);
}

TestSuite(zipkin, .init = setup, .fini = teardown);

static size_t encode(const struct span *spans, size_t n)
{
	buf_clear(&b);
	return format_zipkin.encode(&(struct batch){ spans, n }, 0, n, &options, &b);
}

#define cr_assert_payload(text) \
	cr_assert(slice_is((struct slice){ b.p, b.n }, text), "got\n%.*s\nwanted\n%s", (int)b.n, b.p, text)

/* The one span of the payload. */
static const struct json *encoded(const struct span *span)
{
	const struct json *list;

	cr_assert_eq(encode(span, 1), 1);
	list = json_parse(&arena, (struct slice){ b.p, b.n });
	cr_assert(list && list->kind == JSON_ARRAY && json_count(list) == 1, "%.*s", (int)b.n, b.p);
	return list->child;
}

static void assert_tag(const struct json *span, const char *key, const char *value)
{
	const struct json *tag = json_member(json_member(span, "tags"), key);

	if (!value) {
		cr_assert_null(tag, "%s", key);
		return;
	}
	cr_assert(tag && tag->kind == JSON_STRING && slice_is(tag->text, value), "%s: got %.*s", key,
		  tag ? (int)tag->text.n : 0, tag ? tag->text.p : "");
}

Test(zipkin, span_in_bytes)
{
	static const struct attribute tags[] = { INT_ATTRIBUTE("n", 503), STRING_ATTRIBUTE("s", "a\"b") };
	static const struct scope scope = { .name = SLICE("bt"), .version = SLICE("1") };
	struct span span = sample_span();

	span.attributes = ATTRIBUTES(tags);
	span.scope = &scope;
	span.status = MODEL_STATUS_ERROR;
	span.parent_span_id[0] = 0xaa;
	options.without_library_aliases = false;
	encode(&span, 1);
	cr_assert_payload(
		"[{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"id\":\"f1f2f3f4f5f6f7f8\","
		"\"parentId\":\"aa00000000000000\",\"name\":\"GET\",\"kind\":\"SERVER\","
		"\"timestamp\":1700000000000000,\"duration\":2,\"localEndpoint\":{\"serviceName\":\"svc\"},"
		"\"tags\":{\"n\":\"503\",\"s\":\"a\\\"b\",\"otel.status_code\":\"ERROR\",\"error\":\"\","
		"\"otel.scope.name\":\"bt\",\"otel.scope.version\":\"1\",\"otel.library.name\":\"bt\","
		"\"otel.library.version\":\"1\"}}]");
}

Test(zipkin, least_span_has_no_empty_parts)
{
	struct span span = sample_span();

	span.kind = MODEL_KIND_INTERNAL;
	span.name = (struct slice){ NULL, 0 };
	span.end_unix_ns = span.start_unix_ns;
	encode(&span, 1);
	cr_assert_payload("[{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"id\":\"f1f2f3f4f5f6f7f8\","
			  "\"timestamp\":1700000000000000,\"duration\":1,\"localEndpoint\":{\"serviceName\":"
			  "\"svc\"}}]");
}

Test(zipkin, status_and_error_tags_follow_the_mapping)
{
	static const struct attribute says_false[] = { BOOL_ATTRIBUTE("error", false) };
	static const struct attribute says_no[] = { STRING_ATTRIBUTE("error", "false") };
	static const struct attribute own[] = { STRING_ATTRIBUTE("error", "mine"),
						STRING_ATTRIBUTE("otel.status_code", "x") };
	struct span span = sample_span();
	const struct json *read;

	span.status_message = SLICE("not to be seen");
	span.attributes = ATTRIBUTES(says_false);
	assert_tag(encoded(&span), "error", NULL);
	span.attributes = ATTRIBUTES(says_no);
	assert_tag(encoded(&span), "error", NULL);
	span.attributes = ATTRIBUTES(own);
	assert_tag(encoded(&span), "error", "mine");
	span.status = MODEL_STATUS_OK;
	span.attributes = ATTRIBUTES(says_false);
	read = encoded(&span);
	assert_tag(read, "error", NULL);
	assert_tag(read, "otel.status_code", "OK");
	span.status = MODEL_STATUS_ERROR;
	span.status_message = SLICE("broken pipe");
	span.attributes = ATTRIBUTES(own);
	read = encoded(&span);
	assert_tag(read, "error", "broken pipe");
	assert_tag(read, "otel.status_code", "ERROR");
	cr_assert_eq(json_count(json_member(read, "tags")), 2, "no key twice");
}

Test(zipkin, tags_are_strings_whatever_the_value)
{
	static const struct value items[] = { { .type = VALUE_STRING, .string = SLICE("a\"") },
					      { .type = VALUE_STRING, .string = SLICE("b") } };
	static const struct attribute tags[] = {
		BOOL_ATTRIBUTE("t", true),          DOUBLE_ATTRIBUTE("d", 0.1),
		DOUBLE_ATTRIBUTE("nan", 0.0 / 0.0), ARRAY_ATTRIBUTE("a", items),
		INT_ATTRIBUTE("i", INT64_MIN),      { SLICE("none"), { .type = VALUE_ARRAY } },
	};
	struct span span = sample_span();
	const struct json *read;

	span.attributes = ATTRIBUTES(tags);
	span.dropped_attributes = 1, span.dropped_events = 2, span.dropped_links = 3;
	span.trace_state = SLICE("k=v");
	read = encoded(&span);
	assert_tag(read, "t", "true");
	assert_tag(read, "d", "0.1");
	assert_tag(read, "nan", "NaN");
	assert_tag(read, "a", "[\"a\\\"\",\"b\"]");
	assert_tag(read, "i", "-9223372036854775808");
	assert_tag(read, "none", "[]");
	assert_tag(read, "otel.dropped_attributes_count", "1");
	assert_tag(read, "otel.dropped_events_count", "2");
	assert_tag(read, "otel.dropped_links_count", "3");
	assert_tag(read, "w3c.tracestate", "k=v");
}

Test(zipkin, tag_values_are_cut_between_characters)
{
	static const struct value items[] = { { .type = VALUE_STRING, .string = SLICE("abcdef") } };
	static const struct attribute tags[] = { STRING_ATTRIBUTE("long", "ab\xe6\x9d\xb1"),
						 ARRAY_ATTRIBUTE("a", items) };
	struct span span = sample_span();
	const struct json *read;

	span.attributes = ATTRIBUTES(tags);
	options.max_tag_value_bytes = 4;
	read = encoded(&span);
	assert_tag(read, "long", "ab");
	assert_tag(read, "a", "[\"ab");
}

Test(zipkin, events_become_annotations)
{
	static const struct attribute attributes[] = { STRING_ATTRIBUTE("k", "v\""), INT_ATTRIBUTE("n", 2) };
	static const struct model_event events[] = {
		{ .time_unix_ns = 1700000000000001999,
		  .name = SLICE("e\"x"),
		  .attributes = { attributes, 2 } },
		{ .time_unix_ns = 1700000000000002000, .name = SLICE("plain") },
	};
	struct span span = sample_span();
	const struct json *list;

	span.events = events, span.n_events = 2;
	list = json_member(encoded(&span), "annotations");
	cr_assert_eq(json_count(list), 2);
	cr_assert(slice_is(json_text(list->child, "timestamp"), "1700000000000001"));
	cr_assert(slice_is(json_text(list->child, "value"), "\"e\\\"x\": {\"k\":\"v\\\"\",\"n\":2}"));
	cr_assert(slice_is(json_text(list->child->next, "value"), "plain"));
}

static bool has_text(const char *text) { return memmem(b.p, b.n, text, strlen(text)) != NULL; }

static void assert_remote(struct span *span, const char *json)
{
	encode(span, 1);
	cr_assert_eq(has_text(json[0] ? json : "remoteEndpoint"), json[0] != 0, "%.*s", (int)b.n, b.p);
}

Test(zipkin, remote_endpoint_is_the_first_of_the_rank_list)
{
	static const struct attribute all[] = {
		STRING_ATTRIBUTE("db.name", "orders"),
		STRING_ATTRIBUTE("net.sock.peer.addr", "2001:db8::1"),
		INT_ATTRIBUTE("net.sock.peer.port", 5432),
		INT_ATTRIBUTE("network.peer.port", 80),
		STRING_ATTRIBUTE("network.peer.address", "192.0.2.10"),
		STRING_ATTRIBUTE("server.address", "shop"),
		STRING_ATTRIBUTE("peer.service", "billing"),
	};
	struct span span = sample_span();

	span.kind = MODEL_KIND_CLIENT;
	span.attributes = (struct attributes){ all, 7 };
	assert_remote(&span, "\"remoteEndpoint\":{\"serviceName\":\"billing\"}");
	span.attributes.n = 6;
	assert_remote(&span, "\"remoteEndpoint\":{\"serviceName\":\"shop\"}");
	span.kind = MODEL_KIND_PRODUCER;
	span.attributes.n = 5;
	assert_remote(&span, "\"remoteEndpoint\":{\"ipv4\":\"192.0.2.10\",\"port\":80}");
	span.attributes.n = 4;
	assert_remote(&span, "\"remoteEndpoint\":{\"ipv6\":\"2001:db8::1\",\"port\":5432}");
	span.attributes.n = 1;
	assert_remote(&span, "\"remoteEndpoint\":{\"serviceName\":\"orders\"}");
	span.attributes.n = 0;
	assert_remote(&span, "");
}

Test(zipkin, server_span_has_the_clients_address_if_it_is_one)
{
	static const struct attribute forwarded[] = { STRING_ATTRIBUTE("client.address", "198.51.100.23"),
						      STRING_ATTRIBUTE("network.peer.address", "10.0.0.9") };
	static const struct attribute unknown[] = { STRING_ATTRIBUTE("client.address", "unknown"),
						    STRING_ATTRIBUTE("network.peer.address",
								     "::ffff:10.0.0.9"),
						    INT_ATTRIBUTE("network.peer.port", 70000) };
	static const struct attribute old[] = { INT_ATTRIBUTE("net.sock.peer.port", 5000),
						STRING_ATTRIBUTE("net.sock.peer.addr", "2001:db8::3") };
	static const struct attribute unix_socket[] = { STRING_ATTRIBUTE("network.peer.address",
									 "/run/app.sock") };
	struct span span = sample_span();

	span.attributes = ATTRIBUTES(forwarded);
	assert_remote(&span, "\"remoteEndpoint\":{\"ipv4\":\"198.51.100.23\"}");
	span.attributes = ATTRIBUTES(unknown);
	assert_remote(&span, "\"remoteEndpoint\":{\"ipv4\":\"10.0.0.9\"}");
	span.attributes = ATTRIBUTES(old);
	assert_remote(&span, "\"remoteEndpoint\":{\"ipv6\":\"2001:db8::3\",\"port\":5000}");
	span.attributes = ATTRIBUTES(unix_socket);
	assert_remote(&span, "");
	span.attributes = ATTRIBUTES(forwarded);
	span.kind = MODEL_KIND_INTERNAL;
	assert_remote(&span, "");
}

Test(zipkin, local_node_is_written_when_configured)
{
	struct span span = sample_span();

	options.local_ipv4 = SLICE("192.0.2.1");
	options.local_ipv6 = SLICE("2001:db8::2");
	options.local_port = 8080;
	encode(&span, 1);
	cr_assert(has_text("\"localEndpoint\":{\"serviceName\":\"svc\",\"ipv4\":\"192.0.2.1\","
			   "\"ipv6\":\"2001:db8::2\",\"port\":8080}"),
		  "%.*s", (int)b.n, b.p);
}

/* A Zipkin server takes a body with these bytes for its first version and refuses it. */
Test(zipkin, body_never_looks_like_version_one)
{
	static const struct attribute tags[] = { STRING_ATTRIBUTE("binaryAnnotations", "xyAnnotations"),
						 STRING_ATTRIBUTE("yAnnotations\"", "1") };
	static const struct attribute inner[] = { STRING_ATTRIBUTE("yAnnotations", "yAnnotations") };
	static const struct model_event events[] = { { .name = SLICE("yAnnotations") },
						     { .name = SLICE("yAnnotations"),
						       .attributes = { inner, 1 } } };
	struct span span = sample_span();
	const struct json *read;

	span.attributes = ATTRIBUTES(tags);
	span.events = events, span.n_events = 2;
	span.name = SLICE("yAnnotations");
	read = encoded(&span);
	cr_assert_not(has_text("yAnnotations\""), "%.*s", (int)b.n, b.p);
	assert_tag(read, "binaryAnnotations", "xyAnnotations");
	cr_assert(slice_is(json_text(read, "name"), "yAnnotations"));
}

Test(zipkin, namespace_is_a_tag)
{
	static const struct attribute items[] = { STRING_ATTRIBUTE("service.name", "svc"),
						  STRING_ATTRIBUTE("service.namespace", "shop"),
						  STRING_ATTRIBUTE("host.name", "web-1") };
	static const struct resource resource = { .attributes = { items, 3 }, .service_name = SLICE("svc") };
	struct span span = sample_span();
	const struct json *read;

	span.resource = &resource;
	read = encoded(&span);
	assert_tag(read, "service.namespace", "shop");
	cr_assert(slice_is(json_text(json_member(read, "localEndpoint"), "serviceName"), "svc"));
}

Test(zipkin, a_namespace_that_is_there_many_times_is_one_tag)
{
	static const struct attribute one = STRING_ATTRIBUTE("service.namespace", "shop");
	struct attribute attributes[40];
	struct resource resource = { .service_name = SLICE("s"), .attributes = { attributes, 40 } };
	struct span span = sample_span();
	size_t n = 0;

	for (size_t i = 0; i < 40; i++)
		attributes[i] = one;
	span.resource = &resource;
	cr_assert_eq(encode(&span, 1), 1);
	for (char *p = b.p; (p = memmem(p, (size_t)(b.p + b.n - p), "service.namespace", 17)); p++)
		n++;
	cr_assert_eq(n, 1);
}

Test(zipkin, payload_is_whole_and_within_every_limit)
{
	struct span spans[3] = { sample_span(), sample_span(), sample_span() };
	size_t whole, last = 0;

	encode(spans, 3);
	whole = b.n;
	for (options.max_payload_bytes = 1; options.max_payload_bytes <= whole; options.max_payload_bytes++) {
		size_t taken = encode(spans, 3);

		cr_assert_leq(b.n, options.max_payload_bytes);
		cr_assert(taken == 0 ? b.n == 0
				     : json_count(json_parse(&arena, (struct slice){ b.p, b.n })) == taken);
		cr_assert_geq(taken, last);
		last = taken;
	}
	cr_assert_eq(last, 3, "a limit of exactly the size is enough");
}
