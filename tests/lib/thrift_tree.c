/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/thrift_tree.h"

#include "exporters/base/utf8.h"

enum { DEEPEST = 16 };

struct reader {
	struct arena *arena;
	const uint8_t *p, *end;
	bool compact, failed;
	int depth;
};

static struct thrift_node *read_struct(struct reader *r);

static uint64_t fail(struct reader *r)
{
	r->failed = true;
	return 0;
}

static uint8_t read_byte(struct reader *r) { return r->p < r->end ? *r->p++ : (uint8_t)fail(r); }

static uint64_t read_fixed(struct reader *r, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | read_byte(r);
	return value;
}

static uint64_t read_varint(struct reader *r)
{
	uint64_t value = 0;
	uint8_t byte;

	for (int shift = 0; shift < 64; shift += 7) {
		byte = read_byte(r);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return byte == 0 && shift ? fail(r) : value; /* only the shortest form */
	}
	return fail(r);
}

static int64_t unzigzag(uint64_t value) { return (int64_t)(value >> 1 ^ (0 - (value & 1))); }

static int64_t read_integer(struct reader *r, int bytes)
{
	uint64_t value;

	if (r->compact)
		return unzigzag(read_varint(r));
	value = read_fixed(r, bytes);
	return bytes == 4 ? (int32_t)value : (int64_t)value;
}

static double read_double(struct reader *r)
{
	uint64_t bits = read_fixed(r, 8);
	double value;

	if (r->compact)
		bits = __builtin_bswap64(bits);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static struct slice read_text(struct reader *r)
{
	uint64_t n = r->compact ? read_varint(r) : read_fixed(r, 4);
	struct slice text = { (const char *)r->p, n };

	if (r->failed || n > (uint64_t)(r->end - r->p) || !utf8_valid(text)) {
		fail(r);
		return (struct slice){ NULL, 0 };
	}
	r->p += n;
	return text;
}

static void read_items(struct reader *r, struct thrift_node *list)
{
	struct thrift_node **link = &list->child;
	uint8_t head = read_byte(r), type = r->compact ? head & 15 : head;

	if (type != THRIFT_STRUCT) { /* 12 in both protocols; Jaeger has no other lists */
		fail(r);
		return;
	}
	list->count = r->compact ? head >> 4 : read_fixed(r, 4);
	if (r->compact && list->count == 15) {
		list->count = read_varint(r);
		if (list->count < 15)
			fail(r);
	}
	for (size_t i = 0; i < list->count && !r->failed; i++) {
		*link = read_struct(r);
		if (*link)
			link = &(*link)->next;
	}
}

/* A field's header; 0 at the struct's end. Compact bools bring their value along. */
static int read_header(struct reader *r, int last, struct thrift_node *node)
{
	static const uint8_t kinds[16] = {
		[1] = THRIFT_BOOL,   [2] = THRIFT_BOOL,   [5] = THRIFT_I32,  [6] = THRIFT_I64,
		[7] = THRIFT_DOUBLE, [8] = THRIFT_STRING, [9] = THRIFT_LIST, [12] = THRIFT_STRUCT
	};
	uint8_t byte = read_byte(r);

	if (byte == 0)
		return 0;
	if (!r->compact) {
		node->kind = byte;
		node->id = (int)read_fixed(r, 2);
	} else {
		node->kind = kinds[byte & 15];
		node->id = last + (byte >> 4);
		node->integer = (byte & 15) == 1;
	}
	if (node->id <= last)
		fail(r);
	return node->id;
}

static void read_value(struct reader *r, struct thrift_node *node)
{
	struct thrift_node *inner;

	switch (node->kind) {
	case THRIFT_BOOL:
		if (!r->compact)
			node->integer = read_byte(r);
		if (node->integer > 1)
			fail(r);
		break;
	case THRIFT_I32: node->integer = read_integer(r, 4); break;
	case THRIFT_I64: node->integer = read_integer(r, 8); break;
	case THRIFT_DOUBLE: node->real = read_double(r); break;
	case THRIFT_STRING: node->text = read_text(r); break;
	case THRIFT_LIST: read_items(r, node); break;
	case THRIFT_STRUCT:
		inner = read_struct(r);
		if (inner)
			node->child = inner->child;
		break;
	default: fail(r);
	}
}

static struct thrift_node *new_node(struct reader *r)
{
	struct thrift_node *node = arena_take(r->arena, sizeof(*node));

	if (node)
		*node = (struct thrift_node){ .kind = THRIFT_STRUCT };
	else
		fail(r);
	return node;
}

static struct thrift_node *read_struct(struct reader *r)
{
	struct thrift_node *node = new_node(r), **link;
	int last = 0;

	if (!node)
		return NULL;
	link = &node->child;
	if (++r->depth > DEEPEST)
		fail(r);
	while (!r->failed) {
		struct thrift_node *field = new_node(r);

		if (!field)
			break;
		last = read_header(r, last, field);
		if (!last || r->failed)
			break;
		read_value(r, field);
		*link = field;
		link = &field->next;
	}
	r->depth--;
	return node;
}

static bool read_message(struct reader *r)
{
	static const uint8_t compact[] = "\x82\x81\x00\x09"
					 "emitBatch";
	static const uint8_t binary[] = "\x80\x01\x00\x04\x00\x00\x00\x09"
					"emitBatch"
					"\x00\x00\x00\x00";
	const uint8_t *head = r->compact ? compact : binary;
	size_t n = r->compact ? sizeof(compact) - 1 : sizeof(binary) - 1;

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, head, n) != 0)
		return false;
	r->p += n;
	return true;
}

struct thrift_node *thrift_parse(struct arena *a, struct slice bytes, bool compact, bool message)
{
	struct reader r = { .arena = a, .compact = compact, .p = (const uint8_t *)bytes.p };
	struct thrift_node *node;

	r.end = r.p + bytes.n;
	if (message && !read_message(&r))
		return NULL;
	node = read_struct(&r);
	if (r.failed || r.p != r.end)
		return NULL;
	if (!message)
		return node;
	return node->child && node->child->id == 1 && !node->child->next ? node->child : NULL;
}

const struct thrift_node *thrift_get(const struct thrift_node *structure, int id)
{
	for (const struct thrift_node *node = structure ? structure->child : NULL; node; node = node->next)
		if (node->id == id)
			return node;
	return NULL;
}
