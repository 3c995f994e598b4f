/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FORMAT_H
#define BTRACE_FORMAT_H

/*
 * A wire format: pure, from a batch to bytes. One row a format in formats.c,
 * one file, one golden test. Thread safe: no state but what is passed in.
 */

#include "exporters/base/buf.h"
#include "exporters/span/model.h"

/* All zero = the specification's defaults, no limits. */
struct encode_options {
	size_t max_tag_value_bytes;          /* 0 = no limit; zipkin and jaeger (max_tag_value_length) */
	size_t max_payload_bytes;            /* 0 = no limit; a payload is never longer */
	struct slice local_ipv4, local_ipv6; /* zipkin.local_node_*: localEndpoint; empty = none */
	uint16_t local_port;
	bool without_library_aliases; /* leave out otel.library.*, which the mappings want beside otel.scope.*
				       */
	int32_t utc_offset_s;         /* console: local time = UTC + this (struct tm's tm_gmtoff) */
	bool colour;                  /* console: ANSI colours, for a terminal */
};

struct format {
	const char *name;         /* "zipkin", "otlp-pb", "otlp-json", "jaeger-compact", ... */
	const char *content_type; /* of HTTP transports; NULL where there is none */
	/*
	 * Appends one payload (one HTTP body, one datagram, one JSON line, without a
	 * newline at its end) for spans [from, from + n) of the batch, n > 0. Returns
	 * how many spans it took: n, or fewer where max_payload_bytes ends it or (jaeger,
	 * whose payloads have one process) the resource changes; 0 if the first alone is
	 * too large: out is as before, the caller counts and skips that span. Jaeger's
	 * thrift formats shorten the values of such a span first. out->failed tells of no memory.
	 */
	size_t (*encode)(const struct batch *batch, size_t from, size_t n,
			 const struct encode_options *options, struct buf *out);
};

extern const struct format *const formats[]; /* NULL-terminated */
const struct format *format_by_name(const char *name);

#endif
