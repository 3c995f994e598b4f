/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_THRIFT_H
#define BTRACE_THRIFT_H

/*
 * Thrift's compact and binary protocols (thrift-compact-protocol.md and
 * thrift-binary-protocol.md of Apache Thrift), as much as Jaeger needs, written straight
 * into a buffer: bool, i32, i64, double, string, list of structs, struct. Field ids of
 * one struct rise by 1 to 15, which is all that the short form of a header can tell.
 * Strings are repaired to valid UTF-8. A failed buffer takes no more, see buf.h.
 */

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"
#include "exporters/base/utf8.h"

struct thrift {
	struct buf *out;
	bool compact;
	uint8_t last; /* id of the struct's last field; 0 at its beginning */
};

enum { THRIFT_STOP = 0, THRIFT_FIELD_MAX = 3, THRIFT_VARINT_MAX = 10, THRIFT_LIST_HEADER_MAX = 6 };

/* Opens a message (ONEWAY, sequence id 0) and its argument struct; a field follows. */
void thrift_message(struct thrift *t, struct slice name);

/* Opens a struct as a field, or after the header of a list; returns what thrift_end() wants back. */
uint8_t thrift_struct(struct thrift *t, uint8_t id);
uint8_t thrift_item(struct thrift *t);
void thrift_end(struct thrift *t, uint8_t outer);

void thrift_bool(struct thrift *t, uint8_t id, bool value);
void thrift_i32(struct thrift *t, uint8_t id, int32_t value);
void thrift_i64(struct thrift *t, uint8_t id, int64_t value);
void thrift_double(struct thrift *t, uint8_t id, double value);
void thrift_string(struct thrift *t, uint8_t id, struct slice s);

/* A string field whose bytes, valid UTF-8, are [from, out->n) already: what belongs before goes in there. */
void thrift_string_from_tail(struct thrift *t, uint8_t id, size_t from);

/* The header of a list field; `n` structs follow. */
void thrift_list(struct thrift *t, uint8_t id, size_t n);

/* The part of it that says how many, for a list whose length is known only at its end. */
size_t thrift_list_size(const struct thrift *t, size_t n);
size_t thrift_put_list(const struct thrift *t, char *out, size_t n);

/*
 * The same fields without looking for room, for what is written most: each returns the end of
 * what it wrote. `last` is the id of the field before. THRIFT_FIELD_MAX + THRIFT_VARINT_MAX bytes
 * hold any of them, a string needs its size besides.
 */
enum thrift_type {
	THRIFT_TYPE_TRUE,
	THRIFT_TYPE_FALSE,
	THRIFT_TYPE_I32,
	THRIFT_TYPE_I64,
	THRIFT_TYPE_DOUBLE,
	THRIFT_TYPE_STRING,
	THRIFT_TYPE_LIST,
	THRIFT_TYPE_STRUCT,
};

static inline uint8_t thrift_wire_type(bool compact, enum thrift_type type)
{
	static const uint8_t types[][2] = {
		[THRIFT_TYPE_TRUE] = { 2, 1 },   [THRIFT_TYPE_FALSE] = { 2, 2 },
		[THRIFT_TYPE_I32] = { 8, 5 },    [THRIFT_TYPE_I64] = { 10, 6 },
		[THRIFT_TYPE_DOUBLE] = { 4, 7 }, [THRIFT_TYPE_STRING] = { 11, 8 },
		[THRIFT_TYPE_LIST] = { 15, 9 },  [THRIFT_TYPE_STRUCT] = { 12, 12 },
	};

	return types[type][compact];
}

static inline char *thrift_put_varint(char *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (char)(value | 0x80);
		value >>= 7;
	}
	*p++ = (char)value;
	return p;
}

/* Small negative numbers stay short: 0, -1, 1, -2 become 0, 1, 2, 3. */
static inline uint64_t thrift_zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static inline char *thrift_put_fixed32(char *p, uint32_t value)
{
	value = htobe32(value);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static inline char *thrift_put_fixed64(char *p, uint64_t value)
{
	value = htobe64(value);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static inline char *thrift_put_field(char *p, bool compact, enum thrift_type type, uint8_t last, uint8_t id)
{
	if (compact) {
		*p++ = (char)((id - last) << 4 | thrift_wire_type(true, type));
		return p;
	}
	*p++ = (char)thrift_wire_type(false, type);
	*p++ = 0;
	*p++ = (char)id;
	return p;
}

/* Compact tells the value by the type of the field. */
static inline char *thrift_put_bool(char *p, bool compact, uint8_t last, uint8_t id, bool value)
{
	p = thrift_put_field(p, compact, value ? THRIFT_TYPE_TRUE : THRIFT_TYPE_FALSE, last, id);
	if (!compact)
		*p++ = value;
	return p;
}

static inline char *thrift_put_i32(char *p, bool compact, uint8_t last, uint8_t id, int32_t value)
{
	p = thrift_put_field(p, compact, THRIFT_TYPE_I32, last, id);
	if (compact)
		return thrift_put_varint(p, (uint32_t)thrift_zigzag(value));
	return thrift_put_fixed32(p, (uint32_t)value);
}

static inline char *thrift_put_i64(char *p, bool compact, uint8_t last, uint8_t id, int64_t value)
{
	p = thrift_put_field(p, compact, THRIFT_TYPE_I64, last, id);
	return compact ? thrift_put_varint(p, thrift_zigzag(value)) : thrift_put_fixed64(p, (uint64_t)value);
}

/* Compact is little endian here, and only here. */
static inline char *thrift_put_double(char *p, bool compact, uint8_t last, uint8_t id, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	p = thrift_put_field(p, compact, THRIFT_TYPE_DOUBLE, last, id);
	return thrift_put_fixed64(p, compact ? __builtin_bswap64(bits) : bits);
}

/* Lengths are no zigzag numbers. */
static inline char *thrift_put_length(char *p, bool compact, size_t n)
{
	return compact ? thrift_put_varint(p, n) : thrift_put_fixed32(p, (uint32_t)n);
}

static inline char *thrift_put_string(char *p, bool compact, uint8_t last, uint8_t id, struct utf8_text text)
{
	p = thrift_put_field(p, compact, THRIFT_TYPE_STRING, last, id);
	return utf8_put_text(thrift_put_length(p, compact, text.size), text);
}

#endif
