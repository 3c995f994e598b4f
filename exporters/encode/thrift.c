/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/encode/thrift.h"

enum { SCALAR_MAX = THRIFT_FIELD_MAX + THRIFT_VARINT_MAX };

static char *start(struct thrift *t, size_t room)
{
	return buf_reserve(t->out, room) ? t->out->p + t->out->n : NULL;
}

static void finish(struct thrift *t, uint8_t id, const char *p)
{
	t->out->n = (size_t)(p - t->out->p);
	t->last = id;
}

void thrift_message(struct thrift *t, struct slice name)
{
	static const struct slice compact =
		SLICE("\x82\x81\x00"); /* protocol, ONEWAY and version 1, sequence id */
	static const struct slice binary = SLICE("\x80\x01\x00\x04"); /* version 1, ONEWAY */
	struct slice head = t->compact ? compact : binary;
	char *p = start(t, 32 + name.n);

	if (!p)
		return;
	memcpy(p, head.p, head.n);
	p = thrift_put_length(p + head.n, t->compact, name.n);
	memcpy(p, name.p, name.n);
	p += name.n;
	if (!t->compact)
		p = thrift_put_fixed32(p, 0); /* sequence id */
	finish(t, 0, p);
}

uint8_t thrift_struct(struct thrift *t, uint8_t id)
{
	char *p = start(t, THRIFT_FIELD_MAX);

	if (p)
		finish(t, id, thrift_put_field(p, t->compact, THRIFT_TYPE_STRUCT, t->last, id));
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
	buf_add_byte(t->out, THRIFT_STOP);
	t->last = outer;
}

void thrift_bool(struct thrift *t, uint8_t id, bool value)
{
	char *p = start(t, SCALAR_MAX);

	if (p)
		finish(t, id, thrift_put_bool(p, t->compact, t->last, id, value));
}

void thrift_i32(struct thrift *t, uint8_t id, int32_t value)
{
	char *p = start(t, SCALAR_MAX);

	if (p)
		finish(t, id, thrift_put_i32(p, t->compact, t->last, id, value));
}

void thrift_i64(struct thrift *t, uint8_t id, int64_t value)
{
	char *p = start(t, SCALAR_MAX);

	if (p)
		finish(t, id, thrift_put_i64(p, t->compact, t->last, id, value));
}

void thrift_double(struct thrift *t, uint8_t id, double value)
{
	char *p = start(t, SCALAR_MAX);

	if (p)
		finish(t, id, thrift_put_double(p, t->compact, t->last, id, value));
}

void thrift_string(struct thrift *t, uint8_t id, struct slice s)
{
	struct utf8_text text = utf8_text_of(s);
	char *p = start(t, SCALAR_MAX + text.size);

	if (p)
		finish(t, id, thrift_put_string(p, t->compact, t->last, id, text));
}

void thrift_string_from_tail(struct thrift *t, uint8_t id, size_t from)
{
	char before[SCALAR_MAX], *end;

	end = thrift_put_field(before, t->compact, THRIFT_TYPE_STRING, t->last, id);
	end = thrift_put_length(end, t->compact, t->out->n - from);
	buf_insert(t->out, from, before, (size_t)(end - before));
	t->last = id;
}

void thrift_list(struct thrift *t, uint8_t id, size_t n)
{
	char *p = start(t, THRIFT_FIELD_MAX + THRIFT_LIST_HEADER_MAX);

	if (!p)
		return;
	p = thrift_put_field(p, t->compact, THRIFT_TYPE_LIST, t->last, id);
	finish(t, id, p + thrift_put_list(t, p, n));
}

size_t thrift_list_size(const struct thrift *t, size_t n)
{
	char header[THRIFT_LIST_HEADER_MAX];

	return thrift_put_list(t, header, n);
}

size_t thrift_put_list(const struct thrift *t, char *out, size_t n)
{
	uint8_t type = thrift_wire_type(t->compact, THRIFT_TYPE_STRUCT);

	if (!t->compact) {
		*out = (char)type;
		return (size_t)(thrift_put_fixed32(out + 1, (uint32_t)n) - out);
	}
	if (n < 15) {
		*out = (char)(n << 4 | type);
		return 1;
	}
	*out = (char)(0xf0 | type);
	return (size_t)(thrift_put_varint(out + 1, (uint32_t)n) - out);
}
