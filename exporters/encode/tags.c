/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/tags.h"

#include "exporters/base/number.h"
#include "exporters/base/utf8.h"
#include "exporters/encode/json.h"

static void add(struct tags *tags, struct slice key, struct value value)
{
	tags->items[tags->n++] = (struct attribute){ key, value };
}

static void add_string(struct tags *tags, struct slice key, struct slice text)
{
	add(tags, key, (struct value){ .type = VALUE_STRING, .string = text });
}

static void add_present(struct tags *tags, struct slice key, struct slice text)
{
	if (text.n)
		add_string(tags, key, text);
}

static void add_count(struct tags *tags, struct slice key, uint32_t count)
{
	if (count)
		add(tags, key, (struct value){ .type = VALUE_INT, .integer = count });
}

/* In Zipkin the mere presence of `error` marks a failure: it is written for ERROR only, and then always. */
static void add_status(struct tags *tags, const struct span *span, enum tag_dialect dialect)
{
	if (span->status == MODEL_STATUS_UNSET)
		return;
	if (span->status == MODEL_STATUS_OK) {
		add_string(tags, SLICE("otel.status_code"), SLICE("OK"));
		return;
	}
	add_string(tags, SLICE("otel.status_code"), SLICE("ERROR"));
	if (dialect == TAGS_OF_ZIPKIN) {
		add_string(tags, SLICE("error"), span->status_message);
		return;
	}
	add_present(tags, SLICE("otel.status_description"), span->status_message);
	add(tags, SLICE("error"), (struct value){ .type = VALUE_BOOL, .boolean = true });
}

static struct slice kind_of(const struct span *span)
{
	switch (span->kind) {
	case MODEL_KIND_SERVER: return SLICE("server");
	case MODEL_KIND_CLIENT: return SLICE("client");
	case MODEL_KIND_PRODUCER: return SLICE("producer");
	case MODEL_KIND_CONSUMER: return SLICE("consumer");
	default: return (struct slice){ NULL, 0 };
	}
}

/* The first of them, should there be several: there is room for one. */
static void add_namespace(struct tags *tags, const struct resource *resource)
{
	static const struct slice key = SLICE("service.namespace");
	size_t i = 0;

	while (i < resource->attributes.n && !slice_equal(resource->attributes.items[i].key, key))
		i++;
	if (i < resource->attributes.n)
		add(tags, key, resource->attributes.items[i].value);
}

void tags_map(struct tags *tags, const struct span *span, enum tag_dialect dialect,
	      const struct encode_options *options)
{
	tags->n = 0;
	add_status(tags, span, dialect);
	add_present(tags, SLICE("w3c.tracestate"), span->trace_state);
	add_count(tags, SLICE("otel.dropped_attributes_count"), span->dropped_attributes);
	add_count(tags, SLICE("otel.dropped_events_count"), span->dropped_events);
	add_count(tags, SLICE("otel.dropped_links_count"), span->dropped_links);
	tags->n_own = tags->n;
	if (dialect == TAGS_OF_JAEGER)
		add_present(tags, SLICE("span.kind"), kind_of(span));
	else
		add_namespace(tags, span->resource);
	add_present(tags, SLICE("otel.scope.name"), span->scope->name);
	add_present(tags, SLICE("otel.scope.version"), span->scope->version);
	if (options->without_library_aliases)
		return;
	add_present(tags, SLICE("otel.library.name"), span->scope->name);
	add_present(tags, SLICE("otel.library.version"), span->scope->version);
}

bool tags_repeated(struct tags_repeat *repeat, const struct span *span, size_t at)
{
	if (repeat->scope == span->scope && repeat->resource == span->resource && repeat->kind == span->kind)
		return true;
	*repeat = (struct tags_repeat){ span->scope, span->resource, span->kind, at, 0 };
	return false;
}

static bool says_false(const struct value *value)
{
	return (value->type == VALUE_BOOL && !value->boolean) ||
	       (value->type == VALUE_STRING && slice_is(value->string, "false"));
}

bool tags_replace_like(const struct tags *tags, const struct attribute *attribute)
{
	struct slice key = attribute->key;

	if (slice_equal(key, SLICE("error")) && says_false(&attribute->value))
		return true;
	for (size_t i = 0; i < tags->n; i++)
		if (slice_equal(tags->items[i].key, key))
			return true;
	return false;
}

struct slice tags_cut(struct slice text, size_t max_bytes)
{
	if (max_bytes)
		text.n = utf8_cut(text, max_bytes);
	return text;
}

void tags_add_text(struct buf *b, const struct value *value, size_t max_bytes)
{
	size_t start = b->n;

	switch (value->type) {
	case VALUE_STRING: buf_add_utf8(b, tags_cut(value->string, max_bytes)); return;
	case VALUE_DOUBLE:
		if (buf_reserve(b, NUMBER_SIZE))
			b->n += number_double(b->p + b->n, value->real);
		return;
	case VALUE_ARRAY:
		json_value(b, value);
		if (max_bytes && b->n - start > max_bytes)
			buf_truncate(
				b,
				start + tags_cut((struct slice){ b->p + start, b->n - start }, max_bytes).n);
		return;
	default: json_value(b, value);
	}
}

struct attribute tags_event_name(const struct model_event *event)
{
	return (struct attribute){ SLICE("event"), { .type = VALUE_STRING, .string = event->name } };
}

bool tags_have(struct attributes attributes, struct slice key)
{
	for (size_t i = 0; i < attributes.n; i++)
		if (slice_equal(attributes.items[i].key, key))
			return true;
	return false;
}

bool tags_is_service_name(const struct attribute *attribute)
{
	return slice_equal(attribute->key, SLICE("service.name"));
}

size_t tags_of_process(const struct resource *resource)
{
	size_t n = 0;

	for (size_t i = 0; i < resource->attributes.n; i++)
		n += !tags_is_service_name(&resource->attributes.items[i]);
	return n;
}
