/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PB_H
#define BTRACE_PB_H

/*
 * Protobuf (wire format, proto3) written straight into a buffer: a message's length
 * is filled in when it is closed, so nothing is built before and nothing freed after.
 * libprotobuf-c packs the same bytes from a tree of structs, but takes several times
 * as long (tests/bench/bench_encode has both); it stays for reading what servers answer.
 *
 * Strings are repaired to valid UTF-8. A failed buffer takes no more, see buf.h.
 */

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/buf.h"
#include "exporters/base/utf8.h"

enum { PB_VARINT_MAX = 10 };

/* Keys of fields below 16 are one byte. */
#define PB_VARINT(field)  ((field) << 3)
#define PB_FIXED64(field) ((field) << 3 | 1)
#define PB_BYTES(field)   ((field) << 3 | 2)
#define PB_FIXED32(field) ((field) << 3 | 5)

static inline size_t pb_varint_size(uint64_t value)
{
	return value < 0x80 ? 1 : (size_t)(70 - __builtin_clzll(value)) / 7;
}

static inline char *pb_put_varint(char *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (char)(value | 0x80);
		value >>= 7;
	}
	*p++ = (char)value;
	return p;
}

static inline char *pb_put_fixed64(char *p, uint64_t value)
{
	value = htole64(value);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static inline char *pb_put_fixed32(char *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

/* Key, length, bytes. */
static inline size_t pb_text_field_size(struct utf8_text text)
{
	return 1 + pb_varint_size(text.size) + text.size;
}

static inline char *pb_put_text_field(char *p, uint8_t key, struct utf8_text text)
{
	*p++ = (char)key;
	p = pb_put_varint(p, text.size);
	return utf8_put_text(p, text);
}

/* Fields whose default is left out, as proto3 has it. */
void pb_add_string(struct buf *b, uint8_t key, struct slice s);
void pb_add_varint(struct buf *b, uint8_t key, uint64_t value);
void pb_add_fixed64(struct buf *b, uint8_t key, uint64_t value);

/* An id: written in any case; n < 128. */
void pb_add_bytes(struct buf *b, uint8_t key, const uint8_t *bytes, size_t n);

/*
 * A nested message: open it, write its fields, close it. `guess` is how many bytes its
 * length will take; a wrong guess costs a move of the message.
 */
struct pb_message {
	size_t body; /* where its fields begin */
	size_t guess;
};

struct pb_message pb_open(struct buf *b, uint8_t key, size_t guess);
void pb_close(struct buf *b, struct pb_message message);

/* Where the buffer would end if the message were closed once it has come to `end`. */
static inline size_t pb_end(struct pb_message message, size_t end)
{
	return end + pb_varint_size(end - message.body) - message.guess;
}

#endif
