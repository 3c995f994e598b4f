/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/ctl/report.h"
#include "exporters/ctl/span_facts.h"
#include "exporters/ctl/text_index.h"
#include "exporters/encode/json.h"

enum column {
	PARENT, /* node of the same trace, from its first; -1 = none */
	START,  /* ns from the start of its trace */
	DURATION,
	NAME,
	KIND,
	STATUS,
	MESSAGE,
	HTTP,
	METHOD,
	ROUTE,
	PATH,
	ERROR,
	RESOURCE,
	SCOPE,
	SET, /* of attribute keys; as many values follow in `values` */
	COLUMNS,
};
static const char *const column_names[COLUMNS] = {
	"parent", "start", "duration", "name",  "kind",     "status", "message", "http",
	"method", "route", "path",     "error", "resource", "scope",  "set",
};

/* A pointer that spans share, and its number in the file. */
struct seen {
	const void *pointer;
	uint32_t number;
};

struct maker {
	const struct report *report;
	struct text_index texts, values, sets, resources, scopes;
	struct buf columns[COLUMNS], flat, ids, remote, events, links, text, key;
	struct seen resource, scope;
};

static uint32_t text_of(struct maker *m, struct slice text) { return text_index_add(&m->texts, text); }

static void add_number(struct buf *out, int64_t value)
{
	if (out->n)
		buf_add_byte(out, ',');
	buf_add_i64(out, value);
}

/* A value as JSON; integers that a double cannot hold as {"i":"..."}. */
static void add_value(struct buf *out, const struct value *value)
{
	const int64_t exact = INT64_C(1) << 53;

	if (value->type == VALUE_INT && (value->integer > exact || value->integer < -exact)) {
		buf_add_text(out, "{\"i\":\"");
		buf_add_i64(out, value->integer);
		buf_add_text(out, "\"}");
	} else if (value->type == VALUE_ARRAY) {
		buf_add_byte(out, '[');
		for (size_t i = 0; i < value->array.n; i++) {
			if (i)
				buf_add_byte(out, ',');
			add_value(out, &value->array.items[i]);
		}
		buf_add_byte(out, ']');
	} else {
		json_value(out, value);
	}
}

/* The number of the set of keys; the numbers of the values are appended to `flat`. */
static uint32_t add_attributes(struct maker *m, struct attributes attributes, struct buf *flat)
{
	buf_clear(&m->key);
	for (size_t i = 0; i < attributes.n; i++) {
		buf_clear(&m->text);
		add_value(&m->text, &attributes.items[i].value);
		add_number(flat, text_index_add(&m->values, (struct slice){ m->text.p, m->text.n }));
		add_number(&m->key, text_of(m, attributes.items[i].key));
	}
	return text_index_add(&m->sets, (struct slice){ m->key.p, m->key.n });
}

/* Something with attributes as "[a,b,set,value...]", where `head` is "a,b". */
static void add_with_attributes(struct maker *m, struct buf *out, const char *head,
				struct attributes attributes)
{
	struct buf flat;
	uint32_t set;

	buf_init(&flat);
	set = add_attributes(m, attributes, &flat);
	buf_printf(out, "[%s%s%u%s", head, *head ? "," : "", set, flat.n ? "," : "");
	buf_add(out, flat.p, flat.n);
	buf_add_byte(out, ']');
	buf_release(&flat);
}

static uint32_t resource_of(struct maker *m, const struct resource *resource)
{
	struct buf text;
	char service[16];

	if (m->resource.pointer == resource)
		return m->resource.number;
	buf_init(&text);
	snprintf(service, sizeof(service), "%u", text_of(m, resource->service_name));
	add_with_attributes(m, &text, service, resource->attributes);
	m->resource =
		(struct seen){ resource, text_index_add(&m->resources, (struct slice){ text.p, text.n }) };
	buf_release(&text);
	return m->resource.number;
}

static uint32_t scope_of(struct maker *m, const struct scope *scope)
{
	struct buf text;

	if (m->scope.pointer == scope)
		return m->scope.number;
	buf_init(&text);
	buf_printf(&text, "[%u,%u]", text_of(m, scope->name), text_of(m, scope->version));
	m->scope = (struct seen){ scope, text_index_add(&m->scopes, (struct slice){ text.p, text.n }) };
	buf_release(&text);
	return m->scope.number;
}

static void open_entry(struct buf *out, uint32_t span)
{
	buf_printf(out, "%s\"%u\":", out->n ? "," : "", span);
}

static void add_events(struct maker *m, const struct span *span, uint32_t number)
{
	if (!span->n_events)
		return;
	open_entry(&m->events, number);
	for (size_t i = 0; i < span->n_events; i++) {
		const struct model_event *event = &span->events[i];
		char head[64];

		snprintf(head, sizeof(head), "%lld,%u",
			 (long long)(event->time_unix_ns - span->start_unix_ns), text_of(m, event->name));
		buf_add_byte(&m->events, i ? ',' : '[');
		add_with_attributes(m, &m->events, head, event->attributes);
	}
	buf_add_byte(&m->events, ']');
}

static void add_links(struct maker *m, const struct span *span, uint32_t number)
{
	if (!span->n_links)
		return;
	open_entry(&m->links, number);
	for (size_t i = 0; i < span->n_links; i++) {
		const struct model_link *link = &span->links[i];
		struct buf head;

		buf_init(&head);
		buf_add_byte(&head, '"');
		buf_add_hex(&head, link->trace_id, 16);
		buf_add_text(&head, "\",\"");
		buf_add_hex(&head, link->span_id, 8);
		buf_add_byte(&head, '"');
		buf_add_byte(&head, '\0');
		buf_add_byte(&m->links, i ? ',' : '[');
		add_with_attributes(m, &m->links, head.p ? head.p : "", link->attributes);
		buf_release(&head);
	}
	buf_add_byte(&m->links, ']');
}

static void add_parent(struct maker *m, const struct trace *trace, const struct trace_node *node,
		       const struct span *span, uint32_t number)
{
	static const uint8_t zero[8];

	if (node->parent != TRACE_NO_PARENT) {
		add_number(&m->columns[PARENT], node->parent - trace->first);
		return;
	}
	add_number(&m->columns[PARENT], -1);
	if (memcmp(span->parent_span_id, zero, 8) == 0)
		return;
	open_entry(&m->remote, number);
	buf_add_byte(&m->remote, '"');
	buf_add_hex(&m->remote, span->parent_span_id, 8);
	buf_add_byte(&m->remote, '"');
}

static void add_span(struct maker *m, const struct trace *trace, const struct trace_node *node,
		     uint32_t number)
{
	const struct span *span = trace_set_span(m->report->set, node);
	struct span_facts facts = span_facts(span);
	const int64_t cells[COLUMNS] = {
		[START] = (int64_t)(span->start_unix_ns - trace->start_unix_ns),
		[DURATION] = (int64_t)facts.duration_ns,
		[NAME] = text_of(m, span->name),
		[KIND] = span->kind,
		[STATUS] = span->status,
		[MESSAGE] = text_of(m, span->status_message),
		[HTTP] = facts.status,
		[METHOD] = text_of(m, facts.method),
		[ROUTE] = text_of(m, facts.route),
		[PATH] = text_of(m, facts.path),
		[ERROR] = text_of(m, facts.error_type),
		[RESOURCE] = resource_of(m, span->resource),
		[SCOPE] = scope_of(m, span->scope),
		[SET] = add_attributes(m, span->attributes, &m->flat),
	};

	add_parent(m, trace, node, span, number);
	for (int i = PARENT + 1; i < COLUMNS; i++)
		add_number(&m->columns[i], cells[i]);
	buf_add_hex(&m->ids, span->span_id, 8);
	add_events(m, span, number);
	add_links(m, span, number);
}

/* --- putting it together --- */

static void add_named(struct buf *out, const char *name, const char *open, const struct buf *content,
		      const char *close)
{
	buf_printf(out, ",\n\"%s\":%s", name, open);
	buf_add(out, content->p, content->n);
	buf_add_text(out, close);
}

static void add_index(struct buf *out, const char *name, const struct text_index *index, char form)
{
	buf_printf(out, ",\n\"%s\":[", name);
	for (uint32_t i = 0; i < index->n; i++) {
		if (i)
			buf_add_byte(out, ',');
		if (form == 's')
			json_string(out, index->texts[i]);
		else if (form == 'l')
			buf_add_byte(out, '[');
		if (form != 's')
			buf_add_slice(out, index->texts[i]);
		if (form == 'l')
			buf_add_byte(out, ']');
	}
	buf_add_byte(out, ']');
}

static void add_traces(struct buf *out, const struct report *r, uint64_t base_ns)
{
	buf_add_text(out, ",\n\"traces\":{\"id\":\"");
	for (size_t i = 0; i < r->n; i++) {
		const struct trace *trace = &r->set->traces[r->chosen[i]];

		buf_add_hex(out, trace_set_span(r->set, &r->set->nodes[trace->first])->trace_id, 16);
	}
	buf_add_text(out, "\",\n\"spans\":[");
	for (size_t i = 0; i < r->n; i++)
		buf_printf(out, "%s%u", i ? "," : "", r->set->traces[r->chosen[i]].n);
	buf_add_text(out, "],\n\"start\":[");
	for (size_t i = 0; i < r->n; i++)
		buf_printf(out, "%s%llu", i ? "," : "",
			   (unsigned long long)(r->set->traces[r->chosen[i]].start_unix_ns - base_ns));
	buf_add_text(out, "]}");
}

static void write_all(struct buf *out, struct maker *m)
{
	const struct report *r = m->report;
	uint64_t base_ns = r->n ? r->set->traces[r->chosen[0]].start_unix_ns : 0;

	buf_printf(out, "{\"version\":1,\"made_ms\":%llu,\"base_ns\":\"%llu\",\"title\":",
		   (unsigned long long)(r->now_unix_ns / 1000000), (unsigned long long)base_ns);
	json_string(out, r->title);
	add_traces(out, r, base_ns);
	buf_add_text(out, ",\n\"spans\":{\"id\":\"");
	buf_add(out, m->ids.p, m->ids.n);
	buf_add_text(out, "\"");
	for (int i = 0; i < COLUMNS; i++)
		add_named(out, column_names[i], "[", &m->columns[i], "]");
	add_named(out, "values", "[", &m->flat, "]");
	add_named(out, "remote", "{", &m->remote, "}");
	add_named(out, "events", "{", &m->events, "}");
	add_named(out, "links", "{", &m->links, "}");
	buf_add_text(out, "}");
	add_index(out, "texts", &m->texts, 's');
	add_index(out, "values", &m->values, 'v');
	add_index(out, "sets", &m->sets, 'l');
	add_index(out, "resources", &m->resources, 'v');
	add_index(out, "scopes", &m->scopes, 'v');
	buf_add_text(out, "}\n");
}

static bool failed(const struct maker *m)
{
	bool bad = m->texts.failed || m->values.failed || m->sets.failed || m->resources.failed ||
		   m->scopes.failed || m->flat.failed || m->ids.failed || m->remote.failed ||
		   m->events.failed || m->links.failed || m->text.failed || m->key.failed;

	for (int i = 0; i < COLUMNS; i++)
		bad |= m->columns[i].failed;
	return bad;
}

static void release(struct maker *m)
{
	struct buf *bufs[] = { &m->flat, &m->ids, &m->remote, &m->events, &m->links, &m->text, &m->key };
	struct text_index *indexes[] = { &m->texts, &m->values, &m->sets, &m->resources, &m->scopes };

	for (int i = 0; i < COLUMNS; i++)
		buf_release(&m->columns[i]);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_release(bufs[i]);
	for (size_t i = 0; i < sizeof(indexes) / sizeof(*indexes); i++)
		text_index_release(indexes[i]);
	free(m);
}

int report_data(struct buf *out, const struct report *report)
{
	struct maker *m = calloc(1, sizeof(*m));
	uint32_t number = 0;
	bool bad;

	if (!m)
		return -ENOMEM;
	m->report = report;
	text_index_init(&m->texts);
	text_index_init(&m->values);
	text_index_init(&m->sets);
	text_index_init(&m->resources);
	text_index_init(&m->scopes);
	text_of(m, SLICE("")); /* number 0 */
	for (size_t i = 0; i < report->n; i++) {
		const struct trace *trace = &report->set->traces[report->chosen[i]];

		for (uint32_t k = 0; k < trace->n; k++)
			add_span(m, trace, &report->set->nodes[trace->first + k], number++);
	}
	write_all(out, m);
	bad = failed(m) || out->failed;
	release(m);
	return bad ? -ENOMEM : 0;
}
