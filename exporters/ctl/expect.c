/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/expect.h"

#include <errno.h>
#include <stdlib.h>

#include "exporters/ctl/units.h"

const char *const expect_measure_names[EXPECT_MEASURES] = {
	[EXPECT_REQUESTS] = "requests", [EXPECT_ERRORS] = "errors",
	[EXPECT_P50] = "p50",           [EXPECT_P90] = "p90",
	[EXPECT_P95] = "p95",           [EXPECT_P99] = "p99",
	[EXPECT_MAX] = "max",           [EXPECT_SPANS] = "spans",
	[EXPECT_TRACES] = "traces",     [EXPECT_DUPLICATES] = "duplicates",
};

void expectation_init(struct expectation *e)
{
	*e = (struct expectation){ .checks = NULL };
	arena_init(&e->arena);
}

void expectation_release(struct expectation *e)
{
	free(e->checks);
	free(e->shapes);
	arena_release(&e->arena);
	expectation_init(e);
}

/* Room for one more of `items`, or NULL; the old array stays valid then. */
static void *grow(void *items, size_t n, size_t *size, size_t item_bytes)
{
	size_t more = *size ? *size * 2 : 16;
	void *moved;

	if (n < *size)
		return items;
	moved = reallocarray(items, more, item_bytes);
	if (moved)
		*size = more;
	return moved;
}

int expectation_add(struct expectation *e, const struct expect_check *check)
{
	struct expect_check *checks = grow(e->checks, e->n_checks, &e->checks_size, sizeof(*checks));

	if (!checks)
		return -ENOMEM;
	e->checks = checks;
	checks[e->n_checks++] = *check;
	return 0;
}

int expectation_add_shape(struct expectation *e, const struct expect_shape *shape)
{
	struct expect_shape *shapes = grow(e->shapes, e->n_shapes, &e->shapes_size, sizeof(*shapes));

	if (!shapes)
		return -ENOMEM;
	e->shapes = shapes;
	shapes[e->n_shapes++] = *shape;
	return 0;
}

/* --- ranges --- */

struct slice expect_trim(struct slice text)
{
	while (text.n && text.p[0] == ' ')
		text = (struct slice){ text.p + 1, text.n - 1 };
	while (text.n && text.p[text.n - 1] == ' ')
		text.n--;
	return text;
}

static bool parse_one(struct slice text, bool durations, uint64_t *value)
{
	text = expect_trim(text);
	if (durations)
		return duration_parse(text, value);
	*value = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || *value > UINT64_MAX / 20)
			return false;
		*value = *value * 10 + (uint64_t)(text.p[i] - '0');
	}
	return text.n > 0;
}

/* ">= 3" and its like; false: there is no such sign at the beginning. */
static bool parse_sign(struct slice text, bool durations, struct expect_range *range, bool *valid)
{
	bool equal = text.n > 1 && text.p[1] == '=';
	uint64_t value;

	if (!text.n || (text.p[0] != '<' && text.p[0] != '>'))
		return false;
	*valid = parse_one((struct slice){ text.p + 1 + equal, text.n - 1 - equal }, durations, &value);
	*range = (struct expect_range){ 0, UINT64_MAX };
	if (!*valid)
		return true;
	if (text.p[0] == '>')
		range->min = equal ? value : value + 1;
	else if (equal || value)
		range->max = equal ? value : value - 1;
	else
		*valid = false; /* less than nothing */
	return true;
}

bool expect_range_parse(struct slice text, bool durations, struct expect_range *range)
{
	bool valid = false;
	uint64_t value;

	text = expect_trim(text);
	if (parse_sign(text, durations, range, &valid))
		return valid;
	for (size_t i = 0; i + 1 < text.n; i++)
		if (text.p[i] == '.' && text.p[i + 1] == '.')
			return parse_one((struct slice){ text.p, i }, durations, &range->min) &&
			       parse_one((struct slice){ text.p + i + 2, text.n - i - 2 }, durations,
					 &range->max) &&
			       range->min <= range->max;
	if (!parse_one(text, durations, &value))
		return false;
	*range = (struct expect_range){ durations ? 0 : value, value };
	return true;
}

/* --- results --- */

void expect_result_init(struct expect_result *r)
{
	*r = (struct expect_result){ .findings = NULL };
	arena_init(&r->arena);
}

void expect_result_release(struct expect_result *r)
{
	free(r->findings);
	arena_release(&r->arena);
	expect_result_init(r);
}

int expect_result_add(struct expect_result *r, const struct expect_finding *finding)
{
	struct expect_finding *findings = grow(r->findings, r->n, &r->size, sizeof(*findings));

	if (!findings)
		return -ENOMEM;
	r->findings = findings;
	findings[r->n] = *finding;
	findings[r->n].name = arena_copy(&r->arena, finding->name);
	findings[r->n].wanted = arena_copy(&r->arena, finding->wanted);
	findings[r->n].got = arena_copy(&r->arena, finding->got);
	findings[r->n].detail = arena_copy(&r->arena, finding->detail);
	r->n++;
	r->failed += !finding->ok;
	return r->arena.failed ? -ENOMEM : 0;
}

void expect_range_print(struct buf *out, const struct expect_range *range, bool durations)
{
	bool exact = range->min == range->max;

	if (!exact && range->max == UINT64_MAX)
		buf_add_text(out, "at least ");
	else if (!exact && range->min == 0)
		buf_add_text(out, "at most ");
	if (exact || range->max == UINT64_MAX || range->min) {
		expect_value_print(out, range->min, durations);
		if (exact || range->max == UINT64_MAX)
			return;
		buf_add_text(out, " to ");
	}
	expect_value_print(out, range->max, durations);
}

void expect_value_print(struct buf *out, uint64_t value, bool durations)
{
	if (durations)
		duration_print(out, value, "u");
	else
		buf_add_u64(out, value);
}
