/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEST_RECORD_H
#define BTRACE_TEST_RECORD_H

/* Span records for tests: a plain request to start from, strings added one by one, attributes looked up by
 * name. */

#include <stdio.h>
#include <string.h>

#include "exporters/span/from_record.h"

#define RECORD_START_NS  5000000000ull
#define RECORD_OFFSET_NS 1700000000000000000ll

static inline void record_bytes(struct span_slot *s, uint16_t tag, const void *p, size_t bytes)
{
	uint8_t *at = s->tail + s->head.tail_bytes;
	uint16_t n = (uint16_t)bytes;

	memcpy(at, &tag, 2);
	memcpy(at + 2, &n, 2);
	memcpy(at + 4, p, n);
	s->head.tail_bytes = (uint16_t)(s->head.tail_bytes + 4 + n);
}

static inline void record_text(struct span_slot *s, uint16_t tag, const char *text)
{
	record_bytes(s, tag, text, strlen(text));
}

static inline void record_header(struct span_slot *s, uint16_t tag, const char *name, const char *value)
{
	char both[SPAN_TAIL_BYTES];
	size_t n = strlen(name);

	memcpy(both, name, n + 1);
	memcpy(both + n + 1, value, strlen(value));
	record_bytes(s, tag, both, n + 1 + strlen(value));
}

static inline struct span_address record_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct span_address){ .family = 2, .port = port, .addr = { a, b, c, d } };
}

/* HTTP/1.1 GET without strings, 200, 12 bytes of body, 1.5 ms, from 192.0.2.7:51344 to 10.0.0.1:8080 */
static inline struct span_slot record_plain(enum span_kind kind)
{
	struct span_slot s;

	memset(&s, 0, sizeof s);
	s.head.trace_id[0] = 0x4b;
	s.head.span_id[7] = 0xb7;
	s.head.start_ns = RECORD_START_NS;
	s.head.response_start_ns = RECORD_START_NS + 1000000;
	s.head.end_ns = RECORD_START_NS + 1500000;
	s.head.response_body_bytes = 12;
	s.head.flags = SPAN_FLAG_SAMPLED;
	s.head.status = 200;
	s.head.kind = (uint8_t)kind;
	s.head.method = SPAN_METHOD_GET;
	s.head.end = SPAN_END_COMPLETE;
	s.head.version = 0x11;
	s.head.peer = record_ipv4(192, 0, 2, 7, 51344);
	s.head.local = record_ipv4(10, 0, 0, 1, 8080);
	return s;
}

static inline const struct value *span_value(const struct span *span, const char *key)
{
	for (size_t i = 0; i < span->attributes.n; i++)
		if (slice_is(span->attributes.items[i].key, key))
			return &span->attributes.items[i].value;
	return NULL;
}

/* The attribute as text: strings as they are, others as one would write them, "" too if it is not there. */
static inline const char *span_text(const struct span *span, const char *key, char out[512])
{
	const struct value *v = span_value(span, key);
	size_t used = 0;

	out[0] = 0;
	if (!v)
		return out;
	switch (v->type) {
	case VALUE_STRING: snprintf(out, 512, "%.*s", (int)v->string.n, v->string.p); break;
	case VALUE_BOOL: snprintf(out, 512, "%s", v->boolean ? "true" : "false"); break;
	case VALUE_INT: snprintf(out, 512, "%lld", (long long)v->integer); break;
	case VALUE_DOUBLE: snprintf(out, 512, "%g", v->real); break;
	case VALUE_ARRAY:
		for (size_t i = 0; i < v->array.n && used < 512; i++)
			used += (size_t)snprintf(out + used, 512 - used, "%s%.*s", i ? "|" : "",
						 (int)v->array.items[i].string.n, v->array.items[i].string.p);
		break;
	}
	return out;
}

#endif
