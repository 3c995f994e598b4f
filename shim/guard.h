/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_GUARD_H
#define BTRACE_GUARD_H

/*
 * The host's errno across our work. Raw system calls (sys.h) do not touch it,
 * but clock_gettime may; the pair costs two moves.
 */

#include <errno.h>

#define GUARD_ENTER() int guard_errno = errno
#define GUARD_LEAVE() (errno = guard_errno)

#endif
