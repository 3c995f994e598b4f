/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PROGRESS_H
#define BTRACE_PROGRESS_H

/*
 * "reading traces.jsonl  45 %" on stderr while something takes long: only on a
 * terminal, only after half a second, ten times a second at most, and wiped at
 * the end.
 */

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *verb, *what; /* borrowed */
	uint64_t total;          /* 0 = not known: the count is shown */
	uint64_t next_ns;
	bool terminal, shown;
};

void progress_init(struct progress *p, const char *verb, const char *what, uint64_t total);
void progress_show(struct progress *p, uint64_t done);
void progress_release(struct progress *p);

#endif
