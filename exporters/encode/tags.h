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
enum { TAGS_MAX = 16 }; /* 12 are added at most: each by one line of tags_map() */

struct tags {
	struct attribute items[TAGS_MAX];
	size_t n;
	size_t n_own; /* those of this very span; the rest depends on its kind, scope and resource only */
};

/* Where in the payload such a rest stands: spans that follow copy it. All zero = nowhere yet. */
struct tags_repeat {
	const struct scope *scope;
	const struct resource *resource;
	enum model_kind kind;
	size_t at, n;
};

void tags_map(struct tags *tags, const struct span *span, enum tag_dialect dialect,
	      const struct encode_options *options);

/* Whether the rest of span's tags is what `repeat` says; else it is noted that it will begin at `at`. */
bool tags_repeated(struct tags_repeat *repeat, const struct span *span, size_t at);

/* Whether an attribute of the span has to give way: replaced, or an "error" that says false. */
bool tags_replace_like(const struct tags *tags, const struct attribute *attribute);
static inline bool tags_replace(const struct tags *tags, const struct attribute *attribute)
{
	char first = attribute->key.n ? *attribute->key.p : '\0';

	/* All keys of ours begin with one of these; HTTP attributes with e and s are few. */
	if (first != 'o' && first != 'e' && first != 's' && first != 'w')
		return false;
	return tags_replace_like(tags, attribute);
}

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
