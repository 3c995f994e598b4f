/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_VIEW_RUN_H
#define BTRACE_VIEW_RUN_H

/* What `btracectl view` was asked for, and the showing of files as they stand or as they grow. */

#include "exporters/ctl/trace_filter.h"
#include "exporters/ctl/view.h"

struct view_options {
	struct trace_filter filter;
	uint64_t limit;     /* 0 = all */
	const char *colour; /* "always", "never", else automatic */
	const char *only;   /* "traces", "routes", NULL = both */
	bool json, follow;
};

/* Both write to stdout, tell errors on stderr and return the exit status. */
int view_files(const struct view_options *o, char *const *names, size_t n);
int view_follow(const struct view_options *o, char *const *names, size_t n);

#endif
