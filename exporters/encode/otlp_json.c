/* SPDX-License-Identifier: Apache-2.0 */

/*
 * OTLP/JSON: one ExportTraceServiceRequest a payload, in the bytes that the
 * OpenTelemetry Collector's file exporter writes for a line (order of fields by
 * its data model, defaults left out, "status" always there).
 */

#include "exporters/encode/formats.h"
#include "exporters/encode/json.h"
#include "exporters/encode/repeat.h"
#include "exporters/encode/spans.h"

static void add_value(struct buf *b, const struct value *value);

static void add_array(struct buf *b, const struct value *items, size_t n)
{
	buf_add_slice(b, SLICE("{\"arrayValue\":{"));
	for (size_t i = 0; i < n; i++) {
		buf_add_slice(b, i ? SLICE(",") : SLICE("\"values\":["));
		if (items[i].type == VALUE_ARRAY)
			buf_add_slice(b, SLICE("{}")); /* not in the model; depth stays bounded */
		else
			add_value(b, &items[i]);
	}
	buf_add_slice(b, n ? SLICE("]}}") : SLICE("}}"));
}

static void add_value(struct buf *b, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING:
		buf_add_slice(b, SLICE("{\"stringValue\":"));
		json_string(b, value->string);
		break;
	case VALUE_BOOL:
		buf_add_slice(b,
			      value->boolean ? SLICE("{\"boolValue\":true") : SLICE("{\"boolValue\":false"));
		break;
	case VALUE_INT:
		buf_add_slice(b, SLICE("{\"intValue\":\""));
		buf_add_i64(b, value->integer);
		buf_add_byte(b, '"');
		break;
	case VALUE_DOUBLE:
		buf_add_slice(b, SLICE("{\"doubleValue\":"));
		json_double(b, value->real);
		break;
	case VALUE_ARRAY: add_array(b, value->array.items, value->array.n); return;
	}
	buf_add_byte(b, '}');
}

static void add_attribute(struct buf *b, const struct attribute *attribute)
{
	buf_add_slice(b, SLICE("{\"key\":"));
	json_string(b, attribute->key);
	buf_add_slice(b, SLICE(",\"value\":"));
	add_value(b, &attribute->value);
	buf_add_byte(b, '}');
}

/* The list without its key, which every caller writes with the comma that it needs. */
static void add_attributes(struct buf *b, struct attributes attributes)
{
	for (size_t i = 0; i < attributes.n; i++) {
		buf_add_byte(b, i ? ',' : '[');
		add_attribute(b, &attributes.items[i]);
	}
	buf_add_byte(b, ']');
}

static void add_span_attributes(struct buf *b, const struct span *span, struct repeat *repeat)
{
	repeat_begin(repeat);
	if (span->attributes.n)
		buf_add_slice(b, SLICE(",\"attributes\":"));
	for (size_t i = 0; i < span->attributes.n; i++) {
		buf_add_byte(b, i ? ',' : '[');
		if (repeat_attribute(repeat, b, &span->attributes.items[i]))
			continue;
		add_attribute(b, &span->attributes.items[i]);
		repeat_written(repeat, b, false);
	}
	if (span->attributes.n)
		buf_add_byte(b, ']');
}

static void add_string_field(struct buf *b, struct slice key, struct slice value)
{
	if (!value.n)
		return;
	buf_add_slice(b, key);
	json_string(b, value);
}

static void add_u32_field(struct buf *b, struct slice key, uint32_t value)
{
	if (!value)
		return;
	buf_add_slice(b, key);
	buf_add_u64(b, value);
}

static void add_time_field(struct buf *b, struct slice key, uint64_t unix_ns)
{
	buf_add_slice(b, key);
	buf_add_u64(b, unix_ns);
	buf_add_byte(b, '"');
}

static void add_attributes_field(struct buf *b, struct attributes attributes, uint32_t dropped)
{
	if (attributes.n) {
		buf_add_slice(b, SLICE(",\"attributes\":"));
		add_attributes(b, attributes);
	}
	add_u32_field(b, SLICE(",\"droppedAttributesCount\":"), dropped);
}

static void add_ids(struct buf *b, const uint8_t trace_id[16], const uint8_t span_id[8],
		    struct slice trace_state)
{
	buf_add_slice(b, SLICE("{\"traceId\":\""));
	buf_add_hex(b, trace_id, 16);
	buf_add_slice(b, SLICE("\",\"spanId\":\""));
	buf_add_hex(b, span_id, 8);
	buf_add_byte(b, '"');
	add_string_field(b, SLICE(",\"traceState\":"), trace_state);
}

static void add_events(struct buf *b, const struct span *span)
{
	for (size_t i = 0; i < span->n_events; i++) {
		const struct model_event *event = &span->events[i];

		buf_add_slice(b, i ? SLICE(",") : SLICE(",\"events\":["));
		add_time_field(b, SLICE("{\"timeUnixNano\":\""), event->time_unix_ns);
		add_string_field(b, SLICE(",\"name\":"), event->name);
		add_attributes_field(b, event->attributes, event->dropped_attributes);
		buf_add_byte(b, '}');
	}
	if (span->n_events)
		buf_add_byte(b, ']');
	add_u32_field(b, SLICE(",\"droppedEventsCount\":"), span->dropped_events);
}

static void add_links(struct buf *b, const struct span *span)
{
	for (size_t i = 0; i < span->n_links; i++) {
		const struct model_link *link = &span->links[i];

		buf_add_slice(b, i ? SLICE(",") : SLICE(",\"links\":["));
		add_ids(b, link->trace_id, link->span_id, link->trace_state);
		add_attributes_field(b, link->attributes, link->dropped_attributes);
		add_u32_field(b, SLICE(",\"flags\":"), link->flags);
		buf_add_byte(b, '}');
	}
	if (span->n_links)
		buf_add_byte(b, ']');
	add_u32_field(b, SLICE(",\"droppedLinksCount\":"), span->dropped_links);
}

static void add_status(struct buf *b, const struct span *span)
{
	bool with_message = span->status == MODEL_STATUS_ERROR && span->status_message.n;

	buf_add_slice(b, SLICE(",\"status\":{"));
	if (with_message) {
		buf_add_slice(b, SLICE("\"message\":"));
		json_string(b, span->status_message);
		buf_add_byte(b, ',');
	}
	if (span->status != MODEL_STATUS_UNSET) {
		buf_add_slice(b, SLICE("\"code\":"));
		buf_add_u64(b, span->status);
	}
	buf_add_byte(b, '}');
}

static void add_span(struct buf *b, const struct span *span, struct repeat *repeat)
{
	add_ids(b, span->trace_id, span->span_id, span->trace_state);
	if (span_has_parent(span)) {
		buf_add_slice(b, SLICE(",\"parentSpanId\":\""));
		buf_add_hex(b, span->parent_span_id, 8);
		buf_add_byte(b, '"');
	}
	add_u32_field(b, SLICE(",\"flags\":"), span->flags);
	add_string_field(b, SLICE(",\"name\":"), span->name);
	add_u32_field(b, SLICE(",\"kind\":"), span->kind);
	add_time_field(b, SLICE(",\"startTimeUnixNano\":\""), span->start_unix_ns);
	add_time_field(b, SLICE(",\"endTimeUnixNano\":\""), span->end_unix_ns);
	add_span_attributes(b, span, repeat);
	add_u32_field(b, SLICE(",\"droppedAttributesCount\":"), span->dropped_attributes);
	add_events(b, span);
	add_links(b, span);
	add_status(b, span);
	buf_add_byte(b, '}');
}

static void open_resource(struct buf *b, const struct resource *resource, bool first)
{
	bool with_attributes = resource->attributes.n;

	buf_add_slice(b, first ? SLICE("{\"resource\":{") : SLICE(",{\"resource\":{"));
	if (with_attributes) {
		buf_add_slice(b, SLICE("\"attributes\":"));
		add_attributes(b, resource->attributes);
	}
	add_u32_field(b,
		      with_attributes ? SLICE(",\"droppedAttributesCount\":")
				      : SLICE("\"droppedAttributesCount\":"),
		      resource->dropped_attributes);
	buf_add_slice(b, SLICE("},\"scopeSpans\":["));
}

static void open_scope(struct buf *b, const struct scope *scope, bool first)
{
	buf_add_slice(b, first ? SLICE("{\"scope\":{") : SLICE(",{\"scope\":{"));
	add_string_field(b, SLICE("\"name\":"), scope->name);
	add_string_field(b, scope->name.n ? SLICE(",\"version\":") : SLICE("\"version\":"), scope->version);
	if (scope->attributes.n) {
		buf_add_slice(b, scope->name.n || scope->version.n ? SLICE(",\"attributes\":")
								   : SLICE("\"attributes\":"));
		add_attributes(b, scope->attributes);
	}
	buf_add_slice(b, SLICE("},\"spans\":["));
}

/* Ends a ResourceSpans or a ScopeSpans. */
static void close_group(struct buf *b, struct slice schema_url)
{
	buf_add_byte(b, ']');
	add_string_field(b, SLICE(",\"schemaUrl\":"), schema_url);
	buf_add_byte(b, '}');
}

static size_t size_of_close(struct buf *b, struct slice schema_url)
{
	size_t mark = b->n, size;

	close_group(b, schema_url);
	size = b->n - mark;
	buf_truncate(b, mark);
	return size;
}

/*
 * One ScopeSpans of as many of the n spans, all of one scope, as fit below `end`;
 * leaves nothing behind if that is none. Returns how many.
 */
static size_t add_scope_spans(struct buf *b, const struct span *spans, size_t n, bool first, size_t end)
{
	const struct scope *scope = spans->scope;
	size_t start = b->n, close = size_of_close(b, scope->schema_url), taken;
	struct repeat repeat = { .turn = 0 };

	open_scope(b, scope, first);
	for (taken = 0; taken < n; taken++) {
		size_t mark = b->n;

		if (taken)
			buf_add_byte(b, ',');
		add_span(b, &spans[taken], &repeat);
		if (b->n > end || end - b->n < close) {
			buf_truncate(b, mark);
			break;
		}
	}
	if (taken)
		close_group(b, scope->schema_url);
	else
		buf_truncate(b, start);
	return taken;
}

/* The same for a ResourceSpans of spans of one resource. */
static size_t add_resource_spans(struct buf *b, const struct span *spans, size_t n, bool first, size_t end)
{
	const struct resource *resource = spans->resource;
	size_t start = b->n, close = size_of_close(b, resource->schema_url), taken = 0;

	open_resource(b, resource, first);
	while (taken < n && end > close) {
		size_t run = spans_of_one_scope(spans + taken, n - taken);
		size_t fit = add_scope_spans(b, spans + taken, run, taken == 0, end - close);

		taken += fit;
		if (fit < run)
			break;
	}
	if (taken)
		close_group(b, resource->schema_url);
	else
		buf_truncate(b, start);
	return taken;
}

static size_t encode(const struct batch *batch, size_t from, size_t n, const struct encode_options *options,
		     struct buf *out)
{
	static const struct slice head = SLICE("{\"resourceSpans\":["), tail = SLICE("]}");
	size_t start = out->n, end = payload_end(options, out), taken = 0;

	buf_add_slice(out, head);
	while (taken < n && end > tail.n) {
		const struct span *spans = batch->spans + from + taken;
		size_t run = spans_of_one_resource(spans, n - taken);
		size_t fit = add_resource_spans(out, spans, run, taken == 0, end - tail.n);

		taken += fit;
		if (fit < run)
			break;
	}
	buf_add_slice(out, tail);
	if (taken == 0)
		buf_truncate(out, start);
	return taken;
}

const struct format format_otlp_json = {
	.name = "otlp-json",
	.content_type = "application/json",
	.encode = encode,
};
