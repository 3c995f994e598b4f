/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SHAPE_H
#define BTRACE_SHAPE_H

/*
 * The shape of a trace: its spans as lines (span_line()), children two spaces
 * further in than their parent, siblings sorted, so that equal shapes are equal
 * texts. Shapes in expectations are the same text with patterns for lines.
 */

#include "exporters/base/arena.h"
#include "exporters/base/buf.h"
#include "exporters/ctl/trace_set.h"

enum { SHAPE_LINES = 1000, SHAPE_DEPTH = 64 }; /* a trace beyond that has no shape but a remark */

struct shape_line {
	struct slice text; /* without its indent */
	uint32_t depth;
	uint32_t next; /* the line behind its last descendant */
};

struct shape {
	struct slice text; /* as it is shown */
	struct shape_line *lines;
	size_t n;
};

/* Why a text is not a shape; NULL = it is one. */
const char *shape_parse(struct shape *shape, struct arena *arena, struct slice text);

/* The shape of a trace, in the arena. */
struct slice shape_of(const struct trace_set *set, const struct trace *trace, struct arena *arena);

/* Siblings may come in any order; the line "..." in the pattern allows further children there. */
bool shape_matches(const struct shape *pattern, const struct shape *shape);

/* The longest common subsequence of lines: how near two shapes are to each other, and what differs. */
size_t shape_common(const struct shape *pattern, const struct shape *shape);
void shape_diff(struct buf *out, const struct shape *pattern, const struct shape *shape);

#endif
