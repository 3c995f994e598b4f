/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SPANS_H
#define BTRACE_SPANS_H

/* Questions about spans that several formats ask. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "exporters/encode/format.h"

static inline bool span_has_parent(const struct span *span)
{
	uint64_t id;

	memcpy(&id, span->parent_span_id, sizeof(id));
	return id != 0;
}

static inline uint64_t span_duration_ns(const struct span *span)
{
	return span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns - span->start_unix_ns : 0;
}

/* How many of the n > 0 spans, from the first on, have the first one's resource. */
static inline size_t spans_of_one_resource(const struct span *spans, size_t n)
{
	size_t run = 1;

	while (run < n && spans[run].resource == spans->resource)
		run++;
	return run;
}

static inline size_t spans_of_one_scope(const struct span *spans, size_t n)
{
	size_t run = 1;

	while (run < n && spans[run].scope == spans->scope)
		run++;
	return run;
}

/* Where a payload that begins at out->n has to end. */
static inline size_t payload_end(const struct encode_options *options, const struct buf *out)
{
	size_t max = options->max_payload_bytes;

	return max && max < SIZE_MAX - out->n ? out->n + max : SIZE_MAX;
}

#endif
