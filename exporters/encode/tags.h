/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TAGS_H
#define BTRACE_TAGS_H

/*
 * What Zipkin and Jaeger have no field for becomes tags: scope, status, dropped
 * counts, tracestate (OpenTelemetry specification, "Mapping to non-OTLP formats").
 * Tags that the mapping makes replace attributes of the same name, for a key may
 * stand only once. Pure.
 */

#include "exporters/encode/format.h"

enum tag_dialect { TAGS_OF_ZIPKIN, TAGS_OF_JAEGER };
enum { TAGS_MAX = 16 };

struct tags {
	struct attribute items[TAGS_MAX];
	size_t n;
};

void tags_map(struct tags *tags, const struct span *span, enum tag_dialect dialect,
	      const struct encode_options *options);

/* Whether an attribute of the span has to give way: replaced, or an "error" that says false. */
bool tags_replace(const struct tags *tags, const struct attribute *attribute);

/* The text form of a value (a string as it is), cut to max_bytes between characters; 0 = whole. */
void tags_add_text(struct buf *b, const struct value *value, size_t max_bytes);
struct slice tags_cut(struct slice text, size_t max_bytes);

/* Jaeger: an event's name goes as a field of its log, unless an attribute has that name. */
struct attribute tags_event_name(const struct model_event *event);
bool tags_have(struct attributes attributes, struct slice key);

/* Jaeger: a process's tags are the resource's attributes but service.name, so many. */
bool tags_is_service_name(const struct attribute *attribute);
size_t tags_of_process(const struct resource *resource);

#endif
