/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BTRACE_STREAM_H
#define BTRACE_STREAM_H

/*
 * Writing to somebody else's pipe, terminal or socket without ever waiting.
 * O_NONBLOCK is no way: the flag belongs to the open file description, which is the
 * host's standard error too. So: MSG_DONTWAIT on sockets, pwritev2(RWF_NOWAIT) where
 * the kernel can do it (pipes since 6.4), a non-blocking description of our
 * own for the length of one write on terminals (/proc/self/fd), else poll() before
 * small writes. In that last case somebody else who fills the pipe between the
 * poll and the write can make us wait; and so can a terminal that may not be opened
 * again (it belongs to another user, or a seccomp filter forbids it).
 */

#include <stddef.h>
#include <sys/types.h>

enum { STREAM_PIECE = 4096, STREAM_TERMINAL_PIECE = 256 };

/* Writes some of the n bytes. How many, 0 if it would wait, or -errno. EINTR is handled. */
ssize_t stream_write_some(int fd, const char *p, size_t n);

/* Writes on until all is written or it would wait. How many, or -errno if not even one. */
ssize_t stream_write(int fd, const char *p, size_t n);

#endif
