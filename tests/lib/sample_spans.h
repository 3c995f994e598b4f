/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TESTS_SAMPLE_SPANS_H
#define BTRACE_TESTS_SAMPLE_SPANS_H

/* Spans for tests of encoders. Everything points into static memory. */

#include "exporters/base/arena.h"
#include "exporters/span/model.h"

/*
 * The one span of the small byte vectors: trace 0102…10, span f1f2…f8, name GET, kind
 * SERVER, 1700000000 s + 2500 ns, no attributes, service svc, scope without name.
 */
struct span sample_span(void);

/* A server span as a traced nginx gives it, of 15 attributes; `number` makes it one of many. */
void sample_server_span(struct span *span, struct arena *arena, unsigned number);

#define STRING_ATTRIBUTE(name, text)                                         \
	{                                                                    \
		SLICE(name), { .type = VALUE_STRING, .string = SLICE(text) } \
	}
#define INT_ATTRIBUTE(name, number)                                     \
	{                                                               \
		SLICE(name), { .type = VALUE_INT, .integer = (number) } \
	}
#define BOOL_ATTRIBUTE(name, truth)                                     \
	{                                                               \
		SLICE(name), { .type = VALUE_BOOL, .boolean = (truth) } \
	}
#define DOUBLE_ATTRIBUTE(name, number)                                  \
	{                                                               \
		SLICE(name), { .type = VALUE_DOUBLE, .real = (number) } \
	}
#define ARRAY_ATTRIBUTE(name, list)                                                             \
	{                                                                                       \
		SLICE(name),                                                                    \
		{                                                                               \
			.type = VALUE_ARRAY, .array = {(list), sizeof(list) / sizeof(*(list)) } \
		}                                                                               \
	}
#define ATTRIBUTES(list) ((struct attributes){ (list), sizeof(list) / sizeof(*(list)) })

#endif
