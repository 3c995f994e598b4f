/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_MODEL_H
#define BTRACE_MODEL_H

/*
 * A span as OpenTelemetry defines it (trace.proto), and a batch of them: what
 * encoders read. Everything is borrowed, normally from the batch's arena.
 * Invariants which the builder keeps and encoders rely on: strings are valid
 * UTF-8; attribute keys are unique within one span, event, link, resource;
 * ids are not zero (parent_span_id zero = root); end_unix_ns >= start_unix_ns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporters/base/slice.h"

enum value_type { VALUE_STRING, VALUE_BOOL, VALUE_INT, VALUE_DOUBLE, VALUE_ARRAY };

struct value {
	enum value_type type;
	union {
		struct slice string;
		bool boolean;
		int64_t integer;
		double real;
		struct {
			const struct value *items; /* all of one type, no arrays */
			size_t n;
		} array;
	};
};

struct attribute {
	struct slice key;
	struct value value;
};

struct attributes {
	const struct attribute *items;
	size_t n;
};

enum model_kind { /* numbers of trace.proto */
		  MODEL_KIND_UNSPECIFIED = 0,
		  MODEL_KIND_INTERNAL,
		  MODEL_KIND_SERVER,
		  MODEL_KIND_CLIENT,
		  MODEL_KIND_PRODUCER,
		  MODEL_KIND_CONSUMER,
};

enum model_status { MODEL_STATUS_UNSET = 0, MODEL_STATUS_OK, MODEL_STATUS_ERROR };

struct model_event {
	uint64_t time_unix_ns;
	struct slice name;
	struct attributes attributes;
	uint32_t dropped_attributes;
};

struct model_link {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint32_t flags;
	struct slice trace_state;
	struct attributes attributes;
	uint32_t dropped_attributes;
};

struct resource {
	struct attributes attributes; /* service.name is always among them */
	struct slice service_name;
	uint32_t dropped_attributes;
	struct slice schema_url;
};

struct scope {
	struct slice name, version, schema_url;
	struct attributes attributes;
};

struct span {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_span_id[8];
	enum model_kind kind;
	uint32_t flags; /* as on the OTLP wire: W3C flags, 0x100 is-remote known, 0x200 remote */
	struct slice name;
	struct slice trace_state;
	uint64_t start_unix_ns, end_unix_ns;
	struct attributes attributes;
	const struct model_event *events;
	size_t n_events;
	const struct model_link *links;
	size_t n_links;
	uint32_t dropped_attributes, dropped_events, dropped_links;
	enum model_status status;
	struct slice status_message;
	const struct resource *resource; /* spans of one process share the pointer; never NULL */
	const struct scope *scope;       /* the same */
};

/* Spans in the order of their ending; those of one resource and scope stand together. */
struct batch {
	const struct span *spans;
	size_t n;
};

#endif
