/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/spans_json.h"

#include <stdlib.h>

#include "tests/lib/json_tree.h"

static uint64_t number(struct slice text)
{
	char digits[32] = "";

	memcpy(digits, text.p, text.n < sizeof(digits) ? text.n : sizeof(digits) - 1);
	return digits[0] == '-' ? (uint64_t)strtoll(digits, NULL, 10) : strtoull(digits, NULL, 10);
}

static double real_number(struct slice text)
{
	char digits[64] = "";

	memcpy(digits, text.p, text.n < sizeof(digits) ? text.n : sizeof(digits) - 1);
	return strtod(digits, NULL);
}

static void read_hex(uint8_t *out, size_t size, struct slice text)
{
	for (size_t i = 0; i < size && 2 * i + 1 < text.n; i++) {
		char pair[3] = { text.p[2 * i], text.p[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

static struct value read_value(struct arena *a, const struct json *node)
{
	const struct json *tagged = node->child;
	struct value *items, value = { 0 };
	size_t i = 0;

	if (slice_is(tagged->key, "string"))
		return (struct value){ .type = VALUE_STRING, .string = tagged->text };
	if (slice_is(tagged->key, "bool"))
		return (struct value){ .type = VALUE_BOOL, .boolean = tagged->kind == JSON_TRUE };
	if (slice_is(tagged->key, "int"))
		return (struct value){ .type = VALUE_INT, .integer = (int64_t)number(tagged->text) };
	if (slice_is(tagged->key, "double"))
		return (struct value){ .type = VALUE_DOUBLE, .real = real_number(tagged->text) };
	items = arena_take(a, sizeof(*items) * (json_count(tagged) + 1));
	for (const struct json *item = tagged->child; item; item = item->next)
		items[i++] = read_value(a, item);
	value.type = VALUE_ARRAY;
	value.array.items = items;
	value.array.n = i;
	return value;
}

static struct attributes read_attributes(struct arena *a, const struct json *node)
{
	struct attribute *items = arena_take(a, sizeof(*items) * (json_count(node) + 1));
	size_t n = 0;

	for (const struct json *member = node ? node->child : NULL; member; member = member->next)
		items[n++] = (struct attribute){ member->key, read_value(a, member) };
	return (struct attributes){ items, n };
}

static uint32_t flags_of(const struct json *node, const char *remote_key)
{
	const struct json *remote = json_member(node, remote_key);
	uint32_t flags = (uint32_t)number(json_text(node, "trace_flags"));

	return flags | 0x100 | (remote && remote->kind == JSON_TRUE ? 0x200 : 0);
}

static void read_events(struct arena *a, const struct json *list, struct span *span)
{
	struct model_event *events = arena_take(a, sizeof(*events) * (json_count(list) + 1));

	span->events = events;
	for (const struct json *node = list->child; node; node = node->next)
		events[span->n_events++] = (struct model_event){
			.time_unix_ns = number(json_text(node, "time_ns")),
			.name = json_text(node, "name"),
			.attributes = read_attributes(a, json_member(node, "attributes")),
			.dropped_attributes = (uint32_t)number(json_text(node, "dropped_attributes_count")),
		};
}

static void read_links(struct arena *a, const struct json *list, struct span *span)
{
	struct model_link *links = arena_take(a, sizeof(*links) * (json_count(list) + 1));

	span->links = links;
	for (const struct json *node = list->child; node; node = node->next) {
		struct model_link *link = &links[span->n_links++];

		*link = (struct model_link){
			.flags = flags_of(node, "is_remote"),
			.trace_state = json_text(node, "trace_state"),
			.attributes = read_attributes(a, json_member(node, "attributes")),
			.dropped_attributes = (uint32_t)number(json_text(node, "dropped_attributes_count")),
		};
		read_hex(link->trace_id, 16, json_text(node, "trace_id"));
		read_hex(link->span_id, 8, json_text(node, "span_id"));
	}
}

static enum model_kind kind_of(struct slice name)
{
	static const char *const names[] = { "UNSPECIFIED", "INTERNAL", "SERVER",
					     "CLIENT",      "PRODUCER", "CONSUMER" };

	for (int i = 0; i < 6; i++)
		if (slice_is(name, names[i]))
			return (enum model_kind)i;
	return MODEL_KIND_UNSPECIFIED;
}

static void read_span(struct arena *a, const struct json *node, struct span *span)
{
	const struct json *status = json_member(node, "status");
	struct slice code = json_text(status, "code");

	read_hex(span->trace_id, 16, json_text(node, "trace_id"));
	read_hex(span->span_id, 8, json_text(node, "span_id"));
	read_hex(span->parent_span_id, 8, json_text(node, "parent_span_id"));
	span->kind = kind_of(json_text(node, "kind"));
	span->flags = flags_of(node, "parent_is_remote");
	span->name = json_text(node, "name");
	span->trace_state = json_text(node, "trace_state");
	span->start_unix_ns = number(json_text(node, "start_ns"));
	span->end_unix_ns = number(json_text(node, "end_ns"));
	span->attributes = read_attributes(a, json_member(node, "attributes"));
	read_events(a, json_member(node, "events"), span);
	read_links(a, json_member(node, "links"), span);
	span->dropped_attributes = (uint32_t)number(json_text(node, "dropped_attributes_count"));
	span->dropped_events = (uint32_t)number(json_text(node, "dropped_events_count"));
	span->dropped_links = (uint32_t)number(json_text(node, "dropped_links_count"));
	span->status = slice_is(code, "OK")      ? MODEL_STATUS_OK
		       : slice_is(code, "ERROR") ? MODEL_STATUS_ERROR
						 : MODEL_STATUS_UNSET;
	span->status_message = json_text(status, "message");
}

bool spans_from_json(struct arena *a, struct slice text, struct batch *batch)
{
	const struct json *root = json_parse(a, text), *list = json_member(root, "spans");
	const struct json *scope_node = json_member(root, "scope");
	struct resource *resource = arena_take(a, sizeof(*resource));
	struct scope *scope = arena_take(a, sizeof(*scope));
	struct span *spans = arena_take(a, sizeof(*spans) * (json_count(list) + 1));
	size_t n = 0;

	if (!list || a->failed)
		return false;
	*resource = (struct resource){ .attributes = read_attributes(a, json_member(root, "resource")) };
	for (size_t i = 0; i < resource->attributes.n; i++)
		if (slice_is(resource->attributes.items[i].key, "service.name"))
			resource->service_name = resource->attributes.items[i].value.string;
	*scope = (struct scope){ .name = json_text(scope_node, "name"),
				 .version = json_text(scope_node, "version") };
	for (const struct json *node = list->child; node; node = node->next, n++) {
		spans[n] = (struct span){ .resource = resource, .scope = scope };
		read_span(a, node, &spans[n]);
	}
	*batch = (struct batch){ spans, n };
	return !a->failed;
}
