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

#include <stdbool.h>
#include <stdint.h>

#include "exporters/base/buf.h"
#include "exporters/base/slice.h"

struct thrift {
	struct buf *out;
	bool compact;
	uint8_t last; /* id of the struct's last field; 0 at its beginning */
};

enum { THRIFT_VARINT_MAX = 10, THRIFT_LIST_HEADER_MAX = 6 };

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

#endif
