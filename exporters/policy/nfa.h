/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_POLICY_NFA_H
#define BTRACE_POLICY_NFA_H

/*
 * One non-deterministic automaton over bytes for all patterns: Thompson's
 * construction, with the plain beginnings of the patterns shared in a trie
 * (a thousand literals would otherwise be a thousand threads at each byte).
 * Characters become whole UTF-8 sequences, so that nothing matches half of one.
 */

#include <stdint.h>

#include "exporters/policy/regex.h"

#define NFA_NONE      UINT32_MAX
#define NFA_NODES_MAX (1u << 18)

enum nfa_kind {
	NFA_SPLIT,  /* on to out and to out2, each may be NFA_NONE */
	NFA_BYTES,  /* one byte in ranges[first, first + n), on to out */
	NFA_ASSERT, /* on to out where the assertion holds */
	NFA_MATCH,
};

struct nfa_range {
	uint8_t first, last;
};

struct nfa_node {
	uint8_t kind;      /* enum nfa_kind */
	uint8_t assertion; /* enum regex_assertion */
	uint8_t trie;      /* an edge of the trie, out is the point it leads to */
	uint32_t out, out2;
	uint32_t first, n;
};

struct nfa {
	struct nfa_node *nodes;
	uint32_t n_nodes, size_nodes;
	struct nfa_range *ranges;
	uint32_t n_ranges, size_ranges;
	uint32_t root, match;
	uint32_t assertions; /* mask over enum regex_assertion: which occur */
};

/* 0 or -ENOMEM. Release it in every case. */
int nfa_init(struct nfa *nfa);
/* Adds a pattern. 0, -ENOMEM, or -E2BIG: *offset is the place in the pattern where the bound was met. */
int nfa_add(struct nfa *nfa, const struct regex *regex, uint32_t *offset);
void nfa_release(struct nfa *nfa);

/* nfa_set.c */
struct nfa_builder {
	struct nfa *nfa;
	const struct regex *regex;
	uint32_t offset;
	int rc; /* the first error sticks */
};

uint32_t nfa_new_node(struct nfa_builder *b, enum nfa_kind kind, uint32_t out, uint32_t out2);
uint32_t nfa_new_bytes(struct nfa_builder *b, uint8_t first, uint8_t last, uint32_t out);
/* Another range for the newest node of bytes. */
void nfa_more_bytes(struct nfa_builder *b, uint32_t node, uint8_t first, uint8_t last);
/* Any character of the ranges, then `out`; the node where that begins. */
uint32_t nfa_new_set(struct nfa_builder *b, const struct regex_range *ranges, uint32_t n, uint32_t out);
/* UTF-8 of a code point; its length. */
uint32_t nfa_utf8(uint32_t code_point, uint8_t bytes[4]);

#endif
