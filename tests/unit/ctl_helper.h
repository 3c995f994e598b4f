/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_CTL_HELPER_H
#define BTRACE_CTL_HELPER_H

/* Spans for the tests of btracectl, written as they stand in a file: through the parser of the product. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "exporters/ctl/trace_parse.h"

/* One span without its braces, between a resource of `service` and the end of the line. */
static inline void load_spans(struct trace_store *store, const char *service, const char *spans)
{
	struct trace_parser parser;
	struct buf line;

	buf_init(&line);
	buf_printf(&line,
		   "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
		   "{\"stringValue\":\"%s\"}}]},\"scopeSpans\":[{\"spans\":[%s]}]}]}",
		   service, spans);
	trace_parser_init(&parser, store);
	cr_assert(trace_parse(&parser, (struct slice){ line.p, line.n }), "column %zu: %s in %s",
		  json_column(&parser.json), parser.json.error, line.p);
	trace_parser_release(&parser);
	buf_release(&line);
}

/* The JSON of a span: trace, span and parent by small numbers (parent 0 = none), times in microseconds. */
static inline void add_span(struct buf *out, unsigned trace, unsigned span, unsigned parent,
			    unsigned start_us, unsigned duration_us, const char *method, const char *route,
			    int status)
{
	if (out->n)
		buf_add_text(out, ",");
	buf_printf(out, "{\"traceId\":\"%032x\",\"spanId\":\"%016x\",\"parentSpanId\":\"%016x\",\"kind\":2,",
		   trace, span, parent);
	buf_printf(out, "\"name\":\"%s %s\",\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",",
		   method, route, 1767225600000000000ULL + start_us * 1000ULL,
		   1767225600000000000ULL + (start_us + duration_us) * 1000ULL);
	if (status >= 500)
		buf_add_text(out, "\"status\":{\"code\":2},");
	buf_printf(out,
		   "\"attributes\":[{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"%s\"}},"
		   "{\"key\":\"http.route\",\"value\":{\"stringValue\":\"%s\"}},"
		   "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"%d\"}}]}",
		   method, route, status);
}

/* Loads what add_span() gathered. */
static inline void load_buf(struct trace_store *store, const char *service, struct buf *spans)
{
	buf_add_byte(spans, '\0');
	load_spans(store, service, spans->p);
	buf_clear(spans);
}

#endif
