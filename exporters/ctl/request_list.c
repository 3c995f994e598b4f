/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/request_list.h"

#include <errno.h>
#include <stdlib.h>

#include "exporters/ctl/harmless.h"
#include "exporters/ctl/span_facts.h"
#include "exporters/route/shape.h"

static void add_path(struct buf *out, struct slice path)
{
	size_t from = 0;

	while (from < path.n) {
		size_t to = from;

		while (to < path.n && path.p[to] != '/')
			to++;
		if (route_is_id((struct slice){ path.p + from, to - from }))
			buf_add_text(out, "{id}");
		else
			harmless_add(out, (struct slice){ path.p + from, to - from });
		if (to < path.n)
			buf_add_byte(out, '/');
		from = to + 1;
	}
}

static void add_route(struct buf *out, const struct span *span, const struct span_facts *facts)
{
	if (attributes_text(span->attributes, SLICE("http.route")).n || facts->route.p != facts->path.p)
		harmless_add(out, facts->route);
	else
		add_path(out, facts->route);
}

static struct slice service_of(const struct span *span)
{
	struct slice name = span->resource->service_name;

	return name.n ? name : SLICE("unknown_service");
}

static void add_host(struct buf *out, const struct span *span, const struct span_facts *facts)
{
	struct slice host = attributes_text(span->attributes, SLICE("server.address"));

	if (!host.n)
		host = attributes_text(span->attributes, SLICE("network.peer.address"));
	harmless_add(out, host.n ? host : facts->host);
}

void span_line(struct buf *out, const struct span *span)
{
	struct span_facts facts = span_facts(span);
	struct slice service = service_of(span);

	if (service.p[0] == ' ') { /* an indent means something in a tree */
		buf_add_text(out, "\\x20");
		service = (struct slice){ service.p + 1, service.n - 1 };
	}
	harmless_add(out, service);
	if (span->kind == MODEL_KIND_CLIENT || span->kind == MODEL_KIND_PRODUCER)
		buf_add_text(out, " ->");
	buf_add_byte(out, ' ');
	if (facts.method.n) {
		harmless_add(out, facts.method);
		buf_add_byte(out, ' ');
		if (span->kind == MODEL_KIND_CLIENT)
			add_host(out, span, &facts);
		else
			add_route(out, span, &facts);
	} else {
		harmless_add(out, span->name.n ? span->name : SLICE("(no name)"));
	}
	if (facts.status)
		buf_printf(out, " %d", facts.status);
	if (facts.failed && facts.error_type.n) {
		buf_add_byte(out, ' ');
		harmless_add(out, facts.error_type);
	} else if (facts.failed && facts.status < 400) {
		buf_add_text(out, " ERROR");
	}
}

static int compare_text(struct slice a, struct slice b)
{
	int order;

	if (a.p == b.p && a.n == b.n)
		return 0;
	order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return order ? order : a.n < b.n ? -1 : a.n > b.n;
}

static int compare_groups(const struct request *a, const struct request *b)
{
	int order = compare_text(a->service, b->service);

	if (!order)
		order = compare_text(a->route, b->route);
	if (!order)
		order = compare_text(a->method, b->method);
	if (!order)
		order = a->status - b->status;
	return order ? order : a->failed - b->failed;
}

static int compare_requests(const void *left, const void *right)
{
	const struct request *a = left, *b = right;
	int order = compare_groups(a, b);

	if (!order)
		order = a->duration_ns < b->duration_ns ? -1 : a->duration_ns > b->duration_ns;
	return order ? order : a->span < b->span ? -1 : a->span > b->span;
}

static struct slice keep(struct request_list *list, struct buf *text)
{
	struct slice kept = trace_store_string(&list->strings, (struct slice){ text->p, text->n });

	list->strings.failed |= text->failed;
	buf_clear(text);
	return kept;
}

/* One word: what is no token (RFC 9110, 5.6.2) has its bytes as \xNN; "-" = the span has none. */
static void add_method(struct buf *out, struct slice method)
{
	if (!method.n)
		buf_add_byte(out, '-');
	for (size_t i = 0; i < method.n; i++) {
		unsigned char c = (unsigned char)method.p[i];
		bool token = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			     (c && strchr("!#$%&'*+-.^_`|~", c));

		if (token)
			buf_add_byte(out, c);
		else
			buf_printf(out, "\\x%02x", c);
	}
}

/* Spaces around a name would be lost where it is written down. */
static void add_name(struct buf *out, struct slice name)
{
	size_t before = 0, behind = name.n;

	while (before < name.n && name.p[before] == ' ')
		before++;
	while (behind > before && name.p[behind - 1] == ' ')
		behind--;
	for (size_t i = 0; i < before; i++)
		buf_add_text(out, "\\x20");
	buf_add(out, name.p + before, behind - before);
	for (size_t i = behind; i < name.n; i++)
		buf_add_text(out, "\\x20");
	if (!name.n)
		buf_add_text(out, "(none)");
}

static void add_request(struct request_list *list, const struct span *span, uint32_t index, struct buf *text)
{
	struct span_facts facts = span_facts(span);
	struct request *request = &list->requests[list->n++];
	struct buf route;

	*request = (struct request){ .status = facts.status,
				     .failed = facts.failed,
				     .duration_ns = facts.duration_ns,
				     .span = index };
	buf_init(&route);
	harmless_add(&route, service_of(span));
	add_name(text, (struct slice){ route.p, route.n });
	request->service = keep(list, text);
	add_method(text, facts.method);
	request->method = keep(list, text);
	buf_clear(&route);
	add_route(&route, span, &facts);
	add_name(text, (struct slice){ route.p, route.n });
	request->route = keep(list, text);
	list->strings.failed |= route.failed;
	buf_release(&route);
}

static void group(struct request_list *list)
{
	for (size_t from = 0, to; from < list->n; from = to) {
		for (to = from + 1;
		     to < list->n && !compare_groups(&list->requests[from], &list->requests[to]);)
			to++;
		list->groups[list->n_groups++] = (struct request_group){ from, to - from };
	}
}

int request_list_init(struct request_list *list, const struct trace_store *store)
{
	struct buf text;

	*list = (struct request_list){ .requests = calloc(store->n + 1, sizeof(*list->requests)) };
	list->groups = calloc(store->n + 1, sizeof(*list->groups));
	trace_store_init(&list->strings);
	buf_init(&text);
	for (size_t i = 0; i < store->n && list->requests && list->groups; i++)
		if (store->spans[i].kind == MODEL_KIND_SERVER)
			add_request(list, &store->spans[i], (uint32_t)i, &text);
	buf_release(&text);
	if (!list->requests || !list->groups || list->strings.failed) {
		request_list_release(list);
		return -ENOMEM;
	}
	qsort(list->requests, list->n, sizeof(*list->requests), compare_requests);
	group(list);
	return 0;
}

void request_list_release(struct request_list *list)
{
	free(list->requests);
	free(list->groups);
	trace_store_release(&list->strings);
	list->requests = NULL;
	list->groups = NULL;
	list->n = list->n_groups = 0;
}
