/* SPDX-License-Identifier: Apache-2.0 */

/* OTLP protobuf: one ExportTraceServiceRequest (opentelemetry-proto; numbers in otlp.proto). */

#include "exporters/encode/formats.h"
#include "exporters/encode/pb.h"
#include "exporters/encode/repeat.h"
#include "exporters/encode/spans.h"

/* Keys, as they stand in otlp.proto. */
enum {
	REQUEST_RESOURCE_SPANS = PB_BYTES(1),
	GROUP_HEAD = PB_BYTES(1), /* ResourceSpans.resource, ScopeSpans.scope */
	GROUP_ITEMS = PB_BYTES(2),
	GROUP_SCHEMA_URL = PB_BYTES(3),
	RESOURCE_ATTRIBUTES = PB_BYTES(1),
	RESOURCE_DROPPED = PB_VARINT(2),
	SCOPE_NAME = PB_BYTES(1),
	SCOPE_VERSION = PB_BYTES(2),
	SCOPE_ATTRIBUTES = PB_BYTES(3),
	SPAN_TRACE_ID = PB_BYTES(1),
	SPAN_ID = PB_BYTES(2),
	SPAN_TRACE_STATE = PB_BYTES(3),
	SPAN_PARENT_ID = PB_BYTES(4),
	SPAN_NAME = PB_BYTES(5),
	SPAN_KIND = PB_VARINT(6),
	SPAN_START = PB_FIXED64(7),
	SPAN_END = PB_FIXED64(8),
	SPAN_ATTRIBUTES = PB_BYTES(9),
	SPAN_DROPPED_ATTRIBUTES = PB_VARINT(10),
	SPAN_EVENTS = PB_BYTES(11),
	SPAN_DROPPED_EVENTS = PB_VARINT(12),
	SPAN_LINKS = PB_BYTES(13),
	SPAN_DROPPED_LINKS = PB_VARINT(14),
	SPAN_STATUS = PB_BYTES(15),
	STATUS_MESSAGE = PB_BYTES(2),
	STATUS_CODE = PB_VARINT(3),
	EVENT_TIME = PB_FIXED64(1),
	EVENT_NAME = PB_BYTES(2),
	EVENT_ATTRIBUTES = PB_BYTES(3),
	EVENT_DROPPED = PB_VARINT(4),
	LINK_TRACE_ID = PB_BYTES(1),
	LINK_SPAN_ID = PB_BYTES(2),
	LINK_TRACE_STATE = PB_BYTES(3),
	LINK_ATTRIBUTES = PB_BYTES(4),
	LINK_DROPPED = PB_VARINT(5),
	LINK_FLAGS = PB_FIXED32(6),
	PAIR_KEY = PB_BYTES(1),
	PAIR_VALUE = PB_BYTES(2),
	VALUE_STRING_KEY = PB_BYTES(1),
	VALUE_BOOL_KEY = PB_VARINT(2),
	VALUE_INT_KEY = PB_VARINT(3),
	VALUE_DOUBLE_KEY = PB_FIXED64(4),
	VALUE_ARRAY_KEY = PB_BYTES(5),
	ARRAY_VALUES = PB_BYTES(1),
};

enum { SCALAR_MAX = 1 + PB_VARINT_MAX };

/* AnyValue is a oneof: false, 0 and "" are written, else the value would be none at all. */
static size_t put_scalar(char *out, const struct value *value)
{
	uint64_t bits;

	switch (value->type) {
	case VALUE_BOOL:
		out[0] = VALUE_BOOL_KEY;
		out[1] = value->boolean;
		return 2;
	case VALUE_INT:
		out[0] = VALUE_INT_KEY;
		return (size_t)(pb_put_varint(out + 1, (uint64_t)value->integer) - out);
	case VALUE_DOUBLE:
		memcpy(&bits, &value->real, sizeof(bits));
		out[0] = VALUE_DOUBLE_KEY;
		return (size_t)(pb_put_fixed64(out + 1, bits) - out);
	default: return 0; /* an AnyValue without a value */
	}
}

static void add_item(struct buf *b, const struct value *value)
{
	struct pb_message item = pb_open(b, ARRAY_VALUES, 1);
	struct utf8_text text;

	if (value->type == VALUE_STRING) {
		text = utf8_text_of(value->string);
		if (buf_reserve(b, 1 + PB_VARINT_MAX + text.size))
			b->n = (size_t)(pb_put_text_field(b->p + b->n, VALUE_STRING_KEY, text) - b->p);
	} else if (buf_reserve(b, SCALAR_MAX)) {
		b->n += put_scalar(b->p + b->n, value); /* arrays in arrays are not in the model: no value */
	}
	pb_close(b, item);
}

static void add_array_attribute(struct buf *b, uint8_t field, const struct attribute *attribute)
{
	struct pb_message pair = pb_open(b, field, 1), value, list;

	pb_add_string(b, PAIR_KEY, attribute->key);
	value = pb_open(b, PAIR_VALUE, 1);
	list = pb_open(b, VALUE_ARRAY_KEY, 1);
	for (size_t i = 0; i < attribute->value.array.n; i++)
		add_item(b, &attribute->value.array.items[i]);
	pb_close(b, list);
	pb_close(b, value);
	pb_close(b, pair);
}

/* The hot path: sizes first, then one piece of room, then the bytes. */
static inline void add_attribute(struct buf *b, uint8_t field, const struct attribute *attribute,
				 struct utf8_text key)
{
	struct utf8_text text = { .size = 0 };
	char scalar[SCALAR_MAX], *p;
	size_t value_size, size;

	if (attribute->value.type == VALUE_ARRAY) {
		add_array_attribute(b, field, attribute);
		return;
	}
	if (attribute->value.type == VALUE_STRING) {
		text = utf8_text_of(attribute->value.string);
		value_size = pb_text_field_size(text);
	} else {
		value_size = put_scalar(scalar, &attribute->value);
	}
	size = pb_text_field_size(key) + 1 + pb_varint_size(value_size) + value_size;
	if (!buf_reserve(b, 1 + PB_VARINT_MAX + size))
		return;
	p = b->p + b->n;
	*p++ = (char)field;
	p = pb_put_varint(p, size);
	p = pb_put_text_field(p, PAIR_KEY, key);
	*p++ = PAIR_VALUE;
	p = pb_put_varint(p, value_size);
	if (attribute->value.type == VALUE_STRING) {
		p = pb_put_text_field(p, VALUE_STRING_KEY, text);
	} else {
		memcpy(p, scalar, value_size);
		p += value_size;
	}
	b->n = (size_t)(p - b->p);
}

static void add_attributes(struct buf *b, uint8_t field, struct attributes attributes)
{
	for (size_t i = 0; i < attributes.n; i++)
		add_attribute(b, field, &attributes.items[i], utf8_text_of(attributes.items[i].key));
}

/* Most of the time goes here. */
static void add_span_attributes(struct buf *b, struct attributes attributes, struct repeat *repeat)
{
	repeat_begin(repeat);
	for (size_t i = 0; i < attributes.n; i++) {
		struct utf8_text key;

		if (repeat_attribute(repeat, b, &attributes.items[i]))
			continue;
		key = repeat_key(repeat);
		add_attribute(b, SPAN_ATTRIBUTES, &attributes.items[i], key);
		repeat_written(repeat, b, key.valid);
	}
}

static void add_events(struct buf *b, const struct span *span)
{
	for (size_t i = 0; i < span->n_events; i++) {
		const struct model_event *event = &span->events[i];
		struct pb_message message = pb_open(b, SPAN_EVENTS, 1);

		pb_add_fixed64(b, EVENT_TIME, event->time_unix_ns);
		pb_add_string(b, EVENT_NAME, event->name);
		add_attributes(b, EVENT_ATTRIBUTES, event->attributes);
		pb_add_varint(b, EVENT_DROPPED, event->dropped_attributes);
		pb_close(b, message);
	}
	pb_add_varint(b, SPAN_DROPPED_EVENTS, span->dropped_events);
}

static void add_links(struct buf *b, const struct span *span)
{
	for (size_t i = 0; i < span->n_links; i++) {
		const struct model_link *link = &span->links[i];
		struct pb_message message = pb_open(b, SPAN_LINKS, 1);

		pb_add_bytes(b, LINK_TRACE_ID, link->trace_id, 16);
		pb_add_bytes(b, LINK_SPAN_ID, link->span_id, 8);
		pb_add_string(b, LINK_TRACE_STATE, link->trace_state);
		add_attributes(b, LINK_ATTRIBUTES, link->attributes);
		pb_add_varint(b, LINK_DROPPED, link->dropped_attributes);
		if (link->flags && buf_reserve(b, 5)) {
			b->p[b->n] = LINK_FLAGS;
			pb_put_fixed32(b->p + b->n + 1, link->flags);
			b->n += 5;
		}
		pb_close(b, message);
	}
	pb_add_varint(b, SPAN_DROPPED_LINKS, span->dropped_links);
}

/* A message goes only with ERROR; an unset status is absent. */
static void add_status(struct buf *b, const struct span *span)
{
	struct pb_message status;

	if (span->status == MODEL_STATUS_UNSET)
		return;
	status = pb_open(b, SPAN_STATUS, 1);
	if (span->status == MODEL_STATUS_ERROR)
		pb_add_string(b, STATUS_MESSAGE, span->status_message);
	pb_add_varint(b, STATUS_CODE, span->status);
	pb_close(b, status);
}

/* Field 16, so its key takes two bytes. */
static void add_flags(struct buf *b, uint32_t flags)
{
	if (!flags || !buf_reserve(b, 6))
		return;
	b->p[b->n] = (char)0x85;
	b->p[b->n + 1] = 0x01;
	pb_put_fixed32(b->p + b->n + 2, flags);
	b->n += 6;
}

static void add_span(struct buf *b, const struct span *span, struct repeat *repeat)
{
	struct pb_message message = pb_open(b, GROUP_ITEMS, 2);
	size_t end;

	pb_add_bytes(b, SPAN_TRACE_ID, span->trace_id, 16);
	pb_add_bytes(b, SPAN_ID, span->span_id, 8);
	pb_add_string(b, SPAN_TRACE_STATE, span->trace_state);
	if (span_has_parent(span))
		pb_add_bytes(b, SPAN_PARENT_ID, span->parent_span_id, 8);
	pb_add_string(b, SPAN_NAME, span->name);
	pb_add_varint(b, SPAN_KIND, span->kind);
	pb_add_fixed64(b, SPAN_START, span->start_unix_ns);
	pb_add_fixed64(b, SPAN_END, span->end_unix_ns);
	add_span_attributes(b, span->attributes, repeat);
	pb_add_varint(b, SPAN_DROPPED_ATTRIBUTES, span->dropped_attributes);
	add_events(b, span);
	add_links(b, span);
	add_status(b, span);
	add_flags(b, span->flags);
	end = b->n;
	pb_close(b, message);
	if (b->n != end)
		repeat_forget(repeat);
}

/* An open ResourceSpans or ScopeSpans: its length goes in at the end, after the schema's URL. */
struct group {
	struct pb_message message;
	struct slice schema_url;
	size_t tail; /* bytes of the URL's field */
};

static struct group open_group(struct buf *b, uint8_t key, struct slice schema_url)
{
	size_t tail = schema_url.n ? pb_text_field_size(utf8_text_of(schema_url)) : 0;

	return (struct group){ pb_open(b, key, 3), schema_url, tail };
}

static void close_group(struct buf *b, const struct group *group)
{
	pb_add_string(b, GROUP_SCHEMA_URL, group->schema_url);
	pb_close(b, group->message);
}

/* Where the buffer would end after closing a group that has come to `end`. */
static size_t end_of_group(const struct group *group, size_t end)
{
	return pb_end(group->message, end + group->tail);
}

/*
 * One ScopeSpans of as many of the n spans, all of one scope, as fit below `end`;
 * leaves nothing behind if that is none. Returns how many.
 */
static size_t add_scope_spans(struct buf *b, const struct span *spans, size_t n, const struct group *resource,
			      size_t end)
{
	const struct scope *scope = spans->scope;
	size_t start = b->n, taken;
	struct repeat repeat = { .turn = 0 };
	struct group group = open_group(b, GROUP_ITEMS, scope->schema_url);
	struct pb_message head = pb_open(b, GROUP_HEAD, 1);

	pb_add_string(b, SCOPE_NAME, scope->name);
	pb_add_string(b, SCOPE_VERSION, scope->version);
	add_attributes(b, SCOPE_ATTRIBUTES, scope->attributes);
	pb_close(b, head);
	for (taken = 0; taken < n; taken++) {
		size_t mark = b->n;

		add_span(b, &spans[taken], &repeat);
		if (end_of_group(resource, end_of_group(&group, b->n)) > end) {
			buf_truncate(b, mark);
			break;
		}
	}
	if (taken)
		close_group(b, &group);
	else
		buf_truncate(b, start);
	return taken;
}

/* The same for a ResourceSpans of spans of one resource. */
static size_t add_resource_spans(struct buf *b, const struct span *spans, size_t n, size_t end)
{
	const struct resource *resource = spans->resource;
	size_t start = b->n, taken = 0;
	struct group group = open_group(b, REQUEST_RESOURCE_SPANS, resource->schema_url);
	struct pb_message head = pb_open(b, GROUP_HEAD, 2);

	add_attributes(b, RESOURCE_ATTRIBUTES, resource->attributes);
	pb_add_varint(b, RESOURCE_DROPPED, resource->dropped_attributes);
	pb_close(b, head);
	while (taken < n) {
		size_t run = spans_of_one_scope(spans + taken, n - taken);
		size_t fit = add_scope_spans(b, spans + taken, run, &group, end);

		taken += fit;
		if (fit < run)
			break;
	}
	if (taken)
		close_group(b, &group);
	else
		buf_truncate(b, start);
	return taken;
}

static size_t encode(const struct batch *batch, size_t from, size_t n, const struct encode_options *options,
		     struct buf *out)
{
	size_t end = payload_end(options, out), taken = 0;

	while (taken < n) {
		const struct span *spans = batch->spans + from + taken;
		size_t run = spans_of_one_resource(spans, n - taken);
		size_t fit = add_resource_spans(out, spans, run, end);

		taken += fit;
		if (fit < run)
			break;
	}
	return taken;
}

const struct format format_otlp_pb = {
	.name = "otlp-pb",
	.content_type = "application/x-protobuf",
	.encode = encode,
};
