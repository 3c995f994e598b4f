/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_PROCESSES_H
#define BTRACE_PROCESSES_H

/*
 * Which of the registered processes are still alive. A pidfd each for the first
 * PROCESSES_WATCHED of them, so that a death is known at once; the others, and
 * kernels without pidfds, are asked at every scan.
 */

#include <poll.h>
#include <stdint.h>

#include "exporters/session/session.h"

#define PROCESSES_WATCHED 64u

struct processes {
	uint32_t live, changes; /* of the last scan; changes: came or went since the scan before */
	struct pollfd watch[PROCESSES_WATCHED];
	uint16_t index[PROCESSES_WATCHED];
	uint32_t n_watched;
	uint64_t known[TABLE_PROCESSES / 64];
	uint64_t boot_ns[TABLE_PROCESSES];
};

/* Looks at the whole registry; marks the dead in control->dead. */
void processes_scan(struct processes *p, struct session *s);
/* Does any live process satisfy the test? */
bool processes_any(const struct processes *p, const struct session *s,
		   bool (*test)(uint32_t pid, void *context), void *context);

#endif
