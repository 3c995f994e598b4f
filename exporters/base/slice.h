/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SLICE_H
#define BTRACE_SLICE_H

/* A borrowed view of bytes. Never NUL-terminated by contract; p may be NULL when n is 0. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *text) { return slice_equal(a, slice_of(text)); }

#endif
