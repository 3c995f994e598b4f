/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/expect_shapes.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_DETAILS 8

struct traced_text {
	struct slice text;
	uint32_t trace;
};

static int compare(const void *left, const void *right)
{
	const struct traced_text *a = left, *b = right;
	int order = memcmp(a->text.p, b->text.p, a->text.n < b->text.n ? a->text.n : b->text.n);

	if (!order)
		order = a->text.n < b->text.n ? -1 : a->text.n > b->text.n;
	return order ? order : a->trace < b->trace ? -1 : a->trace > b->trace;
}

int shape_list_init(struct shape_list *list, const struct trace_set *set)
{
	struct traced_text *texts = calloc(set->n + 1, sizeof(*texts));

	*list = (struct shape_list){ .groups = calloc(set->n + 1, sizeof(*list->groups)) };
	arena_init(&list->arena);
	if (!texts || !list->groups) {
		free(texts);
		shape_list_release(list);
		return -ENOMEM;
	}
	for (size_t i = 0; i < set->n; i++)
		texts[i] = (struct traced_text){ shape_of(set, &set->traces[i], &list->arena), (uint32_t)i };
	qsort(texts, set->n, sizeof(*texts), compare);
	for (size_t i = 0; i < set->n; i++) {
		struct shape_group *group = &list->groups[list->n];

		if (list->n && slice_equal(group[-1].shape.text, texts[i].text)) {
			group[-1].n++;
			continue;
		}
		group->n = 1;
		group->trace = texts[i].trace;
		shape_parse(&group->shape, &list->arena, texts[i].text);
		list->n++;
	}
	free(texts);
	return list->arena.failed ? shape_list_release(list), -ENOMEM : 0;
}

void shape_list_release(struct shape_list *list)
{
	free(list->groups);
	arena_release(&list->arena);
	list->groups = NULL;
	list->n = 0;
}

static void add_trace(struct buf *out, const struct trace_set *set, const struct shape_group *group)
{
	buf_add_hex(out, trace_set_span(set, &set->nodes[set->traces[group->trace].first])->trace_id, 16);
}

/* The shape with most lines in common, one that nobody expects before others; NULL = all are quite different.
 */
static const struct shape_group *find_nearest(const struct shape_list *list, const struct shape *shape)
{
	const struct shape_group *nearest = NULL;
	size_t best = 0;

	for (size_t i = 0; i < list->n; i++) {
		size_t common = 2 * shape_common(shape, &list->groups[i].shape);

		common += common && !list->groups[i].expected;
		if (common > best && !shape_matches(shape, &list->groups[i].shape)) {
			best = common;
			nearest = &list->groups[i];
		}
	}
	return nearest;
}

/* The expected tree against the nearest one that there is. */
static void add_nearest(struct buf *out, const struct trace_set *set, const struct shape_list *list,
			const struct expect_shape *shape)
{
	const struct shape_group *nearest = find_nearest(list, &shape->shape);

	if (!nearest) {
		for (size_t i = 0; i < shape->shape.n; i++) {
			buf_printf(out, "- %*s", (int)shape->shape.lines[i].depth * 2, "");
			buf_add_slice(out, shape->shape.lines[i].text);
			buf_add_byte(out, '\n');
		}
		return;
	}
	buf_add_text(out, "nearest: trace ");
	add_trace(out, set, nearest);
	if (nearest->n > 1)
		buf_printf(out, " and %llu more", (unsigned long long)nearest->n - 1);
	buf_add_byte(out, '\n');
	shape_diff(out, &shape->shape, &nearest->shape);
}

static int add_finding(struct expect_result *r, bool ok, const struct buf *texts, struct config_mark mark)
{
	return expect_result_add(r, &(struct expect_finding){ .ok = ok,
							      .name = { texts[0].p, texts[0].n },
							      .wanted = { texts[1].p, texts[1].n },
							      .got = { texts[2].p, texts[2].n },
							      .detail = { texts[3].p, ok ? 0 : texts[3].n },
							      .mark = mark });
}

static uint64_t count_matches(struct shape_list *list, const struct expect_shape *shape)
{
	uint64_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (!shape_matches(&shape->shape, &list->groups[i].shape))
			continue;
		list->groups[i].expected = true;
		n += list->groups[i].n;
	}
	return n;
}

static int check_shape(const struct trace_set *set, const struct shape_list *list,
		       const struct expect_shape *shape, uint64_t n, struct expect_result *r)
{
	bool ok = n >= shape->range.min && n <= shape->range.max;
	struct buf texts[4] = { { .p = NULL } };
	int rc;

	buf_add_text(&texts[0], "traces of the shape ");
	buf_add_slice(&texts[0], shape->shape.lines[0].text);
	if (shape->shape.n > 1)
		buf_printf(&texts[0], " (%zu lines)", shape->shape.n);
	expect_range_print(&texts[1], &shape->range, false);
	buf_add_u64(&texts[2], n);
	if (!ok && n < shape->range.min)
		add_nearest(&texts[3], set, list, shape);
	rc = add_finding(r, ok, texts, shape->mark);
	for (size_t i = 0; i < 4; i++)
		buf_release(&texts[i]);
	return rc;
}

static int check_others(const struct expectation *e, const struct trace_set *set,
			const struct shape_list *list, struct expect_result *r)
{
	struct buf texts[4] = { { .p = NULL } };
	size_t shown = 0;
	uint64_t n = 0;
	int rc;

	for (size_t i = 0; i < list->n; i++) {
		const struct shape_group *group = &list->groups[i];

		if (group->expected)
			continue;
		n += group->n;
		if (++shown > MAX_DETAILS)
			continue;
		buf_printf(&texts[3], "%llu of this shape, trace ", (unsigned long long)group->n);
		add_trace(&texts[3], set, group);
		buf_add_byte(&texts[3], '\n');
		shape_diff(&texts[3], &(struct shape){ .lines = NULL }, &group->shape);
	}
	if (shown > MAX_DETAILS)
		buf_printf(&texts[3], "... and %zu more shapes\n", shown - MAX_DETAILS);
	buf_add_text(&texts[0], "traces of other shapes");
	buf_add_text(&texts[1], "0");
	buf_add_u64(&texts[2], n);
	rc = add_finding(r, n == 0, texts, e->only_shapes_mark);
	for (size_t i = 0; i < 4; i++)
		buf_release(&texts[i]);
	return rc;
}

int expect_run_shapes(const struct expectation *e, const struct trace_set *set, struct expect_result *r)
{
	struct shape_list list;
	uint64_t *counts;
	int rc;

	if (!e->n_shapes && !e->only_shapes)
		return 0;
	rc = shape_list_init(&list, set);
	if (rc)
		return rc;
	counts = calloc(e->n_shapes + 1, sizeof(*counts));
	rc = counts ? 0 : -ENOMEM;
	for (size_t i = 0; i < e->n_shapes && !rc; i++)
		counts[i] = count_matches(&list, &e->shapes[i]);
	for (size_t i = 0; i < e->n_shapes && !rc; i++)
		rc = check_shape(set, &list, &e->shapes[i], counts[i], r);
	if (e->only_shapes && !rc)
		rc = check_others(e, set, &list, r);
	free(counts);
	shape_list_release(&list);
	return rc;
}
