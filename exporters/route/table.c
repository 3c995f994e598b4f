/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "exporters/route/path.h"
#include "exporters/route/table_parse.h"

#define SEGMENTS_MAX 64u /* of a path; what is deeper only the rest (*) matches */
#define DECODED_MAX  4096u
#define STEPS_MAX    1000u /* of one match: a table may be made to lead astray at each segment */
#define NONE         0u    /* no node, edge or route: all are counted from 1 */

/* A place in the tree. Texts hang in one hash table by (node, text), the rest here. */
struct node {
	uint32_t placeholder; /* node */
	uint32_t edges;       /* first edge with text around a placeholder */
	uint32_t route;       /* that ends here */
	uint32_t rest;        /* route that takes all that follows */
};

struct edge {
	struct slice before, behind; /* text around the placeholder; a plain text: all in before */
	uint32_t from, hash, node, next;
};

struct route_table {
	struct node *nodes;
	struct edge *edges;
	uint32_t n_nodes, n_edges;
	uint32_t *index, index_size; /* edge of a plain text */
	struct slice *routes;        /* as configured */
	uint32_t n_routes;
	char *texts;
	size_t n_texts;
};

static struct slice keep(struct route_table *t, struct slice s)
{
	struct slice kept = { t->texts + t->n_texts, s.n };

	if (s.n)
		memcpy(t->texts + t->n_texts, s.p, s.n);
	t->n_texts += s.n;
	return kept;
}

static uint32_t find_text(const struct route_table *t, uint32_t from, struct slice text, uint32_t *place)
{
	uint32_t hash = route_hash(from, text);

	for (*place = hash & (t->index_size - 1); t->index[*place];
	     *place = (*place + 1) & (t->index_size - 1)) {
		const struct edge *e = &t->edges[t->index[*place]];

		if (e->hash == hash && e->from == from && slice_equal(e->before, text))
			return e->node;
	}
	return NONE;
}

static uint32_t new_edge(struct route_table *t, uint32_t from, struct slice before, struct slice behind)
{
	uint32_t edge = t->n_edges++;

	t->edges[edge] = (struct edge){
		.before = keep(t, before),
		.behind = keep(t, behind),
		.from = from,
		.hash = route_hash(from, before),
		.node = t->n_nodes++,
	};
	return edge;
}

static uint32_t grow_text(struct route_table *t, uint32_t from, struct slice text)
{
	uint32_t place, node = find_text(t, from, text, &place);

	if (node)
		return node;
	t->index[place] = new_edge(t, from, text, (struct slice){ NULL, 0 });
	return t->edges[t->index[place]].node;
}

/* More text first; the order of the configuration among equals. */
static uint32_t grow_around(struct route_table *t, uint32_t from, const struct table_part *part)
{
	uint32_t *link = &t->nodes[from].edges, edge;
	size_t n = part->before.n + part->behind.n;

	for (; *link; link = &t->edges[*link].next) {
		const struct edge *e = &t->edges[*link];

		if (slice_equal(e->before, part->before) && slice_equal(e->behind, part->behind))
			return e->node;
		if (e->before.n + e->behind.n < n)
			break;
	}
	edge = new_edge(t, from, part->before, part->behind);
	t->edges[edge].next = *link;
	*link = edge;
	return t->edges[edge].node;
}

static void grow(struct route_table *t, struct slice route, const struct table_part *parts, uint32_t n)
{
	uint32_t at = 1, i, number = ++t->n_routes;

	t->routes[number] = keep(t, route);
	for (i = 0; i < n && parts[i].kind != TABLE_REST; i++) {
		if (parts[i].kind == TABLE_TEXT) {
			at = grow_text(t, at, parts[i].before);
		} else if (parts[i].kind == TABLE_AROUND) {
			at = grow_around(t, at, &parts[i]);
		} else {
			if (!t->nodes[at].placeholder)
				t->nodes[at].placeholder = t->n_nodes++;
			at = t->nodes[at].placeholder;
		}
	}
	if (i < n && !t->nodes[at].rest)
		t->nodes[at].rest = number;
	else if (i == n && !t->nodes[at].route)
		t->nodes[at].route = number;
}

/* Upper bounds: each "/" begins at most one segment, each segment makes at most one node and edge. */
static int reserve(struct route_table *t, const char *const *routes, size_t n)
{
	size_t bytes = 0, segments = 0;

	for (size_t i = 0; i < n; i++) {
		for (const char *p = routes[i]; *p; p++)
			segments += *p == '/';
		bytes += strlen(routes[i]);
	}
	if (segments > UINT32_MAX / 8 || n > UINT32_MAX / 8)
		return -ENOMEM;
	for (t->index_size = 64; t->index_size < 2 * segments;)
		t->index_size *= 2;
	t->nodes = calloc(segments + 2, sizeof(*t->nodes));
	t->edges = calloc(segments + 2, sizeof(*t->edges));
	t->index = calloc(t->index_size, sizeof(*t->index));
	t->routes = calloc(n + 1, sizeof(*t->routes));
	t->texts = malloc(2 * bytes + 1);
	t->n_nodes = 2; /* 1 is the root */
	t->n_edges = 1;
	return t->nodes && t->edges && t->index && t->routes && t->texts ? 0 : -ENOMEM;
}

int route_table_compile(const char *const *routes, size_t n, struct route_table **table,
			struct route_table_error *error)
{
	struct table_part parts[TABLE_PARTS_MAX];
	struct route_table *t = calloc(1, sizeof(*t));
	char scratch[TABLE_ROUTE_MAX];
	uint32_t n_parts;
	int rc = t ? reserve(t, routes, n) : -ENOMEM;

	for (size_t i = 0; i < n && rc == 0; i++) {
		error->route = i;
		rc = table_parse(slice_of(routes[i]), scratch, parts, &n_parts, error);
		if (rc == 0)
			grow(t, slice_of(routes[i]), parts, n_parts);
	}
	if (rc) {
		route_table_free(t);
		return rc;
	}
	*table = t;
	return 0;
}

void route_table_free(struct route_table *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->edges);
	free(t->index);
	free(t->routes);
	free(t->texts);
	free(t);
}

struct match {
	const struct route_table *table;
	struct slice segments[SEGMENTS_MAX];
	uint32_t n, steps;
	bool deeper; /* there are more segments than these */
	char decoded[DECODED_MAX];
};

static void split(struct match *m, struct slice path)
{
	struct slice segment;
	size_t used = 0;

	m->n = m->steps = 0;
	while (m->n < SEGMENTS_MAX && route_path_next(&path, &segment)) {
		if (segment.n > sizeof(m->decoded) - used)
			break;
		m->segments[m->n].p = m->decoded + used;
		m->segments[m->n].n = table_decode(segment, m->decoded + used);
		used += m->segments[m->n++].n;
	}
	m->deeper = route_path_more(path) || (m->n == 0 && segment.n);
}

static bool is_around(const struct edge *e, struct slice s)
{
	return s.n > e->before.n + e->behind.n && memcmp(s.p, e->before.p, e->before.n) == 0 &&
	       memcmp(s.p + s.n - e->behind.n, e->behind.p, e->behind.n) == 0;
}

/* The best route for the segments from i on; its depth is that of the path, its steps are counted. */
static uint32_t match_from(struct match *m, uint32_t at, uint32_t i)
{
	const struct route_table *t = m->table;
	const struct node *node = &t->nodes[at];
	uint32_t place, next, found = NONE;

	if (at == NONE || ++m->steps > STEPS_MAX)
		return NONE;
	if (i == m->n)
		return m->deeper || !node->route ? node->rest : node->route;
	next = find_text(t, at, m->segments[i], &place);
	if (next)
		found = match_from(m, next, i + 1);
	for (uint32_t e = node->edges; e && !found; e = t->edges[e].next)
		if (is_around(&t->edges[e], m->segments[i]))
			found = match_from(m, t->edges[e].node, i + 1);
	if (!found && node->placeholder)
		found = match_from(m, node->placeholder, i + 1);
	return found ? found : node->rest;
}

struct slice route_table_match(const struct route_table *table, struct slice path)
{
	struct match m;

	m.table = table;
	split(&m, route_path_only(path));
	return table->routes[match_from(&m, 1, 0)];
}
