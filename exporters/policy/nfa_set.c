/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/policy/nfa.h"

#include <errno.h>

#include "exporters/policy/vector.h"

/* The code points whose UTF-8 has 1, 2, 3 and 4 bytes. */
static const struct regex_range planes[] = {
	{ 0, 0x7f }, { 0x80, 0x7ff }, { 0x800, 0xffff }, { 0x10000, REGEX_LAST_CODE_POINT }
};

uint32_t nfa_utf8(uint32_t code_point, uint8_t bytes[4])
{
	uint32_t n = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

	for (uint32_t i = n; i-- > 1; code_point >>= 6)
		bytes[i] = (uint8_t)(0x80 | (code_point & 0x3f));
	bytes[0] = (uint8_t)(n == 1 ? code_point : (0xf00u >> n & 0xf0) | code_point);
	return n;
}

static bool add_bytes(struct nfa_builder *b, uint8_t first, uint8_t last)
{
	struct nfa *nfa = b->nfa;

	if (!VECTOR_ROOM(nfa->ranges, nfa->size_ranges, nfa->n_ranges, 1)) {
		b->rc = b->rc ? b->rc : -ENOMEM;
		return false;
	}
	nfa->ranges[nfa->n_ranges++] = (struct nfa_range){ first, last };
	return true;
}

uint32_t nfa_new_bytes(struct nfa_builder *b, uint8_t first, uint8_t last, uint32_t out)
{
	uint32_t node = nfa_new_node(b, NFA_BYTES, out, NFA_NONE);

	if (node == NFA_NONE || !add_bytes(b, first, last))
		return NFA_NONE;
	b->nfa->nodes[node].first = b->nfa->n_ranges - 1;
	b->nfa->nodes[node].n = 1;
	return node;
}

void nfa_more_bytes(struct nfa_builder *b, uint32_t node, uint8_t first, uint8_t last)
{
	if (!b->rc && add_bytes(b, first, last))
		b->nfa->nodes[node].n++;
}

/* Two ways on; a missing one costs nothing. */
static uint32_t either(struct nfa_builder *b, uint32_t one, uint32_t other)
{
	if (one == NFA_NONE || other == NFA_NONE)
		return one == NFA_NONE ? other : one;
	return nfa_new_node(b, NFA_SPLIT, one, other);
}

/* The sequences between two code points of the same length n whose leading bytes from `at` on may differ. */
static uint32_t sequences(struct nfa_builder *b, const uint8_t *low, const uint8_t *high, uint32_t n,
			  uint32_t out)
{
	static const uint8_t lowest[4] = { 0x80, 0x80, 0x80, 0x80 }, highest[4] = { 0xbf, 0xbf, 0xbf, 0xbf };
	uint32_t result = NFA_NONE, first = low[0], last = high[0];

	if (n == 1)
		return nfa_new_bytes(b, low[0], high[0], out);
	if (first == last)
		return nfa_new_bytes(b, low[0], low[0], sequences(b, low + 1, high + 1, n - 1, out));
	if (low[1] != 0x80 || (n > 2 && low[2] != 0x80) || (n > 3 && low[3] != 0x80)) {
		result = nfa_new_bytes(b, low[0], low[0], sequences(b, low + 1, highest, n - 1, out));
		first++;
	}
	if (high[1] != 0xbf || (n > 2 && high[2] != 0xbf) || (n > 3 && high[3] != 0xbf)) {
		uint32_t rest = sequences(b, lowest, high + 1, n - 1, out);

		result = either(b, result, nfa_new_bytes(b, high[0], high[0], rest));
		last--;
	}
	if (first <= last) {
		uint32_t rest = sequences(b, lowest, highest, n - 1, out);

		result = either(b, result, nfa_new_bytes(b, (uint8_t)first, (uint8_t)last, rest));
	}
	return result;
}

/*
 * A whole plane is taken by its leading bytes alone: the ill-formed sequences
 * this lets in (overlong ones, surrogates) are characters to nobody, and each
 * byte told apart here would be one more class in every row of the automaton.
 */
static uint32_t plane_part(struct nfa_builder *b, uint32_t plane, struct regex_range range, uint32_t out)
{
	static const uint8_t lead[][2] = { { 0, 0x7f }, { 0xc2, 0xdf }, { 0xe0, 0xef }, { 0xf0, 0xf4 } };
	uint8_t low[4] = { 0 }, high[4] = { 0 };
	uint32_t n = nfa_utf8(range.first, low);

	if (range.first == planes[plane].first && range.last == planes[plane].last) {
		for (uint32_t i = 0; i < plane; i++)
			out = nfa_new_bytes(b, 0x80, 0xbf, out);
		return nfa_new_bytes(b, lead[plane][0], lead[plane][1], out);
	}
	nfa_utf8(range.last, high);
	return sequences(b, low, high, n, out);
}

static uint32_t ascii_part(struct nfa_builder *b, const struct regex_range *ranges, uint32_t n, uint32_t out)
{
	uint32_t node = NFA_NONE;

	for (uint32_t i = 0; i < n && ranges[i].first < 0x80; i++) {
		uint8_t last = (uint8_t)(ranges[i].last < 0x80 ? ranges[i].last : 0x7f);

		if (node == NFA_NONE) {
			node = nfa_new_bytes(b, (uint8_t)ranges[i].first, last, out);
			if (node == NFA_NONE)
				break;
		} else {
			nfa_more_bytes(b, node, (uint8_t)ranges[i].first, last);
		}
	}
	return node;
}

uint32_t nfa_new_set(struct nfa_builder *b, const struct regex_range *ranges, uint32_t n, uint32_t out)
{
	uint32_t result = ascii_part(b, ranges, n, out);

	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t plane = 1; plane < 4; plane++) {
			struct regex_range part = ranges[i];

			part.first = part.first > planes[plane].first ? part.first : planes[plane].first;
			part.last = part.last < planes[plane].last ? part.last : planes[plane].last;
			if (part.first <= part.last)
				result = either(b, result, plane_part(b, plane, part, out));
		}
	}
	if (result == NFA_NONE) /* the empty set: a way that goes nowhere */
		result = nfa_new_node(b, NFA_SPLIT, NFA_NONE, NFA_NONE);
	return result;
}
