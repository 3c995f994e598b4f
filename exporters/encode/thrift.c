/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/thrift.h"

#include <string.h>

#include "exporters/base/utf8.h"

enum type { TYPE_TRUE, TYPE_FALSE, TYPE_I32, TYPE_I64, TYPE_DOUBLE, TYPE_STRING, TYPE_LIST, TYPE_STRUCT };

/* compact, binary */
static const uint8_t wire_types[][2] = {
	[TYPE_TRUE] = { 1, 2 },  [TYPE_FALSE] = { 2, 2 },    [TYPE_I32] = { 5, 8 },
	[TYPE_I64] = { 6, 10 },  [TYPE_DOUBLE] = { 7, 4 },   [TYPE_STRING] = { 8, 11 },
	[TYPE_LIST] = { 9, 15 }, [TYPE_STRUCT] = { 12, 12 },
};

enum { FIELD_MAX = 3, STOP = 0 };

static char *put_varint(char *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (char)(value | 0x80);
		value >>= 7;
	}
	*p++ = (char)value;
	return p;
}

/* Small negative numbers stay short: 0, -1, 1, -2 become 0, 1, 2, 3. */
static uint64_t zigzag(int64_t value) { return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0); }

static char *put_big_endian(char *p, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*p++ = (char)(value >> 8 * i);
	return p;
}

static char *put_field(struct thrift *t, char *p, enum type type, uint8_t id)
{
	if (t->compact) {
		*p++ = (char)((id - t->last) << 4 | wire_types[type][0]);
		t->last = id;
		return p;
	}
	*p++ = (char)wire_types[type][1];
	*p++ = 0;
	*p++ = (char)id;
	return p;
}

/* Lengths are no zigzag numbers. */
static char *put_length(const struct thrift *t, char *p, size_t n)
{
	return t->compact ? put_varint(p, n) : put_big_endian(p, n, 4);
}

static char *start(struct thrift *t, size_t room)
{
	return buf_reserve(t->out, room) ? t->out->p + t->out->n : NULL;
}

static void finish(struct thrift *t, const char *p) { t->out->n = (size_t)(p - t->out->p); }

void thrift_message(struct thrift *t, struct slice name)
{
	static const struct slice compact =
		SLICE("\x82\x81\x00"); /* protocol, ONEWAY and version 1, sequence id */
	static const struct slice binary = SLICE("\x80\x01\x00\x04"); /* version 1, ONEWAY */
	char *p = start(t, 32 + name.n);

	if (!p)
		return;
	memcpy(p, (t->compact ? compact : binary).p, (t->compact ? compact : binary).n);
	p = put_length(t, p + (t->compact ? compact : binary).n, name.n);
	memcpy(p, name.p, name.n);
	p += name.n;
	if (!t->compact)
		p = put_big_endian(p, 0, 4);
	finish(t, p);
	t->last = 0;
}

uint8_t thrift_struct(struct thrift *t, uint8_t id)
{
	char *p = start(t, FIELD_MAX);

	if (p)
		finish(t, put_field(t, p, TYPE_STRUCT, id));
	return thrift_item(t);
}

uint8_t thrift_item(struct thrift *t)
{
	uint8_t outer = t->last;

	t->last = 0;
	return outer;
}

void thrift_end(struct thrift *t, uint8_t outer)
{
	buf_add_byte(t->out, STOP);
	t->last = outer;
}

/* Compact tells the value by the type of the field. */
void thrift_bool(struct thrift *t, uint8_t id, bool value)
{
	char *p = start(t, FIELD_MAX + 1);

	if (!p)
		return;
	p = put_field(t, p, value ? TYPE_TRUE : TYPE_FALSE, id);
	if (!t->compact)
		*p++ = value;
	finish(t, p);
}

void thrift_i32(struct thrift *t, uint8_t id, int32_t value)
{
	char *p = start(t, FIELD_MAX + THRIFT_VARINT_MAX);

	if (!p)
		return;
	p = put_field(t, p, TYPE_I32, id);
	finish(t,
	       t->compact ? put_varint(p, (uint32_t)zigzag(value)) : put_big_endian(p, (uint32_t)value, 4));
}

void thrift_i64(struct thrift *t, uint8_t id, int64_t value)
{
	char *p = start(t, FIELD_MAX + THRIFT_VARINT_MAX);

	if (!p)
		return;
	p = put_field(t, p, TYPE_I64, id);
	finish(t, t->compact ? put_varint(p, zigzag(value)) : put_big_endian(p, (uint64_t)value, 8));
}

/* Compact is little endian here, and only here. */
void thrift_double(struct thrift *t, uint8_t id, double value)
{
	char *p = start(t, FIELD_MAX + 8);
	uint64_t bits;

	if (!p)
		return;
	memcpy(&bits, &value, sizeof(bits));
	if (t->compact)
		bits = __builtin_bswap64(bits);
	finish(t, put_big_endian(put_field(t, p, TYPE_DOUBLE, id), bits, 8));
}

void thrift_string(struct thrift *t, uint8_t id, struct slice s)
{
	struct utf8_text text = utf8_text_of(s);
	char *p = start(t, FIELD_MAX + THRIFT_VARINT_MAX + text.size);

	if (!p)
		return;
	p = put_length(t, put_field(t, p, TYPE_STRING, id), text.size);
	finish(t, utf8_put_text(p, text));
}

void thrift_string_from_tail(struct thrift *t, uint8_t id, size_t from)
{
	char before[FIELD_MAX + THRIFT_VARINT_MAX];
	char *end = put_length(t, put_field(t, before, TYPE_STRING, id), t->out->n - from);

	buf_insert(t->out, from, before, (size_t)(end - before));
}

void thrift_list(struct thrift *t, uint8_t id, size_t n)
{
	char *p = start(t, FIELD_MAX + THRIFT_LIST_HEADER_MAX);

	if (!p)
		return;
	p = put_field(t, p, TYPE_LIST, id);
	finish(t, p + thrift_put_list(t, p, n));
}

size_t thrift_list_size(const struct thrift *t, size_t n)
{
	char header[THRIFT_LIST_HEADER_MAX];

	return thrift_put_list(t, header, n);
}

size_t thrift_put_list(const struct thrift *t, char *out, size_t n)
{
	uint8_t type = wire_types[TYPE_STRUCT][t->compact ? 0 : 1];

	if (!t->compact) {
		*out = (char)type;
		return (size_t)(put_big_endian(out + 1, n, 4) - out);
	}
	if (n < 15) {
		*out = (char)(n << 4 | type);
		return 1;
	}
	*out = (char)(0xf0 | type);
	return (size_t)(put_varint(out + 1, (uint32_t)n) - out);
}
