/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_FORMAT_H
#define BTRACE_FORMAT_H

/*
 * A wire format: pure, from a batch to bytes. One row a format in formats.c,
 * one file, one golden test.
 */

#include "exporters/base/buf.h"
#include "exporters/span/model.h"

struct encode_options {
	size_t max_tag_value_bytes; /* 0 = no limit; zipkin and jaeger (max_tag_value_length) */
	size_t max_payload_bytes;   /* 0 = no limit; split further */
	struct slice local_ipv4, local_ipv6; /* zipkin.local_node_*: localEndpoint; empty = none */
	uint16_t local_port;
	bool with_library_aliases;  /* otel.library.* beside otel.scope.* */
};

struct format {
	const char *name;          /* "zipkin", "otlp-pb", "otlp-json", "jaeger-compact", ... */
	const char *content_type;  /* of HTTP transports; NULL where there is none */
	/*
	 * Appends one payload (one HTTP body, one datagram, one JSON line) for
	 * spans [from, from + n) of the batch. Returns how many spans it took: n,
	 * or fewer where max_payload_bytes ends it, 0 if the first alone is too
	 * large (the caller counts and skips it); buf->failed tells of no memory.
	 */
	size_t (*encode)(const struct batch *batch, size_t from, size_t n,
			 const struct encode_options *options, struct buf *out);
};

extern const struct format *const formats[]; /* NULL-terminated */
const struct format *format_by_name(const char *name);

#endif
