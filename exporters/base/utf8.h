/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_UTF8_H
#define BTRACE_UTF8_H

/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF. Receivers written in Go and Java refuse a whole request for one bad
 * byte, so what comes from the network is repaired: each maximal part of an
 * ill-formed sequence becomes one U+FFFD, as Unicode (3.9, table 3-8) and Python
 * do it. Pure, thread safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/arena.h"
#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

/*
 * Looks at the sequence at p (n > 0 bytes left): its length 1..4 if well-formed,
 * else minus the number of bytes 1..3 that one U+FFFD stands for.
 */
int utf8_next(const char *p, size_t n);

bool utf8_valid(struct slice s);

/* Eight bytes at once. */
enum { UTF8_WORD = sizeof(uint64_t) };
#define UTF8_HIGH_BITS 0x8080808080808080u

static inline uint64_t utf8_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, UTF8_WORD);
	return word;
}

/* Up to seven bytes as a word, read in pieces that overlap. */
static inline uint64_t utf8_short(const char *p, size_t n)
{
	uint32_t first, last;

	if (n >= 4) {
		memcpy(&first, p, 4);
		memcpy(&last, p + n - 4, 4);
		return first | last;
	}
	return n ? (uint64_t)((uint8_t)p[0] | (uint8_t)p[n / 2] | (uint8_t)p[n - 1]) : 0;
}

/* The quick look that settles nearly all strings. */
static inline bool utf8_is_ascii(struct slice s)
{
	uint64_t seen = 0;
	size_t i = 0;

	if (s.n < UTF8_WORD)
		return !(utf8_short(s.p, s.n) & UTF8_HIGH_BITS);
	for (; i + UTF8_WORD < s.n; i += UTF8_WORD)
		seen |= utf8_word(s.p + i);
	return !((seen | utf8_word(s.p + s.n - UTF8_WORD)) & UTF8_HIGH_BITS);
}

/* How many bytes of s to keep so that it is at most max_bytes and ends between characters. */
size_t utf8_cut(struct slice s, size_t max_bytes);

/* s itself if it is valid, else a repaired copy; an empty slice if there is no memory. */
struct slice utf8_repair(struct arena *a, struct slice s);

size_t utf8_repaired_size(struct slice s);
char *utf8_put_repaired(char *out, struct slice s); /* returns its end */

/* A string on its way to a length-prefixed format: how long it will be is known before it is written. */
struct utf8_text {
	struct slice s;
	size_t size; /* repaired */
	bool valid;
};

static inline struct utf8_text utf8_text_of(struct slice s)
{
	bool valid = utf8_is_ascii(s) || utf8_valid(s);

	return (struct utf8_text){ s, valid ? s.n : utf8_repaired_size(s), valid };
}

/* For what is known to be valid. */
static inline struct utf8_text utf8_text_valid(struct slice s) { return (struct utf8_text){ s, s.n, true }; }

static inline char *utf8_put_text(char *out, struct utf8_text text)
{
	if (!text.valid)
		return utf8_put_repaired(out, text.s);
	if (text.size)
		memcpy(out, text.s.p, text.size);
	return out + text.size;
}

void buf_add_utf8(struct buf *b, struct slice s); /* repaired */

#endif
