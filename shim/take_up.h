/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_TAKE_UP_H
#define BTRACE_TAKE_UP_H

/* Connections that this process did not accept itself: passed to it, or there from its start. Not for hooks.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "shim/shim.h"

static inline bool active(void)
{
	return atomic_load_explicit(&shim_mode, memory_order_acquire) == SHIM_ACTIVE;
}

/*
 * Follows `fd`, a connected TCP socket whose other end is `peer`, if somebody
 * wants it. Activates only for such a one: nginx workers and many others pass
 * pipes and UNIX sockets around. Any thread.
 */
void take_up(int fd, const struct sockaddr_storage *peer);

/*
 * The first transfer on a socket that was descriptor 0, 1 or 2 at start. If it
 * reads what looks like HTTP it is a connection, and its other two numbers are
 * the same one; anything else is left alone for good.
 */
void take_up_inetd(int fd, enum shim_direction direction, const struct iovec *iov, ssize_t result);

#endif
