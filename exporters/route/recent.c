/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/route/recent.h"

/* Over eight bytes at a time; a poor place costs a miss, no more. */
static uint32_t place_of(struct slice path)
{
	uint64_t h = path.n, word;
	size_t at = 0;

	for (; path.n - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, path.p + at, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	for (word = 0; at < path.n; at++)
		word = word << 8 | (uint8_t)path.p[at];
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32) % RECENT_PATHS;
}

struct slice recent_find(const struct recent *r, struct slice path, char *out, size_t size)
{
	static const struct slice none;
	uint32_t i = path.n <= RECENT_BYTES ? place_of(path) : 0;

	if (!path.n || r->entry[i].path_n != path.n || r->entry[i].route_n > size ||
	    memcmp(r->entry[i].path, path.p, path.n) != 0)
		return none;
	memcpy(out, r->entry[i].route, r->entry[i].route_n);
	return (struct slice){ out, r->entry[i].route_n };
}

void recent_keep(struct recent *r, struct slice path, struct slice route)
{
	uint32_t i;

	if (!path.n || path.n > RECENT_BYTES || !route.n || route.n > RECENT_BYTES)
		return;
	i = place_of(path);
	r->entry[i].path_n = (uint8_t)path.n;
	r->entry[i].route_n = (uint8_t)route.n;
	memcpy(r->entry[i].path, path.p, path.n);
	memcpy(r->entry[i].route, route.p, route.n);
}
