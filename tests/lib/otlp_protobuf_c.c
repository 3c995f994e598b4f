/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/otlp_protobuf_c.h"

#include "otlp.pb-c.h"

/* Generated structs want terminated strings. */
static char *text(struct arena *a, struct slice s)
{
	char *copy = arena_take(a, s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

static ProtobufCBinaryData bytes(const uint8_t *p, size_t n)
{
	return (ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p };
}

static void fill_value(struct arena *a, Otlp__AnyValue *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING:
		out->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
		out->string_value = text(a, value->string);
		break;
	case VALUE_BOOL:
		out->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		out->bool_value = value->boolean;
		break;
	case VALUE_INT:
		out->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		out->int_value = value->integer;
		break;
	case VALUE_DOUBLE:
		out->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		out->double_value = value->real;
		break;
	case VALUE_ARRAY: break;
	}
}

static Otlp__KeyValue **attributes(struct arena *a, struct attributes from)
{
	Otlp__KeyValue **list = arena_take(a, sizeof(void *) * (from.n + 1));

	for (size_t i = 0; i < from.n; i++) {
		struct {
			Otlp__KeyValue pair;
			Otlp__AnyValue value;
		} *both = arena_take(a, sizeof(*both));

		otlp__key_value__init(&both->pair);
		otlp__any_value__init(&both->value);
		both->pair.key = text(a, from.items[i].key);
		both->pair.value = &both->value;
		fill_value(a, &both->value, &from.items[i].value);
		list[i] = &both->pair;
	}
	return list;
}

static Otlp__Span *span_of(struct arena *a, const struct span *from)
{
	static const uint8_t zeros[8];
	Otlp__Span *span = arena_take(a, sizeof(*span));

	otlp__span__init(span);
	span->trace_id = bytes(from->trace_id, 16);
	span->span_id = bytes(from->span_id, 8);
	if (memcmp(from->parent_span_id, zeros, 8) != 0)
		span->parent_span_id = bytes(from->parent_span_id, 8);
	span->trace_state = text(a, from->trace_state);
	span->name = text(a, from->name);
	span->kind = from->kind;
	span->start_time_unix_nano = from->start_unix_ns;
	span->end_time_unix_nano = from->end_unix_ns;
	span->attributes = attributes(a, from->attributes);
	span->n_attributes = from->attributes.n;
	span->flags = from->flags;
	if (from->status != MODEL_STATUS_UNSET) {
		span->status = arena_take(a, sizeof(*span->status));
		otlp__span_status__init(span->status);
		span->status->code = from->status;
		span->status->message = text(a, from->status_message);
	}
	return span;
}

void otlp_by_protobuf_c(struct arena *a, const struct batch *batch, struct buf *out)
{
	Otlp__Request request = OTLP__REQUEST__INIT;
	Otlp__ResourceSpans resource_spans = OTLP__RESOURCE_SPANS__INIT, *resource_list = &resource_spans;
	Otlp__ScopeSpans scope_spans = OTLP__SCOPE_SPANS__INIT, *scope_list = &scope_spans;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__Scope scope = OTLP__SCOPE__INIT;
	Otlp__Span **spans = arena_take(a, sizeof(void *) * (batch->n + 1));
	size_t size;

	for (size_t i = 0; i < batch->n; i++)
		spans[i] = span_of(a, &batch->spans[i]);
	resource.attributes = attributes(a, batch->spans->resource->attributes);
	resource.n_attributes = batch->spans->resource->attributes.n;
	scope.name = text(a, batch->spans->scope->name);
	scope.version = text(a, batch->spans->scope->version);
	scope_spans.scope = &scope;
	scope_spans.spans = spans;
	scope_spans.n_spans = batch->n;
	resource_spans.resource = &resource;
	resource_spans.scope_spans = &scope_list;
	resource_spans.n_scope_spans = 1;
	request.resource_spans = &resource_list;
	request.n_resource_spans = 1;
	size = otlp__request__get_packed_size(&request);
	if (buf_reserve(out, size))
		out->n += otlp__request__pack(&request, (uint8_t *)out->p + out->n);
}
