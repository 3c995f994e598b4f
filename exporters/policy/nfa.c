/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/nfa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/policy/vector.h"

#define WALK_RANGES 4u

static uint32_t build(struct nfa_builder *b, uint32_t index, uint32_t out);

uint32_t nfa_new_node(struct nfa_builder *b, enum nfa_kind kind, uint32_t out, uint32_t out2)
{
	struct nfa *nfa = b->nfa;

	if (b->rc)
		return NFA_NONE;
	if (nfa->n_nodes >= NFA_NODES_MAX)
		b->rc = -E2BIG;
	else if (!VECTOR_ROOM(nfa->nodes, nfa->size_nodes, nfa->n_nodes, 1))
		b->rc = -ENOMEM;
	if (b->rc)
		return NFA_NONE;
	nfa->nodes[nfa->n_nodes] = (struct nfa_node){ .kind = (uint8_t)kind, .out = out, .out2 = out2 };
	return nfa->n_nodes++;
}

/* One item more or less, then `out`: x* is min 0, x+ is min 1. */
static uint32_t build_loop(struct nfa_builder *b, uint32_t child, uint32_t min, uint32_t out)
{
	uint32_t loop = nfa_new_node(b, NFA_SPLIT, NFA_NONE, out);
	uint32_t entry = build(b, child, loop);

	if (b->rc)
		return NFA_NONE;
	b->nfa->nodes[loop].out = entry;
	return min ? entry : loop;
}

static uint32_t build_repeat(struct nfa_builder *b, const struct regex_node *node, uint32_t out)
{
	uint32_t copies = node->min, end = out, before;

	if (node->max == REGEX_UNLIMITED) {
		out = build_loop(b, node->first, copies > 0, out);
		copies -= copies > 0;
	} else {
		for (uint32_t i = node->max - node->min; i && !b->rc; i--) {
			uint32_t split = nfa_new_node(b, NFA_SPLIT, NFA_NONE, end), entry;

			before = b->nfa->n_nodes;
			entry = build(b, node->first, out);
			if (b->rc || b->nfa->n_nodes == before)
				break; /* nothing inside: further copies are the same */
			b->nfa->nodes[split].out = entry;
			out = split;
		}
	}
	for (; copies && !b->rc; copies--) {
		before = b->nfa->n_nodes;
		out = build(b, node->first, out);
		if (b->nfa->n_nodes == before)
			break;
	}
	if (b->rc)
		b->offset = node->offset;
	return out;
}

static uint32_t build_alternate(struct nfa_builder *b, uint32_t child, uint32_t out)
{
	uint32_t result = NFA_NONE;

	for (; child != REGEX_NONE && !b->rc; child = b->regex->nodes[child].next) {
		uint32_t entry = build(b, child, out);

		result = result == NFA_NONE ? entry : nfa_new_node(b, NFA_SPLIT, entry, result);
	}
	return result;
}

/* The way through a node that then goes on to `out`; where it begins. Depth: that of the groups. */
static uint32_t build(struct nfa_builder *b, uint32_t index, uint32_t out)
{
	const struct regex_node *node = &b->regex->nodes[index];

	if (b->rc)
		return NFA_NONE;
	b->offset = node->offset;
	switch (node->kind) {
	case REGEX_SET: return nfa_new_set(b, b->regex->ranges + node->first, node->n, out);
	case REGEX_REPEAT: return build_repeat(b, node, out);
	case REGEX_ALTERNATE: return build_alternate(b, node->first, out);
	case REGEX_ASSERT:
		b->nfa->assertions |= 1u << node->assertion;
		out = nfa_new_node(b, NFA_ASSERT, out, NFA_NONE);
		if (out != NFA_NONE)
			b->nfa->nodes[out].assertion = node->assertion;
		return out;
	case REGEX_CONCAT:
		for (index = node->first; index != REGEX_NONE; index = b->regex->nodes[index].next)
			out = build(b, index, out);
		return out;
	default: return out;
	}
}

/* One more way on from a point of the trie. */
static void attach(struct nfa_builder *b, uint32_t point, uint32_t entry)
{
	struct nfa_node *nodes = b->nfa->nodes;
	uint32_t more;

	if (b->rc)
		return;
	if (nodes[point].out == NFA_NONE) {
		nodes[point].out = entry;
		return;
	}
	more = nfa_new_node(b, NFA_SPLIT, entry, nodes[point].out2);
	if (more != NFA_NONE)
		b->nfa->nodes[point].out2 = more;
}

static bool same_bytes(const struct nfa *nfa, uint32_t edge, const struct nfa_range *ranges, uint32_t n)
{
	const struct nfa_node *node = &nfa->nodes[edge];

	return node->trie && node->n == n &&
	       memcmp(nfa->ranges + node->first, ranges, n * sizeof(*ranges)) == 0;
}

/* The point behind one of those bytes, a new one if need be. */
static uint32_t walk(struct nfa_builder *b, uint32_t point, const struct nfa_range *ranges, uint32_t n)
{
	const struct nfa *nfa = b->nfa;
	uint32_t edge, next;

	for (uint32_t at = point; at != NFA_NONE; at = nfa->nodes[at].out2) {
		edge = nfa->nodes[at].out;
		if (edge != NFA_NONE && same_bytes(nfa, edge, ranges, n))
			return nfa->nodes[edge].out;
	}
	next = nfa_new_node(b, NFA_SPLIT, NFA_NONE, NFA_NONE);
	edge = nfa_new_bytes(b, ranges[0].first, ranges[0].last, next);
	for (uint32_t i = 1; i < n; i++)
		nfa_more_bytes(b, edge, ranges[i].first, ranges[i].last);
	if (edge != NFA_NONE)
		b->nfa->nodes[edge].trie = 1;
	attach(b, point, edge);
	return next;
}

/* Sets that become one node, as \d or a letter in either case, and single characters. */
static bool can_walk(const struct regex *regex, uint32_t index)
{
	const struct regex_node *node = &regex->nodes[index];
	const struct regex_range *ranges;

	if (node->kind != REGEX_SET || node->n == 0 || node->n > WALK_RANGES)
		return false;
	ranges = regex->ranges + node->first;
	return ranges[node->n - 1].last < 0x80 || (node->n == 1 && ranges->first == ranges->last);
}

static uint32_t walk_set(struct nfa_builder *b, uint32_t point, uint32_t index)
{
	const struct regex_node *node = &b->regex->nodes[index];
	const struct regex_range *from = b->regex->ranges + node->first;
	struct nfa_range ranges[WALK_RANGES];
	uint8_t bytes[4];

	b->offset = node->offset;
	if (from[node->n - 1].last < 0x80) {
		for (uint32_t i = 0; i < node->n; i++)
			ranges[i] = (struct nfa_range){ (uint8_t)from[i].first, (uint8_t)from[i].last };
		return walk(b, point, ranges, node->n);
	}
	for (uint32_t i = 0, n = nfa_utf8(from->first, bytes); i < n && !b->rc; i++) {
		ranges[0].first = ranges[0].last = bytes[i];
		point = walk(b, point, ranges, 1);
	}
	return point;
}

/* The items of the pattern in their order: sets along the trie, what remains behind it. */
static void add_items(struct nfa_builder *b, const uint32_t *items, uint32_t n)
{
	uint32_t point = b->nfa->root, out = b->nfa->match, done = 0;

	for (; done < n && can_walk(b->regex, items[done]) && !b->rc; done++)
		point = walk_set(b, point, items[done]);
	for (uint32_t i = n; i-- > done && !b->rc;)
		out = build(b, items[i], out);
	attach(b, point, out);
}

int nfa_add(struct nfa *nfa, const struct regex *regex, uint32_t *offset)
{
	struct nfa_builder b = { .nfa = nfa, .regex = regex };
	const struct regex_node *root = &regex->nodes[regex->root];
	uint32_t *items, n = 0, index = root->kind == REGEX_CONCAT ? root->first : regex->root, i;

	for (i = index; i != REGEX_NONE; i = regex->nodes[i].next)
		n++;
	items = calloc(n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (i = n; i--; index = regex->nodes[index].next)
		items[i] = index;
	add_items(&b, items, n);
	free(items);
	*offset = b.offset;
	return b.rc;
}

int nfa_init(struct nfa *nfa)
{
	struct nfa_builder b = { .nfa = nfa };

	memset(nfa, 0, sizeof(*nfa));
	nfa->root = nfa_new_node(&b, NFA_SPLIT, NFA_NONE, NFA_NONE);
	nfa->match = nfa_new_node(&b, NFA_MATCH, NFA_NONE, NFA_NONE);
	return b.rc;
}

void nfa_release(struct nfa *nfa)
{
	free(nfa->nodes);
	free(nfa->ranges);
	memset(nfa, 0, sizeof(*nfa));
}
