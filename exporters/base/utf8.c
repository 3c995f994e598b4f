/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/base/utf8.h"

#include <stdint.h>
#include <string.h>

static const char replacement[3] = "\xef\xbf\xbd";

static bool is_continuation(char byte) { return ((uint8_t)byte & 0xc0) == 0x80; }

/* The second byte's range depends on the first (Unicode table 3-7). */
static bool second_fits(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

int utf8_next(const char *p, size_t n)
{
	uint8_t first = (uint8_t)*p;
	int length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return -1;
	if (n < 2 || !second_fits(first, (uint8_t)p[1]))
		return -1;
	for (int i = 2; i < length; i++)
		if ((size_t)i >= n || !is_continuation(p[i]))
			return -i;
	return length;
}

/* Bytes up to the first that is not ASCII. */
static size_t ascii_run(const char *p, size_t n)
{
	size_t i = 0;

	while (i + UTF8_WORD <= n && !(utf8_word(p + i) & UTF8_HIGH_BITS))
		i += UTF8_WORD;
	while (i < n && (uint8_t)p[i] < 0x80)
		i++;
	return i;
}

/* Bytes up to the first ill-formed sequence. */
static size_t valid_run(struct slice s)
{
	size_t i = 0;

	while (i < s.n) {
		int step;

		i += ascii_run(s.p + i, s.n - i);
		if (i == s.n)
			break;
		step = utf8_next(s.p + i, s.n - i);
		if (step < 0)
			break;
		i += (size_t)step;
	}
	return i;
}

bool utf8_valid(struct slice s) { return valid_run(s) == s.n; }

size_t utf8_cut(struct slice s, size_t max_bytes)
{
	size_t end = max_bytes;

	if (s.n <= max_bytes)
		return s.n;
	/* A character has at most three continuation bytes; more of them are no text. */
	while (end > 0 && max_bytes - end < 3 && is_continuation(s.p[end]))
		end--;
	return is_continuation(s.p[end]) ? max_bytes : end;
}

static struct slice rest_of(struct slice s, size_t from) { return (struct slice){ s.p + from, s.n - from }; }

/* Skips one bad part, s.n > 0. */
static struct slice past_bad(struct slice s) { return rest_of(s, (size_t)-utf8_next(s.p, s.n)); }

size_t utf8_repaired_size(struct slice s)
{
	size_t size = 0;

	while (s.n) {
		size_t good = valid_run(s);

		size += good;
		s = rest_of(s, good);
		if (s.n) {
			size += sizeof(replacement);
			s = past_bad(s);
		}
	}
	return size;
}

char *utf8_put_repaired(char *out, struct slice s)
{
	while (s.n) {
		size_t good = valid_run(s);

		memcpy(out, s.p, good);
		out += good;
		s = rest_of(s, good);
		if (s.n) {
			memcpy(out, replacement, sizeof(replacement));
			out += sizeof(replacement);
			s = past_bad(s);
		}
	}
	return out;
}

void buf_add_utf8(struct buf *b, struct slice s)
{
	size_t size = utf8_repaired_size(s);

	if (size && buf_reserve(b, size))
		b->n = (size_t)(utf8_put_repaired(b->p + b->n, s) - b->p);
}

struct slice utf8_repair(struct arena *a, struct slice s)
{
	size_t size;
	char *out;

	if (utf8_is_ascii(s) || utf8_valid(s))
		return s;
	size = utf8_repaired_size(s);
	out = arena_take(a, size);
	if (!out)
		return (struct slice){ "", 0 };
	utf8_put_repaired(out, s);
	return (struct slice){ out, size };
}
