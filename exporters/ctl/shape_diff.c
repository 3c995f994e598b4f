/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "exporters/ctl/shape.h"
#include "exporters/ctl/units.h"

static bool same(const struct shape *pattern, size_t p, const struct shape *shape, size_t s)
{
	return pattern->lines[p].depth == shape->lines[s].depth &&
	       pattern_matches(pattern->lines[p].text, shape->lines[s].text);
}

/* lengths[p][s]: lines in common from p and s on. (pattern->n + 1) x (shape->n + 1); NULL = no memory. */
static uint16_t *common_lengths(const struct shape *pattern, const struct shape *shape)
{
	size_t width = shape->n + 1;
	uint16_t *lengths = calloc(pattern->n + 1, width * sizeof(*lengths));

	for (size_t p = pattern->n; lengths && p-- > 0;) {
		for (size_t s = shape->n; s-- > 0;) {
			uint16_t *below = &lengths[(p + 1) * width + s], *right = &lengths[p * width + s + 1];

			lengths[p * width + s] = same(pattern, p, shape, s) ? (uint16_t)(below[1] + 1)
						 : *below > *right          ? *below
									    : *right;
		}
	}
	return lengths;
}

size_t shape_common(const struct shape *pattern, const struct shape *shape)
{
	uint16_t *lengths = common_lengths(pattern, shape);
	size_t n = lengths ? lengths[0] : 0;

	free(lengths);
	return n;
}

static void add_line(struct buf *out, char sign, const struct shape_line *line)
{
	buf_printf(out, "%c %*s", sign, (int)line->depth * 2, "");
	buf_add_slice(out, line->text);
	buf_add_byte(out, '\n');
}

void shape_diff(struct buf *out, const struct shape *pattern, const struct shape *shape)
{
	uint16_t *lengths = common_lengths(pattern, shape);
	size_t p = 0, s = 0, width = shape->n + 1;

	while (lengths && (p < pattern->n || s < shape->n)) {
		if (p < pattern->n && s < shape->n && same(pattern, p, shape, s)) {
			add_line(out, ' ', &shape->lines[s++]);
			p++;
		} else if (p < pattern->n &&
			   (s == shape->n || lengths[(p + 1) * width + s] >= lengths[p * width + s + 1])) {
			add_line(out, '-', &pattern->lines[p++]);
		} else {
			add_line(out, '+', &shape->lines[s++]);
		}
	}
	free(lengths);
}
