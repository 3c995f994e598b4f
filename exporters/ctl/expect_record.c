/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A golden file: what the requests and traces of a run were, without what another
 * run of the same has differently - ids, times, ports, order.
 */
#include <errno.h>

#include "exporters/ctl/expect_shapes.h"
#include "exporters/ctl/request_list.h"
#include "exporters/ctl/units.h"

#define MAX_SHAPES     200 /* more are no golden file but a transcript */
#define MAX_SIMPLE_KEY 500 /* YAML 1.1 takes 1024 characters; longer ones need a "?" */

/* Text that YAML reads back as it is without quotes; ':' and '#' may not stand beside a space. */
static bool is_plain(struct slice text)
{
	if (!text.n || !((text.p[0] >= 'A' && text.p[0] <= 'Z') || (text.p[0] >= 'a' && text.p[0] <= 'z') ||
			 text.p[0] == '/'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!word && !(c && strchr("/_-.{}<>()~+=;@%$ ", c)))
			return false;
	}
	return text.p[text.n - 1] != ' ';
}

/* "key: ", text being harmless() already, so that the backslash and the quote are all there is to escape. */
static void add_key(struct buf *out, const char *indent, struct slice text)
{
	bool plain = is_plain(text), large = text.n > MAX_SIMPLE_KEY;

	buf_add_text(out, indent);
	buf_add_text(out, large ? "? " : "");
	buf_add_text(out, plain ? "" : "\"");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (uint8_t)text.p[i]);
	}
	buf_add_text(out, plain ? "" : "\"");
	if (large)
		buf_printf(out, "\n%s", indent);
	buf_add_text(out, ":");
}

static bool same_route(const struct request *a, const struct request *b)
{
	return slice_equal(a->service, b->service) && slice_equal(a->method, b->method) &&
	       slice_equal(a->route, b->route);
}

/* One row "GET /menu: {200: 2, 500: 1}" for the groups from i on that are of one route; returns the next. */
static size_t add_route(struct buf *out, const struct request_list *list, size_t i, const char *indent)
{
	const struct request *first = request_of(list, &list->groups[i]);
	bool more = false;
	struct buf key;

	buf_init(&key);
	pattern_quote(&key, first->method);
	buf_add_byte(&key, ' ');
	pattern_quote(&key, first->route);
	add_key(out, indent, (struct slice){ key.p, key.n });
	buf_add_text(out, " {");
	while (i < list->n_groups && same_route(first, request_of(list, &list->groups[i]))) {
		int status = request_of(list, &list->groups[i])->status;
		size_t n = 0;

		for (; i < list->n_groups && same_route(first, request_of(list, &list->groups[i])) &&
		       request_of(list, &list->groups[i])->status == status;
		     i++)
			n += list->groups[i].n;
		buf_add_text(out, more ? ", " : "");
		more = true;
		if (status)
			buf_printf(out, "%d: %zu", status, n);
		else
			buf_printf(out, "none: %zu", n);
	}
	buf_add_text(out, "}\n");
	buf_release(&key);
	return i;
}

static bool has_services(const struct request_list *list)
{
	for (size_t i = 1; i < list->n_groups; i++)
		if (!slice_equal(request_of(list, &list->groups[i])->service,
				 request_of(list, &list->groups[0])->service))
			return true;
	return false;
}

static void add_routes(struct buf *out, const struct request_list *list)
{
	bool services = has_services(list);
	struct slice service = { NULL, 0 };
	struct buf key;

	buf_init(&key);
	if (list->n_groups)
		buf_add_text(out, services ? "services:\n" : "routes:\n");
	for (size_t i = 0; i < list->n_groups;) {
		const struct request *r = request_of(list, &list->groups[i]);

		if (services && !slice_equal(service, r->service)) {
			service = r->service;
			buf_clear(&key);
			pattern_quote(&key, service);
			add_key(out, "  ", (struct slice){ key.p, key.n });
			buf_add_text(out, "\n    routes:\n");
		}
		i = add_route(out, list, i, services ? "      " : "  ");
	}
	buf_add_text(out, "other_routes: forbid\n");
	buf_release(&key);
}

static void add_shape(struct buf *out, const struct shape_group *group)
{
	buf_printf(out, "  - count: %llu\n    tree: |\n", (unsigned long long)group->n);
	for (size_t i = 0; i < group->shape.n; i++) {
		buf_printf(out, "      %*s", (int)group->shape.lines[i].depth * 2, "");
		pattern_quote(out, group->shape.lines[i].text);
		buf_add_byte(out, '\n');
	}
}

static int add_shapes(struct buf *out, const struct trace_set *set)
{
	struct shape_list list;
	int rc = shape_list_init(&list, set);

	if (rc)
		return rc;
	if (list.n > MAX_SHAPES) {
		buf_printf(out, "# shapes are left out: there are %zu different ones\n", list.n);
	} else {
		if (list.n)
			buf_add_text(out, "shapes:\n");
		for (size_t i = 0; i < list.n; i++)
			add_shape(out, &list.groups[i]);
		buf_add_text(out, "other_shapes: forbid\n");
	}
	shape_list_release(&list);
	return 0;
}

/* Normally 0; what it is, since the run is to meet what is recorded of it. */
static int add_duplicates(struct buf *out, const struct trace_set *set)
{
	const struct expect_check check = { .measure = EXPECT_DUPLICATES, .range = { 0, UINT64_MAX } };
	struct expect_result result;
	struct expectation e;
	int rc;

	expectation_init(&e);
	expect_result_init(&result);
	rc = expectation_add(&e, &check);
	if (!rc)
		rc = expect_run(&e, set, &result);
	buf_add_text(out, "duplicates: ");
	if (!rc)
		buf_add_slice(out, result.findings[0].got);
	buf_add_byte(out, '\n');
	expect_result_release(&result);
	expectation_release(&e);
	return rc;
}

int expect_record(struct buf *out, const struct trace_set *set)
{
	struct request_list list;
	uint64_t errors = 0;
	int rc = request_list_init(&list, set->store);

	if (rc)
		return rc;
	for (size_t i = 0; i < list.n; i++)
		errors += list.requests[i].failed;
	buf_add_text(out, "# Recorded by `btracectl assert --record`; `btracectl assert --help` "
			  "explains.\nversion: 1\n");
	buf_printf(out, "requests: %zu\nerrors: %llu\nspans: %zu\ntraces: %zu\n", list.n,
		   (unsigned long long)errors, set->store->n, set->n);
	rc = add_duplicates(out, set);
	add_routes(out, &list);
	request_list_release(&list);
	if (!rc)
		rc = add_shapes(out, set);
	return rc ? rc : out->failed ? -ENOMEM : 0;
}
