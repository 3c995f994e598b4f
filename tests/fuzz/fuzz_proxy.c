/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PROXY headers: any bytes in any pieces give the same answer as in one, and no more is
 * taken than the header has. Input: a seed of the pieces' sizes, the bytes.
 * FUZZ_SOURCES: shim/http/proxy.c
 */
#include <stdlib.h>
#include <string.h>

#include "shim/http/proxy.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* Pieces of 1 to limit bytes, each in a buffer of its own. */
static enum proxy_result feed(struct proxy *p, const char *bytes, size_t n, unsigned seed, size_t limit)
{
	enum proxy_result result = PROXY_MORE;

	proxy_init(p);
	for (size_t at = 0, take; at < n && result == PROXY_MORE; at += take) {
		const char *in;
		char *copy;

		seed = seed * 1664525u + 1013904223u;
		take = 1 + (seed >> 8) % limit;
		if (take > n - at)
			take = n - at;
		copy = malloc(take);
		memcpy(copy, bytes + at, take);
		in = copy;
		result = proxy_next(p, &in, copy + take);
		CHECK(in >= copy && in <= copy + take);
		CHECK(result != PROXY_MORE || in == copy + take);
		take = (size_t)(in - copy);
		CHECK(take || result != PROXY_MORE);
		free(copy);
	}
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy whole, pieces;
	enum proxy_result result;
	const char *p;

	if (size < 2)
		return 0;
	p = (const char *)data + 1;
	size--;
	result = feed(&whole, p, size, 0, SIZE_MAX >> 1);
	CHECK(feed(&pieces, p, size, data[0], data[0] & 1 ? 1 : 40) == result);
	CHECK(whole.bytes <= size && pieces.bytes <= size);
	if (result != PROXY_DONE)
		return 0; /* what is none may be told at the first wrong byte or a few later */
	CHECK(whole.bytes == pieces.bytes);
	CHECK(whole.version == pieces.version && whole.client == pieces.client && whole.port == pieces.port);
	CHECK(memcmp(whole.address, pieces.address, 16) == 0);
	CHECK(whole.version == (*p == 'P' ? 1 : 2) && whole.client <= PROXY_IPV6);
	return 0;
}
