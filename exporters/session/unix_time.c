/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/unix_time.h"

#include <time.h>

#define SUSPEND_MIN 5000000 /* less is the time between asking one clock and the other */
#define NEAR        1000000
#define TRIES       4

static uint64_t ask(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Again if we lost the processor between the clocks. */
void unix_time_read(struct unix_time *u)
{
	uint64_t monotonic = 0, boot = 0, unix_ns = 0;

	for (int i = 0; i < TRIES; i++) {
		monotonic = ask(CLOCK_MONOTONIC);
		boot = ask(CLOCK_BOOTTIME);
		unix_ns = ask(CLOCK_REALTIME);
		if (ask(CLOCK_MONOTONIC) - monotonic < NEAR)
			break;
	}
	unix_time_look(u, monotonic, boot, unix_ns);
}

void unix_time_look(struct unix_time *u, uint64_t monotonic, uint64_t boot, uint64_t unix_ns)
{
	int64_t slept = (int64_t)(boot - monotonic);

	if (u->seen && slept - u->slept >= SUSPEND_MIN) {
		u->suspended = u->seen;
		u->missed = slept - u->slept;
	}
	u->slept = slept;
	u->seen = monotonic;
	u->to_unix = (int64_t)(unix_ns - monotonic);
}

int64_t unix_time_offset(const struct unix_time *u, uint64_t end)
{
	return end <= u->suspended ? u->to_unix - u->missed : u->to_unix;
}
