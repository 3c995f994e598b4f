/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Jaeger over gRPC: one PostSpansRequest of one process (jaeger-idl, api_v2; numbers in
 * jaeger.proto). Times are full nanoseconds here, and the parent is a reference.
 */

#include "exporters/encode/formats.h"
#include "exporters/encode/pb.h"
#include "exporters/encode/repeat.h"
#include "exporters/encode/spans.h"
#include "exporters/encode/tags.h"

/* Keys, as they stand in jaeger.proto. */
enum {
	REQUEST_BATCH = PB_BYTES(1),
	BATCH_SPANS = PB_BYTES(1),
	BATCH_PROCESS = PB_BYTES(2),
	PROCESS_NAME = PB_BYTES(1),
	PROCESS_TAGS = PB_BYTES(2),
	SPAN_TRACE_ID = PB_BYTES(1),
	SPAN_ID = PB_BYTES(2),
	SPAN_NAME = PB_BYTES(3),
	SPAN_REFERENCES = PB_BYTES(4),
	SPAN_FLAGS = PB_VARINT(5),
	SPAN_START = PB_BYTES(6),
	SPAN_DURATION = PB_BYTES(7),
	SPAN_TAGS = PB_BYTES(8),
	SPAN_LOGS = PB_BYTES(9),
	TIME_SECONDS = PB_VARINT(1),
	TIME_NANOS = PB_VARINT(2),
	REFERENCE_TRACE_ID = PB_BYTES(1),
	REFERENCE_SPAN_ID = PB_BYTES(2),
	REFERENCE_TYPE = PB_VARINT(3),
	LOG_TIME = PB_BYTES(1),
	LOG_FIELDS = PB_BYTES(2),
	TAG_KEY = PB_BYTES(1),
	TAG_TYPE = PB_VARINT(2),
	TAG_STRING = PB_BYTES(3),
	TAG_BOOL = PB_VARINT(4),
	TAG_INT = PB_VARINT(5),
	TAG_DOUBLE = PB_FIXED64(6),
};

enum { TYPE_STRING = 0, TYPE_BOOL = 1, TYPE_INT = 2, TYPE_DOUBLE = 3 }; /* not the numbers of jaeger.thrift */
enum { REFERENCE_CHILD_OF = 0, REFERENCE_FOLLOWS_FROM = 1 };
enum { FLAG_SAMPLED = 1 };

/* v_type STRING is 0 and so is not written, nor is a value that is zero: proto3. */
static void add_value(struct buf *b, const struct value *value, size_t max_bytes)
{
	struct pb_message text;
	uint64_t bits;

	switch (value->type) {
	case VALUE_STRING: pb_add_string(b, TAG_STRING, tags_cut(value->string, max_bytes)); break;
	case VALUE_BOOL:
		pb_add_varint(b, TAG_TYPE, TYPE_BOOL);
		pb_add_varint(b, TAG_BOOL, value->boolean);
		break;
	case VALUE_INT:
		pb_add_varint(b, TAG_TYPE, TYPE_INT);
		pb_add_varint(b, TAG_INT, (uint64_t)value->integer);
		break;
	case VALUE_DOUBLE:
		memcpy(&bits, &value->real, sizeof(bits));
		pb_add_varint(b, TAG_TYPE, TYPE_DOUBLE);
		pb_add_fixed64(b, TAG_DOUBLE, bits);
		break;
	case VALUE_ARRAY:
		text = pb_open(b, TAG_STRING, 1);
		tags_add_text(b, value, max_bytes);
		pb_close(b, text);
		break;
	}
}

static void add_tag(struct buf *b, uint8_t field, const struct attribute *tag, size_t max_bytes)
{
	struct pb_message message = pb_open(b, field, 1);

	pb_add_string(b, TAG_KEY, tag->key);
	add_value(b, &tag->value, max_bytes);
	pb_close(b, message);
}

/* What is written once and copied for the spans that follow. */
struct written {
	struct tags_repeat tags;
	struct repeat attributes;
};

static void add_tags(struct buf *b, const struct span *span, struct written *written,
		     const struct encode_options *options)
{
	struct tags_repeat *repeat = &written->tags;
	struct tags tags;

	tags_map(&tags, span, TAGS_OF_JAEGER, options);
	repeat_begin(&written->attributes);
	for (size_t i = 0; i < span->attributes.n; i++) {
		const struct attribute *attribute = &span->attributes.items[i];

		if (tags_replace(&tags, attribute) || repeat_attribute(&written->attributes, b, attribute))
			continue;
		add_tag(b, SPAN_TAGS, attribute, options->max_tag_value_bytes);
		repeat_written(&written->attributes, b, false);
	}
	for (size_t i = 0; i < tags.n_own; i++)
		add_tag(b, SPAN_TAGS, &tags.items[i], options->max_tag_value_bytes);
	if (tags_repeated(repeat, span, b->n)) {
		buf_repeat(b, repeat->at, repeat->n);
		return;
	}
	for (size_t i = tags.n_own; i < tags.n; i++)
		add_tag(b, SPAN_TAGS, &tags.items[i], options->max_tag_value_bytes);
	repeat->n = b->n - repeat->at;
}

/* A Timestamp or a Duration. */
static void add_time(struct buf *b, uint8_t key, uint64_t ns)
{
	struct pb_message message = pb_open(b, key, 1);

	pb_add_varint(b, TIME_SECONDS, ns / 1000000000);
	pb_add_varint(b, TIME_NANOS, ns % 1000000000);
	pb_close(b, message);
}

static void add_reference(struct buf *b, const uint8_t *trace_id, const uint8_t *span_id, unsigned type)
{
	struct pb_message message = pb_open(b, SPAN_REFERENCES, 1);

	pb_add_bytes(b, REFERENCE_TRACE_ID, trace_id, 16);
	pb_add_bytes(b, REFERENCE_SPAN_ID, span_id, 8);
	pb_add_varint(b, REFERENCE_TYPE, type);
	pb_close(b, message);
}

static void add_logs(struct buf *b, const struct span *span, size_t max_bytes)
{
	for (size_t i = 0; i < span->n_events; i++) {
		const struct model_event *event = &span->events[i];
		struct attribute name = tags_event_name(event);
		struct pb_message message = pb_open(b, SPAN_LOGS, 1);

		add_time(b, LOG_TIME, event->time_unix_ns);
		if (!tags_have(event->attributes, name.key))
			add_tag(b, LOG_FIELDS, &name, max_bytes);
		for (size_t k = 0; k < event->attributes.n; k++)
			add_tag(b, LOG_FIELDS, &event->attributes.items[k], max_bytes);
		pb_close(b, message);
	}
}

static void add_span(struct buf *b, const struct span *span, struct written *written,
		     const struct encode_options *options)
{
	struct pb_message message = pb_open(b, BATCH_SPANS, 2);
	size_t end;

	pb_add_bytes(b, SPAN_TRACE_ID, span->trace_id, 16);
	pb_add_bytes(b, SPAN_ID, span->span_id, 8);
	pb_add_string(b, SPAN_NAME, span->name);
	if (span_has_parent(span)) /* always the first one */
		add_reference(b, span->trace_id, span->parent_span_id, REFERENCE_CHILD_OF);
	for (size_t i = 0; i < span->n_links; i++)
		add_reference(b, span->links[i].trace_id, span->links[i].span_id, REFERENCE_FOLLOWS_FROM);
	pb_add_varint(b, SPAN_FLAGS, FLAG_SAMPLED);
	add_time(b, SPAN_START, span->start_unix_ns);
	add_time(b, SPAN_DURATION, span_duration_ns(span));
	add_tags(b, span, written, options);
	add_logs(b, span, options->max_tag_value_bytes);
	end = b->n;
	pb_close(b, message);
	if (b->n == end)
		return;
	written->tags = (struct tags_repeat){ 0 };
	repeat_forget(&written->attributes);
}

static void add_process(struct buf *b, const struct resource *resource, size_t max_bytes)
{
	struct pb_message message = pb_open(b, BATCH_PROCESS, 2);

	pb_add_string(b, PROCESS_NAME, resource->service_name);
	for (size_t i = 0; i < resource->attributes.n; i++)
		if (!tags_is_service_name(&resource->attributes.items[i]))
			add_tag(b, PROCESS_TAGS, &resource->attributes.items[i], max_bytes);
	pb_close(b, message);
}

static size_t size_of_process(struct buf *b, const struct resource *resource, size_t max_bytes)
{
	size_t mark = b->n, size;

	add_process(b, resource, max_bytes);
	size = b->n - mark;
	buf_truncate(b, mark);
	return size;
}

static size_t encode(const struct batch *batch, size_t from, size_t n, const struct encode_options *options,
		     struct buf *out)
{
	const struct span *spans = batch->spans + from;
	const struct resource *resource = spans->resource;
	size_t start = out->n, end = payload_end(options, out), taken;
	size_t process = size_of_process(out, resource, options->max_tag_value_bytes);
	struct pb_message message = pb_open(out, REQUEST_BATCH, 3);
	struct written written = { .tags = { 0 } };

	n = spans_of_one_resource(spans, n);
	for (taken = 0; taken < n; taken++) {
		size_t mark = out->n;

		add_span(out, &spans[taken], &written, options);
		if (pb_end(message, out->n + process) > end) {
			buf_truncate(out, mark);
			break;
		}
	}
	add_process(out, resource, options->max_tag_value_bytes);
	pb_close(out, message);
	if (taken == 0)
		buf_truncate(out, start);
	return taken;
}

const struct format format_jaeger_pb = {
	.name = "jaeger-pb",
	.content_type = "application/x-protobuf",
	.encode = encode,
};
