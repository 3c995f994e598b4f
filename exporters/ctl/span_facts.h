/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SPAN_FACTS_H
#define BTRACE_SPAN_FACTS_H

/*
 * What a person wants to know of a span, taken from its attributes by the HTTP
 * conventions of OpenTelemetry, the stable names and the older ones. Borrowed
 * from the span. Pure.
 */

#include "exporters/span/model.h"

struct span_facts {
	struct slice method; /* empty = not an HTTP span */
	struct slice route;  /* http.route; else what the name has behind the method; else the path; else the
				name */
	struct slice path;   /* url.path, or the path part of url.full */
	struct slice host;   /* of a client span: who was asked */
	struct slice error_type; /* where it tells more than the status does */
	int status;              /* 100 to 999; 0 = none */
	bool failed;             /* status ERROR */
	uint64_t duration_ns;
};

struct span_facts span_facts(const struct span *span);

static inline uint64_t span_duration_ns(const struct span *span)
{
	return span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns - span->start_unix_ns : 0;
}

#endif
