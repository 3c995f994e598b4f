/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of trace.proto, one table of fields each. */
#include "exporters/ctl/trace_parse.h"

#include <stdlib.h>

#include "exporters/ctl/otlp_read.h"

void trace_parser_init(struct trace_parser *p, struct trace_store *store)
{
	*p = (struct trace_parser){ .store = store };
	json_init(&p->json, (struct slice){ NULL, 0 });
}

void trace_parser_release(struct trace_parser *p)
{
	json_release(&p->json);
	free(p->attributes);
	free(p->values);
	free(p->events);
	free(p->links);
}

#define READ(name, type, call)                               \
	static bool name(struct trace_parser *p, void *into) \
	{                                                    \
		type *m = into;                              \
		return call;                                 \
	}

READ(event_time, struct model_event, otlp_u64(p, &m->time_unix_ns))
READ(event_name, struct model_event, otlp_text(p, &m->name))
READ(event_attributes, struct model_event, otlp_attributes(p, &m->attributes))
READ(event_dropped, struct model_event, otlp_u32(p, &m->dropped_attributes))

static const struct otlp_field event_fields[] = {
	{ "timeUnixNano", event_time },
	{ "name", event_name },
	{ "attributes", event_attributes },
	{ "droppedAttributesCount", event_dropped },
};

static bool read_event(struct trace_parser *p, void *message)
{
	struct model_event event = { .name = SLICE("") };

	(void)message;
	if (!otlp_fields(p, OTLP_FIELDS(event_fields), &event) ||
	    !otlp_push(p, (void **)&p->events, p->n_events, &p->events_size, sizeof(event)))
		return false;
	p->events[p->n_events++] = event;
	return true;
}

READ(link_trace, struct model_link, otlp_id(p, m->trace_id, 16))
READ(link_span, struct model_link, otlp_id(p, m->span_id, 8))
READ(link_state, struct model_link, otlp_text(p, &m->trace_state))
READ(link_flags, struct model_link, otlp_u32(p, &m->flags))
READ(link_attributes, struct model_link, otlp_attributes(p, &m->attributes))
READ(link_dropped, struct model_link, otlp_u32(p, &m->dropped_attributes))

static const struct otlp_field link_fields[] = {
	{ "traceId", link_trace },    { "spanId", link_span },
	{ "traceState", link_state }, { "attributes", link_attributes },
	{ "flags", link_flags },      { "droppedAttributesCount", link_dropped },
};

static bool read_link(struct trace_parser *p, void *message)
{
	struct model_link link = { .trace_state = SLICE("") };

	(void)message;
	if (!otlp_fields(p, OTLP_FIELDS(link_fields), &link) ||
	    !otlp_push(p, (void **)&p->links, p->n_links, &p->links_size, sizeof(link)))
		return false;
	p->links[p->n_links++] = link;
	return true;
}

READ(span_trace, struct span, otlp_id(p, m->trace_id, 16))
READ(span_id, struct span, otlp_id(p, m->span_id, 8))
READ(span_parent, struct span, otlp_id(p, m->parent_span_id, 8))
READ(span_state, struct span, otlp_text(p, &m->trace_state))
READ(span_flags, struct span, otlp_u32(p, &m->flags))
READ(span_name, struct span, otlp_text(p, &m->name))
READ(span_start, struct span, otlp_u64(p, &m->start_unix_ns))
READ(span_end, struct span, otlp_u64(p, &m->end_unix_ns))
READ(span_attributes, struct span, otlp_attributes(p, &m->attributes))
READ(span_dropped_attributes, struct span, otlp_u32(p, &m->dropped_attributes))
READ(span_dropped_events, struct span, otlp_u32(p, &m->dropped_events))
READ(span_dropped_links, struct span, otlp_u32(p, &m->dropped_links))

static bool span_kind(struct trace_parser *p, void *into)
{
	uint32_t kind = MODEL_KIND_UNSPECIFIED;

	if (!otlp_u32(p, &kind))
		return false;
	((struct span *)into)->kind = kind <= MODEL_KIND_CONSUMER ? kind : MODEL_KIND_UNSPECIFIED;
	return true;
}

static bool status_code(struct trace_parser *p, void *into)
{
	uint32_t code = MODEL_STATUS_UNSET;

	if (!otlp_u32(p, &code))
		return false;
	((struct span *)into)->status = code <= MODEL_STATUS_ERROR ? code : MODEL_STATUS_UNSET;
	return true;
}

READ(status_message, struct span, otlp_text(p, &m->status_message))

static const struct otlp_field status_fields[] = { { "code", status_code }, { "message", status_message } };

READ(span_status, struct span, otlp_message(p, OTLP_FIELDS(status_fields), m))

static bool span_events(struct trace_parser *p, void *into)
{
	struct span *span = into;

	p->n_events = 0;
	if (!otlp_list(p, read_event, NULL))
		return false;
	span->events = otlp_pop(p, p->events, p->n_events, sizeof(*p->events));
	span->n_events = p->n_events;
	return !p->json.error;
}

static bool span_links(struct trace_parser *p, void *into)
{
	struct span *span = into;

	p->n_links = 0;
	if (!otlp_list(p, read_link, NULL))
		return false;
	span->links = otlp_pop(p, p->links, p->n_links, sizeof(*p->links));
	span->n_links = p->n_links;
	return !p->json.error;
}

static const struct otlp_field span_fields[] = {
	{ "traceId", span_trace },
	{ "spanId", span_id },
	{ "parentSpanId", span_parent },
	{ "name", span_name },
	{ "kind", span_kind },
	{ "startTimeUnixNano", span_start },
	{ "endTimeUnixNano", span_end },
	{ "attributes", span_attributes },
	{ "flags", span_flags },
	{ "status", span_status },
	{ "traceState", span_state },
	{ "events", span_events },
	{ "links", span_links },
	{ "droppedAttributesCount", span_dropped_attributes },
	{ "droppedEventsCount", span_dropped_events },
	{ "droppedLinksCount", span_dropped_links },
};

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	return n == 0;
}

static bool read_span(struct trace_parser *p, void *message)
{
	struct span span = { .name = SLICE(""), .resource = p->resource, .scope = p->scope }, *place;

	(void)message;
	if (!otlp_fields(p, OTLP_FIELDS(span_fields), &span))
		return false;
	if (is_zero(span.trace_id, sizeof(span.trace_id)) || is_zero(span.span_id, sizeof(span.span_id)))
		return otlp_fail(p, "a span without traceId or spanId");
	place = trace_store_add(p->store);
	if (!place)
		return otlp_fail(p, "out of memory");
	*place = span;
	return true;
}

READ(scope_name, struct scope, otlp_text(p, &m->name))
READ(scope_version, struct scope, otlp_text(p, &m->version))
READ(scope_attributes, struct scope, otlp_attributes(p, &m->attributes))

static const struct otlp_field scope_fields[] = { { "name", scope_name },
						  { "version", scope_version },
						  { "attributes", scope_attributes } };

static bool scope_spans_scope(struct trace_parser *p, void *message)
{
	(void)message;
	return otlp_message(p, OTLP_FIELDS(scope_fields), p->scope);
}

static bool scope_spans_spans(struct trace_parser *p, void *message)
{
	return otlp_list(p, read_span, message);
}

static bool scope_spans_schema(struct trace_parser *p, void *message)
{
	(void)message;
	return otlp_text(p, &p->scope->schema_url);
}

static const struct otlp_field scope_spans_fields[] = { { "scope", scope_spans_scope },
							{ "spans", scope_spans_spans },
							{ "schemaUrl", scope_spans_schema } };

/* The spans point to their scope and resource, which may stand behind them in the text. */
static bool read_scope_spans(struct trace_parser *p, void *message)
{
	p->scope = arena_take(&p->store->arena, sizeof(*p->scope));
	if (!p->scope)
		return otlp_fail(p, "out of memory");
	*p->scope = (struct scope){ .name = SLICE("") };
	return otlp_fields(p, OTLP_FIELDS(scope_spans_fields), message);
}

READ(resource_attributes, struct resource, otlp_attributes(p, &m->attributes))
READ(resource_dropped, struct resource, otlp_u32(p, &m->dropped_attributes))

static const struct otlp_field resource_fields[] = { { "attributes", resource_attributes },
						     { "droppedAttributesCount", resource_dropped } };

static bool resource_spans_resource(struct trace_parser *p, void *message)
{
	(void)message;
	return otlp_message(p, OTLP_FIELDS(resource_fields), p->resource);
}

static bool resource_spans_scopes(struct trace_parser *p, void *message)
{
	return otlp_list(p, read_scope_spans, message);
}

static bool resource_spans_schema(struct trace_parser *p, void *message)
{
	(void)message;
	return otlp_text(p, &p->resource->schema_url);
}

static const struct otlp_field resource_spans_fields[] = {
	{ "resource", resource_spans_resource },
	{ "scopeSpans", resource_spans_scopes },
	{ "schemaUrl", resource_spans_schema },
};

static bool read_resource_spans(struct trace_parser *p, void *message)
{
	p->resource = arena_take(&p->store->arena, sizeof(*p->resource));
	if (!p->resource)
		return otlp_fail(p, "out of memory");
	*p->resource = (struct resource){ .service_name = SLICE("") };
	if (!otlp_fields(p, OTLP_FIELDS(resource_spans_fields), message))
		return false;
	p->resource->service_name = attributes_text(p->resource->attributes, SLICE("service.name"));
	return true;
}

static bool request_resource_spans(struct trace_parser *p, void *message)
{
	return otlp_list(p, read_resource_spans, message);
}

static const struct otlp_field request_fields[] = { { "resourceSpans", request_resource_spans } };

bool trace_parse(struct trace_parser *p, struct slice text)
{
	size_t n = p->store->n;

	json_restart(&p->json, text);
	if (otlp_message(p, OTLP_FIELDS(request_fields), NULL) && json_next(&p->json) == JSON_END)
		return true;
	p->store->n = n;
	return false;
}
