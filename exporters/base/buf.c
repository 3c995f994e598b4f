/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/base/number.h"

enum { FIRST_SIZE = 256 };

void buf_init(struct buf *b) { *b = (struct buf){ 0 }; }

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

void buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b);
}

void buf_truncate(struct buf *b, size_t n)
{
	if (n < b->n)
		b->n = n;
}

static bool fail(struct buf *b)
{
	b->failed = true;
	return false;
}

bool buf_grow(struct buf *b, size_t more)
{
	size_t size = b->size < FIRST_SIZE ? FIRST_SIZE : b->size;
	char *p;

	if (b->failed || more > (size_t)PTRDIFF_MAX - b->n)
		return fail(b);
	while (size < b->n + more)
		size = size > (size_t)PTRDIFF_MAX / 2 ? (size_t)PTRDIFF_MAX : size * 2;
	p = realloc(b->p, size);
	if (!p)
		return fail(b);
	b->p = p;
	b->size = size;
	return true;
}

void buf_add_text(struct buf *b, const char *text) { buf_add(b, text, strlen(text)); }

void buf_add_u64(struct buf *b, uint64_t value)
{
	if (buf_reserve(b, NUMBER_SIZE))
		b->n += number_u64(b->p + b->n, value);
}

void buf_add_i64(struct buf *b, int64_t value)
{
	if (buf_reserve(b, NUMBER_SIZE))
		b->n += number_i64(b->p + b->n, value);
}

void buf_add_hex(struct buf *b, const uint8_t *p, size_t n)
{
	if (n > (size_t)PTRDIFF_MAX / 2 || !buf_reserve(b, 2 * n))
		return;
	number_hex(b->p + b->n, p, n);
	b->n += 2 * n;
}

void buf_insert(struct buf *b, size_t at, const void *p, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memmove(b->p + at + n, b->p + at, b->n - at);
	memcpy(b->p + at, p, n);
	b->n += n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list list, again;
	int n;

	va_start(list, format);
	va_copy(again, list);
	n = vsnprintf(NULL, 0, format, list);
	/* vsnprintf ends with a NUL for which there must be room; it is not counted. */
	if (n > 0 && buf_reserve(b, (size_t)n + 1)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
		b->n += (size_t)n;
	}
	va_end(again);
	va_end(list);
}
