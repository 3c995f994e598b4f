/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_THRIFT_TREE_H
#define BTRACE_TESTS_THRIFT_TREE_H

/* A strict reader of Thrift's compact and binary protocols for tests: bytes to a tree in an arena. */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/arena.h"
#include "exporters/base/slice.h"

/* Types by the numbers of the binary protocol. */
enum thrift_kind {
	THRIFT_BOOL = 2,
	THRIFT_DOUBLE = 4,
	THRIFT_I32 = 8,
	THRIFT_I64 = 10,
	THRIFT_STRING = 11,
	THRIFT_STRUCT = 12,
	THRIFT_LIST = 15,
};

struct thrift_node {
	enum thrift_kind kind;
	int id; /* of a field; 0 for an item */
	int64_t integer;
	double real;
	struct slice text;
	size_t count; /* of items */
	struct thrift_node *child, *next;
};

/* A whole emitBatch message or a bare struct; NULL if it is not that, to the last byte. */
struct thrift_node *thrift_parse(struct arena *a, struct slice bytes, bool compact, bool message);

const struct thrift_node *thrift_get(const struct thrift_node *structure, int id); /* NULL if there is none */

#endif
