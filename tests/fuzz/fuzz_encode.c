/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes become spans of all shapes - also such as the model forbids: no UTF-8, arrays in
 * arrays - and each format encodes them under a limit. Every payload is within the limit,
 * parses, and holds as many spans as encode() told.
 */
/* clang-format off
 * FUZZ_SOURCES: exporters/base/arena.c exporters/base/buf.c exporters/base/number.c exporters/base/utf8.c
 * FUZZ_SOURCES: exporters/encode/console.c exporters/encode/formats.c exporters/encode/jaeger_pb.c
 * FUZZ_SOURCES: exporters/encode/jaeger_thrift.c exporters/encode/json.c exporters/encode/otlp_json.c
 * FUZZ_SOURCES: exporters/encode/otlp_pb.c exporters/encode/pb.c exporters/encode/tags.c exporters/encode/thrift.c
 * FUZZ_SOURCES: exporters/encode/zipkin.c exporters/encode/zipkin_endpoint.c
 * FUZZ_SOURCES: tests/lib/json_tree.c tests/lib/thrift_tree.c build/gen/otlp.pb-c.c build/gen/jaeger.pb-c.c
 * FUZZ_LIBS: -lprotobuf-c -lm
 * clang-format on */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>

#include "exporters/base/utf8.h"
#include "exporters/encode/formats.h"
#include "jaeger.pb-c.h"
#include "otlp.pb-c.h"
#include "tests/lib/json_tree.h"
#include "tests/lib/thrift_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

enum { SPANS = 6, GROUPS = 2, ATTRIBUTES = 20, OTHERS = 3 };

struct input {
	const uint8_t *p, *end;
	struct arena *arena;
};

static uint64_t number(struct input *in, int bytes)
{
	uint64_t value = 0;

	while (bytes-- && in->p < in->end)
		value = value << 8 | *in->p++;
	return value;
}

static size_t below(struct input *in, size_t limit) { return number(in, 1) % limit; }

/* From the input itself, a word that some format treats in its own way, or something long. */
static struct slice text(struct input *in)
{
	static const char *const words[] = { "error",
					     "false",
					     "otel.status_code",
					     "span.kind",
					     "event",
					     "yAnnotations",
					     "service.name",
					     "service.namespace",
					     "client.address",
					     "127.0.0.1",
					     "::ffff:1.2.3.4",
					     "network.peer.address",
					     "network.peer.port",
					     "url.path",
					     "http.request.method",
					     "http.response.status_code",
					     "http.response.body.size",
					     "w3c.tracestate" };
	size_t n = below(in, 64);
	char *p;

	if (n >= 40)
		return slice_of(words[below(in, sizeof(words) / sizeof(*words))]);
	if (n == 39) {
		n = number(in, 2) / 4;
		p = arena_take(in->arena, n + 1);
		for (size_t i = 0; i < n; i++)
			p[i] = (char)(i * 7);
		return (struct slice){ p, n };
	}
	if (n > (size_t)(in->end - in->p))
		n = (size_t)(in->end - in->p);
	/* A copy of just the right size, so that reading beyond it is seen. */
	in->p += n;
	return arena_copy(in->arena, (struct slice){ (const char *)in->p - n, n });
}

static struct value value_of(struct input *in, int depth)
{
	struct value value = { .type = below(in, depth ? 5 : 4) };
	struct value *items;
	uint64_t bits;

	switch (value.type) {
	case VALUE_STRING: value.string = text(in); break;
	case VALUE_BOOL: value.boolean = below(in, 2); break;
	case VALUE_INT: value.integer = (int64_t)number(in, 1 + (int)below(in, 8)); break;
	case VALUE_DOUBLE:
		bits = number(in, 8);
		memcpy(&value.real, &bits, 8);
		break;
	case VALUE_ARRAY:
		value.array.n = below(in, 5);
		items = arena_take(in->arena, sizeof(*items) * 5);
		for (size_t i = 0; i < value.array.n; i++)
			items[i] = value_of(in, depth - 1);
		value.array.items = items;
		break;
	}
	return value;
}

/* Keys are unique, as the model promises: a Jaeger or Zipkin reader would not mind, the trees here do not
 * check. */
static struct attributes attributes(struct input *in)
{
	struct attribute *items = arena_take(in->arena, sizeof(*items) * ATTRIBUTES);
	size_t n = below(in, ATTRIBUTES);

	for (size_t i = 0; i < n; i++)
		items[i] = (struct attribute){ text(in), value_of(in, 2) };
	return (struct attributes){ items, n };
}

static void id(struct input *in, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)number(in, 1);
	out[n - 1] |= 1;
}

static void fill_events_and_links(struct input *in, struct span *span)
{
	struct model_event *events = arena_take(in->arena, sizeof(*events) * OTHERS);
	struct model_link *links = arena_take(in->arena, sizeof(*links) * OTHERS);

	span->n_events = below(in, OTHERS);
	span->n_links = below(in, OTHERS);
	span->events = events;
	span->links = links;
	for (size_t i = 0; i < span->n_events; i++)
		events[i] = (struct model_event){ number(in, 8), text(in), attributes(in),
						  (uint32_t)number(in, 1) };
	for (size_t i = 0; i < span->n_links; i++) {
		links[i] = (struct model_link){ .flags = (uint32_t)number(in, 2),
						.trace_state = text(in),
						.attributes = attributes(in),
						.dropped_attributes = (uint32_t)number(in, 1) };
		id(in, links[i].trace_id, 16);
		id(in, links[i].span_id, 8);
	}
}

static void fill_span(struct input *in, struct span *span, const struct resource *resources,
		      const struct scope *scopes)
{
	*span = (struct span){ .resource = &resources[below(in, GROUPS)],
			       .scope = &scopes[below(in, GROUPS)] };
	id(in, span->trace_id, 16);
	id(in, span->span_id, 8);
	if (below(in, 2))
		id(in, span->parent_span_id, 8);
	span->kind = below(in, 6);
	span->flags = (uint32_t)number(in, 2);
	span->name = text(in);
	span->trace_state = text(in);
	span->start_unix_ns = number(in, 8);
	span->end_unix_ns = span->start_unix_ns + number(in, 5);
	span->attributes = attributes(in);
	fill_events_and_links(in, span);
	span->dropped_attributes = (uint32_t)number(in, 1);
	span->dropped_events = (uint32_t)number(in, 1);
	span->dropped_links = (uint32_t)number(in, 4);
	span->status = below(in, 3);
	span->status_message = text(in);
}

static size_t count_otlp_json(const struct json *root)
{
	size_t n = 0;

	CHECK(json_count(json_member(root, "resourceSpans")) > 0);
	for (const struct json *r = json_member(root, "resourceSpans")->child; r; r = r->next) {
		CHECK(json_count(json_member(r, "scopeSpans")) > 0);
		for (const struct json *s = json_member(r, "scopeSpans")->child; s; s = s->next) {
			CHECK(json_count(json_member(s, "spans")) > 0);
			n += json_count(json_member(s, "spans"));
		}
	}
	return n;
}

/* libprotobuf-c ends strings at a NUL, so that its own size may be less. */
static size_t count_otlp_pb(struct slice payload)
{
	Otlp__Request *request = otlp__request__unpack(NULL, payload.n, (const uint8_t *)payload.p);
	size_t n = 0;

	CHECK(request && otlp__request__get_packed_size(request) <= payload.n);
	for (size_t i = 0; i < request->n_resource_spans; i++)
		for (size_t j = 0; j < request->resource_spans[i]->n_scope_spans; j++) {
			CHECK(request->resource_spans[i]->scope_spans[j]->n_spans > 0);
			n += request->resource_spans[i]->scope_spans[j]->n_spans;
		}
	otlp__request__free_unpacked(request, NULL);
	return n;
}

static size_t count_jaeger_pb(struct slice payload)
{
	Jaeger__PostSpansRequest *request =
		jaeger__post_spans_request__unpack(NULL, payload.n, (const uint8_t *)payload.p);
	size_t n;

	CHECK(request && jaeger__post_spans_request__get_packed_size(request) <= payload.n);
	CHECK(request->batch && request->batch->process);
	n = request->batch->n_spans;
	jaeger__post_spans_request__free_unpacked(request, NULL);
	return n;
}

static size_t count_lines(struct slice payload)
{
	size_t n = 1;

	for (size_t i = 0; i < payload.n; i++) {
		n += payload.p[i] == '\n';
		CHECK(payload.p[i] == '\n' || ((uint8_t)payload.p[i] >= 0x20 && payload.p[i] != 0x7f));
	}
	return n;
}

static size_t count_spans(const struct format *format, struct slice payload, struct arena *arena)
{
	const struct thrift_node *batch;
	const struct json *root;

	if (format == &format_otlp_pb)
		return count_otlp_pb(payload);
	if (format == &format_jaeger_pb)
		return count_jaeger_pb(payload);
	CHECK(utf8_valid(payload) ||
	      (format != &format_zipkin && format != &format_otlp_json && format != &format_console));
	if (format == &format_console)
		return count_lines(payload);
	if (format == &format_zipkin || format == &format_otlp_json) {
		root = json_parse(arena, payload);
		CHECK(root);
		CHECK(format != &format_zipkin || !memmem(payload.p, payload.n, "yAnnotations\"", 13));
		return format == &format_zipkin ? json_count(root) : count_otlp_json(root);
	}
	batch = thrift_parse(arena, payload, format == &format_jaeger_compact,
			     format != &format_jaeger_binary_batch);
	CHECK(batch && thrift_get(batch, 1) && thrift_get(batch, 2));
	return thrift_get(batch, 2)->count;
}

static void check_format(const struct format *format, const struct batch *batch,
			 const struct encode_options *options, struct arena *arena)
{
	size_t done = 0;
	struct buf out;

	buf_init(&out);
	while (done < batch->n) {
		size_t taken;

		buf_clear(&out);
		buf_add_text(&out, "before");
		taken = format->encode(batch, done, batch->n - done, options, &out);
		CHECK(!out.failed && taken <= batch->n - done);
		CHECK(!options->max_payload_bytes || out.n - 6 <= options->max_payload_bytes);
		CHECK(taken || (out.n == 6 && options->max_payload_bytes));
		if (taken)
			CHECK(count_spans(format, (struct slice){ out.p + 6, out.n - 6 }, arena) == taken);
		done += taken ? taken : 1;
	}
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct encode_options options = { 0 };
	struct resource resources[GROUPS];
	struct scope scopes[GROUPS];
	struct span spans[SPANS];
	struct arena arena;
	struct input in = { data, data + size, &arena };
	struct batch batch = { spans, 0 };

	arena_init(&arena);
	options.max_payload_bytes = below(&in, 3) ? number(&in, 2) : 0;
	options.max_tag_value_bytes = below(&in, 3) ? 0 : number(&in, 1);
	options.without_library_aliases = below(&in, 2);
	options.utc_offset_s = (int32_t)number(&in, 3) - 8000000;
	for (int i = 0; i < GROUPS; i++) {
		resources[i] =
			(struct resource){ attributes(&in), text(&in), (uint32_t)number(&in, 1), text(&in) };
		scopes[i] = (struct scope){ text(&in), text(&in), text(&in), attributes(&in) };
	}
	batch.n = 1 + below(&in, SPANS);
	for (size_t i = 0; i < batch.n; i++)
		fill_span(&in, &spans[i], resources, scopes);
	for (const struct format *const *row = formats; *row; row++)
		check_format(*row, &batch, &options, &arena);
	arena_release(&arena);
	return 0;
}
