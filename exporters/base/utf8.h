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
bool utf8_is_ascii(struct slice s); /* the quick look that settles nearly all strings */

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
