/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>

#include "exporters/ctl/trace_file.h"
#include "exporters/ctl/trace_parse.h"

#define IDS "\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"00f067aa0ba902b7\""

static struct trace_store store;
static struct trace_parser parser;

static void start(void)
{
	trace_store_init(&store);
	trace_parser_init(&parser, &store);
}

static void stop(void)
{
	trace_parser_release(&parser);
	trace_store_release(&store);
}

TestSuite(trace_parse, .init = start, .fini = stop);

static bool parse(const char *text) { return trace_parse(&parser, slice_of(text)); }

static bool parse_span(const char *fields)
{
	struct buf line;
	bool ok;

	buf_init(&line);
	buf_printf(&line, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{%s}]}]}]}", fields);
	ok = trace_parse(&parser, (struct slice){ line.p, line.n });
	buf_release(&line);
	return ok;
}

#define EXPECT_SLICE(s, text) cr_expect(slice_is(s, text), "got '%.*s'", (int)(s).n, (s).p)

Test(trace_parse, the_vectors_are_read_field_by_field)
{
	char name[] = "tests/vectors/otlp.json", *names[] = { name };
	const struct span *span;
	const struct value *value;

	cr_assert_eq(trace_files_load(names, 1, &store, NULL), 0);
	cr_assert_eq(store.n, 6);
	span = &store.spans[2];
	EXPECT_SLICE(span->name, "HTTP /cache/{key}");
	EXPECT_SLICE(span->trace_state, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
	EXPECT_SLICE(span->resource->service_name, "shop-frontend");
	EXPECT_SLICE(span->scope->name, "btrace.http");
	cr_expect_eq(span->trace_id[0], 0x0a);
	cr_expect_eq(span->parent_span_id[7], 0xac);
	cr_expect_eq(span->kind, MODEL_KIND_SERVER);
	cr_expect_eq(span->status, MODEL_STATUS_ERROR);
	cr_expect_eq(span->start_unix_ns, UINT64_C(1709294401000000000));
	cr_expect_eq(span->end_unix_ns, UINT64_C(1709294401002500000));
	span = &store.spans[3];
	EXPECT_SLICE(attributes_text(span->attributes, SLICE("app.escapes")),
		     "q\"b\\s/n\nt\tc\001u\u2028d\177");
	value = attributes_find(span->attributes, SLICE("app.min"));
	cr_expect(value && value->type == VALUE_INT && value->integer == INT64_MIN);
	value = attributes_find(span->attributes, SLICE("app.ratio"));
	cr_expect(value && value->type == VALUE_DOUBLE && value->real == 0.1);
	value = attributes_find(span->attributes, SLICE("app.ints"));
	cr_expect(value && value->type == VALUE_ARRAY && value->array.n == 3 &&
		  value->array.items[2].integer == 300000);
	value = attributes_find(span->attributes, SLICE("app.none"));
	cr_expect(value && value->type == VALUE_ARRAY && value->array.n == 0);
	span = &store.spans[4];
	EXPECT_SLICE(span->status_message, "connection reset by peer");
	cr_assert_eq(span->n_events, 2);
	EXPECT_SLICE(span->events[0].name, "exception");
	cr_expect_eq(span->events[0].attributes.n, 3);
	cr_expect_eq(span->events[1].time_unix_ns, UINT64_C(1709294400220000000));
	cr_assert_eq(span->n_links, 2);
	EXPECT_SLICE(span->links[0].trace_state, "rojo=1");
	cr_expect_eq(span->links[1].flags, 256);
	cr_expect_eq(span->dropped_attributes, 2);
	cr_expect_eq(span->dropped_events, 1);
}

Test(trace_parse, a_resource_may_stand_behind_its_spans)
{
	cr_assert(parse("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
			"}],\"scope\":{\"name\":\"s\"}}],"
			"\"resource\":{\"attributes\":[{\"value\":{\"stringValue\":\"late\"},\"key\":"
			"\"service.name\"}]}}]}"));
	cr_assert_eq(store.n, 1);
	EXPECT_SLICE(store.spans[0].resource->service_name, "late");
	EXPECT_SLICE(store.spans[0].scope->name, "s");
}

Test(trace_parse, numbers_may_be_strings_or_numbers)
{
	cr_assert(parse_span(
		IDS ",\"startTimeUnixNano\":1767225600000000000,\"endTimeUnixNano\":\"1767225600000000001\","
		    "\"kind\":\"2\",\"attributes\":[{\"key\":\"i\",\"value\":{\"intValue\":-7}},"
		    "{\"key\":\"d\",\"value\":{\"doubleValue\":\"NaN\"}}]"));
	cr_expect_eq(store.spans[0].start_unix_ns, UINT64_C(1767225600000000000));
	cr_expect_eq(store.spans[0].kind, MODEL_KIND_SERVER);
	cr_expect_eq(store.spans[0].attributes.items[0].value.integer, -7);
	cr_expect(isnan(store.spans[0].attributes.items[1].value.real));
}

Test(trace_parse, what_is_unknown_or_null_is_skipped)
{
	cr_assert(parse_span(
		IDS ",\"new\":{\"deep\":[1,{\"x\":[]}]},\"attributes\":null,\"events\":null,\"status\":null,"
		    "\"name\":null,\"kind\":99"));
	cr_expect_eq(store.spans[0].attributes.n, 0);
	cr_expect_eq(store.spans[0].kind, MODEL_KIND_UNSPECIFIED);
	cr_expect(parse("{}"));
	cr_expect(parse("{\"partialSuccess\":{}}"));
}

Test(trace_parse, values_without_a_type_of_ours_are_kept_as_text)
{
	cr_assert(parse_span(
		IDS ",\"attributes\":[{\"key\":\"map\",\"value\":{\"kvlistValue\": {\"values\":[]}}},"
		    "{\"key\":\"bytes\",\"value\":{\"bytesValue\":\"AAEC\"}},"
		    "{\"key\":\"nested\",\"value\":{\"arrayValue\":{\"values\":[{\"arrayValue\":{\"values\":["
		    "]}}]}}},"
		    "{\"key\":\"nothing\",\"value\":{}}]"));
	EXPECT_SLICE(store.spans[0].attributes.items[0].value.string, "{\"values\":[]}");
	EXPECT_SLICE(store.spans[0].attributes.items[1].value.string, "AAEC");
	EXPECT_SLICE(store.spans[0].attributes.items[2].value.array.items[0].string, "{\"values\":[]}");
	EXPECT_SLICE(store.spans[0].attributes.items[3].value.string, "");
}

Test(trace_parse, a_bad_line_leaves_no_span_of_it)
{
	static const char *const bad[] = {
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS "},{" IDS ",\"name\":7}]}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS "},{}]}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS "}]}]}]} x",
		"{\"resourceSpans\":{}}",
		"[]",
		"{\"resourceSpans\":[7]}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_expect(!parse(bad[i]), "%s was taken", bad[i]);
		cr_expect(parser.json.error);
		cr_expect_eq(store.n, 0);
	}
}

Test(trace_parse, ids_must_be_whole_and_not_zero)
{
	cr_expect(!parse_span(
		"\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e473\",\"spanId\":\"00f067aa0ba902b7\""));
	cr_expect(!parse_span(
		"\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e473g\",\"spanId\":\"00f067aa0ba902b7\""));
	cr_expect(!parse_span(
		"\"traceId\":\"00000000000000000000000000000000\",\"spanId\":\"00f067aa0ba902b7\""));
	cr_expect(!parse_span("\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\""));
	cr_expect(
		parse_span("\"traceId\":\"4BF92F3577B34DA6A3CE929D0E0E4736\",\"spanId\":\"00F067AA0BA902B7\","
			   "\"parentSpanId\":\"\""));
	cr_expect_eq(store.spans[0].trace_id[0], 0x4b);
}

Test(trace_parse, a_line_cut_anywhere_is_told_as_cut)
{
	static const char text[] =
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"k\",\"value\":"
		"{\"intValue\":\"1\"}}]},\"scopeSpans\":[{\"spans\":[{" IDS
		",\"kind\":2,\"events\":[{\"name\":\"e\"}]}]}]}]}";

	for (size_t n = 1; n < sizeof(text) - 1; n++) {
		cr_expect(!trace_parse(&parser, (struct slice){ text, n }));
		cr_expect(parser.json.cut, "cut at %zu: %s", n, parser.json.error);
	}
	cr_expect(parse(text));
}

Test(trace_parse, equal_strings_are_kept_once)
{
	cr_assert(parse_span(IDS ",\"name\":\"same\""));
	cr_assert(parse_span(IDS ",\"name\":\"same\""));
	cr_expect_eq((const void *)store.spans[0].name.p, (const void *)store.spans[1].name.p);
}

Test(trace_parse, strings_stay_apart_in_a_table_that_grew)
{
	char text[32];

	for (int i = 0; i < 20000; i++) {
		int n = snprintf(text, sizeof(text), "string %d", i);
		struct slice copy = trace_store_string(&store, (struct slice){ text, (size_t)n });

		cr_assert(slice_is(copy, text));
	}
	cr_expect_eq(store.n_strings, 20000);
	EXPECT_SLICE(trace_store_string(&store, SLICE("string 17")), "string 17");
	cr_expect_eq(store.n_strings, 20000);
}
