/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_SHAPE_H
#define BTRACE_ROUTE_SHAPE_H

/*
 * What one segment of a path is by its looks: a word to keep, an id to replace,
 * or a name of which only traffic can tell. Pure.
 *
 * Ids: integers, UUIDs, ULIDs, hexadecimal from 8 digits, base64url and what is
 * as random, prefixed ids (cus_Nff...), keys (PROJ-12), dates, e-mail, IP and MAC
 * addresses, telephone numbers, escapes that hide more than a word. Kept: known
 * words, versions (v1, v1beta2, 2024-01 behind api), names of files but for a
 * hash or id in them, what begins with "." or "_".
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"

#define ROUTE_SEGMENT_MAX 96u /* bytes; longer ones are ids */

enum route_kind { ROUTE_KEEP, ROUTE_NAME, ROUTE_ID };

/* Where the segment stands. */
enum route_place {
	ROUTE_AT_ROOT,       /* first, or behind nothing but api, versions and the like */
	ROUTE_BEHIND_PLURAL, /* of a noun */
	ROUTE_BEHIND_NOUN,
	ROUTE_BEHIND_WORD,
	ROUTE_BEHIND_ID,
};

struct route_shape {
	uint8_t kind;      /* enum route_kind */
	uint8_t next;      /* enum route_place of the segment behind, should this one be kept */
	bool digits;       /* a name with digits in it: behind the root, an id */
	bool marked;       /* a name with digits or signs in it: seldom a word */
	uint32_t words;    /* enum route_word, of a segment that is kept */
	struct slice keep; /* as a word: the segment itself, or text[] */
	struct slice id;   /* as an id: "{id}", "{id}.json", "@{id}", "{id}:cancel" */
	char text[2][ROUTE_SEGMENT_MAX + 32];
};

/*
 * Segment: between two slashes, not empty, as it came (escapes not decoded).
 * `more`: others follow. The slices point into `shape`, the segment, or constants.
 */
void route_shape(struct slice segment, enum route_place place, bool more, struct route_shape *shape);

/* The parts, shape.c and shape_file.c. */
void route_judge(struct slice s, enum route_place place, bool more, struct route_shape *shape);
void route_set_id(struct route_shape *shape, struct slice before, struct slice behind);
struct slice route_join(char *to, size_t size, const struct slice *parts, size_t n);
bool route_shape_file(struct slice s, enum route_place place, struct route_shape *shape); /* false: no file */

/* shape_id.c: looks of an id, of a piece without extension or prefix. */
bool route_is_id(struct slice text);
bool route_is_hash(struct slice text); /* hexadecimal or mixed, from 8, with a digit */
bool route_is_version(struct slice text, enum route_place place, bool more);

#endif
