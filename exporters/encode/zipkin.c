/* SPDX-License-Identifier: Apache-2.0 */

/* Zipkin v2: a JSON list of spans (zipkin-api; OpenTelemetry specification, trace/sdk_exporters/zipkin). */

#include "exporters/encode/formats.h"
#include "exporters/encode/json.h"
#include "exporters/encode/repeat.h"
#include "exporters/encode/spans.h"
#include "exporters/encode/tags.h"
#include "exporters/encode/zipkin_endpoint.h"

/*
 * A Zipkin server takes any body that has the bytes yAnnotations" in it for its v1
 * format and refuses it, so a string ends otherwise there.
 */
static void add_string(struct buf *b, struct slice s)
{
	static const struct slice poison = SLICE("yAnnotations");

	json_string(b, s);
	if (s.n < poison.n || memcmp(s.p + s.n - poison.n, poison.p, poison.n) != 0 || b->failed)
		return;
	buf_truncate(b, b->n - 2);
	buf_add_slice(b, SLICE("\\u0073\""));
}

/* What is written once and copied for the spans that follow. */
struct zipkin {
	const struct encode_options *options;
	struct tags_repeat tags;
	struct repeat attributes;
	const struct resource *local; /* whose endpoint stands at */
	size_t local_at, local_n;
};

/* Tags are strings, whatever the attribute was. */
static void add_tag_value(struct buf *b, const struct value *value, size_t max_bytes)
{
	size_t start = b->n;

	if (value->type == VALUE_STRING) {
		add_string(b, tags_cut(value->string, max_bytes));
	} else if (value->type == VALUE_ARRAY) {
		tags_add_text(b, value, max_bytes);
		json_quote_tail(b, start);
	} else {
		buf_add_byte(b, '"');
		tags_add_text(b, value, max_bytes);
		buf_add_byte(b, '"');
	}
}

/* With a comma after it, which the last one gives away. */
static void add_tag(struct buf *b, const struct attribute *tag, const struct zipkin *z)
{
	add_string(b, tag->key);
	buf_add_byte(b, ':');
	add_tag_value(b, &tag->value, z->options->max_tag_value_bytes);
	buf_add_byte(b, ',');
}

static void add_tags(struct buf *b, const struct span *span, struct zipkin *z)
{
	static const struct slice open = SLICE(",\"tags\":{");
	size_t start = b->n;
	struct tags tags;

	tags_map(&tags, span, TAGS_OF_ZIPKIN, z->options);
	buf_add_slice(b, open);
	repeat_begin(&z->attributes);
	for (size_t i = 0; i < span->attributes.n; i++) {
		const struct attribute *attribute = &span->attributes.items[i];

		if (tags_replace(&tags, attribute) || repeat_attribute(&z->attributes, b, attribute))
			continue;
		add_tag(b, attribute, z);
		repeat_written(&z->attributes, b, false);
	}
	for (size_t i = 0; i < tags.n_own; i++)
		add_tag(b, &tags.items[i], z);
	if (tags_repeated(&z->tags, span, b->n)) {
		buf_repeat(b, z->tags.at, z->tags.n);
	} else {
		for (size_t i = tags.n_own; i < tags.n; i++)
			add_tag(b, &tags.items[i], z);
		z->tags.n = b->n - z->tags.at;
	}
	if (b->n == start + open.n)
		buf_truncate(b, start);
	else if (!b->failed)
		b->p[b->n - 1] = '}';
}

/* The value of an annotation: the name, or "name": {attributes}. */
static void add_annotation_value(struct buf *b, const struct model_event *event)
{
	size_t start = b->n;

	if (!event->attributes.n) {
		add_string(b, event->name);
		return;
	}
	json_string(b, event->name);
	buf_add_slice(b, SLICE(": "));
	json_object(b, event->attributes);
	json_quote_tail(b, start);
}

static void add_annotations(struct buf *b, const struct span *span)
{
	for (size_t i = 0; i < span->n_events; i++) {
		buf_add_slice(b, i ? SLICE(",{\"timestamp\":") : SLICE(",\"annotations\":[{\"timestamp\":"));
		buf_add_u64(b, span->events[i].time_unix_ns / 1000);
		buf_add_slice(b, SLICE(",\"value\":"));
		add_annotation_value(b, &span->events[i]);
		buf_add_byte(b, '}');
	}
	if (span->n_events)
		buf_add_byte(b, ']');
}

static struct slice kind_field(const struct span *span)
{
	switch (span->kind) {
	case MODEL_KIND_SERVER: return SLICE(",\"kind\":\"SERVER\"");
	case MODEL_KIND_CLIENT: return SLICE(",\"kind\":\"CLIENT\"");
	case MODEL_KIND_PRODUCER: return SLICE(",\"kind\":\"PRODUCER\"");
	case MODEL_KIND_CONSUMER: return SLICE(",\"kind\":\"CONSUMER\"");
	default: return (struct slice){ NULL, 0 };
	}
}

static void add_endpoint(struct buf *b, const struct zipkin_endpoint *endpoint)
{
	struct slice before = SLICE("{");

	if (endpoint->service_name.n) {
		buf_add_slice(b, SLICE("{\"serviceName\":"));
		add_string(b, endpoint->service_name);
		before = SLICE(",");
	}
	if (endpoint->ipv4.n) {
		buf_add_slice(b, before);
		buf_add_slice(b, SLICE("\"ipv4\":"));
		json_string(b, endpoint->ipv4);
		before = SLICE(",");
	}
	if (endpoint->ipv6.n) {
		buf_add_slice(b, before);
		buf_add_slice(b, SLICE("\"ipv6\":"));
		json_string(b, endpoint->ipv6);
		before = SLICE(",");
	}
	if (endpoint->port) {
		buf_add_slice(b, before);
		buf_add_slice(b, SLICE("\"port\":"));
		buf_add_u64(b, endpoint->port);
		before = SLICE(",");
	}
	buf_add_slice(b, before.p[0] == '{' ? SLICE("{}") : SLICE("}"));
}

static void add_local_endpoint(struct buf *b, const struct resource *resource, struct zipkin *z)
{
	struct zipkin_endpoint local = {
		.service_name = resource->service_name,
		.ipv4 = z->options->local_ipv4,
		.ipv6 = z->options->local_ipv6,
		.port = z->options->local_port,
	};

	if (z->local == resource) {
		buf_repeat(b, z->local_at, z->local_n);
		return;
	}
	z->local = resource;
	z->local_at = b->n;
	buf_add_slice(b, SLICE(",\"localEndpoint\":"));
	add_endpoint(b, &local);
	z->local_n = b->n - z->local_at;
}

static void add_remote_endpoint(struct buf *b, const struct span *span)
{
	struct zipkin_endpoint remote;

	if (!zipkin_remote_endpoint(&remote, span))
		return;
	buf_add_slice(b, SLICE(",\"remoteEndpoint\":"));
	add_endpoint(b, &remote);
}

static void add_span(struct buf *b, const struct span *span, struct zipkin *z)
{
	uint64_t duration_us = span_duration_ns(span) / 1000;

	buf_add_slice(b, SLICE("{\"traceId\":\""));
	buf_add_hex(b, span->trace_id, 16);
	buf_add_slice(b, SLICE("\",\"id\":\""));
	buf_add_hex(b, span->span_id, 8);
	if (span_has_parent(span)) {
		buf_add_slice(b, SLICE("\",\"parentId\":\""));
		buf_add_hex(b, span->parent_span_id, 8);
	}
	buf_add_byte(b, '"');
	if (span->name.n) {
		buf_add_slice(b, SLICE(",\"name\":"));
		add_string(b, span->name);
	}
	buf_add_slice(b, kind_field(span));
	buf_add_slice(b, SLICE(",\"timestamp\":"));
	buf_add_u64(b, span->start_unix_ns / 1000);
	buf_add_slice(b, SLICE(",\"duration\":"));
	buf_add_u64(b, duration_us ? duration_us : 1); /* 0 is not allowed */
	add_local_endpoint(b, span->resource, z);
	add_remote_endpoint(b, span);
	add_annotations(b, span);
	add_tags(b, span, z);
	buf_add_byte(b, '}');
}

static size_t encode(const struct batch *batch, size_t from, size_t n, const struct encode_options *options,
		     struct buf *out)
{
	size_t start = out->n, end = payload_end(options, out), taken;
	struct zipkin z = { .options = options };

	for (taken = 0; taken < n; taken++) {
		size_t mark = out->n;

		buf_add_byte(out, taken ? ',' : '[');
		add_span(out, &batch->spans[from + taken], &z);
		if (out->n >= end) { /* no room for the closing bracket */
			buf_truncate(out, mark);
			break;
		}
	}
	if (taken)
		buf_add_byte(out, ']');
	else
		buf_truncate(out, start);
	return taken;
}

const struct format format_zipkin = {
	.name = "zipkin",
	.content_type = "application/json",
	.encode = encode,
};
