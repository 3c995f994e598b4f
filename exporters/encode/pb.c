/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/pb.h"

void pb_add_string(struct buf *b, uint8_t key, struct slice s)
{
	struct utf8_text text;

	if (!s.n)
		return;
	text = utf8_text_of(s);
	if (buf_reserve(b, PB_VARINT_MAX + 1 + text.size))
		b->n = (size_t)(pb_put_text_field(b->p + b->n, key, text) - b->p);
}

void pb_add_varint(struct buf *b, uint8_t key, uint64_t value)
{
	char *p;

	if (!value || !buf_reserve(b, PB_VARINT_MAX + 1))
		return;
	p = b->p + b->n;
	*p++ = (char)key;
	b->n = (size_t)(pb_put_varint(p, value) - b->p);
}

void pb_add_fixed64(struct buf *b, uint8_t key, uint64_t value)
{
	if (!value || !buf_reserve(b, 9))
		return;
	b->p[b->n] = (char)key;
	pb_put_fixed64(b->p + b->n + 1, value);
	b->n += 9;
}

void pb_add_bytes(struct buf *b, uint8_t key, const uint8_t *bytes, size_t n)
{
	if (!buf_reserve(b, 2 + n))
		return;
	b->p[b->n] = (char)key;
	b->p[b->n + 1] = (char)n;
	memcpy(b->p + b->n + 2, bytes, n);
	b->n += 2 + n;
}

struct pb_message pb_open(struct buf *b, uint8_t key, size_t guess)
{
	if (buf_reserve(b, 1 + PB_VARINT_MAX)) {
		b->p[b->n] = (char)key;
		b->n += 1 + guess;
	}
	return (struct pb_message){ b->n, guess };
}

void pb_close(struct buf *b, struct pb_message message)
{
	size_t length = b->n - message.body, size = pb_varint_size(length);

	if (b->failed || !buf_reserve(b, PB_VARINT_MAX))
		return;
	if (size != message.guess) {
		memmove(b->p + message.body + size - message.guess, b->p + message.body, length);
		b->n += size - message.guess;
	}
	pb_put_varint(b->p + message.body - message.guess, length);
}
