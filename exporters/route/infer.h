/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_INFER_H
#define BTRACE_ROUTE_INFER_H

/*
 * Inference of routes: a tree of the segments of routes, and for each place in it
 * where only traffic can tell words from ids a small tally of the names seen
 * there. See route.h for the rule.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"

/*
 * A tally scores the names that differ, those with signs in them twice, for
 * nobody would call a word so. From INFER_ID_SCORE on (less behind a word, where
 * own names are likelier than behind an id or at the root), with less than
 * INFER_ID_REQUESTS requests for each, they are ids; with INFER_WORD_REQUESTS
 * for each they are words. Behind a plural, where unknown names are ids anyway,
 * INFER_PLURAL_SCORE of them make ids of all words that follow, too.
 */
#define INFER_ID_SCORE             6u
#define INFER_ID_SCORE_BEHIND_WORD 4u
#define INFER_ID_REQUESTS          4u
#define INFER_WORD_REQUESTS        8u
#define INFER_PLURAL_SCORE         3u
#define INFER_TALLY_NAMES          12u
#define INFER_TALLIES              200u
#define INFER_ROOT_NAMES           32u /* unknown names at the root that are taken for words */

struct infer_node {
	uint32_t parent, hash;
	uint32_t text; /* offset in texts */
	uint8_t n;
	uint8_t place;  /* enum route_place of what is behind */
	bool given;     /* a route that ends here was given out */
	bool strict;    /* what is behind are ids; words only if they were seen before */
	uint8_t names;  /* unknown names behind it that were taken for words */
	uint16_t tally; /* + 1, 0: none */
};

struct infer_tally {
	uint32_t hashes[INFER_TALLY_NAMES];
	uint16_t words;    /* mask: these were found to be words */
	uint16_t marked;   /* mask: these have digits or signs in them */
	uint8_t n;         /* of hashes */
	uint32_t requests; /* of names that are not decided */
};

struct infer {
	bool learning; /* else looks alone */
	uint32_t max_routes, routes;
	struct infer_node *nodes; /* 0 is the root */
	uint32_t n_nodes, size_nodes;
	uint32_t *table, table_size; /* node, by parent and hash; 0 is free */
	char *texts;
	uint32_t n_texts, size_texts;
	struct infer_tally *tallies;
	uint32_t n_tallies;
};

int infer_init(struct infer *in, uint32_t max_routes, bool learning); /* 0 or -ENOMEM */
void infer_release(struct infer *in);

/*
 * The route of `path` in out; empty: none. `teach`: the request was successful,
 * so it may make a route and is counted.
 */
struct slice infer_route(struct infer *in, struct slice path, bool teach, char *out, size_t size);

#endif
