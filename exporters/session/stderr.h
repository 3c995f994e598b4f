/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_SESSION_STDERR_H
#define BTRACE_SESSION_STDERR_H

/*
 * How long we may keep the host's standard error. As long as a live traced
 * process has the same file as its stdout or stderr, and STDERR_GRACE_MS beyond
 * for the ledger: whoever reads that pipe to its end ($(server), a CI step,
 * `| tee`) waits for us otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include "exporters/session/processes.h"

#define STDERR_GRACE_MS 800u

struct stderr_watch {
	uint64_t device, inode;
	bool open;
	uint64_t unused_since_ms; /* 0: somebody alive has it */
};

void stderr_init(struct stderr_watch *w);
/* Looks whether somebody alive still has it; closes it (onto /dev/null) when the grace is over. True while
 * open. */
bool stderr_check(struct stderr_watch *w, const struct processes *p, const struct session *s,
		  uint64_t now_ms);
/* Gives it back now. */
void stderr_close(struct stderr_watch *w, struct control *control);

#endif
