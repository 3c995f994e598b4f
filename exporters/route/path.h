/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_ROUTE_PATH_H
#define BTRACE_ROUTE_PATH_H

/* A path, segment by segment. */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/slice.h"

/* What is in front of "?" or "#". */
static inline struct slice route_path_only(struct slice target)
{
	size_t n = 0;

	while (n < target.n && target.p[n] != '?' && target.p[n] != '#')
		n++;
	return (struct slice){ target.p, n };
}

/* Takes the next segment that is not empty off `rest`. False: there is none. */
static inline bool route_path_next(struct slice *rest, struct slice *segment)
{
	size_t begin = 0, end;

	while (begin < rest->n && rest->p[begin] == '/')
		begin++;
	for (end = begin; end < rest->n && rest->p[end] != '/'; end++)
		;
	*segment = (struct slice){ rest->p + begin, end - begin };
	*rest = (struct slice){ rest->p + end, rest->n - end };
	return segment->n > 0;
}

static inline bool route_path_more(struct slice rest)
{
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] != '/')
			return true;
	return false;
}

/* FNV-1a, with a finish that makes all bits depend on all. */
static inline uint32_t route_hash(uint32_t seed, struct slice s)
{
	uint32_t h = 2166136261u ^ seed * 0x9e3779b1u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 16777619u;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	return h ^ h >> 13;
}

#endif
