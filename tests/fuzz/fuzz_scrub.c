/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request-targets: the library records the same of any bytes in any pieces, and of an
 * origin form what the exporter makes of it, too. Input: the pieces' size, the target.
 * FUZZ_SOURCES: shim/scrub.c exporters/span/redact.c exporters/span/text.c exporters/base/arena.c
 */
#include <stdlib.h>
#include <string.h>

#include "exporters/span/redact.h"
#include "shim/scrub.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static size_t scrub(const char *text, size_t n, size_t size, bool authority, char *out)
{
	struct scrub s;
	size_t used = 0;

	scrub_begin(&s, authority);
	for (size_t at = 0, take; at < n; at += take) {
		struct scrub_piece piece;
		const char *in;
		char *copy;

		take = n - at < size ? n - at : size;
		copy = malloc(take);
		memcpy(copy, text + at, take);
		in = copy;
		while (scrub_next(&s, scrub_keys(NULL), &in, copy + take, &piece)) {
			CHECK(piece.cut <= used);
			memcpy(out + used - piece.cut, piece.p, piece.n);
			used += piece.n - piece.cut;
		}
		CHECK(in == copy + take);
		free(copy);
	}
	return used;
}

static void check_origin_form(const char *text, size_t n, const char *out, size_t used)
{
	const char *fragment = memchr(text, '#', n), *question;
	struct slice path, query = { "", 0 };
	struct arena arena;
	size_t path_n;

	n = fragment ? (size_t)(fragment - text) : n;
	question = memchr(text, '?', n);
	path_n = question ? (size_t)(question - text) : n;
	arena_init(&arena);
	path = redact_path(&arena, &redact_default, (struct slice){ text, path_n });
	if (question)
		query = redact_query(&arena, &redact_default, (struct slice){ question + 1, n - path_n - 1 });
	CHECK(used == path.n + (question != NULL) + query.n);
	CHECK(!memcmp(out, path.p, path.n));
	CHECK(!query.n || !memcmp(out + used - query.n, query.p, query.n));
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char whole[16 * 4096 + 64], pieces[16 * 4096 + 64];
	size_t size, used;
	bool authority;

	if (n < 1 || n > 4096)
		return 0;
	size = 1 + data[0] % 16;
	authority = data[0] & 0x80;
	used = scrub((const char *)data + 1, n - 1, n, authority, whole);
	CHECK(scrub((const char *)data + 1, n - 1, size, authority, pieces) == used);
	CHECK(!memcmp(whole, pieces, used));
	if (n > 1 && data[1] == '/' && !authority)
		check_origin_form((const char *)data + 1, n - 1, whole, used);
	return 0;
}
