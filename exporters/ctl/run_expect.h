/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_RUN_EXPECT_H
#define BTRACE_RUN_EXPECT_H

/*
 * `btracectl run --expect`: the expectation is read before the command starts, so
 * that a mistake in it costs no run; after the run it is held against what was
 * added to the trace file since.
 */

#include <sys/types.h>

#include "exporters/ctl/verdict.h"

struct run_expect {
	struct expectation expectation;
	struct buf path; /* of the trace file, with a NUL */
	dev_t device;
	ino_t inode;
	uint64_t offset; /* what stood in it before */
};

/* `config`: NULL = the embedded default. 0, or 2 and told; wants run_expect_release() either way. */
int run_expect_init(struct run_expect *r, const char *expect, const char *config);
int run_expect_give(const struct run_expect *r, const struct verdict *v); /* 0, 1, 2 */
void run_expect_release(struct run_expect *r);

#endif
