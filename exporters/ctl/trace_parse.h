/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TRACE_PARSE_H
#define BTRACE_TRACE_PARSE_H

/*
 * One ExportTraceServiceRequest in OTLP/JSON (OTLP specification, "JSON Protobuf
 * Encoding": ids in hexadecimal, enums as numbers, 64-bit integers as strings or
 * numbers, unknown fields skipped) into the store.
 *
 * What struct value cannot hold is kept as text: kvlistValue and nested arrays
 * as the JSON that stands in the file, bytesValue as its base64.
 */

#include "exporters/base/json_read.h"
#include "exporters/ctl/trace_store.h"

struct trace_parser {
	struct json_reader json;
	struct trace_store *store;
	struct attribute
		*attributes; /* a stack: those of the lists being read, copied when one is complete */
	struct value *values;
	struct model_event *events;
	struct model_link *links;
	size_t n_attributes, attributes_size, n_values, values_size;
	size_t n_events, events_size, n_links, links_size;
	struct resource *resource;
	struct scope *scope;
};

void trace_parser_init(struct trace_parser *p, struct trace_store *store);
void trace_parser_release(struct trace_parser *p);

/*
 * True: its spans are in the store. False: none of them is, p->json.error says
 * why, json_column(&p->json) where, p->json.cut that the text ended too early.
 */
bool trace_parse(struct trace_parser *p, struct slice text);

#endif
