/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_EXPECT_SHAPES_H
#define BTRACE_EXPECT_SHAPES_H

/* The different shapes of the traces of a run, and what an expectation says of them. */

#include "exporters/ctl/expect.h"

struct shape_group {
	struct shape shape;
	uint64_t n;     /* traces of this shape */
	uint32_t trace; /* one of them */
	bool expected;
};

struct shape_list {
	struct shape_group *groups;
	size_t n;
	struct arena arena;
};

/* 0 or -ENOMEM. In order of the text. */
int shape_list_init(struct shape_list *list, const struct trace_set *set);
void shape_list_release(struct shape_list *list);

/* Adds a finding for each shape of the expectation. 0 or -ENOMEM. */
int expect_run_shapes(const struct expectation *e, const struct trace_set *set, struct expect_result *r);

#endif
