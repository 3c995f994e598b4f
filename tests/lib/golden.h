/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TEST_GOLDEN_H
#define BTRACE_TEST_GOLDEN_H

/*
 * A set of requests for golden files: each a record as the library would write it,
 * with the options it is read by.
 */

#include "exporters/span/from_record.h"

struct golden_request {
	const char *title;
	void (*make)(struct span_slot *s);
	enum span_conventions conventions;
	enum span_detail detail;
	bool children;
};

extern const struct golden_request golden_requests[];
extern const size_t golden_count;

#define GOLDEN_SPANS_MAX (1 + SPAN_CHILDREN_MAX)

/* The spans of a request; their number, 0 if something is wrong. */
size_t golden_make(const struct golden_request *request, struct arena *arena,
		   struct span out[GOLDEN_SPANS_MAX]);

#endif
