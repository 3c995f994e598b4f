/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/ctl/shape.h"

#include <stdlib.h>

#include "exporters/ctl/request_list.h"
#include "exporters/ctl/units.h"

static const char too_large[] = "(a trace too large to have a shape)\n";

/* Sets line->next from the depths. */
static void link_lines(struct shape *shape)
{
	for (size_t i = 0; i < shape->n; i++) {
		size_t next = i + 1;

		while (next < shape->n && shape->lines[next].depth > shape->lines[i].depth)
			next++;
		shape->lines[i].next = (uint32_t)next;
	}
}

static size_t count_lines(struct slice text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

/* One line without its newline. Indents need not be two columns; a child is further in than its parent. */
static const char *parse_line(struct shape *shape, struct slice line, uint32_t *indents)
{
	struct shape_line *before = shape->n ? &shape->lines[shape->n - 1] : NULL;
	uint32_t indent = 0, depth;

	while (indent < line.n && line.p[indent] == ' ')
		indent++;
	while (line.n && line.p[line.n - 1] == ' ')
		line.n--;
	if (indent >= line.n)
		return NULL;
	if (line.p[indent] == '\t')
		return "tabs cannot indent a tree";
	if (!before && indent)
		return "the first line of a tree must not be indented";
	depth = before ? before->depth + 1 : 0;
	if (before && indent <= indents[before->depth])
		for (depth = before->depth; depth && indents[depth] > indent;)
			depth--;
	if (depth >= SHAPE_DEPTH)
		return "the tree is too deep";
	if (before && indent <= indents[before->depth] && indents[depth] != indent)
		return "this line of the tree stands between two levels";
	indents[depth] = indent;
	shape->lines[shape->n++] =
		(struct shape_line){ .text = { line.p + indent, line.n - indent }, .depth = depth };
	return NULL;
}

const char *shape_parse(struct shape *shape, struct arena *arena, struct slice text)
{
	uint32_t indents[SHAPE_DEPTH + 1] = { 0 };
	size_t n = count_lines(text), from = 0;
	const char *error = NULL;

	*shape = (struct shape){ .text = text };
	if (n > SHAPE_LINES + 1)
		return "the tree has too many lines";
	shape->lines = arena_take(arena, n * sizeof(*shape->lines));
	if (!shape->lines)
		return "out of memory";
	while (from < text.n && !error) {
		const char *newline = memchr(text.p + from, '\n', text.n - from);
		size_t to = newline ? (size_t)(newline - text.p) : text.n;

		error = parse_line(shape, (struct slice){ text.p + from, to - from }, indents);
		from = to + 1;
	}
	if (!error && !shape->n)
		error = "the tree has no line";
	link_lines(shape);
	return error;
}

static int compare_texts(const void *left, const void *right)
{
	const struct slice *a = left, *b = right;
	int order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return order ? order : a->n < b->n ? -1 : a->n > b->n;
}

static size_t count_siblings(const struct trace_set *set, const struct trace *trace, uint32_t at,
			     uint32_t depth)
{
	const struct trace_node *nodes = &set->nodes[trace->first];
	size_t n = 0;

	for (; at < trace->n && nodes[at].depth >= depth; at++)
		n += nodes[at].depth == depth;
	return n;
}

/* The sorted texts of the nodes at one level from `at` on, joined; *at moves behind them. */
static struct slice level_of(const struct trace_set *set, const struct trace *trace, uint32_t *at,
			     uint32_t depth, struct arena *arena)
{
	const struct trace_node *nodes = &set->nodes[trace->first];
	size_t n = 0, siblings = count_siblings(set, trace, *at, depth);
	struct slice *texts = siblings ? arena_take(arena, siblings * sizeof(*texts)) : NULL;
	struct slice all = { "", 0 };
	struct buf text;

	buf_init(&text);
	while (texts && *at < trace->n && nodes[*at].depth == depth) {
		const struct span *span = trace_set_span(set, &nodes[*at]);
		struct slice children;

		++*at;
		children = level_of(set, trace, at, depth + 1, arena);
		buf_clear(&text);
		buf_printf(&text, "%*s", (int)depth * 2, "");
		span_line(&text, span);
		buf_add_byte(&text, '\n');
		buf_add_slice(&text, children);
		texts[n++] = arena_copy(arena, (struct slice){ text.p, text.n });
	}
	if (n > 1)
		qsort(texts, n, sizeof(*texts), compare_texts);
	buf_clear(&text);
	for (size_t i = 0; i < n; i++)
		buf_add_slice(&text, texts[i]);
	if (n)
		all = arena_copy(arena, (struct slice){ text.p, text.n });
	buf_release(&text);
	return all;
}

struct slice shape_of(const struct trace_set *set, const struct trace *trace, struct arena *arena)
{
	uint32_t at = 0;
	bool large = trace->n > SHAPE_LINES;

	for (uint32_t i = 0; i < trace->n && !large; i++)
		large = set->nodes[trace->first + i].depth >= SHAPE_DEPTH;
	return large ? slice_of(too_large) : level_of(set, trace, &at, 0, arena);
}

static bool is_open(struct slice line) { return slice_is(line, "..."); }

static bool lines_match(const struct shape *pattern, size_t p, const struct shape *shape, size_t s);

struct siblings {
	const struct shape *pattern, *shape;
	uint32_t *p, *s; /* the lines of the siblings */
	size_t n_p, n_s;
	uint8_t *fits;   /* n_p x n_s */
	uint32_t *owner; /* of each s: the p it is given to, + 1 */
	uint8_t *tried;
};

/* Gives line p of the pattern a line of the shape, moving others over if need be (augmenting path). */
static bool place(struct siblings *m, size_t p)
{
	for (size_t s = 0; s < m->n_s; s++) {
		if (!m->fits[p * m->n_s + s] || m->tried[s])
			continue;
		m->tried[s] = 1;
		if (!m->owner[s] || place(m, m->owner[s] - 1)) {
			m->owner[s] = (uint32_t)p + 1;
			return true;
		}
	}
	return false;
}

static bool place_all(struct siblings *m)
{
	for (size_t p = 0; p < m->n_p; p++) {
		for (size_t s = 0; s < m->n_s; s++)
			m->fits[p * m->n_s + s] = lines_match(m->pattern, m->p[p], m->shape, m->s[s]);
		memset(m->tried, 0, m->n_s);
		if (!place(m, p))
			return false;
	}
	return true;
}

/* The lines of the siblings in [from, to), without "...". */
static size_t list_siblings(const struct shape *shape, size_t from, size_t to, uint32_t *list, bool *open)
{
	size_t n = 0;

	for (size_t i = from; i < to; i = shape->lines[i].next) {
		if (open && is_open(shape->lines[i].text))
			*open = true;
		else
			list[n++] = (uint32_t)i;
	}
	return n;
}

static bool siblings_match(const struct shape *pattern, size_t p_from, size_t p_to, const struct shape *shape,
			   size_t s_from, size_t s_to)
{
	size_t n_p = p_to - p_from, n_s = s_to - s_from;
	struct siblings m = { .pattern = pattern, .shape = shape };
	uint32_t *lists = calloc(n_p + 2 * n_s + 1, sizeof(*lists));
	bool open = false, match = false;

	if (lists) {
		m.p = lists;
		m.s = lists + n_p;
		m.owner = m.s + n_s;
		m.n_p = list_siblings(pattern, p_from, p_to, m.p, &open);
		m.n_s = list_siblings(shape, s_from, s_to, m.s, NULL);
	}
	if (lists && (m.n_p == m.n_s || (open && m.n_p < m.n_s))) {
		m.fits = calloc(m.n_p + 1, m.n_s + 1);
		m.tried = calloc(m.n_s + 1, 1);
		match = m.fits && m.tried && place_all(&m);
	}
	free(m.fits);
	free(m.tried);
	free(lists);
	return match;
}

static bool lines_match(const struct shape *pattern, size_t p, const struct shape *shape, size_t s)
{
	return pattern_matches(pattern->lines[p].text, shape->lines[s].text) &&
	       siblings_match(pattern, p + 1, pattern->lines[p].next, shape, s + 1, shape->lines[s].next);
}

bool shape_matches(const struct shape *pattern, const struct shape *shape)
{
	return siblings_match(pattern, 0, pattern->n, shape, 0, shape->n);
}
