/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/ctl/span_facts.h"
#include "exporters/ctl/view.h"
#include "exporters/encode/json.h"

static void add_id(struct buf *out, const char *name, const uint8_t *id, size_t n)
{
	buf_printf(out, "\"%s\":\"", name);
	buf_add_hex(out, id, n);
	buf_add_text(out, "\"");
}

static void add_text(struct buf *out, const char *name, struct slice text)
{
	if (!text.n)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_string(out, text);
}

static void add_events(struct buf *out, const struct span *span)
{
	for (size_t i = 0; i < span->n_events; i++) {
		const struct model_event *event = &span->events[i];

		buf_printf(out, "%s{\"time_unix_ns\":%llu,\"name\":", i ? "," : ",\"events\":[",
			   (unsigned long long)event->time_unix_ns);
		json_string(out, event->name);
		buf_add_text(out, ",\"attributes\":");
		json_object(out, event->attributes);
		buf_add_byte(out, '}');
	}
	if (span->n_events)
		buf_add_byte(out, ']');
}

static void add_span(struct buf *out, const struct span *span, uint32_t depth)
{
	static const char *const kinds[] = { "unspecified", "internal", "server",
					     "client",      "producer", "consumer" };
	static const uint8_t zero[8];
	struct span_facts facts = span_facts(span);

	buf_add_byte(out, '{');
	add_id(out, "span_id", span->span_id, 8);
	if (memcmp(span->parent_span_id, zero, 8) != 0) {
		buf_add_byte(out, ',');
		add_id(out, "parent_span_id", span->parent_span_id, 8);
	}
	buf_printf(out, ",\"depth\":%u,\"kind\":\"%s\",\"name\":", depth, kinds[span->kind]);
	json_string(out, span->name);
	add_text(out, "service", span->resource->service_name);
	add_text(out, "method", facts.method);
	add_text(out, "route", facts.route);
	add_text(out, "path", facts.path);
	if (facts.status)
		buf_printf(out, ",\"status\":%d", facts.status);
	buf_printf(out, ",\"error\":%s", facts.failed ? "true" : "false");
	add_text(out, "error_type", facts.error_type);
	add_text(out, "status_message", span->status_message);
	buf_printf(out, ",\"start_unix_ns\":%llu,\"duration_ns\":%llu,\"attributes\":",
		   (unsigned long long)span->start_unix_ns, (unsigned long long)facts.duration_ns);
	json_object(out, span->attributes);
	add_events(out, span);
	buf_add_byte(out, '}');
}

void view_trace_json(struct buf *out, const struct trace_set *set, const struct trace *trace)
{
	const struct trace_node *nodes = &set->nodes[trace->first];

	buf_add_byte(out, '{');
	add_id(out, "trace_id", trace_set_span(set, nodes)->trace_id, 16);
	buf_printf(out, ",\"start_unix_ns\":%llu,\"duration_ns\":%llu,\"error\":%s,\"spans\":[",
		   (unsigned long long)trace->start_unix_ns,
		   (unsigned long long)(trace->end_unix_ns - trace->start_unix_ns),
		   trace->failed ? "true" : "false");
	for (uint32_t i = 0; i < trace->n; i++) {
		if (i)
			buf_add_byte(out, ',');
		add_span(out, trace_set_span(set, &nodes[i]), nodes[i].depth);
	}
	buf_add_text(out, "]}\n");
}
