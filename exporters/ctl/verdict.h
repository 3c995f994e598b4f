/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_VERDICT_H
#define BTRACE_VERDICT_H

/* What `assert` and `run --expect` have in common: an expectation read, a verdict told. */

#include <stdio.h>

#include "exporters/ctl/expect.h"

struct verdict {
	FILE *out;          /* where it is told */
	const char *ledger; /* judged too; NULL = none */
	const char *junit;  /* written too; NULL = no */
	const char *colour; /* of term_init() */
	bool verbose, json;
};

/* Both return the exit status so far: 0, 2 = cannot be read (told on stderr), and _give() 1 = a check failed.
 */
int verdict_load(struct expectation *e, const char *path);
int verdict_give(const struct verdict *v, const struct expectation *e, const struct trace_set *set,
		 const char *suite);

/* The text into a file; without a path to `out`. 0, or 2 and told. */
int verdict_write(const char *path, FILE *out, const struct buf *text);

#endif
