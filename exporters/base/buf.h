/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_BUF_H
#define BTRACE_BUF_H

/*
 * A growing byte buffer. Not thread safe. A failed allocation sets buf->failed
 * and drops what is added from then on: check once, at the end. buf_clear and
 * buf_release reset it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/slice.h"

struct buf {
	char *p;
	size_t n, size;
	bool failed;
};

void buf_init(struct buf *b);
void buf_clear(struct buf *b); /* empty, memory kept */
void buf_release(struct buf *b);
void buf_truncate(struct buf *b, size_t n); /* forgets what is beyond n bytes */
bool buf_grow(struct buf *b, size_t more);  /* what buf_reserve calls when there is no room */
void buf_add_text(struct buf *b, const char *text);
void buf_add_u64(struct buf *b, uint64_t value); /* decimal */
void buf_add_i64(struct buf *b, int64_t value);
void buf_add_hex(struct buf *b, const uint8_t *p, size_t n);        /* lower case */
void buf_insert(struct buf *b, size_t at, const void *p, size_t n); /* moves what is beyond at <= b->n */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `more` > 0 bytes at b->p + b->n, for writers that then add to b->n themselves. */
static inline bool buf_reserve(struct buf *b, size_t more)
{
	return (more <= b->size - b->n && !b->failed) || buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n); /* cppcheck-suppress uninitvar */
	b->n += n;
}

static inline void buf_add_slice(struct buf *b, struct slice s) { buf_add(b, s.p, s.n); }

/* Bytes that stand in the buffer already once more: [at, at + n), n within b->n. */
static inline void buf_repeat(struct buf *b, size_t at, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->p + b->n, b->p + at, n);
	b->n += n;
}

static inline void buf_add_byte(struct buf *b, uint8_t byte)
{
	if (buf_reserve(b, 1))
		b->p[b->n++] = (char)byte;
}

#endif
