/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_UNREACHED_H
#define BTRACE_UNREACHED_H

/*
 * Connections that do not come about. A connect() that fails is the failure of a
 * request only where one would have followed: at an address that this process (or
 * the one that forked it) has sent an HTTP/1 request to before. It is then a CLIENT
 * span of an unknown method, from connect() until the failure is told: by connect()
 * itself, by getsockopt(SO_ERROR), or by a read or write before the kernel has taken
 * a byte. A request that was handed over too early has its span already; that one
 * ends so.
 *
 * Lock-free, async-signal-safe, no system call; may change errno.
 */

#include <stdbool.h>
#include <stdint.h>

#include "shim/conn.h"

/* May connect() or SO_ERROR say this of an address that cannot be reached? */
bool unreached_error(int error);

/* Has a request been sent to its address? Of the last 64 addresses or so. */
bool unreached_known(const struct conn *c);

/* The pending connect() of c has failed with `error`, once. No side is held; if the in side is not free,
 * nothing happens. */
void unreached(struct conn *c, uint32_t generation, int error);

/* As above where a read or write has failed so; of unreached_here() the in side is held. */
void unreached_by_call(struct conn *c, uint32_t generation, int error);
void unreached_here(struct conn *c, int error);

/* In side held: the kernel has taken bytes of it. */
void unreached_not(struct conn *c);

#endif
