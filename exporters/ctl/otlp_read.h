/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_OTLP_READ_H
#define BTRACE_OTLP_READ_H

/*
 * The bricks of trace_parse.c: scalars, lists and messages of proto3's JSON
 * mapping, read from p->json into memory of p->store. Each reads one value;
 * null leaves what is there. False: p->json.error is set.
 */

#include "exporters/ctl/trace_parse.h"

/* Fields of one message; what is not among them is skipped, as protobuf does. */
struct otlp_field {
	const char *name;
	bool (*read)(struct trace_parser *p, void *message);
};
#define OTLP_FIELDS(fields) fields, sizeof(fields) / sizeof(*(fields))

bool otlp_fail(struct trace_parser *p, const char *error);

/* A message; _fields when its '{' is read already, as for the elements of a list. */
bool otlp_message(struct trace_parser *p, const struct otlp_field *fields, size_t n, void *message);
bool otlp_fields(struct trace_parser *p, const struct otlp_field *fields, size_t n, void *message);
/* A list of messages: `element` is called behind each '{'. */
bool otlp_list(struct trace_parser *p, bool (*element)(struct trace_parser *p, void *message), void *message);

bool otlp_text(struct trace_parser *p, struct slice *text);
bool otlp_u64(struct trace_parser *p, uint64_t *value);
bool otlp_u32(struct trace_parser *p, uint32_t *value);
bool otlp_id(struct trace_parser *p, uint8_t *id, size_t n); /* n bytes; "" is zero */
bool otlp_attributes(struct trace_parser *p, struct attributes *attributes);

/* The stacks of the parser: room for one more; a copy of all of it in the store. */
bool otlp_push(struct trace_parser *p, void **items, size_t n, size_t *size, size_t item_bytes);
const void *otlp_pop(struct trace_parser *p, const void *items, size_t n, size_t item_bytes);

#endif
