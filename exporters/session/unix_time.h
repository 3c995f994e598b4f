/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_UNIX_TIME_H
#define BTRACE_UNIX_TIME_H

/*
 * Unix time of the monotonic times in span records. Both clocks are asked when spans are taken, so a wall
 * clock that was set right meanwhile is right for all of them. But the monotonic clock stands still while the
 * machine is suspended: what ended before that would seem to have ended after it. So the clock that goes on
 * meanwhile (CLOCK_BOOTTIME) is asked as well, at every look at the table: what ended before the last look
 * that was before the last suspend is put back by its length. All times in ns.
 */

#include <stdint.h>

struct unix_time {
	int64_t to_unix;    /* what makes Unix time of monotonic time now */
	int64_t slept;      /* all suspends since boot */
	uint64_t seen;      /* monotonic time of the last look; 0: none */
	uint64_t suspended; /* monotonic time of the last look before a suspend; 0: there was none */
	int64_t missed;     /* its length */
};

/* Asks the clocks. */
void unix_time_read(struct unix_time *u);
/* The same with their answers. */
void unix_time_look(struct unix_time *u, uint64_t monotonic, uint64_t boot, uint64_t unix_ns);
/* What makes Unix time of the times of a span that ended then. */
int64_t unix_time_offset(const struct unix_time *u, uint64_t end);

#endif
